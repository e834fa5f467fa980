"""Reservations of carts: made with the line, moved with it, ended with it, never twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import DE, SHOP, a_cart, add, result, shop, sku
from tests.unit.commerce.builders.inventory_entry import an_entry

from holdfast.base.errors import InvalidOperation, OutOfStock
from holdfast.commerce.facts import ByField, ById, Facts
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.drafts import ReplicaCartDraft
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.order.drafts import OrderFromCartDraft
from holdfast.commerce.resources.order.placing import place_order
from holdfast.commerce.resources.project import InventoryConfiguration
from holdfast.commerce.rules.cart_merge import merge_carts
from holdfast.commerce.rules.reservations import expired, inherited, reserved, with_reservations
from holdfast.commerce.rules.stock import order_stock, stock_lookups
from holdfast.commerce.stock import StockLevel, StockMovement, moved
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Stored

CART_ID = "0193b2f0-0000-7000-8000-00000000cafe"
SHIRTS = an_entry("shirts", sku="shirt")
BOOKS = an_entry("books", sku="book")
DEPOT = {"typeId": "channel", "id": "depot"}
SHIRTS_IN_DEPOT = an_entry("depot-shirts", sku="shirt", supply_channel=Reference(type_id="channel", id="depot"))
RESERVING = replace(
    SHOP, inventory=InventoryConfiguration(reservation_expiration_in_minutes=20, release_expired_reservations=True)
)
IN_20_MINUTES = "2026-01-31T10:20:00.000Z"


def facts(*records: Stored, **session: Any) -> Facts:
    """A shop that reserves for 20 minutes; it is ten o'clock."""
    return shop(RESERVING, SHIRTS, BOOKS, SHIRTS_IN_DEPOT, *records, **session)


def reserving(*lines: dict[str, Any], known: Facts | None = None, **draft: Any) -> Cart:
    given = {"inventoryMode": "ReserveOnCart", "lineItems": list(lines) or [sku("shirt", 2)], "shippingAddress": DE}
    return replace(a_cart(known or facts(), **given | draft), id=CART_ID)


def after(cart: Cart, *actions: dict[str, Any], known: Facts | None = None) -> Changed[Cart]:
    return result(cart, *actions, facts=known or facts())


def on_line(cart: Cart, action: str, place: int = 0, **more: Any) -> dict[str, Any]:
    return {"action": action, "lineItemId": cart.line_items[place].id, **more}


def moves(changed: Changed[Any]) -> list[tuple[str, str, int]]:
    return [(step.kind, step.entry_id, step.quantity) for step in changed.stock]


def held(cart: Cart) -> list[tuple[str, int, str]]:
    return [(each.entry_id, each.quantity, each.expires_at) for each in cart.stock_reserved]


def check_marks(cart: Cart) -> None:
    """Each line names its reservation, and the cart when the first of them ends."""
    named = {line.id: line.reservation.id for line in cart.line_items if line.reservation is not None}
    assert named == {each.line_item_id: each.id for each in cart.stock_reserved}
    assert cart.reserved_until == min((each.expires_at for each in cart.stock_reserved), default=None)


# --- making --------------------------------------------------------------------------------


def test_a_new_line_is_reserved_at_once() -> None:
    made = carts.created(
        carts.drafts.decode(
            b'{"currency":"EUR","inventoryMode":"ReserveOnCart","lineItems":[{"sku":"shirt","quantity":2}]}'
        ),
        facts(),
    )
    (line,) = made.resource.line_items
    assert made.stock == (StockMovement("reserve", "shirts", 2, "shirt", line.id),)
    assert held(made.resource) == [("shirts", 2, IN_20_MINUTES)]
    check_marks(made.resource)


def test_only_lines_that_reserve_do() -> None:
    cart = reserving(sku("shirt", 2, inventoryMode="ReserveOnOrder"), sku("book"))
    assert held(cart) == [("books", 1, IN_20_MINUTES)]
    check_marks(cart)
    assert reserving(inventoryMode="ReserveOnOrder").stock_reserved == ()


