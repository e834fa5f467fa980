"""Which shipping methods a cart or a place is offered."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import (
    AMERICA,
    DE,
    EXPRESS,
    NEW_YORK,
    SHIRT,
    STANDARD,
    a_cart,
    a_method,
    as_json,
    shop,
    sku,
)

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.resources.shipping_method import CartValueTier, ShippingMethod, ShippingRate
from holdfast.commerce.rules.matching_methods import Location, methods_at, methods_for_cart, methods_for_cart_at
from holdfast.commerce.values.money import money
from holdfast.commerce.values.reference import KeyReference, Reference

AT_BOUTIQUE = (KeyReference(type_id="store", key="boutique"),)
OVERSEAS = a_method(ShippingRate(price=money(900, "USD")), id="overseas", zone=AMERICA)


def names(methods: tuple[ShippingMethod, ...]) -> list[str]:
    return [method.id for method in methods]


def a_full_cart(**draft: Any) -> Cart:
    return a_cart(**{"lineItems": [sku("shirt")], "shippingAddress": DE} | draft)


def test_a_cart_is_offered_the_methods_with_a_rate_for_it() -> None:
    methods = methods_for_cart(a_full_cart(), shop(OVERSEAS))
    assert names(methods) == ["standard", "express"]
    (rate,) = as_json(methods[0])["zoneRates"][0]["shippingRates"]
    assert rate["isMatching"] is True


def test_the_default_method_comes_first() -> None:
    methods = methods_for_cart(a_full_cart(), shop(replace(EXPRESS, is_default=True)))
    assert names(methods) == ["express", "standard"]


@pytest.mark.parametrize(
    "method",
    [
        replace(STANDARD, active=False),
        replace(STANDARD, stores=AT_BOUTIQUE),
        replace(STANDARD, predicate='totalPrice > "11.90 EUR"'),
        replace(STANDARD, zone_rates=()),
        a_method(ShippingRate(price=money(490, "USD"))),
    ],
)
def test_a_method_the_cart_may_not_choose_is_not_offered(method: ShippingMethod) -> None:
    assert names(methods_for_cart(a_full_cart(), shop(method))) == ["express"]


@pytest.mark.parametrize(("category", "expected"), [("bulky", ["standard", "express"]), ("light", ["express"])])
def test_predicates_know_the_categories_of_the_products(category: str, expected: list[str]) -> None:
    bulky = Reference(type_id="category", id="bulky")
    data = replace(SHIRT.master_data.current, categories=(bulky,))
    shirt = replace(SHIRT, master_data=replace(SHIRT.master_data, current=data))
    method = replace(STANDARD, predicate=f'lineItemExists(categories.id = "{category}")')
    assert names(methods_for_cart(a_full_cart(), shop(method, shirt))) == expected


def test_a_store_is_offered_its_own_methods_too() -> None:
    facts = shop(replace(STANDARD, stores=AT_BOUTIQUE), store_key="boutique")
    cart = a_cart(facts, lineItems=[sku("shirt")], shippingAddress=DE)
    assert names(methods_for_cart(cart, facts)) == ["standard", "express"]


def test_without_an_address_nothing_can_be_offered() -> None:
    with pytest.raises(InvalidOperation):
        methods_for_cart(a_cart(), shop())


def test_the_rate_and_the_tier_that_match_are_marked() -> None:
    tiers = tuple(CartValueTier(minimum_cent_amount=cents, price=money(cents, "EUR")) for cents in (500, 1000, 5000))
    rates = (ShippingRate(price=money(490, "EUR"), tiers=tiers), ShippingRate(price=money(590, "USD")))
    (method, _) = methods_for_cart(a_full_cart(), shop(a_method(*rates)))
    euros, dollars = method.zone_rates[0].shipping_rates
    assert (euros.is_matching, dollars.is_matching) == (True, False)
    assert [tier.is_matching for tier in euros.tiers] == [None, True, None]


def test_rates_of_zones_elsewhere_are_told_but_do_not_match() -> None:
    both = replace(STANDARD, zone_rates=(*OVERSEAS.zone_rates, *STANDARD.zone_rates))
    method = methods_for_cart(a_full_cart(), shop(both))[0]
    assert [[rate.is_matching for rate in zone.shipping_rates] for zone in method.zone_rates] == [[True], [False]]
    assert method.zone_rates[0].zone.id == "zone-de"


# --- places --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "currency", "expected"),
    [
        (Location(country="DE"), None, ["standard", "express"]),
        (Location(country="DE"), "EUR", ["standard", "express"]),
        (Location(country="DE"), "USD", []),
        (Location(country="US"), "USD", ["overseas"]),
        (Location(country="US", state="CA"), "USD", ["overseas"]),
        (Location(country="US", state="NY"), "USD", ["overseas", "local"]),
        (Location(country="FR"), None, []),
    ],
)
def test_a_place_is_offered_the_methods_that_serve_it(
    place: Location, currency: str | None, expected: list[str]
) -> None:
    local = a_method(ShippingRate(price=money(100, "USD")), id="local", zone=NEW_YORK)
    assert names(methods_at(place, currency, shop(OVERSEAS, local))) == expected


def test_a_place_alone_is_not_offered_methods_with_a_predicate_or_of_a_store() -> None:
    conditional = replace(STANDARD, id="conditional", key="conditional", predicate="1 = 1")
    facts = shop(conditional, replace(EXPRESS, stores=AT_BOUTIQUE))
    assert names(methods_at(Location(country="DE"), "EUR", facts)) == ["standard"]


def test_a_cart_can_ask_for_another_place() -> None:
    overseas = a_method(ShippingRate(price=money(900, "EUR")), id="overseas", zone=AMERICA)
    assert names(methods_for_cart_at(a_cart(), Location(country="US"), shop(overseas))) == ["overseas"]
