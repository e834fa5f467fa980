"""Categories: the tree products are found in.

`ancestors` is the path from the root: the root first, the parent last. It is stored, so that
`where=ancestors(id = "…")` finds a whole subtree; moving a category rewrites its descendants in the
same commit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import MATCHING_LIMIT_MAX, Facts
from holdfast.commerce.messages.category import CategoryCreated, CategorySlugChanged
from holdfast.commerce.registry import Changed, Other, Resource, born, touched
from holdfast.commerce.rules import assets
from holdfast.commerce.rules.common_actions import change_localized_name, set_key, set_localized_description
from holdfast.commerce.rules.custom_fields import (
    custom_actions,
    custom_fields,
    with_custom_field,
    with_custom_type,
)
from holdfast.commerce.values.asset import Asset, AssetDraft, AssetSources
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.slug import Slugs, unique_slugs
from holdfast.commerce.values.value import Key, LocalizedString, Natural, Stored, Value, adopt, empty

# Decimals between 0 and 1 that order categories among their siblings; kept as text, as published.
OrderHint = Annotated[str, Meta(pattern=r"^0?\.\d+\Z", max_length=64)]
# Categories one move may rewrite: they are all part of its commit.
DESCENDANTS_MAX = 2_000
DEPTH_MAX = 100


class CategoryDraft(Value):
    key: Key | None = None
    name: LocalizedString
    slug: Slugs
    description: LocalizedString | None = None
    parent: ResourceIdentifier | None = None
    order_hint: OrderHint | None = None
    external_id: str | None = None
    meta_title: LocalizedString | None = None
    meta_description: LocalizedString | None = None
    meta_keywords: LocalizedString | None = None
    assets: tuple[AssetDraft, ...] = ()
    custom: CustomFieldsDraft | None = None


class Category(Stored):
    key: str | None = None
    name: LocalizedString
    slug: Slugs
    description: LocalizedString | None = None
    ancestors: tuple[Reference, ...] = field(default_factory=empty)
    parent: Reference | None = None
    order_hint: str
    external_id: str | None = None
    meta_title: LocalizedString | None = None
    meta_description: LocalizedString | None = None
    meta_keywords: LocalizedString | None = None
    assets: tuple[Asset, ...] = field(default_factory=empty)
    custom: CustomFields | None = None


categories = Resource(
    "category",
    path="categories",
    shape=Category,
    draft=CategoryDraft,
    scope="categories",
    unique=lambda category: unique_slugs(category.slug),
    holds=("category", "type"),
)
categories.action("changeName")(change_localized_name)
categories.action("setKey")(set_key)
categories.action("setDescription")(set_localized_description)
custom_actions(categories, "category")


@categories.create
def create_category(draft: CategoryDraft, facts: Facts) -> Changed[Category]:
    """A category below its parent, behind its siblings unless the draft says otherwise."""
    parent = facts.get(categories, draft.parent) if draft.parent else None
    category = adopt(
        Category,
        draft,
        parent=_reference(parent) if parent else None,
        ancestors=_path_to(parent),
        order_hint=draft.order_hint or _hint_by_time(facts.now),
        assets=assets.new_assets(draft.assets, facts),
        custom=custom_fields(draft.custom, "category", facts),
    )
    category = born(category, facts)
    return Changed(category, (CategoryCreated(category=category),))


@categories.settle
def settle_category(before: Category | None, after: Category, facts: Facts) -> Changed[Category]:
    """When a category has moved, its descendants learn their new path."""
    if before is None or before.ancestors == after.ancestors:
        return Changed(after)
    return Changed(after, others=[_moved(below, before, after, facts) for below in _descendants(after, facts)])


def _path_to(parent: Category | None) -> tuple[Reference, ...]:
    """The ancestors of a child: the parent's own, then the parent."""
    if parent is None:
        return ()
    if len(parent.ancestors) >= DEPTH_MAX:
        raise InvalidOperation(f"The category tree cannot be deeper than {DEPTH_MAX} levels.")
    return (*parent.ancestors, _reference(parent))


def _reference(category: Category) -> Reference:
    return Reference(type_id="category", id=category.id)


def _hint_by_time(now: str) -> str:
    """A hint that grows with time, so that siblings stand in the order they were made."""
    digits = "".join(filter(str.isdigit, now))
    return f"0.{digits.rstrip('0')}"


def _descendants(category: Category, facts: Facts) -> list[Category]:
    where = f'ancestors(id = "{category.id}")'
    found: list[Category] = []
    page = facts.matching(categories, where, sort="id asc")
    while len(page) == MATCHING_LIMIT_MAX:
        found.extend(page)
        if len(found) > DESCENDANTS_MAX:
            raise InvalidOperation(f"A category with more than {DESCENDANTS_MAX} descendants cannot be moved.")
        page = facts.matching(categories, f'{where} and id > "{page[-1].id}"', sort="id asc")
    return [*found, *page]


def _moved(descendant: Category, before: Category, after: Category, facts: Facts) -> Other:
    """A descendant behind the new place of what is above it."""
    kept = [ancestor for ancestor in descendant.ancestors if ancestor not in before.ancestors]
    moved = replace(descendant, ancestors=(*after.ancestors, *kept))
    return Other(categories, descendant, touched(moved, descendant.version + 1, facts))


