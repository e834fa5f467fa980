"""What placing an order asks: today's prices, and the stock."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import (
    BOOK,
    DE,
    NORMAL,
    SHOP,
    STANDARD,
    a_cart,
    a_method,
    a_price,
    a_product,
    a_rate,
    changed,
    eur,
    shop,
    sku,
)
from tests.unit.commerce.builders.inventory_entry import an_entry

from holdfast.base.errors import (
    InvalidOperation,
    MatchingPriceNotFound,
    OutOfStock,
    PriceChanged,
    ShippingMethodDoesNotMatchCart,
)
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.resources.shipping_method import ShippingRate
from holdfast.commerce.rules.stock import check_current, order_stock
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.money import Money, money
from holdfast.commerce.values.price import Price
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import Stored

BY_STANDARD = {"typeId": "shipping-method", "id": "standard"}
DEPOT = {"typeId": "channel", "id": "depot"}
SHIRTS = an_entry("shirts", sku="shirt")
SHIRTS_IN_DEPOT = an_entry("shirts-depot", sku="shirt", supply_channel=Reference(type_id="channel", id="depot"))
BOOKS = an_entry("books", sku="book")


def a_full_cart(**draft: Any) -> Cart:
    given = {"lineItems": [sku("shirt", 2), sku("book", 2)], "shippingAddress": DE, "shippingMethod": BY_STANDARD}
    return a_cart(**given | draft)


# --- stock ---------------------------------------------------------------------------------


def test_a_cart_that_ignores_stock_moves_none() -> None:
    assert order_stock(a_full_cart(), shop()) == ()


@pytest.mark.parametrize(("mode", "kind"), [("ReserveOnOrder", "reserve"), ("TrackOnly", "track")])
def test_every_line_moves_its_units(mode: str, kind: Any) -> None:
    cart = a_full_cart(inventoryMode=mode)
    first, second = cart.line_items
    assert order_stock(cart, shop(SHIRTS, BOOKS)) == (
        StockMovement(kind, "shirts", 2, "shirt", first.id),
        StockMovement(kind, "books", 2, "book", second.id),
    )


def test_an_entry_that_can_be_restocked_takes_orders_beyond_its_stock() -> None:
    cart = a_full_cart(inventoryMode="ReserveOnOrder", lineItems=[sku("shirt", 2)])
    (movement,) = order_stock(cart, shop(replace(SHIRTS, restockable_in_days=3)))
    assert movement.kind == "backorder"
    tracked = replace(cart, inventory_mode="TrackOnly")
    (movement,) = order_stock(tracked, shop(replace(SHIRTS, restockable_in_days=3)))
    assert movement.kind == "track"


def test_a_supply_channel_has_an_entry_of_its_own() -> None:
    lines = [sku("shirt", 1, supplyChannel=DEPOT), sku("shirt", 4)]
    cart = a_full_cart(inventoryMode="ReserveOnOrder", lineItems=lines)
    movements = order_stock(cart, shop(SHIRTS, SHIRTS_IN_DEPOT))
    assert [(movement.entry_id, movement.quantity) for movement in movements] == [("shirts-depot", 1), ("shirts", 4)]
    with pytest.raises(OutOfStock) as refused:
        order_stock(cart, shop(SHIRTS))
    assert refused.value.fields == {"lineItems": [cart.line_items[0].id], "skus": ["shirt"]}


def test_a_line_can_have_a_mode_of_its_own() -> None:
    lines = [sku("shirt", 2, inventoryMode="TrackOnly"), sku("book", 1, inventoryMode="None")]
    cart = a_full_cart(inventoryMode="ReserveOnOrder", lineItems=lines)
    assert [movement.kind for movement in order_stock(cart, shop(SHIRTS, BOOKS))] == ["track"]
    counted = a_full_cart(lineItems=[sku("shirt", 2, inventoryMode="ReserveOnOrder"), sku("book")])
    assert [movement.sku for movement in order_stock(counted, shop(SHIRTS))] == ["shirt"]


def test_all_lines_without_an_entry_are_named() -> None:
    cart = a_full_cart(inventoryMode="TrackOnly")
    with pytest.raises(OutOfStock) as refused:
        order_stock(cart, shop())
    assert refused.value.fields["skus"] == ["shirt", "book"]


def test_several_lines_of_one_entry_each_move_their_own_units() -> None:
    gift = {"type": {"typeId": "type", "id": "gift"}, "fields": {"note": "hi"}}
    cart = a_full_cart(inventoryMode="ReserveOnOrder", lineItems=[sku("shirt", 2), sku("shirt", 5, custom=gift)])
    movements = order_stock(cart, shop(SHIRTS))
    assert [(movement.entry_id, movement.quantity) for movement in movements] == [("shirts", 2), ("shirts", 5)]
    assert len({movement.line_item_id for movement in movements}) == 2


# --- today's prices ------------------------------------------------------------------------


def test_a_cart_at_todays_prices_can_be_ordered() -> None:
    check_current(a_full_cart(), shop())


@pytest.mark.parametrize("level", ["LineItemLevel", "UnitPriceLevel"])
@pytest.mark.parametrize("mode", ["Platform", "Disabled", "External", "ExternalAmount"])
def test_a_cart_just_made_is_current_in_every_mode(mode: str, level: str) -> None:
    check_current(a_full_cart(taxMode=mode, taxCalculationMode=level), shop())


def test_a_discounted_cart_is_current() -> None:
    discount = {"value": {"type": "relative", "permyriad": 1234}, "target": {"type": "totalPrice"}}
    check_current(changed(a_full_cart(), {"action": "setDirectDiscounts", "discounts": [discount]}), shop())


@pytest.mark.parametrize(
    ("records", "lines", "shipping"),
    [
        ([a_product("shirt", a_price(1191))], [0], False),
        ([a_product("book", a_price(1069))], [1], False),
        ([a_product("shirt", a_price(1)), a_product("book", a_price(1), tax_category="reduced")], [0, 1], False),
        ([replace(NORMAL, rates=(a_rate(0.16),))], [0], True),
        ([replace(BOOK, tax_category=Reference(type_id="tax-category", id="normal"))], [1], False),
        ([a_method(ShippingRate(price=money(491, "EUR")))], [], True),
        ([a_method(ShippingRate(price=money(490, "EUR"), free_above=money(1, "EUR")))], [], True),
    ],
)
def test_what_would_cost_otherwise_today_is_named(records: list[Stored], lines: list[int], shipping: bool) -> None:
    cart = a_full_cart()
    with pytest.raises(PriceChanged) as refused:
        check_current(cart, shop(*records))
    assert refused.value.fields == {"lineItems": [cart.line_items[n].id for n in lines], "shipping": shipping}


def test_lines_that_change_are_named_even_if_their_changes_cancel_out() -> None:
    then = shop(a_product("book", a_price(1070)))
    cart = a_cart(then, lineItems=[sku("shirt"), sku("book")], shippingAddress=DE)
    check_current(cart, then)
    with pytest.raises(PriceChanged) as refused:
        check_current(cart, shop(a_product("shirt", a_price(1290)), a_product("book", a_price(970))))
    assert refused.value.fields == {"lineItems": [item.id for item in cart.line_items], "shipping": False}


def test_a_unit_price_that_differs_by_less_than_a_cent_has_changed() -> None:
    def at(precise: int) -> Facts:
        value = Money(
            type="highPrecision", currency_code="EUR", cent_amount=126, fraction_digits=4, precise_amount=precise
        )
        return shop(a_product("shirt", Price(id="price", value=value)))

    cart = a_cart(at(12_552), lineItems=[sku("shirt")], shippingAddress=DE)
    check_current(cart, at(12_552))
    with pytest.raises(PriceChanged) as refused:
        check_current(cart, at(12_553))
    assert refused.value.fields["lineItems"] == [cart.line_items[0].id]


def test_shipping_that_costs_otherwise_has_changed_even_where_a_discount_pays_for_it() -> None:
    free = {"value": {"type": "relative", "permyriad": 10_000}, "target": {"type": "shipping"}}
    cart = changed(a_full_cart(), {"action": "setDirectDiscounts", "discounts": [free]})
    check_current(cart, shop())
    with pytest.raises(PriceChanged) as refused:
        check_current(cart, shop(a_method(ShippingRate(price=money(590, "EUR")))))
    assert refused.value.fields == {"lineItems": [], "shipping": True}


def test_a_cart_of_custom_items_is_current_as_long_as_their_taxes_are() -> None:
    wrap = {"name": {"en": "Wrap"}, "slug": "wrap", "money": eur(250), "taxCategory": {"id": "normal"}}
    cart = a_cart(customLineItems=[wrap], shippingAddress=DE)
    check_current(cart, shop())
    with pytest.raises(PriceChanged) as refused:
        check_current(cart, shop(replace(NORMAL, rates=(a_rate(0.16),))))
    assert refused.value.fields["lineItems"] == [cart.custom_line_items[0].id]


def test_a_price_that_is_gone_is_refused() -> None:
    with pytest.raises(MatchingPriceNotFound):
        check_current(a_full_cart(), shop(a_product("shirt", a_price(1190, "USD"))))


def test_a_method_that_no_longer_matches_is_refused() -> None:
    with pytest.raises(ShippingMethodDoesNotMatchCart):
        check_current(a_full_cart(), shop(replace(STANDARD, active=False)))


def test_a_price_from_outside_does_not_change_with_the_catalogue() -> None:
    cart = a_full_cart(lineItems=[sku("shirt", 2, externalPrice=eur(500))])
    check_current(cart, shop(a_product("shirt", a_price(9999))))


@pytest.mark.parametrize("strategy", ["SoftFreeze", "HardFreeze"])
def test_a_frozen_cart_is_ordered_at_what_it_says(strategy: str) -> None:
    cart = changed(a_full_cart(), {"action": "freezeCart", "strategy": strategy})
    check_current(cart, shop(a_product("shirt", a_price(9999))))


@pytest.mark.parametrize("actions", [[], [{"action": "freezeCart"}]])
def test_an_untaxed_part_is_not_sold_by_mistake(actions: list[dict[str, Any]]) -> None:
    facts = shop(a_product("untaxed", tax_category=None))
    cart = changed(a_cart(facts, lineItems=[sku("untaxed")], shippingAddress=DE), *actions, facts=facts)
    with pytest.raises(InvalidOperation, match=cart.line_items[0].id):
        check_current(cart, facts)


def test_a_setting_of_the_project_does_not_change_carts_there_are() -> None:
    settings = replace(SHOP.carts, tax_rounding_mode="HalfDown", price_rounding_mode="HalfDown")
    check_current(a_full_cart(), shop(replace(SHOP, carts=settings)))
