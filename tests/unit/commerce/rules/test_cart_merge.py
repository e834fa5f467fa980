"""A guest's cart joins the customer's."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import DE, a_cart, a_price, a_product, changed, eur, shop, sku
from tests.unit.commerce.builders.customer import a_customer

from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.rules.cart_merge import merge_carts

FACTS = shop(a_customer("ann"))
GIFT = {"type": {"typeId": "type", "id": "gift"}, "fields": {"note": "hi"}}
FEE = {
    "name": {"en": "x"},
    "slug": "fee",
    "money": eur(100),
    "taxCategory": {"typeId": "tax-category", "id": "normal"},
}


def of_customer(*lines: dict[str, Any], **draft: Any) -> Cart:
    return replace(a_cart(FACTS, customerId="ann", lineItems=lines, **draft), id="customers")


def of_guest(*lines: dict[str, Any], facts: Facts = FACTS, **draft: Any) -> Cart:
    return replace(a_cart(facts, anonymousId="guest", lineItems=lines, **draft), id="guests", version=7)


def merged(customer: Cart, guest: Cart, facts: Facts = FACTS) -> Changed[Cart]:
    return merge_carts(customer, guest, facts)


def quantities(cart: Cart) -> dict[str | None, int]:
    return {item.variant.sku: item.quantity for item in cart.line_items}


@pytest.mark.parametrize(("own", "guests", "kept"), [(1, 3, 3), (3, 1, 3), (2, 2, 2)])
def test_of_equal_lines_the_larger_quantity_stays(own: int, guests: int, kept: int) -> None:
    cart = merged(of_customer(sku("shirt", own)), of_guest(sku("shirt", guests))).resource
    assert quantities(cart) == {"shirt": kept}
    assert cart.line_items[0].total_price.cent_amount == kept * 1190


def test_other_lines_join_after_those_there_are() -> None:
    cart = merged(of_customer(sku("shirt")), of_guest(sku("book", 2))).resource
    assert list(quantities(cart).items()) == [("shirt", 1), ("book", 2)]


def test_lines_with_other_custom_fields_stay_apart() -> None:
    cart = merged(of_customer(sku("shirt", 2)), of_guest(sku("shirt", 3, custom=GIFT))).resource
    assert [item.quantity for item in cart.line_items] == [2, 3]


def test_custom_items_and_custom_fields_stay_behind() -> None:
    guest = of_guest(sku("book"), customLineItems=[FEE], custom=GIFT)
    cart = merged(of_customer(sku("shirt")), guest).resource
    assert (cart.custom_line_items, cart.custom) == ((), None)


def test_the_guests_cart_becomes_merged_and_is_committed_with_it() -> None:
    guest = of_guest(sku("book"))
    (other,) = merged(of_customer(), guest).others
    assert (other.kind.name, other.before) == ("cart", guest)
    assert isinstance(other.after, Cart)
    assert (other.after.cart_state, other.after.version, other.after.line_items) == ("Merged", 8, guest.line_items)


def test_a_line_the_customer_has_no_price_for_stays_behind() -> None:
    facts = shop(a_customer("ann"), a_product("german", a_price(100, country="DE")))
    guest = of_guest(sku("german"), sku("book"), facts=facts, country="DE")
    assert quantities(merged(of_customer(), guest, facts).resource) == {"book": 1}


def test_another_currency_brings_other_prices() -> None:
    cart = merged(of_customer(currency="USD"), of_guest(sku("shirt", 2), sku("book"))).resource
    (line,) = cart.line_items
    assert (line.total_price.currency_code, line.total_price.cent_amount) == ("USD", 2000)


@pytest.mark.parametrize(("currency", "lines"), [("EUR", 1), ("USD", 0)])
def test_prices_from_outside_come_along_in_their_currency_only(currency: str, lines: int) -> None:
    cart = merged(of_customer(currency=currency), of_guest(sku("shirt", externalPrice=eur(500)))).resource
    assert [item.total_price.cent_amount for item in cart.line_items] == [500] * lines


def test_a_taken_key_stays_behind_and_a_free_one_comes_along() -> None:
    guest = of_guest(sku("book", key="mine"))
    assert [item.key for item in merged(of_customer(), guest).resource.line_items] == ["mine"]
    cart = merged(of_customer(sku("shirt", key="mine")), guest).resource
    assert [item.key for item in cart.line_items] == ["mine", None]


def test_equal_lines_meet_whatever_their_keys() -> None:
    cart = merged(of_customer(sku("shirt", key="one")), of_guest(sku("shirt", 4, key="other"))).resource
    assert [(item.key, item.quantity) for item in cart.line_items] == [("one", 4)]


def test_where_units_go_is_decided_anew() -> None:
    home = {"key": "home", "country": "DE"}
    details = {"targets": [{"addressKey": "home", "quantity": 1}]}
    guest = of_guest(sku("shirt", shippingDetails=details), itemShippingAddresses=[home])
    assert merged(of_customer(), guest).resource.line_items[0].shipping_details is None


def test_a_merged_cart_is_reckoned_through_like_any_other() -> None:
    cart = merged(of_customer(sku("shirt"), shippingAddress=DE), of_guest(sku("book"))).resource
    cart = changed(cart, {"action": "recalculate"}, facts=FACTS)
    assert cart.total_price.cent_amount == 2260
    assert cart.taxed_price is not None
    assert cart.taxed_price.total_net.cent_amount == 2000