# --- place and name ------------------------------------------------------------------------


@categories.action("changeParent")
def change_parent(category: Category, facts: Facts, *, parent: ResourceIdentifier) -> Category:
    """Move the category and everything below it."""
    new = facts.get(categories, parent)
    own = _reference(category)
    if new.id == category.id or own in new.ancestors:
        raise InvalidOperation("A category cannot be moved below itself or one of its descendants.")
    return replace(category, parent=_reference(new), ancestors=_path_to(new))


@categories.action("changeSlug")
def change_slug(category: Category, *, slug: Slugs) -> Category | Changed[Category]:
    """Change the slugs of all locales; each is unique among categories."""
    if slug == category.slug:
        return category
    return Changed(replace(category, slug=slug), (CategorySlugChanged(slug=slug, old_slug=category.slug),))


@categories.action("changeOrderHint")
def change_order_hint(category: Category, *, order_hint: OrderHint) -> Category:
    """Change the place among the siblings."""
    return replace(category, order_hint=order_hint)


@categories.action("setExternalId")
def set_external_id(category: Category, *, external_id: str | None = None) -> Category:
    """Set or remove the id another system knows the category by."""
    return replace(category, external_id=external_id)


@categories.action("setMetaTitle")
def set_meta_title(category: Category, *, meta_title: LocalizedString | None = None) -> Category:
    """Set or remove the title for search engines."""
    return replace(category, meta_title=meta_title)


@categories.action("setMetaDescription")
def set_meta_description(category: Category, *, meta_description: LocalizedString | None = None) -> Category:
    """Set or remove the description for search engines."""
    return replace(category, meta_description=meta_description)


@categories.action("setMetaKeywords")
def set_meta_keywords(category: Category, *, meta_keywords: LocalizedString | None = None) -> Category:
    """Set or remove the keywords for search engines."""
    return replace(category, meta_keywords=meta_keywords)


# --- assets --------------------------------------------------------------------------------


@categories.action("addAsset")
def add_asset(category: Category, facts: Facts, *, asset: AssetDraft, position: Natural | None = None) -> Category:
    """Add an asset at a position, or at the end."""
    new = assets.new_asset(asset, facts)
    return replace(category, assets=assets.inserted(category.assets, new, position))


@categories.action("removeAsset")
def remove_asset(category: Category, *, asset_id: str | None = None, asset_key: str | None = None) -> Category:
    """Remove an asset."""
    return replace(category, assets=assets.without(category.assets, assets.named_by(asset_id, asset_key)))


@categories.action("changeAssetOrder")
def change_asset_order(category: Category, *, asset_order: tuple[str, ...]) -> Category:
    """Reorder the assets; exactly the present ids must be given."""
    return replace(category, assets=assets.reordered(category.assets, asset_order))


@categories.action("changeAssetName")
def change_asset_name(
    category: Category, *, asset_id: str | None = None, asset_key: str | None = None, name: LocalizedString
) -> Category:
    """Change an asset's name."""
    return _with_asset(category, asset_id, asset_key, lambda asset: replace(asset, name=name))


@categories.action("setAssetKey")
def set_asset_key(category: Category, *, asset_id: str, asset_key: Key | None = None) -> Category:
    """Set or remove an asset's key, unique within the category."""
    return _with_asset(category, asset_id, None, lambda asset: replace(asset, key=asset_key))


@categories.action("setAssetDescription")
def set_asset_description(
    category: Category,
    *,
    asset_id: str | None = None,
    asset_key: str | None = None,
    description: LocalizedString | None = None,
) -> Category:
    """Set or remove an asset's description."""
    return _with_asset(category, asset_id, asset_key, lambda asset: replace(asset, description=description))


@categories.action("setAssetTags")
def set_asset_tags(
    category: Category, *, asset_id: str | None = None, asset_key: str | None = None, tags: tuple[str, ...] = ()
) -> Category:
    """Set an asset's tags."""
    return _with_asset(category, asset_id, asset_key, lambda asset: replace(asset, tags=tags))


@categories.action("setAssetSources")
def set_asset_sources(
    category: Category, *, asset_id: str | None = None, asset_key: str | None = None, sources: AssetSources
) -> Category:
    """Set where an asset's renditions are found."""
    return _with_asset(category, asset_id, asset_key, lambda asset: replace(asset, sources=sources))


@categories.action("setAssetCustomType")
def set_asset_custom_type(
    category: Category,
    facts: Facts,
    *,
    asset_id: str | None = None,
    asset_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Category:
    """Set type and fields of an asset's custom fields, or remove both."""
    return _with_asset(
        category, asset_id, asset_key, lambda asset: with_custom_type(asset, type, fields, "asset", facts)
    )


@categories.action("setAssetCustomField")
def set_asset_custom_field(
    category: Category,
    facts: Facts,
    *,
    asset_id: str | None = None,
    asset_key: str | None = None,
    name: str,
    value: Any = None,
) -> Category:
    """Set or remove one custom field of an asset."""
    return _with_asset(category, asset_id, asset_key, lambda asset: with_custom_field(asset, name, value, facts))


def _with_asset(
    category: Category, asset_id: str | None, asset_key: str | None, change: Callable[[Asset], Asset]
) -> Category:
    return replace(category, assets=assets.changed(category.assets, assets.named_by(asset_id, asset_key), change))
