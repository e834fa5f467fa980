"""Prices on product variants."""

from __future__ import annotations

from msgspec import field

from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.money import Money, MoneyDraft
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Country, Instant, Key, Positive, Value, empty


class PriceTier(Value):
    """From `minimumQuantity` on, a unit costs `value`."""

    minimum_quantity: int
    value: Money


class PriceTierDraft(Value):
    minimum_quantity: Positive
    value: MoneyDraft


class DiscountedPrice(Value):
    """The price a product discount leaves, and the discount that did it."""

    value: Money
    discount: Reference


class DiscountedPriceDraft(Value):
    value: MoneyDraft
    discount: ResourceIdentifier


class Price(Value):
    """A price with its scope: currency, country, customer group, channel and validity."""

    id: str
    key: str | None = None
    value: Money
    country: str | None = None
    customer_group: Reference | None = None
    channel: Reference | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    tiers: tuple[PriceTier, ...] = ()
    discounted: DiscountedPrice | None = None
    custom: CustomFields | None = None


class PriceDraft(Value):
    key: Key | None = None
    value: MoneyDraft
    country: Country | None = None
    customer_group: ResourceIdentifier | None = None
    channel: ResourceIdentifier | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    tiers: tuple[PriceTierDraft, ...] = field(default_factory=empty)
    discounted: DiscountedPriceDraft | None = None
    custom: CustomFieldsDraft | None = None
