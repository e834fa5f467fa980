"""What an order looks like: the cart it was, and its own states, deliveries and returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import field

from holdfast.commerce.projection import Projection
from holdfast.commerce.registry import Resource
from holdfast.commerce.resources.cart.discount_shapes import DirectDiscount
from holdfast.commerce.resources.cart.drafts import (
    CartOrigin,
    InventoryMode,
    ShippingMode,
    TaxCalculationMode,
    TaxMode,
)
from holdfast.commerce.resources.cart.shape import (
    NOT_QUERYABLE,
    QUERYABLE_PARTS,
    CustomLineItem,
    DiscountCodeInfo,
    DiscountOnTotalPrice,
    ItemState,
    LineItem,
    PaymentInfo,
    Shipping,
    ShippingInfo,
    ShippingRateInput,
)
from holdfast.commerce.values.address import Address
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.money import Money, RoundingMode
from holdfast.commerce.values.reference import KeyReference, Reference
from holdfast.commerce.values.taxed_price import TaxedPrice
from holdfast.commerce.values.value import Stored, Value, empty

OrderState = Literal["Open", "Confirmed", "Complete", "Cancelled"]
ShipmentState = Literal["Shipped", "Delivered", "Ready", "Pending", "Delayed", "Partial", "Backorder", "Canceled"]
PaymentState = Literal["BalanceDue", "Failed", "Pending", "CreditOwed", "Paid"]
ReturnShipmentState = Literal["Advised", "Returned", "BackInStock", "Unusable"]
ReturnPaymentState = Literal["NonRefundable", "Initial", "Refunded", "NotRefunded"]


class SyncInfo(Value):
    """When the order was last exchanged with the system behind a channel."""

    channel: Reference
    external_id: str | None = None
    synced_at: str


class ReturnItem(Value):
    """Units that come back; `type` says of which kind of item."""

    type: Literal["LineItemReturnItem", "CustomLineItemReturnItem"]
    id: str
    key: str | None = None
    quantity: int
    line_item_id: str | None = None
    custom_line_item_id: str | None = None
    comment: str | None = None
    shipment_state: ReturnShipmentState
    payment_state: ReturnPaymentState
    custom: CustomFields | None = None
    last_modified_at: str
    created_at: str


class ReturnInfo(Value):
    """One return, of several items perhaps."""

    items: tuple[ReturnItem, ...] = field(default_factory=empty)
    return_tracking_id: str | None = None
    return_date: str | None = None


class HeldStock(Value):
    """The units of a line item whose stock has not come back, and the very entry they were taken from.

    The entry is remembered, because the SKU and channel that led to it may lead elsewhere by now.
    `goneOn` are units that have come back and were taken on from there, by the states they are in: they do not
    come back again.
    """

    line_item_id: str
    entry_id: str
    quantity: int
    gone_on: tuple[ItemState, ...] = ()


def _single() -> ShippingMode:
    return "Single"


def _customer() -> CartOrigin:
    return "Customer"


class Order(Stored):
    """An order. `stockHeld` is Holdfast's own field, not published."""

    order_number: str | None = None
    purchase_order_number: str | None = None
    customer_id: str | None = None
    customer_email: str | None = None
    customer_group: Reference | None = None
    anonymous_id: str | None = None
    business_unit: KeyReference | None = None
    store: KeyReference | None = None
    line_items: tuple[LineItem, ...] = field(default_factory=empty)
    custom_line_items: tuple[CustomLineItem, ...] = field(default_factory=empty)
    total_price: Money
    taxed_price: TaxedPrice | None = None
    taxed_shipping_price: TaxedPrice | None = None
    discount_on_total_price: DiscountOnTotalPrice | None = None
    price_rounding_mode: RoundingMode | None = None
    tax_mode: TaxMode | None = None
    tax_rounding_mode: RoundingMode | None = None
    tax_calculation_mode: TaxCalculationMode | None = None
    inventory_mode: InventoryMode | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    shipping_mode: ShippingMode = field(default_factory=_single)
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
    origin: CartOrigin = field(default_factory=_customer)
    cart: Reference | None = None
    order_state: OrderState
    shipment_state: ShipmentState | None = None
    payment_state: PaymentState | None = None
    state: Reference | None = None
    sync_info: tuple[SyncInfo, ...] = field(default_factory=empty)
    return_info: tuple[ReturnInfo, ...] = field(default_factory=empty)
    custom: CustomFields | None = None
    completed_at: str | None = None
    stock_held: tuple[HeldStock, ...] = ()

    @property
    def items(self) -> tuple[LineItem | CustomLineItem, ...]:
        return self.line_items + self.custom_line_items


def _order_number(order: Order) -> Iterator[tuple[str, str]]:
    if order.order_number is not None:
        yield ("orderNumber", order.order_number)


# Orders hold on to custom types only. States are in every order from birth: holding them would cost
# each sale a walk through its body, to protect what nobody deletes.
orders = Resource(
    "order",
    path="orders",
    shape=Order,
    scope="orders",
    unique=_order_number,
    holds=("type",),
    searchable=Projection(Order, leave_out=NOT_QUERYABLE, inner=QUERYABLE_PARTS),
    indexed=("customerId", "anonymousId"),
)
