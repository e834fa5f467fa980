"""What clients send to make orders and returns."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from holdfast.commerce.resources.cart.drafts import (
    CartOrigin,
    CustomLineItemPriceMode,
    InventoryMode,
    ItemShippingDetailsDraft,
    TaxCalculationMode,
    TaxPortionDraft,
)
from holdfast.commerce.resources.order.shape import OrderState, PaymentState, ReturnShipmentState, ShipmentState
from holdfast.commerce.resources.product.shape import Attribute, Image
from holdfast.commerce.resources.shipping_method import ShippingRateDraft
from holdfast.commerce.resources.tax_category import TaxRateDraft
from holdfast.commerce.values.address import AddressDraft
from holdfast.commerce.values.custom_fields import CustomFieldsDraft
from holdfast.commerce.values.delivery import DeliveryDraft
from holdfast.commerce.values.money import MoneyDraft, RoundingMode
from holdfast.commerce.values.price import PriceDraft
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Country, Instant, Key, LocalizedString, Natural, Positive, Value, empty

QUANTITY_MAX = 1_000_000_000
Units = Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
# Imported orders may record what was taken back as negative quantities.
SignedUnits = Annotated[int, Meta(ge=-QUANTITY_MAX, le=QUANTITY_MAX)]
OrderNumber = Annotated[str, Meta(min_length=1, max_length=256)]


class MyOrderFromCartDraft(Value):
    """What a shopper sends: which cart, as last seen."""

    id: str
    version: Natural


class OrderFromCartDraft(Value):
    """Which cart, as last seen, and what the order starts with. `id` is the deprecated way to name the cart."""

    id: str | None = None
    cart: ResourceIdentifier | None = None
    version: Natural
    order_number: OrderNumber | None = None
    purchase_order_number: str | None = None
    payment_state: PaymentState | None = None
    shipment_state: ShipmentState | None = None
    order_state: OrderState = "Open"
    state: ResourceIdentifier | None = None
    custom: CustomFieldsDraft | None = None


# --- returns and item states ---------------------------------------------------------------


class ReturnItemDraft(Value):
    key: Key | None = None
    quantity: Units
    line_item_id: str | None = None
    custom_line_item_id: str | None = None
    comment: str | None = None
    shipment_state: ReturnShipmentState
    custom: CustomFieldsDraft | None = None


class ReturnInfoDraft(Value):
    items: Annotated[tuple[ReturnItemDraft, ...], Meta(min_length=1)]
    return_tracking_id: str | None = None
    return_date: Instant | None = None


class ItemStateDraft(Value):
    quantity: SignedUnits
    state: ResourceIdentifier


# --- import --------------------------------------------------------------------------------


class ImportedTaxRate(TaxRateDraft):
    id: str | None = None


class ImportedTaxedPrice(Value):
    total_net: MoneyDraft
    total_gross: MoneyDraft
    tax_portions: tuple[TaxPortionDraft, ...] = ()
    total_tax: MoneyDraft | None = None


class VariantImportDraft(Value):
    id: Positive | None = None
    sku: str | None = None
    prices: tuple[PriceDraft, ...] | None = None
    attributes: tuple[Attribute, ...] | None = None
    images: tuple[Image, ...] | None = None


class LineItemImportDraft(Value):
    name: LocalizedString
    key: Key | None = None
    variant: VariantImportDraft
    product_id: str | None = None
    quantity: SignedUnits
    price: PriceDraft
    tax_rate: ImportedTaxRate | None = None
    taxed_price: ImportedTaxedPrice | None = None
    distribution_channel: ResourceIdentifier | None = None
    supply_channel: ResourceIdentifier | None = None
    inventory_mode: InventoryMode | None = None
    shipping_details: ItemShippingDetailsDraft | None = None
    state: tuple[ItemStateDraft, ...] | None = None
    custom: CustomFieldsDraft | None = None


class CustomLineItemImportDraft(Value):
    name: LocalizedString
    key: Key | None = None
    slug: str
    quantity: SignedUnits
    money: MoneyDraft
    tax_rate: ImportedTaxRate | None = None
    taxed_price: ImportedTaxedPrice | None = None
    tax_category: ResourceIdentifier | None = None
    price_mode: CustomLineItemPriceMode = "Standard"
    shipping_details: ItemShippingDetailsDraft | None = None
    state: tuple[ItemStateDraft, ...] | None = None
    custom: CustomFieldsDraft | None = None


class IncludedDiscountDraft(Value):
    discount: Reference
    discounted_amount: MoneyDraft


class DiscountedItemPriceDraft(Value):
    value: MoneyDraft
    included_discounts: tuple[IncludedDiscountDraft, ...] = ()


class ShippingInfoImportDraft(Value):
    shipping_method_name: str
    price: MoneyDraft
    shipping_rate: ShippingRateDraft
    tax_rate: ImportedTaxRate | None = None
    taxed_price: ImportedTaxedPrice | None = None
    tax_category: ResourceIdentifier | None = None
    shipping_method: ResourceIdentifier | None = None
    deliveries: tuple[DeliveryDraft, ...] = ()
    discounted_price: DiscountedItemPriceDraft | None = None


class PaymentInfoDraft(Value):
    payments: tuple[ResourceIdentifier, ...] = ()


class OrderImportDraft(Value):
    """An order that happened elsewhere: prices, taxes and states are taken as they are."""

    order_number: OrderNumber | None = None
    purchase_order_number: str | None = None
    customer_id: str | None = None
    customer_email: str | None = None
    customer_group: ResourceIdentifier | None = None
    business_unit: ResourceIdentifier | None = None
    store: ResourceIdentifier | None = None
    line_items: tuple[LineItemImportDraft, ...] = field(default_factory=empty)
    custom_line_items: tuple[CustomLineItemImportDraft, ...] = field(default_factory=empty)
    total_price: MoneyDraft
    taxed_price: ImportedTaxedPrice | None = None
    price_rounding_mode: RoundingMode | None = None
    tax_rounding_mode: RoundingMode = "HalfEven"
    tax_calculation_mode: TaxCalculationMode = "LineItemLevel"
    inventory_mode: InventoryMode = "None"
    billing_address: AddressDraft | None = None
    shipping_address: AddressDraft | None = None
    item_shipping_addresses: tuple[AddressDraft, ...] = field(default_factory=empty)
    shipping_info: ShippingInfoImportDraft | None = None
    payment_info: PaymentInfoDraft | None = None
    payment_state: PaymentState | None = None
    shipment_state: ShipmentState | None = None
    order_state: OrderState = "Open"
    state: ResourceIdentifier | None = None
    country: Country | None = None
    origin: CartOrigin = "Customer"
    completed_at: Instant | None = None
    custom: CustomFieldsDraft | None = None
