"""What a discount takes off, and off what: alike for cart discounts and a cart's direct discounts."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from holdfast.commerce.values.money import Money, MoneyDraft
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Positive, Value

ApplicationMode = Literal["IndividualApplication", "ProportionateDistribution", "EvenDistribution"]
SelectionMode = Literal["Cheapest", "MostExpensive"]
# One hundredth of a percent; 10,000 make the price zero.
Permyriad = Annotated[int, Meta(ge=0, le=10_000)]


# --- values --------------------------------------------------------------------------------


class RelativeValue(Value, tag_field="type", tag="relative"):
    permyriad: Permyriad
    application_mode: ApplicationMode | None = None


class AbsoluteValue(Value, tag_field="type", tag="absolute"):
    """So much off; the entry in the cart's currency counts."""

    money: tuple[Money, ...]
    application_mode: ApplicationMode | None = None


class FixedValue(Value, tag_field="type", tag="fixed"):
    """So much instead, where that is less; the entry in the cart's currency counts."""

    money: tuple[Money, ...]
    application_mode: ApplicationMode | None = None


class GiftValue(Value, tag_field="type", tag="giftLineItem"):
    """One unit of a variant for nothing."""

    product: Reference
    variant_id: int
    supply_channel: Reference | None = None
    distribution_channel: Reference | None = None


DiscountValue = RelativeValue | AbsoluteValue | FixedValue | GiftValue


class AbsoluteValueDraft(Value, tag_field="type", tag="absolute"):
    money: tuple[MoneyDraft, ...]
    application_mode: ApplicationMode | None = None


class FixedValueDraft(Value, tag_field="type", tag="fixed"):
    money: tuple[MoneyDraft, ...]
    application_mode: ApplicationMode | None = None


class GiftValueDraft(Value, tag_field="type", tag="giftLineItem"):
    product: ResourceIdentifier
    variant_id: Positive
    supply_channel: ResourceIdentifier | None = None
    distribution_channel: ResourceIdentifier | None = None


DiscountValueDraft = RelativeValue | AbsoluteValueDraft | FixedValueDraft | GiftValueDraft


# --- targets -------------------------------------------------------------------------------


class LineItemsTarget(Value, tag_field="type", tag="lineItems"):
    predicate: str


class CustomLineItemsTarget(Value, tag_field="type", tag="customLineItems"):
    predicate: str


class MultiBuyLineItemsTarget(Value, tag_field="type", tag="multiBuyLineItems"):
    """Of every `triggerQuantity` matching units, `discountedQuantity` are discounted."""

    predicate: str
    trigger_quantity: Positive
    discounted_quantity: Positive
    max_occurrence: Positive | None = None
    selection_mode: SelectionMode


class MultiBuyCustomLineItemsTarget(Value, tag_field="type", tag="multiBuyCustomLineItems"):
    predicate: str
    trigger_quantity: Positive
    discounted_quantity: Positive
    max_occurrence: Positive | None = None
    selection_mode: SelectionMode


class ShippingTarget(Value, tag_field="type", tag="shipping"):
    """What shipping costs."""


class TotalPriceTarget(Value, tag_field="type", tag="totalPrice"):
    """The total, after everything else."""


MultiBuyTarget = MultiBuyLineItemsTarget | MultiBuyCustomLineItemsTarget
ItemsTarget = LineItemsTarget | CustomLineItemsTarget | MultiBuyLineItemsTarget | MultiBuyCustomLineItemsTarget
DiscountTarget = (
    LineItemsTarget
    | CustomLineItemsTarget
    | MultiBuyLineItemsTarget
    | MultiBuyCustomLineItemsTarget
    | ShippingTarget
    | TotalPriceTarget
)


# --- direct discounts ----------------------------------------------------------------------


class DirectDiscountDraft(Value):
    value: DiscountValueDraft
    target: DiscountTarget | None = None


class DirectDiscount(Value):
    """A discount of one cart's own."""

    id: str
    value: DiscountValue
    target: DiscountTarget | None = None
