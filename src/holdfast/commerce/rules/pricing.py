"""Which of a variant's prices applies, and what a unit costs at a quantity.

Currency and validity are hard filters; a price for another customer group, channel or country is
never a candidate. Among the rest the most specific scope wins: customer group beats channel beats
country. At one level, a price with a validity window beats one without; of prices for several groups
of the same shopper the lowest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from holdfast.commerce.values.money import Money
from holdfast.commerce.values.price import Price

_GROUP, _CHANNEL, _COUNTRY, _WINDOW = 8, 4, 2, 1


class PriceSelector(NamedTuple):
    """For whom, where and when a price is wanted; `at` is an API timestamp."""

    currency: str
    country: str | None
    customer_group_ids: frozenset[str]
    channel_id: str | None
    at: str


def select_price(prices: Iterable[Price], selector: PriceSelector) -> Price | None:
    """The most specific price that fits the selector, or None; of equals the lowest, and of those the first."""
    best, best_rank = None, -1
    for price in prices:
        rank = _rank(price, selector)
        if rank > best_rank or (best is not None and rank == best_rank and _is_lower(price, best)):
            best, best_rank = price, rank
    return best


def _is_lower(price: Price, other: Price) -> bool:
    return unit_price(price, 1).cent_amount < unit_price(other, 1).cent_amount


def unit_price(price: Price, quantity: int) -> Money:
    """What one unit costs when `quantity` are bought: a discount switches the tiers off."""
    if price.discounted is not None:
        return price.discounted.value
    value, reached = price.value, 0
    for tier in price.tiers:
        if reached < tier.minimum_quantity <= quantity:
            value, reached = tier.value, tier.minimum_quantity
    return value


def _rank(price: Price, selector: PriceSelector) -> int:
    """How specifically a price fits, -1 when it does not."""
    if price.value.currency_code != selector.currency:
        return -1
    rank = 0
    if price.country is not None:
        if price.country != selector.country:
            return -1
        rank += _COUNTRY
    if price.channel is not None:
        if price.channel.id != selector.channel_id:
            return -1
        rank += _CHANNEL
    if price.customer_group is not None:
        if price.customer_group.id not in selector.customer_group_ids:
            return -1
        rank += _GROUP
    return _with_window(price, selector.at, rank)


def _with_window(price: Price, at: str, rank: int) -> int:
    """The rank with the bonus of a current validity window; `validUntil` itself is outside."""
    if price.valid_from is None and price.valid_until is None:
        return rank
    begun = price.valid_from is None or price.valid_from <= at
    over = price.valid_until is not None and price.valid_until <= at
    return rank + _WINDOW if begun and not over else -1
