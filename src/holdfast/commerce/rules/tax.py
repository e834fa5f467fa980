"""Taxes: which rate applies where, and what it makes of a price.

A rate is a share between 0 and 1. With `includedInPrice` the price is the gross amount and
net = gross / (1 + rate); otherwise the price is the net amount and gross = net × (1 + rate). One
rounding per line (LineItemLevel), or one per unit, multiplied by the quantity (UnitPriceLevel).
Everything is reckoned with integers: a rate is the exact fraction its decimal notation names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from holdfast.base.errors import MissingTaxRateForCountry
from holdfast.commerce.resources.tax_category import TaxCategory, TaxRate
from holdfast.commerce.rules.amounts import amount
from holdfast.commerce.rules.rounding import divided
from holdfast.commerce.values.address import AddressFields
from holdfast.commerce.values.money import RoundingMode
from holdfast.commerce.values.taxed_price import TaxedPrice, TaxPortion


class Lot(NamedTuple):
    """So many units at one price."""

    unit_cents: int
    quantity: int


class Split(NamedTuple):
    net: int
    gross: int


def find_rate(category: TaxCategory, address: AddressFields) -> TaxRate | None:
    """The rate of the address's country and state, or else that of the country alone."""
    of_country = None
    for rate in category.rates:
        if rate.country != address.country:
            continue
        if rate.state is None:
            of_country = of_country or rate
        elif rate.state == address.state:
            return rate
    return of_country


def rate_at(category: TaxCategory, address: AddressFields) -> TaxRate:
    """Like `find_rate`, but raises MissingTaxRateForCountry."""
    rate = find_rate(category, address)
    if rate is None:
        place = address.country if address.state is None else f"{address.country}/{address.state}"
        raise MissingTaxRateForCountry(
            f"Tax category '{category.id}' is missing a tax rate for country '{place}'.",
            tax_category_id=category.id,
            country=address.country,
            state=address.state,
        )
    return rate


@lru_cache(maxsize=1024)
def exact(share: float) -> tuple[int, int]:
    """Numerator and denominator of the decimal number a share is written as: 0.19 is 19/100."""
    return Decimal(repr(share)).as_integer_ratio()


def split(cents: int, rate: TaxRate, mode: RoundingMode) -> Split:
    """Net and gross of a price."""
    numerator, denominator = exact(rate.amount)
    whole = numerator + denominator
    if rate.included_in_price:
        return Split(divided(cents * denominator, whole, mode), cents)
    return Split(cents, divided(cents * whole, denominator, mode))


def taxed(cents: int, lots: Sequence[Lot], rate: TaxRate, mode: RoundingMode, currency: str) -> TaxedPrice:
    """A price with its tax. `lots` are its units, where each unit is rounded on its own; else there are none."""
    if lots:
        units = [(split(lot.unit_cents, rate, mode), lot.quantity) for lot in lots]
        net = sum(unit.net * quantity for unit, quantity in units)
        gross = sum(unit.gross * quantity for unit, quantity in units)
    else:
        net, gross = split(cents, rate, mode)
    return TaxedPrice(
        total_net=amount(net, currency),
        total_gross=amount(gross, currency),
        tax_portions=_portions(gross - net, rate, mode, currency),
        total_tax=amount(gross - net, currency),
    )


def taxed_by_gross(gross: int, rate: TaxRate, net: int, mode: RoundingMode, currency: str) -> TaxedPrice:
    """A price whose net and gross amounts are given from outside."""
    return TaxedPrice(
        total_net=amount(net, currency),
        total_gross=amount(gross, currency),
        tax_portions=_portions(gross - net, rate, mode, currency),
        total_tax=amount(gross - net, currency),
    )


def _portions(tax: int, rate: TaxRate, mode: RoundingMode, currency: str) -> tuple[TaxPortion, ...]:
    """The tax by rate, or by sub-rate: running totals are rounded, so that the portions add up to the tax."""
    if not rate.sub_rates:
        return (TaxPortion(rate=rate.amount, name=rate.name, amount=amount(tax, currency)),)
    shares = [Decimal(repr(sub.amount)) for sub in rate.sub_rates]
    whole = sum(shares, Decimal(0))
    portions, reached, given = [], Decimal(0), 0
    for sub, share in zip(rate.sub_rates, shares, strict=True):
        reached += share
        part, parts = _ratio(reached, whole) if whole else (0, 1)
        total = divided(tax * part, parts, mode)
        portions.append(TaxPortion(rate=sub.amount, name=sub.name, amount=amount(total - given, currency)))
        given = total
    return tuple(portions)


def _ratio(part: Decimal, whole: Decimal) -> tuple[int, int]:
    numerator, denominator = part.as_integer_ratio()
    whole_numerator, whole_denominator = whole.as_integer_ratio()
    return numerator * whole_denominator, denominator * whole_numerator


def total_of(prices: Iterable[TaxedPrice], currency: str) -> TaxedPrice:
    """The sum of taxed prices, portions gathered by rate and name in order of appearance."""
    net = gross = 0
    gathered: dict[tuple[float, str | None], int] = {}
    for price in prices:
        net += price.total_net.cent_amount
        gross += price.total_gross.cent_amount
        for portion in price.tax_portions:
            place = (portion.rate, portion.name)
            gathered[place] = gathered.get(place, 0) + portion.amount.cent_amount
    portions = tuple(
        TaxPortion(rate=rate, name=name, amount=amount(cents, currency)) for (rate, name), cents in gathered.items()
    )
    return TaxedPrice(
        total_net=amount(net, currency),
        total_gross=amount(gross, currency),
        tax_portions=portions,
        total_tax=amount(gross - net, currency),
    )
