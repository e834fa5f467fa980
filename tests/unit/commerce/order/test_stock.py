from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import sku
from tests.unit.commerce.builders.inventory_entry import an_entry
from tests.unit.commerce.builders.order import INITIAL, INITIAL_ID, a_ready_cart, placed, shop
from tests.unit.commerce.builders.order import SHIRTS as ENTRY
from tests.unit.commerce.builders.state import a_state
from tests.unit.commerce.facts import facts_with, update

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.messages.order import LineItemStateTransition, OrderDeleted
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.order.shape import Order, orders
from holdfast.commerce.resources.state import State
from holdfast.commerce.stock import StockLevel, StockMovement, moved
from holdfast.commerce.values.reference import Reference

RESERVED = placed(a_ready_cart(sku("shirt", 3), sku("book", 1), inventoryMode="ReserveOnOrder")).resource
SHIRTS = RESERVED.line_items[0].id


def step(order: Order, quantity: int, source: str, target: str) -> Changed[Order]:
    """The order after units of shirts took a step in the workflow."""
    return update(orders, order, an_action(quantity, source, target), facts=shop())


def an_action(quantity: int, source: str, target: str) -> dict[str, Any]:
    return {
        "action": "transitionLineItemState",
        "lineItemId": SHIRTS,
        "quantity": quantity,
        "fromState": {"typeId": "state", "id": INITIAL_ID if source == "Initial" else source},
        "toState": {"typeId": "state", "id": target},
    }


def become(order: Order, order_state: str) -> Changed[Order]:
    return update(orders, order, {"action": "changeOrderState", "orderState": order_state}, facts=shop())


def stock(changed: Changed[Order]) -> list[tuple[str, str, int]]:
    return [(movement.kind, movement.sku, movement.quantity) for movement in changed.stock]


# --- returns -------------------------------------------------------------------------------


def test_a_step_that_is_no_return_moves_no_stock() -> None:
    assert step(RESERVED, 3, "Initial", "picked").stock == ()


def test_units_that_are_returned_give_their_reservation_back() -> None:
    changed = step(RESERVED, 2, "Initial", "returned")
    assert changed.stock == (StockMovement("release", "entry-shirt", 2, "shirt", SHIRTS),)
    assert [held.quantity for held in changed.resource.stock_held] == [1, 1]


def test_units_that_go_on_from_a_return_take_no_stock_again() -> None:
    returned = step(RESERVED, 2, "Initial", "returned").resource
    onwards = step(returned, 2, "returned", "refunded")
    assert onwards.stock == ()
    rest = step(onwards.resource, 1, "Initial", "returned")
    assert stock(rest) == [("release", "shirt", 1)]


def test_no_way_through_the_workflow_gives_more_back_than_was_taken() -> None:
    order = step(RESERVED, 3, "Initial", "returned").resource
    order = step(order, 3, "returned", "picked").resource
    again = step(order, 3, "picked", "returned")
    assert again.stock == ()
    assert [held.quantity for held in again.resource.stock_held] == [0, 1]


def test_a_unit_that_is_returned_once_more_gives_nothing_back_again() -> None:
    order = step(RESERVED, 1, "Initial", "returned").resource
    order = step(order, 1, "returned", "picked").resource
    again = step(order, 1, "picked", "returned")
    assert again.stock == ()
    assert [(held.quantity, held.gone_on) for held in again.resource.stock_held] == [(2, ()), (1, ())]
    assert stock(step(again.resource, 1, "Initial", "returned")) == [("release", "shirt", 1)]


def test_of_units_in_one_state_those_that_came_back_stay_there() -> None:
    order = step(RESERVED, 1, "Initial", "returned").resource
    order = step(step(order, 1, "returned", "picked").resource, 2, "Initial", "picked").resource
    assert stock(step(order, 2, "picked", "returned")) == [("release", "shirt", 2)]
    assert stock(step(order, 3, "picked", "returned")) == [("release", "shirt", 2)]