def test_more_units_reserve_the_difference_and_fewer_give_it_back() -> None:
    cart = reserving()
    more = after(cart, on_line(cart, "changeLineItemQuantity", quantity=5))
    assert moves(more) == [("reserve", "shirts", 3)]
    assert held(more.resource) == [("shirts", 5, IN_20_MINUTES)]
    assert more.resource.line_items[0].reservation == cart.line_items[0].reservation
    fewer = after(more.resource, on_line(cart, "changeLineItemQuantity", quantity=1))
    assert moves(fewer) == [("release", "shirts", 4)]
    check_marks(fewer.resource)
    assert moves(after(cart, add("shirt", 3))) == [("reserve", "shirts", 3)]


def test_changing_the_quantity_starts_the_time_anew_for_that_line_only() -> None:
    cart = reserving(sku("shirt"), sku("book"))
    later = facts(now="2026-01-31T10:05:00.000Z")
    changed = after(cart, on_line(cart, "changeLineItemQuantity", quantity=2), known=later).resource
    assert held(changed) == [("shirts", 2, "2026-01-31T10:25:00.000Z"), ("books", 1, IN_20_MINUTES)]
    assert changed.reserved_until == IN_20_MINUTES


def test_other_changes_leave_reservations_alone() -> None:
    cart = reserving()
    changed = after(cart, {"action": "setCustomerEmail", "email": "a@b.co"})
    assert (changed.stock, changed.resource.stock_reserved) == ((), cart.stock_reserved)


@pytest.mark.parametrize("action", ["removeLineItem", "changeLineItemQuantity"])
def test_a_line_that_goes_gives_its_units_back(action: str) -> None:
    cart = reserving()
    quantity = {"quantity": 0} if action == "changeLineItemQuantity" else {}
    gone = after(cart, on_line(cart, action, **quantity))
    assert moves(gone) == [("release", "shirts", 2)]
    assert (gone.resource.stock_reserved, gone.resource.reserved_until) == ((), None)


def test_a_line_that_goes_elsewhere_takes_its_reservation_along() -> None:
    cart = reserving()
    moved = after(cart, on_line(cart, "setLineItemSupplyChannel", supplyChannel=DEPOT))
    assert moves(moved) == [("release", "shirts", 2), ("reserve", "depot-shirts", 2)]
    assert held(moved.resource) == [("depot-shirts", 2, IN_20_MINUTES)]
    check_marks(moved.resource)


def test_what_one_line_gives_back_another_can_take_in_the_same_update() -> None:
    gift = {"type": {"typeId": "type", "id": "gift"}, "fields": {"note": "hi"}}
    cart = reserving(sku("shirt", 2), sku("shirt", 5, custom=gift))
    swapped = after(
        cart,
        on_line(cart, "changeLineItemQuantity", 0, quantity=6),
        on_line(cart, "changeLineItemQuantity", 1, quantity=1),
    )
    assert moves(swapped) == [("release", "shirts", 4), ("reserve", "shirts", 4)]


def test_the_mode_of_a_line_can_change_both_ways() -> None:
    cart = reserving(inventoryMode="None")
    on = after(cart, on_line(cart, "setLineItemInventoryMode", inventoryMode="ReserveOnCart"))
    assert moves(on) == [("reserve", "shirts", 2)]
    off = after(on.resource, on_line(cart, "setLineItemInventoryMode", inventoryMode="None"))
    assert moves(off) == [("release", "shirts", 2)]
    check_marks(off.resource)


def test_a_frozen_cart_can_reserve_its_lines() -> None:
    cart = after(reserving(inventoryMode="None"), {"action": "freezeCart"}).resource
    on = after(cart, on_line(cart, "setLineItemInventoryMode", inventoryMode="ReserveOnCart"))
    assert moves(on) == [("reserve", "shirts", 2)]


