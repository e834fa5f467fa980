"""What a product looks like: two versions of its data, each with a master variant and more variants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from holdfast.commerce.registry import Resource
from holdfast.commerce.values.asset import Asset, AssetDraft
from holdfast.commerce.values.price import Price, PriceDraft
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.slug import Slugs, unique_slugs
from holdfast.commerce.values.value import (
    Key,
    Locale,
    LocalizedString,
    Natural,
    Stored,
    Value,
    empty,
    no,
    no_entries,
    one,
)

# The published quotas of a product.
VARIANTS_MAX = 100
PRICES_MAX = 100

PriceMode = Literal["Embedded", "Standalone"]
Sku = Annotated[str, Meta(min_length=1, max_length=256)]
Url = Annotated[str, Meta(min_length=1, max_length=2048)]
# Decimals between 0 and 1 that order products within a category; kept as text, as published.
OrderHint = Annotated[str, Meta(pattern=r"^0?\.\d+\Z", max_length=64)]


class Attribute(Value):
    """One attribute by name; enum values read as `{key, label}`."""

    name: str
    value: Any = None


class ImageDimensions(Value):
    w: Natural
    h: Natural


class Image(Value):
    url: Url
    dimensions: ImageDimensions
    label: str | None = None


class ChannelAvailability(Value):
    """Stock of a variant in one supply channel."""

    id: str
    version: int
    is_on_stock: bool
    available_quantity: int
    restockable_in_days: int | None = None


class Availability(Value):
    """Stock of a variant: the entry without a channel, and those of the channels by their id."""

    id: str | None = None
    version: int | None = None
    is_on_stock: bool | None = None
    available_quantity: int | None = None
    restockable_in_days: int | None = None
    channels: dict[str, ChannelAvailability] | None = None


class ProductVariant(Value):
    """A variant. `price` and `availability` are never stored: answers are given them."""

    id: int
    sku: str | None = None
    key: str | None = None
    prices: tuple[Price, ...] = field(default_factory=empty)
    price: Price | None = None
    attributes: tuple[Attribute, ...] = field(default_factory=empty)
    images: tuple[Image, ...] = field(default_factory=empty)
    assets: tuple[Asset, ...] = field(default_factory=empty)
    availability: Availability | None = None


class ProductVariantDraft(Value):
    sku: Sku | None = None
    key: Key | None = None
    prices: Annotated[tuple[PriceDraft, ...], Meta(max_length=PRICES_MAX)] = ()
    attributes: tuple[Attribute, ...] = ()
    images: tuple[Image, ...] = ()
    assets: tuple[AssetDraft, ...] = ()


class WhitespaceTokenizer(Value, tag_field="type", tag="whitespace"): ...


class CustomTokenizer(Value, tag_field="type", tag="custom"):
    inputs: tuple[str, ...]


class SearchKeyword(Value):
    text: str
    suggest_tokenizer: WhitespaceTokenizer | CustomTokenizer | None = None


SearchKeywords = dict[Locale, tuple[SearchKeyword, ...]]


class ProductData(Value):
    """One version of a product."""

    name: LocalizedString
    slug: Slugs
    description: LocalizedString | None = None
    categories: tuple[Reference, ...] = field(default_factory=empty)
    category_order_hints: dict[str, str] = field(default_factory=no_entries)
    meta_title: LocalizedString | None = None
    meta_description: LocalizedString | None = None
    meta_keywords: LocalizedString | None = None
    master_variant: ProductVariant
    variants: tuple[ProductVariant, ...] = field(default_factory=empty)
    search_keywords: SearchKeywords = field(default_factory=no_entries)
    attributes: tuple[Attribute, ...] = field(default_factory=empty)

    def all_variants(self) -> tuple[ProductVariant, ...]:
        """The master variant, then the others."""
        return (self.master_variant, *self.variants)

    def variant(self, variant_id: int) -> ProductVariant | None:
        return next((one for one in self.all_variants() if one.id == variant_id), None)

    def variant_by_sku(self, sku: str) -> ProductVariant | None:
        return next((one for one in self.all_variants() if one.sku == sku), None)


class ProductCatalogData(Value):
    """Both versions; `current` means something to shoppers only while `published`."""

    published: bool = field(default_factory=no)
    has_staged_changes: bool = field(default_factory=no)
    current: ProductData
    staged: ProductData


def _embedded() -> PriceMode:
    return "Embedded"


class ProductDraft(Value):
    product_type: ResourceIdentifier
    key: Key | None = None
    name: LocalizedString
    slug: Slugs
    description: LocalizedString | None = None
    categories: tuple[ResourceIdentifier, ...] = ()
    category_order_hints: dict[str, OrderHint] = field(default_factory=no_entries)
    meta_title: LocalizedString | None = None
    meta_description: LocalizedString | None = None
    meta_keywords: LocalizedString | None = None
    master_variant: ProductVariantDraft | None = None
    variants: Annotated[tuple[ProductVariantDraft, ...], Meta(max_length=VARIANTS_MAX - 1)] = ()
    tax_category: ResourceIdentifier | None = None
    search_keywords: SearchKeywords = field(default_factory=no_entries)
    state: ResourceIdentifier | None = None
    publish: bool = False
    price_mode: PriceMode = "Embedded"
    attributes: tuple[Attribute, ...] = ()


class Product(Stored):
    """A product. `lastVariantId` counts on when variants go, so that no id is ever used twice."""

    key: str | None = None
    product_type: Reference
    master_data: ProductCatalogData
    tax_category: Reference | None = None
    state: Reference | None = None
    price_mode: PriceMode = field(default_factory=_embedded)
    last_variant_id: int = field(default_factory=one)


def _unique(product: Product) -> Iterable[tuple[str, str]]:
    """Slugs, SKUs and variant keys of both versions."""
    data = product.master_data
    return dict.fromkeys(pair for version in (data.current, data.staged) for pair in _claims(version))


def _claims(data: ProductData) -> Iterator[tuple[str, str]]:
    yield from unique_slugs(data.slug)
    for variant in data.all_variants():
        if variant.sku is not None:
            yield ("sku", variant.sku)
        if variant.key is not None:
            yield ("variants.key", variant.key)


products = Resource(
    "product",
    path="products",
    shape=Product,
    draft=ProductDraft,
    scope="products",
    unique=_unique,
    holds=("product-type", "category", "tax-category", "state", "channel", "customer-group", "type"),
)