def test_a_unit_that_comes_back_while_another_goes_on_gives_its_stock_back() -> None:
    order = step(RESERVED, 1, "Initial", "returned").resource
    steps = [an_action(1, "returned", "refunded"), an_action(1, "Initial", "returned")]
    for actions in (steps, steps[::-1]):
        assert stock(update(orders, order, *actions, facts=shop())) == [("release", "shirt", 1)]


def test_units_that_go_on_one_by_one_are_all_remembered() -> None:
    order = step(RESERVED, 2, "Initial", "returned").resource
    order = step(step(order, 1, "returned", "refunded").resource, 1, "returned", "refunded").resource
    assert step(order, 2, "refunded", "returned").stock == ()
    # as orders were kept before it was remembered where such units are
    order = replace(order, stock_held=tuple(replace(held, gone_on=()) for held in order.stock_held))
    assert stock(step(order, 2, "refunded", "returned")) == [("release", "shirt", 1)]


def import_states(order: Order, *extra: State, **states: int) -> Changed[Order]:
    """The order with the states another system keeps of its shirts."""
    draft = [{"quantity": quantity, "state": {"id": name}} for name, quantity in states.items()]
    action = {"action": "importLineItemState", "lineItemId": order.line_items[0].id, "state": draft}
    return update(orders, order, action, facts=shop(*extra))


def test_units_that_came_back_are_found_again_however_they_are_spread() -> None:
    order = step(RESERVED, 2, "Initial", "returned").resource
    spread = import_states(order, refunded=1, picked=1, **{INITIAL_ID: 1})
    assert spread.stock == ()
    assert stock(step(spread.resource, 1, "Initial", "returned")) == [("release", "shirt", 1)]
    assert step(spread.resource, 1, "picked", "returned").stock == ()
    checked = a_state("checked", type="LineItemState", initial=False, roles=("Return",))
    halves = import_states(order, checked, checked=1, refunded=1, **{INITIAL_ID: 1}).resource
    assert update(orders, halves, an_action(1, "refunded", "returned"), facts=shop(checked)).stock == ()


def test_no_more_units_are_remembered_in_a_state_than_are_there() -> None:
    four = placed(a_ready_cart(sku("shirt", 4), inventoryMode="ReserveOnOrder")).resource
    order = import_states(four, returned=1, **{INITIAL_ID: 3}).resource
    order = import_states(order, refunded=1, **{INITIAL_ID: 3}).resource
    order = import_states(order, refunded=1, returned=2, **{INITIAL_ID: 1}).resource
    order = import_states(order, refunded=2, picked=1, **{INITIAL_ID: 1}).resource
    assert stock(import_states(order, refunded=2, picked=1, returned=1)) == [("release", "shirt", 1)]


def test_states_taken_over_from_elsewhere_give_nothing_back_twice() -> None:
    order = step(step(RESERVED, 2, "Initial", "returned").resource, 1, "returned", "refunded").resource
    for states, given_back in (
        ({"returned": 2, "refunded": 1}, [("release", "shirt", 1)]),
        ({"returned": 2, "picked": 1}, []),
        ({"picked": 2, "refunded": 1}, []),
        ({"returned": 3}, [("release", "shirt", 1)]),
    ):
        assert stock(import_states(order, **states)) == given_back


def test_units_in_a_state_that_became_a_return_later_give_their_stock_back_when_they_return() -> None:
    order = step(RESERVED, 1, "Initial", "picked").resource
    returning = shop(a_state("picked", type="LineItemState", initial=False, roles=("Return",)))
    on = update(orders, order, an_action(1, "picked", "refunded"), facts=returning)
    assert on.stock == ()
    assert stock(step(on.resource, 1, "refunded", "returned")) == [("release", "shirt", 1)]
    came_back = step(step(order, 1, "Initial", "returned").resource, 1, "returned", "refunded").resource
    both = update(orders, came_back, an_action(1, "picked", "refunded"), facts=returning).resource
    assert stock(step(both, 2, "refunded", "returned")) == [("release", "shirt", 1)]