def test_what_can_be_restocked_is_reserved_beyond_the_shelf() -> None:
    known = facts(replace(SHIRTS, restockable_in_days=3))
    cart = reserving(inventoryMode="None")
    on = after(cart, on_line(cart, "setLineItemInventoryMode", inventoryMode="ReserveOnCart"), known=known)
    assert moves(on) == [("backorder", "shirts", 2)]


def test_a_gift_is_reserved_by_the_order_only() -> None:
    """It comes by itself: a gift that is gone must not keep a shopper from filling the cart."""
    cart = reserving(inventoryMode="None")
    gift = replace(cart.line_items[0], line_item_mode="GiftLineItem", inventory_mode="ReserveOnCart")
    given = replace(cart, line_items=(gift,))
    assert reserved(None, given, facts()).stock == ()
    assert moves(ordered(given)) == [("reserve", "shirts", 2)]


def test_lines_without_an_entry_are_named() -> None:
    cart = reserving(inventoryMode="None")
    with pytest.raises(OutOfStock) as refused:
        after(
            cart,
            on_line(cart, "setLineItemSupplyChannel"),
            add("shirt", inventoryMode="ReserveOnCart"),
            known=shop(RESERVING),
        )
    assert refused.value.fields["skus"] == ["shirt"]


def test_a_shop_that_never_said_how_long_reserves_nothing() -> None:
    with pytest.raises(InvalidOperation, match="reservationExpirationInMinutes"):
        reserving(known=shop(SHIRTS))


# --- how long ------------------------------------------------------------------------------


def test_the_entry_knows_better_than_the_project_how_long_and_the_cart_best() -> None:
    own = facts(replace(SHIRTS, reservation_expiration_in_minutes=5))
    cart = reserving(known=own)
    assert cart.reserved_until == "2026-01-31T10:05:00.000Z"
    set_time = {"action": "setReservationExpirationInMinutes", "reservationExpirationInMinutes": 60}
    longer = after(cart, set_time, known=own)
    assert (longer.stock, longer.resource.reserved_until) == ((), "2026-01-31T11:00:00.000Z")
    more = after(longer.resource, on_line(cart, "changeLineItemQuantity", quantity=3), known=own).resource
    assert held(more) == [("shirts", 3, "2026-01-31T11:00:00.000Z")]


def test_the_longest_time_still_fits_a_calendar() -> None:
    longest = facts(replace(SHIRTS, reservation_expiration_in_minutes=2_147_483_647))
    assert reserving(known=longest).reserved_until == "6109-02-23T12:07:00.000Z"


def test_a_reservation_ends_when_its_time_is_over_and_not_before() -> None:
    cart = reserving(sku("shirt"), sku("book", inventoryMode="None"))
    assert expired(cart, facts(now="2026-01-31T10:19:59.999Z")).resource is cart
    over = expired(cart, facts(now=IN_20_MINUTES))
    assert moves(over) == [("release", "shirts", 1)]
    assert over.resource.version == cart.version + 1
    assert over.resource.last_modified_at == cart.last_modified_at
    check_marks(over.resource)


def test_only_reservations_whose_time_is_over_end() -> None:
    cart = reserving(sku("shirt"), sku("book"), known=facts(replace(BOOKS, reservation_expiration_in_minutes=60)))
    over = expired(cart, facts(now=IN_20_MINUTES))
    assert (moves(over), held(over.resource)) == (
        [("release", "shirts", 1)],
        [("books", 1, "2026-01-31T11:00:00.000Z")],
    )


def test_a_shop_that_keeps_expired_reservations_keeps_them() -> None:
    keeping = replace(RESERVING, inventory=InventoryConfiguration(reservation_expiration_in_minutes=20))
    cart = reserving()
    assert expired(cart, facts(keeping, now="2027-01-01T00:00:00.000Z")).resource is cart


