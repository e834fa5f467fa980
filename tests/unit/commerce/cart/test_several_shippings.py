"""Item shipping addresses and targets, and carts whose goods travel by several shipping methods."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commerce.builders.cart import (
    a_cart,
    a_method,
    a_price,
    a_product,
    add,
    changed,
    eur,
    shop,
    sku,
)

from holdfast.base.errors import ApiError, DuplicateField, InvalidField, InvalidOperation, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.shape import Cart, LineItem
from holdfast.commerce.resources.cart.shipping import SHIPPINGS_MAX
from holdfast.commerce.resources.shipping_method import ShippingRate
from holdfast.commerce.resources.zone import Location, Zone
from holdfast.commerce.rules.item_taxes import quantity_by_method
from holdfast.commerce.values.money import money
from holdfast.commerce.values.taxed_price import TaxedPrice
from holdfast.commerce.values.value import Stored

HOME = {"key": "home", "country": "DE", "city": "Berlin"}
WORK = {"key": "work", "country": "FR", "city": "Paris"}
BY_STANDARD = {"typeId": "shipping-method", "id": "standard"}


def to(address: str, quantity: int, method: str | None = None) -> dict[str, Any]:
    target = {"addressKey": address, "quantity": quantity}
    return target | {"shippingMethodKey": method} if method else target


def sent(*targets: dict[str, Any]) -> dict[str, Any]:
    return {"shippingDetails": {"targets": targets}}


def a_cart_to_both(**draft: Any) -> Cart:
    return a_cart(**{"itemShippingAddresses": [HOME, WORK], "lineItems": [sku("shirt", 3)]} | draft)


def only(cart: Cart) -> LineItem:
    (item,) = cart.line_items
    return item


def line(cart: Cart) -> dict[str, str]:
    return {"lineItemId": only(cart).id}


def targets(cart: Cart) -> tuple[dict[str, int], bool]:
    details = only(cart).shipping_details
    assert details is not None
    return {target.address_key: target.quantity for target in details.targets}, details.valid


# --- addresses -----------------------------------------------------------------------------


def test_item_addresses_come_change_and_go_by_key() -> None:
    cart = changed(a_cart(), {"action": "addItemShippingAddress", "address": HOME})
    cart = changed(cart, {"action": "updateItemShippingAddress", "address": HOME | {"city": "Bonn"}})
    assert [(address.key, address.city) for address in cart.item_shipping_addresses] == [("home", "Bonn")]
    assert changed(cart, {"action": "removeItemShippingAddress", "addressKey": "home"}).item_shipping_addresses == ()


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ({"action": "addItemShippingAddress", "address": HOME}, DuplicateField),
        ({"action": "addItemShippingAddress", "address": {"country": "DE"}}, RequiredField),
        ({"action": "updateItemShippingAddress", "address": HOME | {"key": "nowhere"}}, InvalidOperation),
        ({"action": "updateItemShippingAddress", "address": {"country": "DE"}}, InvalidOperation),
        ({"action": "removeItemShippingAddress", "addressKey": "nowhere"}, InvalidOperation),
    ],
)
def test_item_addresses_are_named_exactly(action: dict[str, Any], error: type[ApiError]) -> None:
    with pytest.raises(error):
        changed(a_cart_to_both(), action)


def test_an_address_that_goods_go_to_cannot_be_removed() -> None:
    cart = a_cart_to_both(lineItems=[sku("shirt", 1, **sent(to("home", 1)))])
    with pytest.raises(InvalidOperation):
        changed(cart, {"action": "removeItemShippingAddress", "addressKey": "home"})
    assert (
        len(changed(cart, {"action": "removeItemShippingAddress", "addressKey": "work"}).item_shipping_addresses) == 1
    )


def test_custom_fields_of_addresses_can_be_set_and_changed() -> None:
    gift = {"type": {"typeId": "type", "id": "gift"}, "fields": {"note": "a"}}
    cart = a_cart_to_both(shippingAddress={"country": "DE"}, billingAddress={"country": "DE"})
    for kind, named in (("Shipping", {}), ("Billing", {}), ("ItemShipping", {"addressKey": "work"})):
        cart = changed(
            cart,
            {"action": f"set{kind}AddressCustomType", **named, **gift},
            {"action": f"set{kind}AddressCustomField", **named, "name": "note", "value": kind},
        )
    assert cart.shipping_address is not None
    assert cart.billing_address is not None
    holders = (cart.shipping_address, cart.billing_address, cart.item_shipping_addresses[1])
    assert [holder.custom and holder.custom.fields for holder in holders] == [
        {"note": "Shipping"},
        {"note": "Billing"},
        {"note": "ItemShipping"},
    ]
    assert cart.item_shipping_addresses[0].custom is None


@pytest.mark.parametrize("kind", ["Shipping", "Billing"])
def test_an_address_that_is_not_there_has_no_custom_fields(kind: str) -> None:
    with pytest.raises(InvalidOperation):
        changed(a_cart(), {"action": f"set{kind}AddressCustomField", "name": "note", "value": "x"})


# --- targets -------------------------------------------------------------------------------


@pytest.mark.parametrize(("home", "work", "valid"), [(1, 2, True), (1, 1, False), (2, 2, False), (3, 0, True)])
def test_targets_are_valid_when_they_cover_the_quantity(home: int, work: int, valid: bool) -> None:
    cart = a_cart_to_both(lineItems=[sku("shirt", 3, **sent(to("home", home), to("work", work)))])
    expected = {key: quantity for key, quantity in (("home", home), ("work", work)) if quantity}
    assert targets(cart) == (expected, valid)


def test_targets_can_be_set_later_and_taken_away() -> None:
    cart = a_cart_to_both()
    action = {"action": "setLineItemShippingDetails", **line(cart)}
    cart = changed(cart, action | sent(to("home", 3)))
    assert targets(cart) == ({"home": 3}, True)
    assert only(changed(cart, action)).shipping_details is None


def test_a_changed_quantity_leaves_the_targets_and_tells_they_no_longer_fit() -> None:
    cart = a_cart_to_both(lineItems=[sku("shirt", 3, **sent(to("home", 3)))])
    after = changed(cart, {"action": "changeLineItemQuantity", **line(cart), "quantity": 4})
    assert targets(after) == ({"home": 3}, False)


def test_deltas_add_to_targets_and_take_from_them() -> None:
    cart = a_cart_to_both(lineItems=[sku("shirt", 3, **sent(to("home", 3)))])
    action = {"action": "applyDeltaToLineItemShippingDetailsTargets", **line(cart)}
    cart = changed(cart, action | {"targetsDelta": [to("home", -1), to("work", 1)]})
    assert targets(cart) == ({"home": 2, "work": 1}, True)
    cart = changed(cart, action | {"targetsDelta": [to("work", -1)]})
    assert targets(cart) == ({"home": 2}, False)
    with pytest.raises(InvalidOperation):
        changed(cart, action | {"targetsDelta": [to("work", -1)]})


def test_adding_to_a_line_adds_to_its_targets() -> None:
    cart = a_cart_to_both(lineItems=[sku("shirt", 3, **sent(to("home", 3)))])
    cart = changed(cart, add("shirt", 2, **sent(to("home", 1), to("work", 1))))
    assert targets(cart) == ({"home": 4, "work": 1}, True)


def test_taking_units_off_a_line_can_take_them_from_its_targets() -> None:
    cart = a_cart_to_both(lineItems=[sku("shirt", 3, **sent(to("home", 2), to("work", 1)))])
    removed = {"shippingDetailsToRemove": {"targets": [to("home", 1)]}}
    after = changed(cart, {"action": "removeLineItem", **line(cart), "quantity": 1, **removed})
    assert targets(after) == ({"home": 1, "work": 1}, True)


@pytest.mark.parametrize("wrong", [[to("nowhere", 1)], [to("home", 1), to("home", 2)]])
def test_targets_name_addresses_of_the_cart_once(wrong: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidField):
        a_cart_to_both(lineItems=[sku("shirt", 3, **sent(*wrong))])


def test_custom_items_have_targets_too() -> None:
    fee = {"name": {"en": "x"}, "slug": "fee", "money": eur(100), "quantity": 2, **sent(to("home", 1))}
    cart = changed(a_cart_to_both(taxMode="Disabled"), {"action": "addCustomLineItem", **fee})
    named = {"customLineItemId": cart.custom_line_items[0].id}
    delta = {"action": "applyDeltaToCustomLineItemShippingDetailsTargets", **named, "targetsDelta": [to("work", 1)]}
    details = changed(cart, delta).custom_line_items[0].shipping_details
    assert details is not None
    assert (len(details.targets), details.valid) == (2, True)
    action = {"action": "setCustomLineItemShippingDetails", **named}
    assert changed(cart, action).custom_line_items[0].shipping_details is None
    recurring = {"action": "setCustomLineItemRecurrenceInfo", **named}
    assert changed(cart, recurring) == cart


# --- several shipping methods --------------------------------------------------------------

FRANCE = Zone(id="zone-fr", name="France", locations=(Location(country="FR"),))
FRENCH = a_method(ShippingRate(price=money(1200, "EUR")), id="french", zone=FRANCE)


def france(*records: Stored) -> Facts:
    """A shop that ships to France too."""
    return shop(FRANCE, FRENCH, *records)


def shipped(key: str, address: dict[str, Any], method: str) -> dict[str, Any]:
    chosen = {"typeId": "shipping-method", "id": method}
    return {"action": "addShippingMethod", "shippingKey": key, "shippingAddress": address, "shippingMethod": chosen}


def a_double_cart(**draft: Any) -> Cart:
    """Three shirts: two to Germany, one to France, each by a method of its own."""
    details = sent(to("home", 2, "by-de"), to("work", 1, "by-fr"))
    wanted = {
        "shippingMode": "Multiple",
        "itemShippingAddresses": [HOME, WORK],
        "lineItems": [sku("shirt", 3, **details)],
    }
    cart = a_cart(france(), **wanted | draft)
    return changed(cart, shipped("by-de", HOME, "standard"), shipped("by-fr", WORK, "french"), facts=france())


def figures(price: TaxedPrice | None) -> tuple[int, int]:
    assert price is not None
    return price.total_net.cent_amount, price.total_gross.cent_amount


def test_every_method_taxes_its_units_where_they_go() -> None:
    cart = a_double_cart()
    item = only(cart)
    rates = {entry.shipping_method_key: entry.tax_rate for entry in item.per_method_tax_rate}
    assert {key: rate and rate.amount for key, rate in rates.items()} == {"by-de": 0.19, "by-fr": 0.2}
    # two at 11.90 with 19 % included, one at 11.90 with 20 % on top
    portions = {portion.shipping_method_key: figures(portion.taxed_price) for portion in item.taxed_price_portions}
    assert portions == {"by-de": (2000, 2380), "by-fr": (1190, 1428)}
    assert figures(item.taxed_price) == (3190, 3808)
    assert item.tax_rate is None


def test_the_total_holds_every_way_of_shipping() -> None:
    cart = a_double_cart()
    assert [entry.shipping_info.price.cent_amount for entry in cart.shipping] == [490, 1200]
    assert cart.total_price.cent_amount == 3570 + 490 + 1200
    assert figures(cart.taxed_shipping_price) == (412 + 1200, 490 + 1440)
    assert figures(cart.taxed_price) == (3190 + 412 + 1200, 3808 + 490 + 1440)


def test_units_without_a_method_leave_the_cart_untaxed() -> None:
    cart = changed(a_double_cart(), add("shirt"), facts=france())
    assert (only(cart).taxed_price, cart.taxed_price) == (None, None)
    assert len(only(cart).taxed_price_portions) == 2


def test_units_that_no_method_brings_count_for_none() -> None:
    item = only(a_cart_to_both(lineItems=[sku("shirt", 3, **sent(to("home", 2), to("work", 1)))]))
    assert quantity_by_method(item) == {}


def test_free_shipping_looks_at_the_units_of_its_own_method() -> None:
    facts = shop(a_product("thing", a_price(4000)))
    half = sent(to("home", 1, "one"), to("home", 1, "other"))
    draft: dict[str, Any] = {
        "shippingMode": "Multiple",
        "itemShippingAddresses": [HOME],
        "lineItems": [sku("thing", 2, **half)],
        "shipping": [{"key": key, "shippingMethod": BY_STANDARD, "shippingAddress": HOME} for key in ("one", "other")],
    }
    cart = a_cart(facts, **draft)
    assert [entry.shipping_info.price.cent_amount for entry in cart.shipping] == [490, 490]
    whole = sent(to("home", 2, "one"))
    cart = changed(cart, {"action": "setLineItemShippingDetails", **line(cart), **whole}, facts=facts)
    assert [entry.shipping_info.price.cent_amount for entry in cart.shipping] == [0, 490]


def test_a_way_of_shipping_can_be_removed() -> None:
    cart = changed(a_double_cart(), {"action": "removeShippingMethod", "shippingKey": "by-fr"}, facts=france())
    assert [entry.shipping_key for entry in cart.shipping] == ["by-de"]
    assert cart.total_price.cent_amount == 3570 + 490
    assert cart.taxed_price is None


def test_custom_ways_of_shipping_have_a_key_and_an_address_too() -> None:
    rate = {"price": eur(1500)}
    own = {"shippingKey": "own", "shippingMethodName": "Courier", "shippingAddress": HOME, "shippingRate": rate}
    normally = {"taxCategory": {"typeId": "tax-category", "id": "normal"}}
    cart = changed(a_cart(shippingMode="Multiple"), {"action": "addCustomShippingMethod", **own, **normally})
    (entry,) = cart.shipping
    assert (entry.shipping_info.shipping_method_name, entry.shipping_info.price.cent_amount) == ("Courier", 1500)
    assert figures(cart.taxed_shipping_price) == (1261, 1500)
    drafted = {name.replace("shippingKey", "key"): value for name, value in own.items()} | normally
    assert a_cart(shippingMode="Multiple", customShipping=[drafted]).shipping == cart.shipping


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (shipped("by-de", HOME, "standard"), DuplicateField),
        (shipped("third", WORK, "standard"), InvalidOperation),
        ({"action": "removeShippingMethod", "shippingKey": "third"}, InvalidOperation),
        ({"action": "setShippingMethod", "shippingMethod": BY_STANDARD}, InvalidOperation),
        ({"action": "setShippingMethod"}, InvalidOperation),
        (add("book", 1) | sent(to("home", 1)), InvalidOperation),
        ({"action": "setEstimatedDelivery"}, InvalidOperation),
        ({"action": "setShippingCustomField", "shippingKey": "third", "name": "note"}, InvalidOperation),
    ],
)
def test_what_does_not_fit_several_methods_is_refused(action: dict[str, Any], error: type[ApiError]) -> None:
    with pytest.raises(error):
        changed(a_double_cart(), action, facts=france())


def test_a_cart_has_room_for_so_many_ways_of_shipping() -> None:
    cart = a_cart(shippingMode="Multiple")
    cart = changed(cart, *(shipped(f"key-{n}", HOME, "standard") for n in range(SHIPPINGS_MAX)))
    with pytest.raises(InvalidOperation):
        changed(cart, shipped("one-more", HOME, "standard"))


@pytest.mark.parametrize(
    "action", [shipped("by-de", HOME, "standard"), {"action": "removeShippingMethod", "shippingKey": "x"}]
)
def test_a_single_method_leaves_no_room_for_more(action: dict[str, Any]) -> None:
    with pytest.raises(InvalidOperation):
        changed(a_cart(), action)


def test_external_rates_are_per_method() -> None:
    rate = {"name": "outside", "amount": 0.1, "country": "DE"}
    cart = a_double_cart(taxMode="External")
    assert only(cart).per_method_tax_rate == ()
    action = {"action": "setLineItemTaxRate", **line(cart), "externalTaxRate": rate}
    with pytest.raises(InvalidOperation):
        changed(cart, action, facts=france())
    cart = changed(
        cart,
        action | {"shippingKey": "by-de"},
        action | {"shippingKey": "by-fr"},
        {"action": "setShippingMethodTaxRate", "shippingKey": "by-de", "externalTaxRate": rate},
        {"action": "setShippingMethodTaxRate", "shippingKey": "by-fr", "externalTaxRate": rate},
        facts=france(),
    )
    assert figures(only(cart).taxed_price) == (3570, 3927)
    assert figures(cart.taxed_price) == (5260, 5786)


def test_external_rates_per_method_can_come_with_the_line() -> None:
    rates = [{"shippingMethodKey": "by-de", "taxRate": {"name": "outside", "amount": 0.1, "country": "DE"}}]
    details = sent(to("home", 3, "by-de"))
    lines = [sku("shirt", 3, **details, perMethodExternalTaxRate=rates)]
    cart = a_double_cart(taxMode="External", lineItems=lines)
    assert figures(only(cart).taxed_price) == (3570, 3927)


def test_external_amounts_are_per_method() -> None:
    amount = {"totalGross": eur(2618), "taxRate": {"name": "outside", "amount": 0.1, "country": "DE"}}
    cart = a_double_cart(taxMode="ExternalAmount")
    action = {"action": "setLineItemTaxAmount", **line(cart), "externalTaxAmount": amount}
    cart = changed(cart, action | {"shippingKey": "by-de"}, facts=france())
    (portion,) = only(cart).taxed_price_portions
    assert figures(portion.taxed_price) == figures(only(cart).taxed_price) == (2380, 2618)
    assert only(changed(cart, add("shirt"), facts=france())).taxed_price_portions == ()


def test_estimates_and_custom_fields_belong_to_one_way_of_shipping() -> None:
    gift = {"type": {"typeId": "type", "id": "gift"}, "fields": {"note": "a"}}
    window = {"from": "2026-02-01T00:00:00.000Z", "until": "2026-02-03T00:00:00.000Z"}
    cart = changed(
        a_double_cart(),
        {"action": "setShippingCustomType", "shippingKey": "by-fr", **gift},
        {"action": "setShippingCustomField", "shippingKey": "by-fr", "name": "note", "value": "b"},
        {"action": "setEstimatedDelivery", "shippingKey": "by-fr", "estimatedDelivery": window},
        facts=france(),
    )
    german, french = cart.shipping
    assert (german.shipping_custom_fields, german.shipping_info.estimated_delivery) == (None, None)
    assert french.shipping_custom_fields is not None
    assert french.shipping_custom_fields.fields == {"note": "b"}
    assert french.shipping_info.estimated_delivery is not None
    assert french.shipping_info.estimated_delivery.from_ == window["from"]


def test_the_price_of_a_rate_that_changed_reaches_its_way_of_shipping() -> None:
    dearer = a_method(ShippingRate(price=money(590, "EUR")))
    cart = changed(a_double_cart(), {"action": "recalculate"}, facts=france(dearer))
    assert cart.shipping[0].shipping_info.price.cent_amount == 590
