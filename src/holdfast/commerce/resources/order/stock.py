"""What an order holds of the stock, and when it gives that back.

Published: units that reach a workflow state with the role Return give their stock back, and so does
deleting the order. Cancelling does it here too, and an order that is un-cancelled takes its stock
again, or is refused when there is none left. `stockGivenBack` counts the units of each line item
that came back, so that no way through the workflow gives the same unit back twice. What has come
back stays back, wherever the workflow takes the unit from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from holdfast.commerce.facts import ByField, ById, Facts
from holdfast.commerce.messages.order import OrderDeleted
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.shape import LineItem
from holdfast.commerce.resources.inventory_entry import InventoryEntry, inventory_entries, place_of
from holdfast.commerce.resources.order.shape import Order, orders
from holdfast.commerce.resources.state import states
from holdfast.commerce.stock import StockMovement

_NOTHING: Mapping[str, int] = {}


@orders.settle
def settle_stock(before: Order | None, after: Order, facts: Facts) -> Changed[Order]:
    """Count what came back with this update, and move the stock accordingly."""
    if before is None:
        return Changed(after)
    after = _counted(before, after, facts)
    return Changed(after, stock=tuple(movements(held(before), held(after), after, facts)))


@orders.delete
def delete_order(order: Order, facts: Facts) -> Changed[Order]:
    """Deleting an order gives back what it still holds."""
    stock = tuple(movements(held(order), _NOTHING, order, facts))
    return Changed(order, (OrderDeleted(order=order),), stock=stock)


def held(order: Order) -> dict[str, int]:
    """The units of each line item whose stock the order holds; a cancelled one holds none."""
    if order.order_state == "Cancelled":
        return {}
    back = order.stock_given_back or _NOTHING
    return {
        item.id: item.quantity - back.get(item.id, 0)
        for item in order.line_items
        if item.variant.sku is not None and mode_of(item, order) not in (None, "None")
    }


def mode_of(item: LineItem, order: Order) -> str | None:
    """The inventory mode of a line item: its own, or that of the order."""
    return item.inventory_mode or order.inventory_mode


def movements(
    before: Mapping[str, int], after: Mapping[str, int], order: Order, facts: Facts
) -> Iterator[StockMovement]:
    """The movements for the way from what was held to what is held. Entries that are gone are passed over."""
    if before == after:
        return
    moving = [item for item in order.line_items if before.get(item.id, 0) != after.get(item.id, 0)]
    facts.gather(ByField(inventory_entries.name, "sku@channel", _place(item)) for item in moving)
    for item in moving:
        entry = facts.find_by(inventory_entries, "sku@channel", _place(item))
        if entry is not None:
            yield _movement(item, after.get(item.id, 0) - before.get(item.id, 0), order, entry)


def _movement(item: LineItem, taken: int, order: Order, entry: InventoryEntry) -> StockMovement:
    tracked = mode_of(item, order) == "TrackOnly"
    sku = item.variant.sku or ""
    if taken < 0:
        return StockMovement("receive" if tracked else "release", entry.id, -taken, sku, item.id)
    if tracked:
        return StockMovement("track", entry.id, taken, sku, item.id)
    return StockMovement("reserve" if entry.restockable_in_days is None else "backorder", entry.id, taken, sku, item.id)


def _place(item: LineItem) -> str:
    return place_of(item.variant.sku or "", item.supply_channel)


def _counted(before: Order, after: Order, facts: Facts) -> Order:
    """The order with the units added up that newly reached a state with the role Return."""
    if before.line_items is after.line_items:
        return after
    old = {item.id: item for item in before.line_items}
    moved = [item for item in after.line_items if item.id in old and item.state != old[item.id].state]
    entries = [entry for item in moved for entry in (*item.state, *old[item.id].state)]
    facts.gather(ById(states.name, entry.state.id) for entry in entries)
    back = dict(after.stock_given_back or _NOTHING)
    for item in moved:
        came_back = _returned(item, facts) - _returned(old[item.id], facts)
        if came_back > 0:
            back[item.id] = min(back.get(item.id, 0) + came_back, item.quantity)
    return replace(after, stock_given_back=back or None)


def _returned(item: LineItem, facts: Facts) -> int:
    """Units in states with the role Return."""
    units = 0
    for entry in item.state:
        state = facts.find(states, entry.state)
        if state is not None and "Return" in state.roles:
            units += entry.quantity
    return units
