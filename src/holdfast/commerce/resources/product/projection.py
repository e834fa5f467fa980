"""Product projections: one version of a product, flattened, seen by a shopper of some place and group."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from msgspec import field
from msgspec.structs import replace

from holdfast.commerce.resources.product.shape import (
    Attribute,
    Availability,
    PriceMode,
    Product,
    ProductData,
    ProductVariant,
    SearchKeywords,
)
from holdfast.commerce.rules.pricing import PriceSelector, select_price
from holdfast.commerce.values.price import Price
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import LocalizedString, Stored, empty, no, no_entries

T = TypeVar("T")

# Every other object an attribute can hold has a name among its fields that no locale could be.
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class ProductProjection(Stored):
    """What clients read; never stored."""

    key: str | None = None
    product_type: Reference
    name: LocalizedString
    slug: LocalizedString
    description: LocalizedString | None = None
    categories: tuple[Reference, ...] = field(default_factory=empty)
    category_order_hints: dict[str, str] = field(default_factory=no_entries)
    meta_title: LocalizedString | None = None
    meta_description: LocalizedString | None = None
    meta_keywords: LocalizedString | None = None
    search_keywords: SearchKeywords = field(default_factory=no_entries)
    published: bool = field(default_factory=no)
    has_staged_changes: bool = field(default_factory=no)
    master_variant: ProductVariant
    variants: tuple[ProductVariant, ...] = field(default_factory=empty)
    attributes: tuple[Attribute, ...] = field(default_factory=empty)
    tax_category: Reference | None = None
    state: Reference | None = None
    price_mode: PriceMode


class Look(NamedTuple):
    """How a product is looked at.

    staged: the version being prepared. selector: which price to single out per variant. locales:
    the only ones shown, None shows all. price_places: with a store, the countries its prices may
    be for and the channels they may come from, None allows all.
    """

    staged: bool = False
    selector: PriceSelector | None = None
    locales: Sequence[str] | None = None
    countries: frozenset[str] | None = None
    channels: frozenset[str] | None = None


def projection(
    product: Product, look: Look, availability: Mapping[str, Availability] | None = None
) -> ProductProjection:
    """One version of the product. `availability` is by SKU; whether it is published is the caller's question."""
    data = product.master_data.staged if look.staged else product.master_data.current
    stock = availability or {}
    return ProductProjection(
        id=product.id,
        version=product.version,
        created_at=product.created_at,
        last_modified_at=product.last_modified_at,
        created_by=product.created_by,
        last_modified_by=product.last_modified_by,
        key=product.key,
        product_type=product.product_type,
        published=product.master_data.published,
        has_staged_changes=product.master_data.has_staged_changes,
        tax_category=product.tax_category,
        state=product.state,
        price_mode=product.price_mode,
        categories=data.categories,
        category_order_hints=data.category_order_hints,
        master_variant=_variant(data.master_variant, look, stock),
        variants=tuple(_variant(variant, look, stock) for variant in data.variants),
        attributes=_attributes(data.attributes, look.locales),
        name=_spoken(data.name, look.locales) or {},
        slug=_spoken(data.slug, look.locales) or {},
        description=_spoken(data.description, look.locales),
        meta_title=_spoken(data.meta_title, look.locales),
        meta_description=_spoken(data.meta_description, look.locales),
        meta_keywords=_spoken(data.meta_keywords, look.locales),
        search_keywords=_spoken(data.search_keywords, look.locales) or {},
    )


def priced(product: Product, selector: PriceSelector | None, stock: Mapping[str, Availability]) -> Product:
    """The product whole, the variants of both versions with the price that applies and their stock."""
    data = product.master_data
    return replace(
        product,
        master_data=replace(
            data, current=_priced(data.current, selector, stock), staged=_priced(data.staged, selector, stock)
        ),
    )


def _priced(data: ProductData, selector: PriceSelector | None, stock: Mapping[str, Availability]) -> ProductData:
    look = Look(selector=selector)
    variants = tuple(_variant(variant, look, stock) for variant in data.variants)
    return replace(data, master_variant=_variant(data.master_variant, look, stock), variants=variants)


def _variant(variant: ProductVariant, look: Look, stock: Mapping[str, Availability]) -> ProductVariant:
    prices = tuple(price for price in variant.prices if _is_sold_by(price, look))
    return replace(
        variant,
        prices=prices,
        price=select_price(prices, look.selector) if look.selector else None,
        attributes=_attributes(variant.attributes, look.locales),
        availability=stock.get(variant.sku) if variant.sku is not None else None,
    )


def _is_sold_by(price: Price, look: Look) -> bool:
    """Whether a price can apply in the store looked through: a price without country or channel always can."""
    if look.countries is not None and price.country is not None and price.country not in look.countries:
        return False
    return look.channels is None or price.channel is None or price.channel.id in look.channels


def _attributes(attributes: tuple[Attribute, ...], locales: Sequence[str] | None) -> tuple[Attribute, ...]:
    if locales is None:
        return attributes
    return tuple(replace(one, value=_spoken_value(one.value, locales)) for one in attributes)


def _spoken_value(value: Any, locales: Sequence[str]) -> Any:
    """An attribute's value in the wanted languages, however deep the texts by locale are."""
    if isinstance(value, list | tuple):
        return [_spoken_value(element, locales) for element in value]
    if not isinstance(value, dict):
        return value
    if value and all(_LOCALE.fullmatch(name) for name in value):
        return _spoken(value, locales)
    return {name: _spoken_value(inner, locales) for name, inner in value.items()}


def _spoken(texts: dict[str, T] | None, locales: Sequence[str] | None) -> dict[str, T] | None:
    if texts is None or locales is None:
        return texts
    return {locale: text for locale, text in texts.items() if locale in locales}
