"""Each rule of stock asks for all the records it needs in one go, so that a cart of any length is one trip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import sku
from tests.unit.commerce.builders.inventory_entry import an_entry
from tests.unit.commerce.builders.order import INITIAL_ID, a_ready_cart, an_order, shop
from tests.unit.commerce.facts import NOW, a_caller

from holdfast.commerce.facts import ByField, ById, Facts, Lookup, MissingFacts
from holdfast.commerce.resources.cart.shape import StockReservation
from holdfast.commerce.resources.order.stock import delete_order, settle_stock, stock_taken, with_returns
from holdfast.commerce.rules.quantity_limits import check_limits
from holdfast.commerce.rules.reservations import given_back, reserved
from holdfast.commerce.rules.stock import order_stock
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.reference import Reference

DEPOT = {"typeId": "channel", "id": "depot"}
CART = a_ready_cart(sku("shirt", 2), sku("book", 1, supplyChannel=DEPOT))
ORDER = an_order(sku("shirt", 2), sku("book", 1), inventoryMode="ReserveOnOrder")
BY_PLACE = {ByField("inventory-entry", "sku@channel", place) for place in ("shirt@", "book@depot")}
BY_ID = {ById("inventory-entry", entry) for entry in ("entry-shirt", "entry-book")}


def asked_first(decision: Callable[[Facts], Any]) -> set[Lookup]:
    """What a decision asks for that knows nothing yet."""
    with pytest.raises(MissingFacts) as missing:
        decision(Facts(caller=a_caller(), now=NOW, base_id=0, known={}))
    return set(missing.value.lookups)


def test_an_order_asks_for_the_entries_of_its_lines() -> None:
    cart = replace(CART, inventory_mode="ReserveOnOrder")
    assert asked_first(lambda facts: order_stock(cart, facts)) == BY_PLACE


def test_limits_ask_for_the_entries_of_the_lines() -> None:
    assert asked_first(lambda facts: check_limits(None, CART, facts)) == BY_PLACE


def test_reserving_asks_for_the_entries_of_the_lines() -> None:
    cart = replace(CART, inventory_mode="ReserveOnCart")
    assert asked_first(lambda facts: reserved(None, cart, facts)) == BY_PLACE


def test_giving_back_asks_for_the_entries_that_were_reserved_at() -> None:
    kept = [StockReservation(id=id, line_item_id=id, entry_id=id, quantity=1, expires_at=NOW) for id in ("a", "b")]
    assert asked_first(lambda facts: given_back(kept, facts)) == {ById("inventory-entry", id) for id in ("a", "b")}


def test_an_imported_order_asks_for_the_entries_of_the_lines_it_counts() -> None:
    first, second = ORDER.line_items
    uncounted = replace(second, inventory_mode="None")
    order = replace(ORDER, line_items=(first, replace(uncounted, id="x"), replace(second, supply_channel=None)))
    places = {ByField("inventory-entry", "sku@channel", place) for place in ("shirt@", "book@")}
    assert asked_first(lambda facts: stock_taken(order, facts)) == places


def test_deleting_and_cancelling_an_order_ask_for_the_entries_it_holds() -> None:
    assert asked_first(lambda facts: delete_order(ORDER, facts)) == BY_ID
    cancelled = replace(ORDER, order_state="Cancelled")
    assert asked_first(lambda facts: settle_stock(ORDER, cancelled, facts)) == BY_ID


def test_a_step_in_the_workflow_asks_for_the_states_before_and_after() -> None:
    line = ORDER.line_items[0]
    moved = (replace(line.state[0], quantity=1), replace(line.state[0], state=Reference(type_id="state", id="picked")))
    asked = asked_first(lambda facts: with_returns(ORDER, line, replace(line, state=moved), facts))
    assert asked == {ById("state", INITIAL_ID), ById("state", "picked")}


def test_an_imported_item_without_a_sku_is_counted_at_the_entry_without_one_and_no_units_are_not_counted() -> None:
    first, second = ORDER.line_items
    nameless = replace(first, variant=replace(first.variant, sku=None))
    order = replace(ORDER, line_items=(nameless, replace(second, quantity=0)))
    taken = stock_taken(order, shop(an_entry("nameless", sku="")))
    assert taken == (StockMovement("reserve", "nameless", 2, "", first.id),)
