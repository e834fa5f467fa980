"""Which shipping methods a cart or a place is offered, with the rates that match marked as such."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import ById, Facts
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.resources.shipping_method import ShippingMethod, ShippingRate, ZoneRate, shipping_methods
from holdfast.commerce.resources.zone import zones
from holdfast.commerce.rules.cart_shipping import basket_of, is_offered
from holdfast.commerce.rules.shipping import Basket, matching_tier, offered, rate_in, zone_rate_at
from holdfast.commerce.values.address import AddressFields
from holdfast.commerce.values.value import Country, Value

Methods = tuple[ShippingMethod, ...]


class Location(Value):
    """Where goods would go; the state only where it matters."""

    country: Country
    state: str | None = None


def methods_for_cart(cart: Cart, facts: Facts) -> Methods:
    """The methods a cart may choose for its shipping address. Raises InvalidOperation without one."""
    if cart.shipping_address is None:
        raise InvalidOperation(f"The cart with ID '{cart.id}' has no shipping address.")
    return methods_for_cart_at(cart, cart.shipping_address, facts)


def methods_for_cart_at(cart: Cart, place: AddressFields | Location, facts: Facts) -> Methods:
    """The methods a cart may choose for goods that go to a place."""
    return _matching(
        place,
        facts,
        currency=cart.currency,
        basket=basket_of(cart),
        is_allowed=lambda method: is_offered(method, cart, facts),
    )


def methods_at(place: Location, currency: str | None, facts: Facts) -> Methods:
    """The methods that serve a place, in a currency if one is named.

    A predicate needs a cart to decide about: methods with one are not offered without, as published.
    """
    return _matching(
        place,
        facts,
        currency=currency,
        basket=None,
        is_allowed=lambda method: offered(method, facts.store_key, lambda _: False),
    )


def _matching(
    place: AddressFields | Location,
    facts: Facts,
    *,
    currency: str | None,
    basket: Basket | None,
    is_allowed: Callable[[ShippingMethod], bool],
) -> Methods:
    """The allowed methods with a rate, the default one first."""
    methods = facts.all(shipping_methods)
    facts.gather(ById(zones.name, rate.zone.id) for method in methods for rate in method.zone_rates)
    found = []
    for method in methods:
        if not is_allowed(method):
            continue
        rates = zone_rate_at(method, place.country, place.state, facts)
        matching = _rates(rates, currency)
        if rates is not None and matching:
            found.append(_marked(method, rates, matching, basket, facts))
    return tuple(sorted(found, key=lambda method: not method.is_default))


def _rates(rates: ZoneRate | None, currency: str | None) -> tuple[ShippingRate, ...]:
    if rates is None:
        return ()
    if currency is None:
        return rates.shipping_rates
    rate = rate_in(rates, currency)
    return (rate,) if rate is not None else ()


def _marked(
    method: ShippingMethod, zone_rate: ZoneRate, matching: Iterable[ShippingRate], basket: Basket | None, facts: Facts
) -> ShippingMethod:
    """The method with `isMatching` on its rates, and on the tier the cart reaches."""
    chosen = tuple(matching)

    def marked(rate: ShippingRate) -> ShippingRate:
        if rate not in chosen:
            return replace(rate, is_matching=False)
        tier = matching_tier(rate, basket, facts) if basket is not None else None
        tiers = tuple(replace(known, is_matching=True) if known == tier else known for known in rate.tiers)
        return replace(rate, is_matching=True, tiers=tiers)

    unmarked = [
        replace(known, shipping_rates=tuple(replace(rate, is_matching=False) for rate in known.shipping_rates))
        for known in method.zone_rates
        if known is not zone_rate
    ]
    served = replace(zone_rate, shipping_rates=tuple(marked(rate) for rate in zone_rate.shipping_rates))
    return replace(method, zone_rates=(served, *unmarked))
