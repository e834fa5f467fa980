"""What a cart looks like. Orders carry the same line items, addresses and shipping information."""

from __future__ import annotations

from typing import Literal

from msgspec import field

from holdfast.commerce.projection import Projection
from holdfast.commerce.registry import Resource
from holdfast.commerce.resources.cart.discount_shapes import DirectDiscount
from holdfast.commerce.resources.cart.drafts import (
    CartDraft,
    CartOrigin,
    CustomLineItemPriceMode,
    FreezeStrategy,
    InventoryMode,
    MyCartDraft,
    ShippingMode,
    TaxCalculationMode,
    TaxMode,
)
from holdfast.commerce.resources.product.shape import ProductVariant
from holdfast.commerce.resources.shipping_method import ShippingRate
from holdfast.commerce.resources.tax_category import TaxRate
from holdfast.commerce.values.address import Address
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.delivery import Delivery
from holdfast.commerce.values.money import Money, RoundingMode
from holdfast.commerce.values.price import Price
from holdfast.commerce.values.reference import KeyReference, Reference
from holdfast.commerce.values.taxed_price import TaxedPrice
from holdfast.commerce.values.value import LocalizedString, Stored, Value, empty

LINE_ITEMS_MAX = 500

LineItemPriceMode = Literal["Platform", "ExternalPrice", "ExternalTotal"]
LineItemMode = Literal["Standard", "GiftLineItem"]
CartState = Literal["Active", "Frozen", "Merged", "Ordered"]


# --- parts of items ------------------------------------------------------------------------


class ItemState(Value):
    """How many units are in which state of the line item workflow."""

    quantity: int
    state: Reference


class ItemShippingTarget(Value):
    """How many units go to which of the item shipping addresses, by which shipping method."""

    address_key: str
    quantity: int
    shipping_method_key: str | None = None


class ItemShippingDetails(Value):
    """`valid` says whether the targets cover the item's quantity exactly."""

    targets: tuple[ItemShippingTarget, ...] = field(default_factory=empty)
    valid: bool


class IncludedDiscount(Value):
    """What one discount took off."""

    discount: Reference
    discounted_amount: Money


class DiscountedItemPrice(Value):
    """A price after discounts, with what each of them took off."""

    value: Money
    included_discounts: tuple[IncludedDiscount, ...] = field(default_factory=empty)


class DiscountedPriceForQuantity(Value):
    """So many units have this discounted price."""

    quantity: int
    discounted_price: DiscountedItemPrice


class DiscountOnTotalPrice(Value):
    discounted_amount: Money
    included_discounts: tuple[IncludedDiscount, ...] = field(default_factory=empty)
    discounted_net_amount: Money | None = None
    discounted_gross_amount: Money | None = None


class MethodTaxRate(Value):
    """The rate of an item where one shipping method brings it; shipping mode Multiple only."""

    shipping_method_key: str
    tax_rate: TaxRate | None = None


class MethodTaxedPrice(Value):
    shipping_method_key: str
    taxed_price: TaxedPrice | None = None


# --- items ---------------------------------------------------------------------------------


class LineItem(Value):
    """A variant in the cart, with the product data of the moment it was added.

    Orders that were imported may have lines whose product was never here: those name none.
    """

    id: str
    key: str | None = None
    product_id: str = ""
    product_key: str | None = None
    name: LocalizedString
    product_slug: LocalizedString | None = None
    product_type: Reference | None = None
    variant: ProductVariant
    price: Price
    quantity: int
    total_price: Money
    discounted_price_per_quantity: tuple[DiscountedPriceForQuantity, ...] = field(default_factory=empty)
    taxed_price: TaxedPrice | None = None
    taxed_price_portions: tuple[MethodTaxedPrice, ...] = field(default_factory=empty)
    state: tuple[ItemState, ...] = field(default_factory=empty)
    tax_rate: TaxRate | None = None
    per_method_tax_rate: tuple[MethodTaxRate, ...] = field(default_factory=empty)
    supply_channel: Reference | None = None
    distribution_channel: Reference | None = None
    price_mode: LineItemPriceMode
    line_item_mode: LineItemMode
    inventory_mode: InventoryMode | None = None
    shipping_details: ItemShippingDetails | None = None
    reservation: Reference | None = None
    custom: CustomFields | None = None
    added_at: str | None = None
    last_modified_at: str | None = None


