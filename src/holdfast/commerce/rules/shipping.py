"""Shipping: which of a method's rates an address gets, what it costs, and which carts may have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from holdfast.commerce.facts import ById, Facts
from holdfast.commerce.resources.project import project_of
from holdfast.commerce.resources.shipping_method import (
    CartClassificationTier,
    CartScoreTier,
    CartValueTier,
    ShippingMethod,
    ShippingRate,
    ShippingRateTier,
    ZoneRate,
)
from holdfast.commerce.resources.zone import Zone, zones
from holdfast.commerce.rules.price_function import price_at
from holdfast.commerce.values.address import AddressFields

if TYPE_CHECKING:
    from holdfast.commerce.resources.cart.shape import ShippingRateInput


class Basket(NamedTuple):
    """What tiers look at: the sum of the items, and the input set on the cart."""

    cents: int
    rate_input: ShippingRateInput | None = None


_TIER_KINDS: dict[str, type[ShippingRateTier]] = {
    "CartValue": CartValueTier,
    "CartClassification": CartClassificationTier,
    "CartScore": CartScoreTier,
}


def zone_rate_at(method: ShippingMethod, country: str, state: str | None, facts: Facts) -> ZoneRate | None:
    """The method's rates for a place: a zone naming the state wins over one naming the country alone."""
    facts.gather(ById(zones.name, rate.zone.id) for rate in method.zone_rates)
    of_country = None
    for rate in method.zone_rates:
        zone = facts.find(zones, rate.zone)
        if zone is None:
            continue
        if state is not None and _covers(zone, country, state):
            return rate
        if of_country is None and _covers(zone, country, None):
            of_country = rate
    return of_country


def _covers(zone: Zone, country: str, state: str | None) -> bool:
    return any(place.country == country and (place.state or None) == state for place in zone.locations)


def rate_in(rates: ZoneRate | None, currency: str) -> ShippingRate | None:
    """The rate in a currency."""
    if rates is not None:
        for rate in rates.shipping_rates:
            if rate.price.currency_code == currency:
                return rate
    return None


def rate_for(method: ShippingMethod, address: AddressFields, currency: str, facts: Facts) -> ShippingRate | None:
    """The rate of a method for an address, in the cart's currency."""
    return rate_in(zone_rate_at(method, address.country, address.state, facts), currency)


def tier_kind(facts: Facts) -> type[ShippingRateTier]:
    """The kind of tiers the project looks at; without a setting, tiers by cart value need no input."""
    configured = project_of(facts).shipping_rate_input_type
    return _TIER_KINDS[str(configured.__struct_config__.tag)] if configured is not None else CartValueTier


def matching_tier(rate: ShippingRate, basket: Basket, facts: Facts) -> ShippingRateTier | None:
    """The tier that applies: the highest one reached, or that of the cart's classification."""
    if not rate.tiers:
        return None
    kind = tier_kind(facts)
    return max(
        (tier for tier in rate.tiers if isinstance(tier, kind) and _reached(tier, basket)), key=_level, default=None
    )


def _reached(tier: ShippingRateTier, basket: Basket) -> bool:
    match tier:
        case CartValueTier():
            return tier.minimum_cent_amount <= basket.cents
        case CartClassificationTier():
            return getattr(basket.rate_input, "key", None) == tier.value
        case CartScoreTier():
            score: int | None = getattr(basket.rate_input, "score", None)
            return score is not None and tier.score <= score
        case _:
            assert_never(tier)


def _level(tier: ShippingRateTier) -> int:
    match tier:
        case CartValueTier():
            return tier.minimum_cent_amount
        case CartScoreTier():
            return tier.score
        case CartClassificationTier():
            return 0
        case _:
            assert_never(tier)


def shipping_cents(rate: ShippingRate, basket: Basket, facts: Facts) -> int:
    """What shipping costs: nothing from `freeAbove` on, else what the tier says, else the plain price."""
    if rate.free_above is not None and basket.cents >= rate.free_above.cent_amount:
        return 0
    tier = matching_tier(rate, basket, facts)
    if tier is None:
        return rate.price.cent_amount
    if isinstance(tier, CartScoreTier) and tier.price_function is not None:
        return price_at(tier.price_function.function, getattr(basket.rate_input, "score", 0))
    return tier.price.cent_amount if tier.price is not None else rate.price.cent_amount


def offered(method: ShippingMethod, store_key: str | None, matches: Callable[[str], Any]) -> bool:
    """Whether a cart may choose the method: active, of its store, predicate fulfilled."""
    if not method.active:
        return False
    if method.stores and all(store.key != store_key for store in method.stores):
        return False
    return not method.predicate or bool(matches(method.predicate))
