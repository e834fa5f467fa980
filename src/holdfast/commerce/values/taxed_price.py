"""Amounts with their tax told apart."""

from __future__ import annotations

from msgspec import field

from holdfast.commerce.values.money import Money
from holdfast.commerce.values.value import Value, empty


class TaxPortion(Value):
    """What one rate, or sub-rate, adds."""

    name: str | None = None
    rate: float
    amount: Money


class TaxedPrice(Value):
    """Net, gross and the tax between them; the portions sum up to `totalTax`."""

    total_net: Money
    total_gross: Money
    tax_portions: tuple[TaxPortion, ...] = field(default_factory=empty)
    total_tax: Money | None = None
