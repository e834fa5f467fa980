"""What clients send to make carts and to add to them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from holdfast.commerce.resources.shipping_method import ShippingRateDraft
from holdfast.commerce.resources.tax_category import Share, SubRate
from holdfast.commerce.values.address import AddressDraft
from holdfast.commerce.values.custom_fields import CustomFieldsDraft
from holdfast.commerce.values.delivery import DeliveryDraft
from holdfast.commerce.values.money import MoneyDraft, RoundingMode
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import (
    Country,
    Currency,
    Instant,
    Key,
    Locale,
    LocalizedString,
    Natural,
    Positive,
    Quantity,
    Value,
    empty,
    no,
)

TaxMode = Literal["Platform", "External", "ExternalAmount", "Disabled"]
MyTaxMode = Literal["Platform", "External", "ExternalAmount"]
TaxCalculationMode = Literal["LineItemLevel", "UnitPriceLevel"]
InventoryMode = Literal["None", "TrackOnly", "ReserveOnOrder", "ReserveOnCart"]
ShippingMode = Literal["Single", "Multiple"]
CartOrigin = Literal["Customer", "Merchant", "Quote", "RecurringOrder"]
FreezeStrategy = Literal["SoftFreeze", "HardFreeze"]
CustomLineItemPriceMode = Literal["Standard", "External"]

QUANTITY_MAX = 1_000_000_000
# How many units to add: at least one. Taking units away has actions of its own.
Count = Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
Slug = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{2,256}\Z")]
Days = Annotated[int, Meta(ge=1, le=365_250)]


class ItemShippingTargetDraft(Value):
    address_key: str
    quantity: Quantity
    shipping_method_key: str | None = None


class ItemShippingTargetDelta(Value):
    """Units to add to a target, or to take from it."""

    address_key: str
    quantity: Annotated[int, Meta(ge=-QUANTITY_MAX, le=QUANTITY_MAX)]
    shipping_method_key: str | None = None


class ItemShippingDetailsDraft(Value):
    targets: tuple[ItemShippingTargetDraft, ...] = ()


class ExternalTaxRateDraft(Value):
    """A rate the client found; tax modes External and ExternalAmount."""

    name: str
    amount: Share | None = None
    included_in_price: bool = field(default_factory=no)
    country: Country
    state: str | None = None
    sub_rates: tuple[SubRate, ...] = field(default_factory=empty)


class ExternalTaxAmountDraft(Value):
    """The gross amount the client found, and the rate it rests on; tax mode ExternalAmount."""

    total_gross: MoneyDraft
    tax_rate: ExternalTaxRateDraft


class MethodExternalTaxRateDraft(Value):
    shipping_method_key: str
    tax_rate: ExternalTaxRateDraft | None = None


class TaxPortionDraft(Value):
    name: str | None = None
    rate: Share
    amount: MoneyDraft


class ExternalTotalDraft(Value):
    """A unit price and a total that need not be multiples of each other."""

    price: MoneyDraft
    total_price: MoneyDraft


class RecurrenceInfoDraft(Value):
    """How often a line is to be ordered again."""

    recurrence_policy: ResourceIdentifier
    price_selection_mode: Literal["Fixed", "Dynamic"]
    expires_at: Instant | None = None


class MyLineItemDraft(Value):
    key: Key | None = None
    product_id: str | None = None
    variant_id: Positive | None = None
    sku: str | None = None
    quantity: Count = 1
    added_at: Instant | None = None
    supply_channel: ResourceIdentifier | None = None
    distribution_channel: ResourceIdentifier | None = None
    shipping_details: ItemShippingDetailsDraft | None = None
    recurrence_info: RecurrenceInfoDraft | None = None
    custom: CustomFieldsDraft | None = None


class LineItemDraft(MyLineItemDraft):
    external_price: MoneyDraft | None = None
    external_total_price: ExternalTotalDraft | None = None
    external_tax_rate: ExternalTaxRateDraft | None = None
    per_method_external_tax_rate: tuple[MethodExternalTaxRateDraft, ...] = ()
    inventory_mode: InventoryMode | None = None


class CustomLineItemDraft(Value):
    key: Key | None = None
    name: LocalizedString
    quantity: Count = 1
    money: MoneyDraft
    slug: Slug
    tax_category: ResourceIdentifier | None = None
    external_tax_rate: ExternalTaxRateDraft | None = None
    custom: CustomFieldsDraft | None = None
    shipping_details: ItemShippingDetailsDraft | None = None
    price_mode: CustomLineItemPriceMode = "Standard"
    recurrence_info: RecurrenceInfoDraft | None = None


class ClassificationInputDraft(Value, tag_field="type", tag="Classification"):
    key: str


class ScoreInputDraft(Value, tag_field="type", tag="Score"):
    score: Natural


ShippingRateInputDraft = ClassificationInputDraft | ScoreInputDraft


class EstimatedDeliveryDraft(Value):
    from_: Instant | None = None
    until: Instant | None = None


class CustomShippingDraft(Value):
    key: Key
    shipping_method_name: str
    shipping_address: AddressDraft
    shipping_rate: ShippingRateDraft
    shipping_rate_input: ShippingRateInputDraft | None = None
    tax_category: ResourceIdentifier | None = None
    external_tax_rate: ExternalTaxRateDraft | None = None
    deliveries: tuple[DeliveryDraft, ...] = ()
    custom: CustomFieldsDraft | None = None


class ShippingDraft(Value):
    key: Key
    shipping_method: ResourceIdentifier
    shipping_address: AddressDraft
    shipping_rate_input: ShippingRateInputDraft | None = None
    external_tax_rate: ExternalTaxRateDraft | None = None
    deliveries: tuple[DeliveryDraft, ...] = ()
    custom: CustomFieldsDraft | None = None


class MyCartDraft(Value):
    """What a shopper may say about a new cart: nothing about prices, taxes or whose it is."""

    currency: Currency
    customer_email: str | None = None
    business_unit: ResourceIdentifier | None = None
    store: ResourceIdentifier | None = None
    line_items: tuple[MyLineItemDraft, ...] = ()
    tax_mode: MyTaxMode = "Platform"
    inventory_mode: InventoryMode = "None"
    billing_address: AddressDraft | None = None
    shipping_address: AddressDraft | None = None
    shipping_method: ResourceIdentifier | None = None
    item_shipping_addresses: tuple[AddressDraft, ...] = ()
    shipping_mode: ShippingMode = "Single"
    discount_codes: tuple[str, ...] = ()
    country: Country | None = None
    locale: Locale | None = None
    delete_days_after_last_modification: Days | None = None
    custom: CustomFieldsDraft | None = None


class CartDraft(Value):
    currency: Currency
    key: Key | None = None
    customer_id: str | None = None
    customer_email: str | None = None
    customer_group: ResourceIdentifier | None = None
    anonymous_id: str | None = None
    business_unit: ResourceIdentifier | None = None
    store: ResourceIdentifier | None = None
    line_items: tuple[LineItemDraft, ...] = ()
    custom_line_items: tuple[CustomLineItemDraft, ...] = ()
    tax_mode: TaxMode = "Platform"
    external_tax_rate_for_shipping_method: ExternalTaxRateDraft | None = None
    price_rounding_mode: RoundingMode | None = None
    tax_rounding_mode: RoundingMode | None = None
    tax_calculation_mode: TaxCalculationMode = "LineItemLevel"
    inventory_mode: InventoryMode = "None"
    billing_address: AddressDraft | None = None
    shipping_address: AddressDraft | None = None
    shipping_method: ResourceIdentifier | None = None
    shipping_rate_input: ShippingRateInputDraft | None = None
    shipping_mode: ShippingMode = "Single"
    custom_shipping: tuple[CustomShippingDraft, ...] = ()
    shipping: tuple[ShippingDraft, ...] = ()
    item_shipping_addresses: tuple[AddressDraft, ...] = ()
    discount_codes: tuple[str, ...] = ()
    country: Country | None = None
    locale: Locale | None = None
    origin: CartOrigin = "Customer"
    delete_days_after_last_modification: Days | None = None
    custom: CustomFieldsDraft | None = None
    purchase_order_number: str | None = None


class ReplicaCartDraft(Value):
    """Which cart or order to copy."""

    reference: ResourceIdentifier
    key: Key | None = None


class MergeCartDraft(Value):
    """Which guest's cart to merge into the customer's, and which of them survives."""

    anonymous_cart: ResourceIdentifier | None = None
    merge_mode: Literal["MergeWithExistingCustomerCart", "UseAsNewActiveCustomerCart"] = "MergeWithExistingCustomerCart"
    update_product_data: bool = False
    anonymous_id: str | None = None