def test_what_has_expired_is_reserved_again_when_the_line_changes_and_not_before() -> None:
    cart = expired(reserving(), facts(now=IN_20_MINUTES)).resource
    assert after(cart, {"action": "setCustomerEmail", "email": "a@b.co"}).stock == ()
    again = after(cart, on_line(cart, "changeLineItemQuantity", quantity=3))
    assert moves(again) == [("reserve", "shirts", 3)]


# --- ends ----------------------------------------------------------------------------------


def test_a_deleted_cart_gives_back_what_it_reserved() -> None:
    assert moves(carts.deleted(reserving(sku("shirt", 2), sku("book")), facts())) == [
        ("release", "shirts", 2),
        ("release", "books", 1),
    ]


def test_a_copy_reserves_for_itself() -> None:
    cart = reserving()
    copy = carts.created(replicated(cart), facts(cart))
    assert moves(copy) == [("reserve", "shirts", 2)]
    assert copy.resource.stock_reserved[0].id != cart.stock_reserved[0].id


def replicated(cart: Cart) -> Any:
    return ReplicaCartDraft(reference=ResourceIdentifier(type_id="cart", id=cart.id))


def test_entries_that_are_gone_are_passed_over() -> None:
    cart = reserving()
    assert carts.deleted(cart, shop(RESERVING)).stock == ()


# --- ordering ------------------------------------------------------------------------------


def ordered(cart: Cart, known: Facts | None = None, **draft: Any) -> Changed[Any]:
    return place_order(cart, OrderFromCartDraft(version=cart.version, **draft), known or facts())


def test_an_order_takes_over_what_its_cart_reserved() -> None:
    cart = reserving()
    changed = ordered(cart)
    assert moves(changed) == [("adopt", "shirts", 2)]
    assert [(kept.entry_id, kept.quantity) for kept in changed.resource.stock_held] == [("shirts", 2)]
    last = changed.others[0].after
    assert isinstance(last, Cart)
    assert (last.stock_reserved, last.reserved_until) == ((), None)


def test_an_order_takes_over_reservations_where_they_are() -> None:
    """The entry went to another channel meanwhile; what it holds for the cart it still holds."""
    cart = reserving()
    elsewhere = replace(SHIRTS, supply_channel=Reference(type_id="channel", id="outlet"))
    assert moves(ordered(cart, facts(elsewhere))) == [("adopt", "shirts", 2)]


def test_an_order_asks_for_all_its_entries_at_once() -> None:
    cart = reserving(sku("shirt"), sku("book", inventoryMode="ReserveOnOrder"), sku("shirt", 1, inventoryMode="None"))
    assert stock_lookups(cart) == (
        ById("inventory-entry", "shirts"),
        ByField("inventory-entry", "sku@channel", "book@"),
    )


def test_every_movement_says_which_entry_item_and_line_it_is_for() -> None:
    cart = reserving(sku("shirt", 5))
    (line,) = cart.line_items
    fewer = after(cart, on_line(cart, "changeLineItemQuantity", quantity=2))
    assert fewer.stock == (StockMovement("release", "shirts", 3, "shirt", line.id),)
    gone = after(cart, on_line(cart, "removeLineItem"))
    assert gone.stock == (StockMovement("release", "shirts", 5, line_item_id=line.id),)
    over = expired(cart, facts(now=IN_20_MINUTES))
    assert over.stock == (StockMovement("release", "shirts", 5, "", line.id, IN_20_MINUTES),)
    assert ordered(cart).stock == (StockMovement("adopt", "shirts", 5, "shirt", line.id),)


def test_a_line_names_its_reservation_as_one() -> None:
    cart = reserving()
    (kept,) = cart.stock_reserved
    assert cart.line_items[0].reservation == Reference(type_id="reservation", id=kept.id)
    assert with_reservations(cart, cart.stock_reserved).line_items[0] is cart.line_items[0]


