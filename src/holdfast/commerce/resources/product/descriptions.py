"""What a product is called, how it is described, and where it is found."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.product import (
    ProductAddedToCategory,
    ProductPriceModeSet,
    ProductRemovedFromCategory,
    ProductSlugChanged,
)
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.category import categories
from holdfast.commerce.resources.product.shape import (
    OrderHint,
    PriceMode,
    Product,
    ProductData,
    SearchKeywords,
    products,
)
from holdfast.commerce.resources.product.versions import edited
from holdfast.commerce.resources.tax_category import tax_categories
from holdfast.commerce.rules.common_actions import set_key
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.slug import Slugs
from holdfast.commerce.values.value import LocalizedString

products.action("setKey")(set_key)


@products.action("changeName")
def change_name(product: Product, *, name: LocalizedString, staged: bool = True) -> Product:
    """Change the name in all its languages."""
    return _with(product, staged=staged, name=name)


@products.action("setDescription")
def set_description(product: Product, *, description: LocalizedString | None = None, staged: bool = True) -> Product:
    """Set or remove the description."""
    return _with(product, staged=staged, description=description)


@products.action("changeSlug")
def change_slug(product: Product, *, slug: Slugs, staged: bool = True) -> Product | Changed[Product]:
    """Change the slugs of all locales; each is unique among products."""
    changed = _with(product, staged=staged, slug=slug)
    if changed == product:
        return product
    return Changed(changed, (ProductSlugChanged(slug=slug, old_slug=product.master_data.staged.slug),))


@products.action("setMetaTitle")
def set_meta_title(product: Product, *, meta_title: LocalizedString | None = None, staged: bool = True) -> Product:
    """Set or remove the title for search engines."""
    return _with(product, staged=staged, meta_title=meta_title)


@products.action("setMetaDescription")
def set_meta_description(
    product: Product, *, meta_description: LocalizedString | None = None, staged: bool = True
) -> Product:
    """Set or remove the description for search engines."""
    return _with(product, staged=staged, meta_description=meta_description)


@products.action("setMetaKeywords")
def set_meta_keywords(
    product: Product, *, meta_keywords: LocalizedString | None = None, staged: bool = True
) -> Product:
    """Set or remove the keywords for search engines."""
    return _with(product, staged=staged, meta_keywords=meta_keywords)


@products.action("setSearchKeywords")
def set_search_keywords(product: Product, *, search_keywords: SearchKeywords, staged: bool = True) -> Product:
    """Set the words the shop's own search suggests the product for."""
    return _with(product, staged=staged, search_keywords=search_keywords)


@products.action("setTaxCategory")
def set_tax_category(product: Product, facts: Facts, *, tax_category: ResourceIdentifier | None = None) -> Product:
    """Set or remove the tax category; both versions share it."""
    return replace(product, tax_category=facts.resolve(tax_categories, tax_category) if tax_category else None)


@products.action("setPriceMode")
def set_price_mode(product: Product, *, price_mode: PriceMode | None = None) -> Product | Changed[Product]:
    """Choose between embedded (the default) and standalone prices."""
    mode = price_mode or "Embedded"
    if mode == product.price_mode:
        return product
    return Changed(replace(product, price_mode=mode), (ProductPriceModeSet(to=mode),))


# --- categories ----------------------------------------------------------------------------


@products.action("addToCategory")
def add_to_category(
    product: Product,
    facts: Facts,
    *,
    category: ResourceIdentifier,
    order_hint: OrderHint | None = None,
    staged: bool = True,
) -> Product | Changed[Product]:
    """Put the product into a category; a hint orders it there."""
    reference = facts.resolve(categories, category)

    def added(data: ProductData) -> ProductData:
        places = data.categories if reference in data.categories else (*data.categories, reference)
        return (
            _hinted(replace(data, categories=places), reference.id, order_hint)
            if order_hint
            else replace(data, categories=places)
        )

    after = edited(product, added, staged=staged)
    if _places(after) == _places(product):
        return after
    return Changed(after, (ProductAddedToCategory(category=reference, staged=staged),))


@products.action("removeFromCategory")
def remove_from_category(
    product: Product, facts: Facts, *, category: ResourceIdentifier, staged: bool = True
) -> Product | Changed[Product]:
    """Take the product out of a category, and forget its place there."""
    reference = facts.resolve(categories, category)

    def removed(data: ProductData) -> ProductData:
        kept = tuple(one for one in data.categories if one != reference)
        return _hinted(replace(data, categories=kept), reference.id, None)

    after = edited(product, removed, staged=staged)
    if _places(after) == _places(product):
        return after
    return Changed(after, (ProductRemovedFromCategory(category=reference, staged=staged),))


@products.action("setCategoryOrderHint")
def set_category_order_hint(
    product: Product, *, category_id: str, order_hint: OrderHint | None = None, staged: bool = True
) -> Product:
    """Set or remove the product's place in a category."""
    return edited(product, lambda data: _hinted(data, category_id, order_hint), staged=staged)


def _with(product: Product, *, staged: bool, **changes: Any) -> Product:
    return edited(product, lambda data: replace(data, **changes), staged=staged)


def _hinted(data: ProductData, category_id: str, hint: str | None) -> ProductData:
    hints = {known: text for known, text in data.category_order_hints.items() if known != category_id}
    return replace(data, category_order_hints=hints | {category_id: hint} if hint else hints)


def _places(product: Product) -> tuple[tuple[Reference, ...], ...]:
    return product.master_data.staged.categories, product.master_data.current.categories
