"""What a purchase must cost, worked out from the Sunrise files alone, in whole cents and fractions.

Nothing here looks at an answer of the shop. The rules are the published ones: the most specific price wins (customer
group before channel before country), an included tax makes the price the gross amount, tax is rounded once per line
(or once per unit), half to even, and shipping is free from a sum of the items on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.clients import sunrise

Amounts = dict[str, int]


@dataclass(frozen=True)
class Buyer:
    """What the choice of a price depends on."""

    currency: str
    country: str
    group: str | None = None


@dataclass(frozen=True)
class Rate:
    name: str
    amount: Fraction


@dataclass(frozen=True)
class Line:
    """Some pieces at one price under one tax rate."""

    name: str
    unit_cents: int
    quantity: int
    rate: Rate

    @property
    def total_cents(self) -> int:
        return self.unit_cents * self.quantity


def rows_by_sku() -> dict[str, dict[str, str]]:
    return {row["sku"]: row for rows in sunrise.product_rows() for row in rows}


def select_price(prices: Iterable[dict[str, Any]], buyer: Buyer, channel: str | None = None) -> int | None:
    """Give the most specific price that fits; one meant for another group, channel or country never does."""
    wanted = {"group": buyer.group, "channel": channel, "country": buyer.country}
    fitting = [
        price
        for price in prices
        if price["currency"] == buyer.currency
        and all(price[part] is None or price[part] == value for part, value in wanted.items())
    ]
    best = max(fitting, key=lambda price: tuple(price[part] is not None for part in wanted), default=None)
    return None if best is None else best["cents"]


def half_even(amount: Fraction) -> int:
    """Round to whole cents; Python rounds a fraction exactly and half to even."""
    return round(amount)


def taxed(line: Line, *, per_unit: bool) -> Amounts:
    """Split an amount that includes its tax."""
    pieces, cents = (line.quantity, line.unit_cents) if per_unit else (1, line.total_cents)
    net = half_even(Fraction(cents) / (1 + line.rate.amount)) * pieces
    gross = cents * pieces
    return {"net": net, "gross": gross, "tax": gross - net}


def rate_for(tax_category: str, country: str) -> Rate:
    category = next(one for one in sunrise.read_json("tax-category.json") if one["key"] == tax_category)
    rate = next(one for one in category["rates"] if one["country"] == country)
    assert rate["includedInPrice"], "all rates of this data are included"
    return Rate(rate["name"], Fraction(str(rate["amount"])))


def shipping_line(key: str, buyer: Buyer, items_cents: int) -> Line:
    """Price a shipping method of the data: free from `freeAbove` on."""
    method = next(one for one in sunrise.shipping_methods() if one["key"] == key)
    (rate,) = (
        rate
        for zone_rate in method["zoneRates"]
        for rate in zone_rate["shippingRates"]
        if rate["price"]["currencyCode"] == buyer.currency
    )
    free = "freeAbove" in rate and items_cents >= rate["freeAbove"]["centAmount"]
    cents = 0 if free else rate["price"]["centAmount"]
    return Line("shipping", cents, 1, rate_for(method["taxCategory"]["key"], buyer.country))


def totals(lines: list[Line], custom: list[Line], shipping: Line, *, per_unit: bool) -> dict[str, Any]:
    """Add a cart up: the picture that every client draws of the cart it was given."""
    everything = [(line, taxed(line, per_unit=per_unit)) for line in (*lines, *custom, shipping)]
    portions: dict[tuple[Fraction, str], int] = {}
    for line, amounts in everything:
        of = (line.rate.amount, line.rate.name)
        portions[of] = portions.get(of, 0) + amounts["tax"]
    return {
        "lines": {line.name: line_picture(line, per_unit) for line in lines},
        "custom": {line.name: line_picture(line, per_unit) for line in custom},
        "shipping": {"total": shipping.total_cents, **taxed(shipping, per_unit=per_unit)},
        "total": sum(line.total_cents for line, _ in everything),
        "taxed": {part: sum(amounts[part] for _, amounts in everything) for part in ("net", "gross", "tax")},
        "portions": [
            {"rate": float(rate), "name": name, "amount": amount} for (rate, name), amount in sorted(portions.items())
        ],
    }


def line_picture(line: Line, per_unit: bool) -> dict[str, int]:
    return {
        "unit": line.unit_cents,
        "quantity": line.quantity,
        "total": line.total_cents,
        **taxed(line, per_unit=per_unit),
    }