def test_units_are_freed_before_others_are_taken_beyond_the_stock() -> None:
    scarce = facts(replace(SHIRTS, restockable_in_days=3))
    cart = reserving(sku("shirt", 1), sku("book", 5), known=scarce)
    more = on_line(cart, "changeLineItemQuantity", 0, quantity=4)
    fewer = on_line(cart, "changeLineItemQuantity", 1, quantity=1)
    assert moves(after(cart, more, fewer, known=scarce)) == [("release", "books", 4), ("backorder", "shirts", 3)]


def test_a_line_without_an_entry_is_named_even_where_its_variant_has_no_sku() -> None:
    cart = reserving(sku("shirt", 2), inventoryMode="ReserveOnOrder")
    line = replace(cart.line_items[0], variant=replace(cart.line_items[0].variant, sku=None))
    nameless = replace(cart, inventory_mode="ReserveOnCart", line_items=(line,))
    for decision in (lambda known: reserved(None, nameless, known), lambda known: order_stock(nameless, known)):
        with pytest.raises(OutOfStock) as refused:
            decision(facts())
        assert refused.value.fields == {"lineItems": [line.id], "skus": [""]}


def test_an_item_without_a_sku_is_counted_at_the_entry_without_one() -> None:
    cart = reserving(sku("shirt", 2), inventoryMode="ReserveOnOrder")
    line = replace(cart.line_items[0], variant=replace(cart.line_items[0].variant, sku=None))
    nameless = replace(cart, line_items=(line,))
    known = facts(an_entry("nameless", sku=""))
    wanted = (StockMovement("reserve", "nameless", 2, "", line.id),)
    assert order_stock(nameless, known) == wanted
    assert reserved(None, replace(nameless, inventory_mode="ReserveOnCart"), known).stock == wanted


def test_carts_that_reserved_nothing_merge_without_a_word() -> None:
    cart = reserving(inventoryMode="None")
    merged = inherited(cart, cart, facts())
    assert (merged.resource, merged.stock) == (cart, ())


def test_what_has_expired_is_reserved_by_the_order() -> None:
    cart = expired(reserving(), facts(now=IN_20_MINUTES)).resource
    assert moves(ordered(cart)) == [("reserve", "shirts", 2)]


def test_a_reservation_whose_entry_is_gone_is_made_anew_by_the_order() -> None:
    cart = reserving()
    anew = shop(RESERVING, an_entry("other-shirts", sku="shirt"))
    assert moves(ordered(cart, anew)) == [("reserve", "other-shirts", 2)]


def test_taking_over_moves_nothing_however_little_is_left() -> None:
    assert moved(StockLevel(1, 5), StockMovement("adopt", "shirts", 5)) == StockLevel(1, 5)


def test_an_order_that_starts_out_cancelled_frees_what_its_cart_reserved() -> None:
    assert moves(ordered(reserving(), order_state="Cancelled")) == [("release", "shirts", 2)]


# --- whatever happens ----------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("shirt", "book")), st.integers(1, 4)),
        st.tuples(st.just("quantity"), st.integers(0, 3), st.integers(0, 6)),
        st.tuples(st.just("mode"), st.integers(0, 3), st.sampled_from(("None", "ReserveOnOrder", "ReserveOnCart"))),
        st.tuples(st.just("place"), st.integers(0, 3), st.booleans()),
        st.just("expire"),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from(("order", "cancelled", "delete")))
def test_whatever_happens_to_a_cart_its_reservations_are_what_the_counters_say(steps: list[Any], end: str) -> None:
    cart = reserving()
    levels = counted({}, StockMovement("reserve", "shirts", 2))
    for step in steps:
        changed = taken(cart, step)
        cart, levels = changed.resource, counted(levels, *changed.stock)
        check_marks(cart)
        assert levels == of(cart.stock_reserved)
        assert {each.line_item_id: each.quantity for each in cart.stock_reserved}.items() <= {
            line.id: line.quantity
            for line in cart.line_items
            if (line.inventory_mode or "ReserveOnCart") == "ReserveOnCart"
        }.items()
    if end == "delete" or not cart.line_items:
        assert not counted(levels, *carts.deleted(cart, facts()).stock)
        return
    placed = ordered(cart, order_state="Cancelled" if end == "cancelled" else "Open")
    assert counted(levels, *placed.stock) == ({} if end == "cancelled" else of(placed.resource.stock_held))


