"""What a cart is worth: totals, taxes from the platform, shipping with its thresholds."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import (
    DE,
    EXPRESS,
    GERMANY,
    NORMAL,
    SHOP,
    STANDARD,
    a_cart,
    a_method,
    a_price,
    a_product,
    a_rate,
    add,
    as_json,
    changed,
    eur,
    shop,
    sku,
)

from holdfast.base.errors import ApiError, InvalidOperation, MissingTaxRateForCountry, RequiredField
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.resources.project import CartsConfiguration
from holdfast.commerce.resources.shipping_method import CartValueTier, ShippingRate
from holdfast.commerce.resources.zone import Location
from holdfast.commerce.rules.totals import recalculated
from holdfast.commerce.values.money import RoundingMode, money, rounded
from holdfast.commerce.values.reference import KeyReference
from holdfast.commerce.values.taxed_price import TaxedPrice

BY_STANDARD = {"typeId": "shipping-method", "id": "standard"}


def figures(price: TaxedPrice | None) -> tuple[int, int, int]:
    assert price is not None
    assert price.total_tax is not None
    return price.total_net.cent_amount, price.total_gross.cent_amount, price.total_tax.cent_amount


def a_shipped_cart(**draft: Any) -> Cart:
    return a_cart(
        **{"lineItems": [sku("shirt", 2), sku("book")], "shippingAddress": DE, "shippingMethod": BY_STANDARD} | draft
    )


# --- totals --------------------------------------------------------------------------------


def test_the_total_is_items_and_custom_items_and_shipping() -> None:
    fee = {
        "name": {"en": "Wrap"},
        "slug": "wrap",
        "money": eur(250),
        "quantity": 2,
        "taxCategory": {"typeId": "tax-category", "id": "normal"},
    }
    cart = a_shipped_cart(customLineItems=[fee])
    assert cart.total_price == money(2380 + 1070 + 500 + 490, "EUR")
    assert cart.total_line_item_quantity == 3


def test_an_empty_cart_is_worth_nothing_and_counts_nothing() -> None:
    body = as_json(a_cart())
    assert body["totalPrice"]["centAmount"] == 0
    assert "totalLineItemQuantity" not in body
    assert "taxedPrice" not in body


def test_a_new_cart_has_the_published_defaults() -> None:
    body = as_json(a_cart())
    wanted = {
        "taxMode": "Platform",
        "taxRoundingMode": "HalfEven",
        "priceRoundingMode": "HalfEven",
        "taxCalculationMode": "LineItemLevel",
        "inventoryMode": "None",
        "cartState": "Active",
        "shippingMode": "Single",
        "origin": "Customer",
        "deleteDaysAfterLastModification": 90,
        "version": 1,
    }
    lists = ["lineItems", "customLineItems", "shipping", "itemShippingAddresses", "discountCodes", "directDiscounts"]
    assert {name: body[name] for name in wanted} == wanted
    assert {name: body[name] for name in (*lists, "refusedGifts")} == {name: [] for name in (*lists, "refusedGifts")}


def test_defaults_come_from_the_settings_of_the_project() -> None:
    settings_ = CartsConfiguration(
        delete_days_after_last_modification=7, price_rounding_mode="HalfUp", tax_rounding_mode="HalfDown"
    )
    cart = a_cart(shop(replace(SHOP, carts=settings_)))
    assert cart.delete_days_after_last_modification == 7
    assert (cart.price_rounding_mode, cart.tax_rounding_mode) == ("HalfUp", "HalfDown")


# --- platform taxes ------------------------------------------------------------------------


def test_before_an_address_is_set_there_are_no_taxes() -> None:
    cart = a_cart(lineItems=[sku("shirt")])
    assert cart.taxed_price is None
    assert (cart.line_items[0].tax_rate, cart.line_items[0].taxed_price) == (None, None)


def test_the_address_brings_rates_and_taxes_of_every_part() -> None:
    cart = a_shipped_cart()
    shirts, book = cart.line_items
    assert figures(shirts.taxed_price) == (2000, 2380, 380)
    assert figures(book.taxed_price) == (1000, 1070, 70)
    assert cart.shipping_info is not None
    assert figures(cart.shipping_info.taxed_price) == (412, 490, 78)
    assert figures(cart.taxed_price) == (3412, 3940, 528)
    assert figures(cart.taxed_shipping_price) == (412, 490, 78)
    assert cart.taxed_price is not None
    portions = [(portion.rate, portion.amount.cent_amount) for portion in cart.taxed_price.tax_portions]
    assert portions == [(0.19, 458), (0.07, 70)]


def test_taxes_on_top_leave_the_total_price_net() -> None:
    cart = a_cart(currency="USD", lineItems=[sku("shirt", 3)], shippingAddress={"country": "US", "state": "NY"})
    assert cart.total_price == money(3000, "USD")
    # 3000 x 1.08875 = 3266.25
    assert figures(cart.taxed_price) == (3000, 3266, 266)


def test_another_state_brings_another_rate() -> None:
    cart = a_cart(currency="USD", lineItems=[sku("shirt", 3)], shippingAddress={"country": "US", "state": "NY"})
    cart = changed(cart, {"action": "setShippingAddress", "address": {"country": "US", "state": "CA"}})
    # 3000 x 1.0625 = 3187.5, half to even
    assert figures(cart.taxed_price) == (3000, 3188, 188)


@pytest.mark.parametrize(("mode", "gross"), [("HalfEven", 1062), ("HalfUp", 1063), ("HalfDown", 1062)])
def test_the_tax_rounding_mode_decides_half_cents(mode: str, gross: int) -> None:
    # 1000 x 1.0625 = 1062.5
    cart = a_cart(currency="USD", lineItems=[sku("shirt")], shippingAddress={"country": "US"}, taxRoundingMode=mode)
    assert figures(cart.taxed_price) == (1000, gross, gross - 1000)
    again = changed(cart, {"action": "changeTaxRoundingMode", "taxRoundingMode": "HalfUp"})
    assert figures(again.taxed_price)[1] == 1063


def test_the_tax_calculation_mode_decides_where_rounding_happens() -> None:
    facts = shop(a_product("pen", a_price(199)))
    cart = a_cart(facts, lineItems=[sku("pen", 3)], shippingAddress=DE)
    assert figures(cart.taxed_price) == (502, 597, 95)
    action = {"action": "changeTaxCalculationMode", "taxCalculationMode": "UnitPriceLevel"}
    assert figures(changed(cart, action, facts=facts).taxed_price) == (501, 597, 96)


def test_a_total_from_outside_has_no_unit_to_be_rounded_by() -> None:
    total = {"price": eur(199), "totalPrice": eur(597)}
    cart = a_cart(
        lineItems=[sku("shirt", 3, externalTotalPrice=total)], shippingAddress=DE, taxCalculationMode="UnitPriceLevel"
    )
    assert figures(cart.taxed_price) == (502, 597, 95)


def test_a_country_without_a_rate_is_refused() -> None:
    cart = a_cart(lineItems=[sku("shirt")])
    with pytest.raises(MissingTaxRateForCountry):
        changed(cart, {"action": "setShippingAddress", "address": {"country": "AT"}})
    with pytest.raises(MissingTaxRateForCountry):
        changed(
            changed(cart, {"action": "setShippingAddress", "address": DE}),
            add("book"),
            {"action": "setShippingAddress", "address": {"country": "FR"}},
        )


def test_a_rate_that_changed_is_found_by_the_next_update() -> None:
    cart = a_cart(lineItems=[sku("shirt")], shippingAddress=DE)
    lower = shop(replace(NORMAL, rates=(a_rate(0.16),)))
    assert figures(changed(cart, {"action": "recalculate"}, facts=lower).taxed_price) == (1026, 1190, 164)


def test_a_part_without_a_tax_category_leaves_the_cart_untaxed() -> None:
    facts = shop(a_product("untaxed", tax_category=None))
    cart = a_cart(facts, lineItems=[sku("shirt"), sku("untaxed")], shippingAddress=DE)
    assert cart.line_items[0].taxed_price is not None
    assert (cart.line_items[1].tax_rate, cart.taxed_price) == (None, None)


def test_removing_the_address_removes_taxes_and_shipping() -> None:
    cart = changed(a_shipped_cart(), {"action": "setShippingAddress"})
    assert (cart.shipping_address, cart.shipping_info, cart.taxed_price, cart.taxed_shipping_price) == (None,) * 4
    assert {(item.tax_rate, item.taxed_price) for item in cart.line_items} == {(None, None)}
    assert cart.total_price.cent_amount == 3450


def test_a_disabled_tax_mode_taxes_nothing() -> None:
    cart = a_shipped_cart(taxMode="Disabled")
    assert cart.taxed_price is None
    assert {item.tax_rate for item in cart.line_items} == {None}
    assert figures(changed(cart, {"action": "changeTaxMode", "taxMode": "Platform"}).taxed_price) == (3412, 3940, 528)


# --- shipping ------------------------------------------------------------------------------


@pytest.mark.parametrize(("quantity", "shipping"), [(4, 490), (5, 0)])
def test_shipping_is_free_from_an_item_sum_on(quantity: int, shipping: int) -> None:
    facts = shop(a_product("thing", a_price(1000)))
    cart = a_cart(facts, lineItems=[sku("thing", 4)], shippingAddress=DE, shippingMethod=BY_STANDARD)
    cart = changed(
        cart,
        {"action": "changeLineItemQuantity", "lineItemId": cart.line_items[0].id, "quantity": quantity},
        facts=facts,
    )
    assert cart.shipping_info is not None
    assert cart.shipping_info.price.cent_amount == shipping
    assert cart.total_price.cent_amount == quantity * 1000 + shipping


def test_shipping_itself_does_not_help_to_reach_the_threshold() -> None:
    facts = shop(a_product("thing", a_price(4999)))
    cart = a_cart(facts, lineItems=[sku("thing")], shippingAddress=DE, shippingMethod=BY_STANDARD)
    assert cart.total_price.cent_amount == 4999 + 490


def test_custom_items_help_to_reach_the_threshold() -> None:
    fee = {
        "name": {"en": "x"},
        "slug": "fee",
        "money": eur(5000),
        "taxCategory": {"typeId": "tax-category", "id": "normal"},
    }
    cart = changed(a_shipped_cart(), {"action": "addCustomLineItem", **fee})
    assert cart.total_price.cent_amount == 3450 + 5000


def test_a_tier_is_reached_by_adding_items() -> None:
    tier = CartValueTier(minimum_cent_amount=3450, price=money(290, "EUR"))
    facts = shop(a_method(ShippingRate(price=money(490, "EUR"), tiers=(tier,))))
    draft: dict[str, Any] = {"shippingAddress": DE, "shippingMethod": BY_STANDARD}
    cart = a_cart(facts, lineItems=[sku("shirt", 2)], **draft)
    assert cart.total_price.cent_amount == 2380 + 490
    assert changed(cart, add("book"), facts=facts).total_price.cent_amount == 3450 + 290


def test_a_shipping_method_needs_an_address() -> None:
    with pytest.raises(InvalidOperation):
        a_cart(shippingMethod=BY_STANDARD)


@pytest.mark.parametrize(
    "method",
    [
        replace(STANDARD, active=False),
        replace(STANDARD, stores=(KeyReference(type_id="store", key="boutique"),)),
        replace(STANDARD, predicate='totalPrice > "1000.00 EUR"'),
        replace(STANDARD, zone_rates=()),
        a_method(ShippingRate(price=money(490, "USD"))),
    ],
)
def test_a_method_the_cart_may_not_have_cannot_be_chosen(method: Any) -> None:
    cart = a_cart(lineItems=[sku("shirt")], shippingAddress=DE)
    with pytest.raises(InvalidOperation):
        changed(cart, {"action": "setShippingMethod", "shippingMethod": BY_STANDARD}, facts=shop(method))


@pytest.mark.parametrize(
    "method",
    [
        replace(STANDARD, active=False),
        replace(STANDARD, predicate='totalPrice > "1000.00 EUR"'),
        replace(STANDARD, zone_rates=()),
    ],
)
def test_a_method_that_stops_matching_stays_and_says_so(method: Any) -> None:
    cart = changed(a_shipped_cart(), {"action": "recalculate"}, facts=shop(method))
    assert cart.shipping_info is not None
    assert cart.shipping_info.shipping_method_state == "DoesNotMatchCart"
    assert cart.shipping_info.price.cent_amount == 490
    again = changed(cart, {"action": "recalculate"})
    assert again.shipping_info is not None
    assert again.shipping_info.shipping_method_state == "MatchesCart"


def test_a_predicate_looks_at_the_sum_of_the_items_without_shipping() -> None:
    method = replace(EXPRESS, predicate='totalPrice > "34.50 EUR"')
    action = {"action": "setShippingMethod", "shippingMethod": {"typeId": "shipping-method", "id": "express"}}
    with pytest.raises(InvalidOperation):
        changed(a_shipped_cart(), action, facts=shop(method))
    assert changed(a_shipped_cart(), add("book"), action, facts=shop(method)).total_price.cent_amount == 4520 + 1290


def test_a_rate_that_changed_is_used_by_the_next_update() -> None:
    dearer = a_method(ShippingRate(price=money(590, "EUR")))
    cart = changed(a_shipped_cart(), {"action": "recalculate"}, facts=shop(dearer))
    assert cart.total_price.cent_amount == 3450 + 590


def test_no_method_means_no_shipping() -> None:
    cart = changed(a_shipped_cart(), {"action": "setShippingMethod"})
    assert (cart.shipping_info, cart.total_price.cent_amount) == (None, 3450)


def test_shipping_without_an_address_goes_with_the_next_update() -> None:
    cart = recalculated(replace(a_shipped_cart(), shipping_address=None), shop())
    assert (cart.shipping_info, cart.shipping_custom_fields) == (None, None)


def test_custom_shipping_that_nobody_taxes_leaves_the_cart_untaxed() -> None:
    custom = {"shippingMethodName": "Bike", "shippingRate": {"price": eur(500)}}
    outside = changed(a_shipped_cart(taxMode="External"), {"action": "setCustomShippingMethod", **custom})
    cart = changed(outside, {"action": "changeTaxMode", "taxMode": "Platform"})
    assert cart.shipping_info is not None
    assert (cart.shipping_info.tax_rate, cart.taxed_price) == (None, None)
    assert cart.total_price.cent_amount == 3450 + 500


def test_another_address_can_mean_another_rate() -> None:
    america = replace(GERMANY, id="zone-at", name="Austria", locations=(Location(country="FR"),))
    method = replace(
        STANDARD,
        zone_rates=(*STANDARD.zone_rates, *a_method(ShippingRate(price=money(990, "EUR")), zone=america).zone_rates),
    )
    facts = shop(method, america)
    cart = a_cart(facts, lineItems=[sku("shirt")], shippingAddress=DE, shippingMethod=BY_STANDARD)
    cart = changed(cart, {"action": "setShippingAddress", "address": {"country": "FR"}}, facts=facts)
    assert cart.shipping_info is not None
    assert cart.shipping_info.price.cent_amount == 990


# --- custom shipping -----------------------------------------------------------------------

OWN = {
    "action": "setCustomShippingMethod",
    "shippingMethodName": "Courier",
    "shippingRate": {"price": eur(1500), "freeAbove": eur(3451)},
}
NORMALLY = {"taxCategory": {"typeId": "tax-category", "id": "normal"}}


def test_custom_shipping_is_priced_and_taxed_like_any_other() -> None:
    cart = changed(a_shipped_cart(), OWN | NORMALLY)
    info = as_json(cart)["shippingInfo"]
    assert (info["shippingMethodName"], info["price"]["centAmount"]) == ("Courier", 1500)
    assert "shippingMethod" not in info
    assert info["taxedPrice"]["totalNet"]["centAmount"] == 1261
    assert changed(cart, add("book")).total_price.cent_amount == 4520


@pytest.mark.parametrize(
    ("draft", "action", "error"),
    [
        ({}, OWN, RequiredField),
        ({"shippingAddress": None, "shippingMethod": None}, OWN | NORMALLY, InvalidOperation),
        ({}, OWN | NORMALLY | {"shippingRate": {"price": {"currencyCode": "USD", "centAmount": 1}}}, InvalidOperation),
    ],
)
def test_custom_shipping_that_does_not_fit_is_refused(
    draft: dict[str, Any], action: dict[str, Any], error: type[ApiError]
) -> None:
    with pytest.raises(error):
        changed(a_shipped_cart(**draft), action)


# --- conservation --------------------------------------------------------------------------

lines = st.lists(st.tuples(st.integers(1, 50_000), st.integers(1, 20), st.booleans()), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(lines, st.sampled_from(["HalfEven", "HalfUp", "HalfDown"]), st.sampled_from(["LineItemLevel", "UnitPriceLevel"]))
def test_totals_are_the_sum_of_their_parts_to_the_cent(
    parts: list[tuple[int, int, bool]], mode: RoundingMode, level: str
) -> None:
    """Against an independent calculation with fractions."""
    goods = [
        a_product(f"p{n}", a_price(cents), tax_category="normal" if full else "reduced")
        for n, (cents, _, full) in enumerate(parts)
    ]
    cart = a_cart(
        shop(*goods),
        lineItems=[sku(f"p{n}", quantity) for n, (_, quantity, _) in enumerate(parts)],
        shippingAddress=DE,
        shippingMethod=BY_STANDARD,
        taxRoundingMode=mode,
        taxCalculationMode=level,
    )
    items = sum(cents * quantity for cents, quantity, _ in parts)
    shipping = 0 if items >= 5000 else 490
    net = rounded(Fraction(shipping * 100, 119), mode)
    for cents, quantity, full in parts:
        divisor = Fraction(119 if full else 107, 100)
        if level == "LineItemLevel":
            net += rounded(cents * quantity / divisor, mode)
        else:
            net += rounded(cents / divisor, mode) * quantity
    assert cart.total_price.cent_amount == items + shipping
    assert figures(cart.taxed_price) == (net, items + shipping, items + shipping - net)
    assert cart.taxed_price is not None
    assert sum(portion.amount.cent_amount for portion in cart.taxed_price.tax_portions) == items + shipping - net