class CustomLineItem(Value):
    """Something sold that is not a product: a fee, a service, a voucher (negative money)."""

    id: str
    key: str | None = None
    name: LocalizedString
    money: Money
    slug: str
    quantity: int
    total_price: Money
    discounted_price_per_quantity: tuple[DiscountedPriceForQuantity, ...] = field(default_factory=empty)
    taxed_price: TaxedPrice | None = None
    taxed_price_portions: tuple[MethodTaxedPrice, ...] = field(default_factory=empty)
    state: tuple[ItemState, ...] = field(default_factory=empty)
    tax_category: Reference | None = None
    tax_rate: TaxRate | None = None
    per_method_tax_rate: tuple[MethodTaxRate, ...] = field(default_factory=empty)
    custom: CustomFields | None = None
    shipping_details: ItemShippingDetails | None = None
    price_mode: CustomLineItemPriceMode


# --- shipping ------------------------------------------------------------------------------


class ClassificationInput(Value, tag_field="type", tag="Classification"):
    key: str
    label: LocalizedString


class ScoreInput(Value, tag_field="type", tag="Score"):
    score: int


ShippingRateInput = ClassificationInput | ScoreInput


class EstimatedDelivery(Value):
    from_: str | None = None
    until: str | None = None


class ShippingInfo(Value):
    """The chosen way of shipping, its rate and price."""

    shipping_method_name: str
    price: Money
    shipping_rate: ShippingRate
    taxed_price: TaxedPrice | None = None
    tax_rate: TaxRate | None = None
    tax_category: Reference | None = None
    shipping_method: Reference | None = None
    deliveries: tuple[Delivery, ...] = field(default_factory=empty)
    discounted_price: DiscountedItemPrice | None = None
    shipping_method_state: Literal["MatchesCart", "DoesNotMatchCart"]
    estimated_delivery: EstimatedDelivery | None = None


class Shipping(Value):
    """One of several ways of shipping; shipping mode Multiple only."""

    shipping_key: str
    shipping_info: ShippingInfo
    shipping_address: Address
    shipping_rate_input: ShippingRateInput | None = None
    shipping_custom_fields: CustomFields | None = None


# --- the cart ------------------------------------------------------------------------------


class PaymentInfo(Value):
    payments: tuple[Reference, ...] = field(default_factory=empty)


class DiscountCodeInfo(Value):
    discount_code: Reference
    state: str


class StockReservation(Value):
    """Units of a line that the cart keeps from others, and the very entry they are kept at.

    After `expires_at` the project may give them back to the shop.
    """

    id: str
    line_item_id: str
    entry_id: str
    quantity: int
    expires_at: str


class CartLock(Value):
    """Who keeps a cart from being changed, since when."""

    created_at: str
    client_id: str


class Cart(Stored):
    """A cart. `stockReserved` and `reservedUntil`, when the first of them ends, are Holdfast's own fields."""

    key: str | None = None
    customer_id: str | None = None
    customer_email: str | None = None
    customer_group: Reference | None = None
    anonymous_id: str | None = None
    business_unit: KeyReference | None = None
    store: KeyReference | None = None
    line_items: tuple[LineItem, ...] = field(default_factory=empty)
    custom_line_items: tuple[CustomLineItem, ...] = field(default_factory=empty)
    total_line_item_quantity: int | None = None
    total_price: Money
    taxed_price: TaxedPrice | None = None
    taxed_shipping_price: TaxedPrice | None = None
    discount_on_total_price: DiscountOnTotalPrice | None = None
    tax_mode: TaxMode
    price_rounding_mode: RoundingMode
    tax_rounding_mode: RoundingMode
    tax_calculation_mode: TaxCalculationMode
    inventory_mode: InventoryMode
    cart_state: CartState
    freeze_strategy: FreezeStrategy | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    shipping_mode: ShippingMode
    shipping_key: str | None = None
    shipping_info: ShippingInfo | None = None
    shipping_rate_input: ShippingRateInput | None = None
    shipping_custom_fields: CustomFields | None = None
    shipping: tuple[Shipping, ...] = field(default_factory=empty)
    item_shipping_addresses: tuple[Address, ...] = field(default_factory=empty)
    discount_codes: tuple[DiscountCodeInfo, ...] = field(default_factory=empty)
    direct_discounts: tuple[DirectDiscount, ...] = field(default_factory=empty)
    refused_gifts: tuple[Reference, ...] = field(default_factory=empty)
    payment_info: PaymentInfo | None = None
    country: str | None = None
    locale: str | None = None
    origin: CartOrigin
    custom: CustomFields | None = None
    lock: CartLock | None = None
    delete_days_after_last_modification: int | None = None
    reservation_expiration_in_minutes: int | None = None
    purchase_order_number: str | None = None
    stock_reserved: tuple[StockReservation, ...] = ()
    reserved_until: str | None = None

    @property
    def currency(self) -> str:
        return self.total_price.currency_code

    @property
    def items(self) -> tuple[LineItem | CustomLineItem, ...]:
        """Line items, then custom line items."""
        return (*self.line_items, *self.custom_line_items)


