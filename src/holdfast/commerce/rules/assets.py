"""Assets of variants and categories: pure changes to a list of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from holdfast.base.errors import DuplicateField, InvalidField, InvalidInput, InvalidOperation, MaxResourceLimitExceeded
from holdfast.commerce.facts import Facts
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.values.asset import Asset, AssetDraft
from holdfast.commerce.values.value import adopt

# Assets of one variant or category.
ASSETS_MAX = 500

Assets = tuple[Asset, ...]


def new_asset(draft: AssetDraft, facts: Facts) -> Asset:
    """The asset a draft describes, with an id of its own."""
    return adopt(Asset, draft, id=facts.new_id(), custom=custom_fields(draft.custom, "asset", facts))


def new_assets(drafts: Sequence[AssetDraft], facts: Facts) -> Assets:
    """Several assets at once, their keys distinct."""
    return check_keys(tuple(new_asset(draft, facts) for draft in drafts))


def check_keys(assets: Assets) -> Assets:
    """Raises DuplicateField when two assets of one holder share a key, MaxResourceLimitExceeded for too many."""
    if len(assets) > ASSETS_MAX:
        raise MaxResourceLimitExceeded(f"There can be at most {ASSETS_MAX} assets.", exceeded_resource="asset")
    keys = [asset.key for asset in assets if asset.key is not None]
    for key in keys:
        if keys.count(key) > 1:
            raise DuplicateField("assets.key", key)
    return assets


def named_by(asset_id: str | None, asset_key: str | None) -> Callable[[Asset], bool]:
    """Whether an asset is the one an action names. Raises InvalidInput unless by exactly one of id and key."""
    if (asset_id is None) == (asset_key is None):
        raise InvalidInput("An asset must be named by either 'assetId' or 'assetKey'.")
    if asset_id is not None:
        return lambda asset: asset.id == asset_id
    return lambda asset: asset.key == asset_key


def inserted(assets: Assets, asset: Asset, position: int | None) -> Assets:
    """The assets with a new one at its position, at the end without one."""
    place = len(assets) if position is None else position
    return check_keys((*assets[:place], asset, *assets[place:]))


def changed(assets: Assets, wanted: Callable[[Asset], bool], change: Callable[[Asset], Asset]) -> Assets:
    """The assets with one of them changed. Raises InvalidOperation when it is not there."""
    _check_present(assets, wanted)
    return check_keys(tuple(change(asset) if wanted(asset) else asset for asset in assets))


def without(assets: Assets, wanted: Callable[[Asset], bool]) -> Assets:
    _check_present(assets, wanted)
    return tuple(asset for asset in assets if not wanted(asset))


def reordered(assets: Assets, order: Sequence[str]) -> Assets:
    """The assets in the order of these ids, which must be exactly theirs."""
    by_id = {asset.id: asset for asset in assets}
    if sorted(order) != sorted(by_id):
        raise InvalidField("assetOrder", list(order), allowed_values=list(by_id))
    return tuple(by_id[asset_id] for asset_id in order)


def _check_present(assets: Assets, wanted: Callable[[Asset], bool]) -> None:
    if not any(wanted(asset) for asset in assets):
        raise InvalidOperation("The asset was not found.")
