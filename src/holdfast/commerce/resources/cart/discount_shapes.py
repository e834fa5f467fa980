"""Direct discounts: discounts that belong to one cart, given by the client."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from holdfast.commerce.values.money import Money, MoneyDraft
from holdfast.commerce.values.value import Value

ApplicationMode = Literal["IndividualApplication", "ProportionateDistribution", "EvenDistribution"]
# One hundredth of a percent; 10,000 make the price zero.
Permyriad = Annotated[int, Meta(ge=0, le=10_000)]


class RelativeValue(Value, tag_field="type", tag="relative"):
    permyriad: Permyriad


class AbsoluteValue(Value, tag_field="type", tag="absolute"):
    """So much off; the entry in the cart's currency counts."""

    money: tuple[Money, ...]
    application_mode: ApplicationMode | None = None


class FixedValue(Value, tag_field="type", tag="fixed"):
    """So much instead, where that is less; the entry in the cart's currency counts."""

    money: tuple[Money, ...]
    application_mode: ApplicationMode | None = None


DiscountValue = RelativeValue | AbsoluteValue | FixedValue


class AbsoluteValueDraft(Value, tag_field="type", tag="absolute"):
    money: tuple[MoneyDraft, ...]
    application_mode: ApplicationMode | None = None


class FixedValueDraft(Value, tag_field="type", tag="fixed"):
    money: tuple[MoneyDraft, ...]
    application_mode: ApplicationMode | None = None


DiscountValueDraft = RelativeValue | AbsoluteValueDraft | FixedValueDraft


class LineItemsTarget(Value, tag_field="type", tag="lineItems"):
    predicate: str


class CustomLineItemsTarget(Value, tag_field="type", tag="customLineItems"):
    predicate: str


class ShippingTarget(Value, tag_field="type", tag="shipping"):
    """What shipping costs."""


class TotalPriceTarget(Value, tag_field="type", tag="totalPrice"):
    """The total, after everything else."""


DiscountTarget = LineItemsTarget | CustomLineItemsTarget | ShippingTarget | TotalPriceTarget


class DirectDiscountDraft(Value):
    value: DiscountValueDraft
    target: DiscountTarget


class DirectDiscount(Value):
    id: str
    value: DiscountValue
    target: DiscountTarget
