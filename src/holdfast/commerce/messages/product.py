"""What happened to products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import field

from holdfast.commerce.messages.message import Message
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.price import DiscountedPrice, Price
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import LocalizedString, empty

if TYPE_CHECKING:
    from holdfast.commerce.resources.product.projection import ProductProjection
    from holdfast.commerce.resources.product.shape import Image, PriceMode, ProductVariant


class ProductCreated(Message):
    product_projection: ProductProjection


class ProductDeleted(Message):
    removed_image_urls: tuple[str, ...] = field(default_factory=empty)
    current_projection: ProductProjection | None = None


class ProductPublished(Message):
    removed_image_urls: tuple[str, ...] = field(default_factory=empty)
    product_projection: ProductProjection
    scope: Literal["All", "Prices"]


class ProductUnpublished(Message): ...


class ProductRevertedStagedChanges(Message):
    removed_image_urls: tuple[str, ...] = field(default_factory=empty)


class ProductStateTransition(Message):
    state: Reference
    force: bool


class ProductSlugChanged(Message):
    slug: LocalizedString
    old_slug: LocalizedString | None = None


class ProductAddedToCategory(Message):
    category: Reference
    staged: bool


class ProductRemovedFromCategory(Message):
    category: Reference
    staged: bool


class ProductVariantAdded(Message):
    variant: ProductVariant
    staged: bool


class ProductVariantDeleted(Message):
    variant: ProductVariant
    removed_image_urls: tuple[str, ...] = field(default_factory=empty)
    staged: bool


class ProductImageAdded(Message):
    variant_id: int
    image: Image
    staged: bool


class ProductPriceAdded(Message):
    variant_id: int
    price: Price
    staged: bool


class ProductPriceChanged(Message):
    variant_id: int
    old_price: Price
    new_price: Price
    staged: bool
    old_staged_price: Price | None = None


class ProductPriceRemoved(Message):
    variant_id: int
    price: Price
    staged: bool


class ProductPricesSet(Message):
    variant_id: int
    prices: tuple[Price, ...] = field(default_factory=empty)
    staged: bool


class ProductPriceKeySet(Message):
    variant_id: int
    price_id: str
    old_key: str | None = None
    key: str | None = None
    staged: bool


class ProductPriceModeSet(Message):
    to: PriceMode


class ProductPriceExternalDiscountSet(Message):
    variant_id: int
    variant_key: str | None = None
    sku: str | None = None
    price_id: str
    discounted: DiscountedPrice | None = None
    staged: bool


class ProductPriceCustomFieldsSet(Message):
    price_id: str
    variant_id: int
    staged: bool
    custom_field: CustomFields
    old_type_id: str | None = None


class ProductPriceCustomFieldsRemoved(Message):
    price_id: str
    variant_id: int
    staged: bool


class ProductPriceCustomFieldAdded(Message):
    price_id: str
    variant_id: int
    staged: bool
    name: str
    value: Any


class ProductPriceCustomFieldChanged(Message):
    price_id: str
    variant_id: int
    staged: bool
    name: str
    value: Any


class ProductPriceCustomFieldRemoved(Message):
    price_id: str
    variant_id: int
    staged: bool
    name: str