def test_a_unit_that_waits_in_a_state_that_became_a_return_is_not_counted_twice() -> None:
    order = step(step(RESERVED, 1, "Initial", "returned").resource, 1, "returned", "picked").resource
    returning = a_state("picked", type="LineItemState", initial=False, roles=("Return",))
    changed = import_states(order, returning, returned=2, **{INITIAL_ID: 1})
    assert stock(changed) == [("release", "shirt", 1)]


def test_tracked_stock_that_is_returned_goes_back_on_the_shelf() -> None:
    tracked = placed(a_ready_cart(sku("shirt", 3), inventoryMode="TrackOnly")).resource
    action = {"action": "importLineItemState", "lineItemId": tracked.line_items[0].id}
    states = [{"quantity": 2, "state": {"id": "returned"}}, {"quantity": 1, "state": {"id": "picked"}}]
    changed = update(orders, tracked, action | {"state": states}, facts=shop())
    assert stock(changed) == [("receive", "shirt", 2)]


def test_a_line_with_a_mode_of_its_own_gives_back_in_that_mode() -> None:
    cart = a_ready_cart(sku("shirt", 3, inventoryMode="TrackOnly"), sku("book", 1), inventoryMode="ReserveOnOrder")
    changed = orders.deleted(placed(cart).resource, shop())
    assert stock(changed) == [("receive", "shirt", 3), ("release", "book", 1)]


def test_an_order_that_ignores_stock_gives_none_back() -> None:
    free = placed(a_ready_cart(sku("shirt", 3))).resource
    assert become(free, "Cancelled").stock == ()
    assert orders.deleted(free, shop()).stock == ()


def test_an_entry_that_is_gone_is_passed_over() -> None:
    gone = facts_with()
    assert orders.deleted(RESERVED, gone).stock == ()


def test_stock_goes_back_to_the_very_entry_it_came_from() -> None:
    depot = Reference(type_id="channel", id="depot")
    moved_away, newcomer = replace(ENTRY, supply_channel=depot), an_entry("newcomer", sku="shirt")
    changed = orders.deleted(RESERVED, shop(moved_away, newcomer))
    assert [movement.entry_id for movement in changed.stock] == ["entry-shirt", "entry-book"]


def test_an_order_placed_as_cancelled_takes_its_stock_when_it_comes_to_life() -> None:
    cart = a_ready_cart(sku("shirt", 3), inventoryMode="ReserveOnOrder")
    born = placed(cart, order_state="Cancelled")
    assert born.stock == ()
    assert stock(become(born.resource, "Open")) == [("reserve", "shirt", 3)]
    assert orders.deleted(born.resource, shop()).stock == ()


# --- cancelling and deleting ---------------------------------------------------------------


def test_a_cancelled_order_gives_back_what_it_holds() -> None:
    assert stock(become(RESERVED, "Cancelled")) == [("release", "shirt", 3), ("release", "book", 1)]


def test_a_cancelled_order_gives_back_nothing_twice() -> None:
    returned = step(RESERVED, 2, "Initial", "returned").resource
    cancelled = become(returned, "Cancelled")
    assert stock(cancelled) == [("release", "shirt", 1), ("release", "book", 1)]
    assert orders.deleted(cancelled.resource, shop()).stock == ()


def test_a_return_in_a_cancelled_order_gives_nothing_back() -> None:
    cancelled = become(RESERVED, "Cancelled").resource
    assert step(cancelled, 1, "Initial", "returned").stock == ()


def test_an_order_that_comes_back_to_life_takes_its_stock_again() -> None:
    returned = step(RESERVED, 2, "Initial", "returned").resource
    cancelled = become(returned, "Cancelled").resource
    assert stock(become(cancelled, "Open")) == [("reserve", "shirt", 1), ("reserve", "book", 1)]


def test_an_order_that_comes_back_to_life_takes_stock_as_its_entry_allows() -> None:
    cancelled = become(RESERVED, "Cancelled").resource
    facts = shop(an_entry("entry-shirt", sku="shirt", restockable_in_days=3))
    changed = update(orders, cancelled, {"action": "changeOrderState", "orderState": "Open"}, facts=facts)
    assert stock(changed) == [("backorder", "shirt", 3), ("reserve", "book", 1)]