# What queries see of carts and orders. Copies of the catalogue and the workings of a price are left
# out: every write would carry them into the index, and sums, ids and states are what is asked for.
_QUERYABLE_LINE_ITEM = Projection(
    LineItem,
    leave_out=(
        "product_slug",
        "price",
        "discounted_price_per_quantity",
        "taxed_price",
        "taxed_price_portions",
        "tax_rate",
        "per_method_tax_rate",
    ),
    inner={
        "variant": Projection(
            ProductVariant, leave_out=("prices", "price", "attributes", "images", "assets", "availability")
        )
    },
)
_QUERYABLE_CUSTOM_LINE_ITEM = Projection(
    CustomLineItem,
    leave_out=(
        "discounted_price_per_quantity",
        "taxed_price",
        "taxed_price_portions",
        "tax_rate",
        "per_method_tax_rate",
    ),
)
_QUERYABLE_TAXED_PRICE = Projection(TaxedPrice, leave_out=("tax_portions",))
_QUERYABLE_SHIPPING_INFO = Projection(ShippingInfo, leave_out=("shipping_rate", "taxed_price", "tax_rate"))
QUERYABLE_PARTS = {
    "line_items": _QUERYABLE_LINE_ITEM,
    "custom_line_items": _QUERYABLE_CUSTOM_LINE_ITEM,
    "shipping_info": _QUERYABLE_SHIPPING_INFO,
    "shipping": Projection(Shipping, inner={"shipping_info": _QUERYABLE_SHIPPING_INFO}),
    "taxed_price": _QUERYABLE_TAXED_PRICE,
}
NOT_QUERYABLE = ("taxed_shipping_price",)


carts = Resource(
    "cart",
    path="carts",
    shape=Cart,
    draft=CartDraft,
    scope="orders",
    holds=("type",),
    searchable=Projection(Cart, leave_out=(*NOT_QUERYABLE, "stock_reserved"), inner=QUERYABLE_PARTS),
    ad_hoc=False,
    indexed=("customerId", "anonymousId", "customerEmail"),
    due=("reservedUntil",),
    contained=("paymentInfo",),
    my_draft=MyCartDraft,
    my_actions=(
        "addDiscountCode",
        "addItemShippingAddress",
        "addLineItem",
        "addPayment",
        "applyDeltaToLineItemShippingDetailsTargets",
        "changeLineItemQuantity",
        "changeLineItemsOrder",
        "changeTaxMode",
        "recalculate",
        "removeDiscountCode",
        "removeItemShippingAddress",
        "removeLineItem",
        "removePayment",
        "setBillingAddress",
        "setBusinessUnit",
        "setCountry",
        "setCustomField",
        "setCustomType",
        "setCustomerEmail",
        "setDeleteDaysAfterLastModification",
        "setLineItemCustomField",
        "setLineItemCustomType",
        "setLineItemDistributionChannel",
        "setLineItemShippingDetails",
        "setLineItemSupplyChannel",
        "setLocale",
        "setShippingAddress",
        "setShippingMethod",
        "updateItemShippingAddress",
    ),
)
