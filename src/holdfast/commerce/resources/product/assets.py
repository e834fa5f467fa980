"""Assets of variants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.product.shape import Product, ProductVariant, products
from holdfast.commerce.resources.product.versions import edited_variant
from holdfast.commerce.rules import assets
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.values.asset import Asset, AssetDraft, AssetSources
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Key, LocalizedString, Natural


@products.action("addAsset")
def add_asset(
    product: Product,
    facts: Facts,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    asset: AssetDraft,
    position: Natural | None = None,
    staged: bool = True,
) -> Product:
    """Add an asset at a position, or at the end."""
    new = assets.new_asset(asset, facts)
    return edited_variant(
        product,
        lambda variant: replace(variant, assets=assets.inserted(variant.assets, new, position)),
        variant_id=variant_id,
        sku=sku,
        staged=staged,
    )


@products.action("changeAssetOrder")
def change_asset_order(
    product: Product,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    asset_order: tuple[str, ...],
    staged: bool = True,
) -> Product:
    """Reorder the assets of a variant; exactly the present ids must be given."""
    return edited_variant(
        product,
        lambda variant: replace(variant, assets=assets.reordered(variant.assets, asset_order)),
        variant_id=variant_id,
        sku=sku,
        staged=staged,
    )


class _Place:
    """The asset an action is about: of which variant, by which name, in which version."""

    __slots__ = ("_sku", "_staged", "_variant_id", "_wanted")

    def __init__(
        self, variant_id: int | None, sku: str | None, asset_id: str | None, asset_key: str | None, staged: bool
    ) -> None:
        self._variant_id = variant_id
        self._sku = sku
        self._staged = staged
        self._wanted = assets.named_by(asset_id, asset_key)

    def changed(self, product: Product, change: Callable[[Asset], Asset]) -> Product:
        return self._with(product, lambda present: assets.changed(present, self._wanted, change))

    def removed(self, product: Product) -> Product:
        return self._with(product, lambda present: assets.without(present, self._wanted))

    def _with(self, product: Product, change: Callable[[assets.Assets], assets.Assets]) -> Product:
        def edit(variant: ProductVariant) -> ProductVariant | None:
            present = any(self._wanted(asset) for asset in variant.assets)
            return replace(variant, assets=change(variant.assets)) if present else None

        return edited_variant(
            product, edit, variant_id=self._variant_id, sku=self._sku, staged=self._staged, what="The asset"
        )


@products.action("removeAsset")
def remove_asset(
    product: Product,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    asset_id: str | None = None,
    asset_key: str | None = None,
    staged: bool = True,
) -> Product:
    """Remove an asset."""
    return _Place(variant_id, sku, asset_id, asset_key, staged).removed(product)


@products.action("changeAssetName")
def change_asset_name(
    product: Product,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    asset_id: str | None = None,
    asset_key: str | None = None,
    name: LocalizedString,
    staged: bool = True,
) -> Product:
    """Change an asset's name."""
    place = _Place(variant_id, sku, asset_id, asset_key, staged)
    return place.changed(product, lambda asset: replace(asset, name=name))


@products.action("setAssetKey")
def set_asset_key(
    product: Product,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    asset_id: str,
    asset_key: Key | None = None,
    staged: bool = True,
) -> Product:
    """Set or remove an asset's key, unique within the variant."""
    place = _Place(variant_id, sku, asset_id, None, staged)
    return place.changed(product, lambda asset: replace(asset, key=asset_key))


@products.action("setAssetDescription")
def set_asset_description(
    product: Product,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    asset_id: str | None = None,
    asset_key: str | None = None,
    description: LocalizedString | None = None,
    staged: bool = True,
) -> Product:
    """Set or remove an asset's description."""
    place = _Place(variant_id, sku, asset_id, asset_key, staged)
    return place.changed(product, lambda asset: replace(asset, description=description))


@products.action("setAssetTags")
def set_asset_tags(
    product: Product,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    asset_id: str | None = None,
    asset_key: str | None = None,
    tags: tuple[str, ...] = (),
    staged: bool = True,
) -> Product:
    """Set an asset's tags."""
    place = _Place(variant_id, sku, asset_id, asset_key, staged)
    return place.changed(product, lambda asset: replace(asset, tags=tags))


@products.action("setAssetSources")
def set_asset_sources(
    product: Product,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    asset_id: str | None = None,
    asset_key: str | None = None,
    sources: AssetSources,
    staged: bool = True,
) -> Product:
    """Set where an asset's renditions are found."""
    place = _Place(variant_id, sku, asset_id, asset_key, staged)
    return place.changed(product, lambda asset: replace(asset, sources=sources))


@products.action("setAssetCustomType")
def set_asset_custom_type(
    product: Product,
    facts: Facts,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    asset_id: str | None = None,
    asset_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
    staged: bool = True,
) -> Product:
    """Set type and fields of an asset's custom fields, or remove both."""
    place = _Place(variant_id, sku, asset_id, asset_key, staged)
    return place.changed(product, lambda asset: with_custom_type(asset, type, fields, "asset", facts))


@products.action("setAssetCustomField")
def set_asset_custom_field(
    product: Product,
    facts: Facts,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    asset_id: str | None = None,
    asset_key: str | None = None,
    name: str,
    value: Any = None,
    staged: bool = True,
) -> Product:
    """Set or remove one custom field of an asset."""
    place = _Place(variant_id, sku, asset_id, asset_key, staged)
    return place.changed(product, lambda asset: with_custom_field(asset, name, value, facts))