def taken(cart: Cart, step: Any) -> Changed[Cart]:
    """What a step decides; lines are named by their place, those that are not there are passed over."""
    if step == "expire":
        return expired(cart, facts(now=IN_20_MINUTES))
    if step[0] in ("shirt", "book"):
        return after(cart, add(step[0], step[1]))
    if step[1] >= len(cart.line_items):
        return Changed(cart)
    match step:
        case ("quantity", place, quantity):
            return after(cart, on_line(cart, "changeLineItemQuantity", place, quantity=quantity))
        case ("mode", place, mode):
            return after(cart, on_line(cart, "setLineItemInventoryMode", place, inventoryMode=mode))
        case _:
            _, place, to_depot = step
            channel = {"supplyChannel": DEPOT} if to_depot and cart.line_items[place].variant.sku == "shirt" else {}
            return after(cart, on_line(cart, "setLineItemSupplyChannel", place, **channel))


def counted(levels: dict[str, int], *movements: StockMovement) -> dict[str, int]:
    """What is reserved of each entry after movements on a plentiful stock; nobody gives back what he has not."""
    reserved = Counter(levels)
    for movement in movements:
        assert movement.kind != "release" or movement.quantity <= reserved[movement.entry_id]
        level = moved(StockLevel(1_000, reserved[movement.entry_id]), movement)
        assert level is not None
        reserved[movement.entry_id] = level.reserved
    return {entry_id: units for entry_id, units in reserved.items() if units}


def of(held: Iterable[Any]) -> dict[str, int]:
    """The units of each entry among reservations or holdings."""
    units: Counter[str] = Counter()
    for each in held:
        units[each.entry_id] += each.quantity
    return dict(units)


# --- merging -------------------------------------------------------------------------------


def merged(own: Cart, guests: Cart) -> Changed[Cart]:
    changed = merge_carts(replace(own, id="own"), replace(guests, id="guests"), facts())
    check_marks(changed.resource)
    (other,) = changed.others
    assert isinstance(other.after, Cart)
    assert (other.after.stock_reserved, other.after.reserved_until) == ((), None)
    return changed


def test_a_guests_reservation_comes_along_without_moving_stock() -> None:
    changed = merged(reserving(sku("book")), reserving(sku("shirt", 2)))
    assert changed.stock == ()
    assert held(changed.resource) == [("books", 1, IN_20_MINUTES), ("shirts", 2, IN_20_MINUTES)]


@pytest.mark.parametrize(("own", "guests"), [(1, 3), (3, 1), (3, 3)])
def test_of_equal_lines_the_larger_reservation_stays(own: int, guests: int) -> None:
    changed = merged(reserving(sku("shirt", own)), reserving(sku("shirt", guests)))
    assert held(changed.resource) == [("shirts", 3, IN_20_MINUTES)]
    assert moves(changed) == [("release", "shirts", min(own, guests))]


def test_a_cart_that_reserves_nothing_gives_back_what_a_guest_reserved() -> None:
    changed = merged(reserving(sku("book"), inventoryMode="None"), reserving(sku("shirt", 2)))
    assert (moves(changed), changed.resource.stock_reserved) == ([("release", "shirts", 2)], ())


def test_a_merge_never_asks_for_more_stock() -> None:
    own = expired(reserving(sku("shirt", 5)), facts(now=IN_20_MINUTES)).resource
    changed = merged(own, reserving(sku("shirt", 2)))
    assert (moves(changed), changed.resource.stock_reserved) == ([("release", "shirts", 2)], ())
