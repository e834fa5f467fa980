"""Reservations a cart holds: lines in inventory mode ReserveOnCart keep their units from others for a time.

A line is reserved when it comes, and anew when its quantity, place or mode changes. Other updates
leave reservations alone: a shopper whose reservation ran out can still type in an address, and the
stock is asked for again when the cart is ordered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from msgspec.structs import replace

from holdfast.base import clock
from holdfast.base.errors import InvalidOperation, OutOfStock
from holdfast.commerce.facts import ById, Facts
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.shape import Cart, LineItem, StockReservation
from holdfast.commerce.resources.inventory_entry import InventoryEntry, inventory_entries
from holdfast.commerce.resources.project import project_of
from holdfast.commerce.rules.stock import asking_anew, entries_of, mode_of, place_of_line
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.reference import Reference


def reserved(before: Cart | None, cart: Cart, facts: Facts) -> Changed[Cart]:
    """The cart with the reservations its lines ask for, and the movements between those it had and these.

    What is given back comes first, so that units can change lines within one update. Raises OutOfStock
    for lines without an entry; the commit raises it for lines that ask for more than there is.
    """
    lines = _reserving(cart)
    if not lines and not cart.stock_reserved:
        return Changed(cart)
    renewed = [line for line in asking_anew(before, cart) if line.id in lines]
    entries = _entries(renewed, facts)
    present = {kept.line_item_id: kept for kept in cart.stock_reserved}
    ended = [kept for kept in cart.stock_reserved if _is_over(kept, lines, entries)]
    back = given_back(ended, facts)
    staying = {kept.line_item_id: kept for kept in cart.stock_reserved if kept not in ended}
    movements = [_step(line, entries[line.id], staying.get(line.id)) for line in renewed]
    made = {line.id: _reservation(line, entries[line.id], present.get(line.id), cart, facts) for line in renewed}
    stock = sorted((step for step in movements if step.quantity), key=lambda step: step.kind != "release")
    return Changed(with_reservations(cart, (staying | made).values()), stock=(*back, *stock))


def _reserving(cart: Cart) -> dict[str, LineItem]:
    return {line.id: line for line in cart.line_items if mode_of(line, cart) == "ReserveOnCart"}


def _entries(lines: Sequence[LineItem], facts: Facts) -> dict[str, InventoryEntry]:
    """The inventory entry of each line, by the line's id. Raises OutOfStock for those without."""
    found = entries_of(lines, facts)
    missing = [line for line in lines if found[line.id] is None]
    if missing:
        raise OutOfStock([line.id for line in missing], [line.variant.sku or "" for line in missing])
    return {line_id: entry for line_id, entry in found.items() if entry is not None}


def _is_over(kept: StockReservation, lines: Mapping[str, LineItem], entries: Mapping[str, InventoryEntry]) -> bool:
    """Whether a line has no use for its reservation any more, or needs one at another entry."""
    entry = entries.get(kept.line_item_id)
    return kept.line_item_id not in lines or (entry is not None and entry.id != kept.entry_id)


def _step(line: LineItem, entry: InventoryEntry, kept: StockReservation | None) -> StockMovement:
    """From what a line has reserved at an entry to what it asks for."""
    more = line.quantity - (kept.quantity if kept is not None else 0)
    sku = line.variant.sku or ""
    if more < 0:
        return StockMovement("release", entry.id, -more, sku, line.id)
    return StockMovement("reserve" if entry.restockable_in_days is None else "backorder", entry.id, more, sku, line.id)


def _reservation(
    line: LineItem, entry: InventoryEntry, present: StockReservation | None, cart: Cart, facts: Facts
) -> StockReservation:
    minutes = (
        cart.reservation_expiration_in_minutes
        or entry.reservation_expiration_in_minutes
        or project_of(facts).inventory.reservation_expiration_in_minutes
    )
    if minutes is None:
        raise InvalidOperation(
            "The inventory mode 'ReserveOnCart' needs 'reservationExpirationInMinutes' to be set on the project."
        )
    return StockReservation(
        id=present.id if present is not None else facts.new_id(),
        line_item_id=line.id,
        entry_id=entry.id,
        quantity=line.quantity,
        expires_at=_after(minutes, facts),
    )


def _after(minutes: int, facts: Facts) -> str:
    return clock.timestamp(clock.parse(facts.now) + timedelta(minutes=minutes))


def with_reservations(cart: Cart, reservations: Iterable[StockReservation]) -> Cart:
    """The cart with these reservations and no others; each line says which is its own."""
    kept = tuple(reservations)
    by_line = {each.line_item_id: Reference(type_id="reservation", id=each.id) for each in kept}
    lines = tuple(
        line if line.reservation == by_line.get(line.id) else replace(line, reservation=by_line.get(line.id))
        for line in cart.line_items
    )
    until = min((each.expires_at for each in kept), default=None)
    return replace(cart, line_items=lines, stock_reserved=kept, reserved_until=until)


def given_back(reservations: Iterable[StockReservation], facts: Facts) -> tuple[StockMovement, ...]:
    """The movements that end reservations. Entries that are gone have taken theirs along."""
    reservations = tuple(reservations)
    facts.gather(ById(inventory_entries.name, each.entry_id) for each in reservations)
    return tuple(
        StockMovement("release", each.entry_id, each.quantity, line_item_id=each.line_item_id)
        for each in reservations
        if facts.find(inventory_entries, each.entry_id) is not None
    )


def extended(cart: Cart, minutes: int, facts: Facts) -> Cart:
    """The cart with all its reservations lasting so long from now on."""
    if not cart.stock_reserved:
        return cart
    expires_at = _after(minutes, facts)
    return with_reservations(cart, (replace(each, expires_at=expires_at) for each in cart.stock_reserved))


def inherited(cart: Cart, source: Cart, facts: Facts) -> Changed[Cart]:
    """A merged cart with those reservations of its own and its source's that cover one of its lines; others end.

    Nothing is reserved anew: a merge must not fail for want of stock.
    """
    left = [*cart.stock_reserved, *source.stock_reserved]
    if not left:
        return Changed(cart)
    place = {line.id: place_of_line(line) for line in (*source.line_items, *cart.line_items)}
    kept = []
    for line in _reserving(cart).values():
        wanted = (line.quantity, place[line.id])
        fitting = [each for each in left if (each.quantity, place[each.line_item_id]) == wanted]
        if fitting:
            left.remove(fitting[0])
            kept.append(replace(fitting[0], line_item_id=line.id))
    return Changed(with_reservations(cart, kept), stock=given_back(left, facts))


def expired(cart: Cart, facts: Facts) -> Changed[Cart]:
    """The cart without the reservations whose time is over.

    Nobody changed the cart, so it is not younger for it; its version tells apart who came first, the
    clock or the shopper.
    """
    over = [each for each in cart.stock_reserved if each.expires_at <= facts.now]
    if not over or not project_of(facts).inventory.release_expired_reservations:
        return Changed(cart)
    left = with_reservations(cart, (each for each in cart.stock_reserved if each not in over))
    stock = tuple(step._replace(at=facts.now) for step in given_back(over, facts))
    return Changed(replace(left, version=cart.version + 1), stock=stock)