def test_other_order_states_move_no_stock() -> None:
    assert become(RESERVED, "Complete").stock == ()


def test_a_deleted_order_gives_back_the_rest_and_tells_of_itself() -> None:
    returned = step(RESERVED, 2, "Initial", "returned").resource
    changed = orders.deleted(returned, shop())
    assert stock(changed) == [("release", "shirt", 1), ("release", "book", 1)]
    assert changed.messages == (OrderDeleted(order=returned),)


WAYS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(("Initial", "picked", "returned", "refunded")),
            st.sampled_from(("picked", "returned", "refunded")),
            st.integers(1, 3),
        ),
        st.sampled_from(("Cancelled", "Open", "Complete")),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(WAYS)
def test_whatever_happens_to_an_order_its_stock_comes_back_exactly_once(way: list[Any]) -> None:
    order, level = RESERVED, StockLevel(on_stock=10, reserved=3)
    for each in way:
        try:
            changed = become(order, each) if isinstance(each, str) else step(order, each[2], each[0], each[1])
        except InvalidOperation:
            continue
        order, level = changed.resource, applied(level, changed)
        assert 0 <= level.reserved <= 3
    gone = applied(level, orders.deleted(order, shop()))
    assert gone == StockLevel(on_stock=10, reserved=0)


def applied(level: StockLevel, changed: Changed[Order]) -> StockLevel:
    """The shirts' counters after a change; a give-back beyond what is held would go unseen otherwise."""
    for movement in changed.stock:
        if movement.sku == "shirt":
            assert movement.kind != "release" or movement.quantity <= level.reserved
            after = moved(level, movement)
            assert after is not None
            level = after
    return level


# --- the workflow itself -------------------------------------------------------------------


def test_a_transition_moves_units_and_is_told() -> None:
    changed = step(RESERVED, 2, "Initial", "picked")
    line = changed.resource.line_items[0]
    assert [(entry.state.id, entry.quantity) for entry in line.state] == [(INITIAL_ID, 1), ("picked", 2)]
    assert changed.messages == (
        LineItemStateTransition(
            line_item_id=SHIRTS,
            transition_date="2026-01-31T10:00:00.000Z",
            quantity=2,
            from_state=Reference(type_id="state", id=INITIAL_ID),
            to_state=Reference(type_id="state", id="picked"),
        ),
    )


def test_more_units_than_there_are_cannot_be_moved() -> None:
    with pytest.raises(InvalidOperation):
        step(RESERVED, 4, "Initial", "picked")
    with pytest.raises(InvalidOperation):
        step(RESERVED, 1, "picked", "returned")


def test_a_transition_the_workflow_does_not_know_is_refused() -> None:
    closed = replace(INITIAL, transitions=())
    action = {
        "action": "transitionLineItemState",
        "lineItemId": SHIRTS,
        "quantity": 1,
        "fromState": {"id": INITIAL_ID},
        "toState": {"id": "picked"},
    }
    with pytest.raises(InvalidOperation):
        update(orders, RESERVED, action, facts=shop(closed))


def test_what_has_come_back_is_not_taken_again_when_an_order_is_cancelled_and_reopened() -> None:
    returned = step(RESERVED, 3, "Initial", "returned").resource
    cancelled = become(returned, "Cancelled")
    assert stock(cancelled) == [("release", "book", 1)]
    assert stock(become(cancelled.resource, "Open")) == [("reserve", "book", 1)]


def test_all_states_with_the_role_return_count_together() -> None:
    lost = a_state("lost", type="LineItemState", initial=False, roles=("Return",))
    action = {"action": "importLineItemState", "lineItemId": SHIRTS}
    states = [{"quantity": 1, "state": {"id": "returned"}}, {"quantity": 2, "state": {"id": "lost"}}]
    changed = update(orders, RESERVED, action | {"state": states}, facts=shop(lost))
    assert changed.stock == (StockMovement("release", "entry-shirt", 3, "shirt", SHIRTS),)
