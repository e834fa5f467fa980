"""What an order holds of the stock, and when it gives that back.

Published: units that reach a workflow state with the role Return give their stock back, and so does
deleting the order. Cancelling does it here too, and an order that is un-cancelled takes its stock
again, or is refused when there is none left. `stockHeld` counts down as units come back, so no way
through the workflow gives the same unit back twice, and what has come back stays back, wherever
the workflow takes the unit from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from holdfast.commerce.facts import ById, Facts
from holdfast.commerce.messages.order import OrderDeleted
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.shape import ItemState, LineItem
from holdfast.commerce.resources.inventory_entry import InventoryEntry, inventory_entries
from holdfast.commerce.resources.order.shape import HeldStock, Order, orders
from holdfast.commerce.resources.state import states
from holdfast.commerce.rules.stock import entries_of
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.reference import Reference

_NOTHING: Mapping[str, int] = {}


@orders.settle
def settle_stock(before: Order | None, after: Order, facts: Facts) -> Changed[Order]:
    """Move the stock as what the order holds of it has changed."""
    assert before is not None, "orders come of carts or imports, which take their stock themselves"
    return Changed(after, stock=tuple(_movements(_held(before), _held(after), after, facts)))


@orders.delete
def delete_order(order: Order, facts: Facts) -> Changed[Order]:
    """Deleting an order gives back what it still holds."""
    stock = tuple(_movements(_held(order), _NOTHING, order, facts))
    return Changed(order, (OrderDeleted(order=order),), stock=stock)


def holdings(taken: Iterable[StockMovement]) -> tuple[HeldStock, ...]:
    """What a new order remembers of the stock it takes."""
    return tuple(
        HeldStock(line_item_id=movement.line_item_id, entry_id=movement.entry_id, quantity=movement.quantity)
        for movement in taken
    )


def stock_taken(order: Order, facts: Facts) -> tuple[StockMovement, ...]:
    """What an imported order takes: where there is no entry there is nothing to take."""
    counted = [item for item in order.line_items if item.quantity > 0 and _mode(item, order) not in (None, "None")]
    entries = entries_of(counted, facts)
    found = ((item, entries[item.id]) for item in counted)
    return tuple(_movement(item, item.quantity, order, entry) for item, entry in found if entry is not None)


def _mode(item: LineItem, order: Order) -> str | None:
    """The inventory mode of a line item: its own, or that of the order."""
    return item.inventory_mode or order.inventory_mode


def _held(order: Order) -> Mapping[str, int]:
    """The units of each line item whose stock the order holds; a cancelled one holds none."""
    if order.order_state == "Cancelled":
        return _NOTHING
    return {held.line_item_id: held.quantity for held in order.stock_held}


def _movements(
    before: Mapping[str, int], after: Mapping[str, int], order: Order, facts: Facts
) -> Iterator[StockMovement]:
    """The movements for the way from what was held to what is held. Entries that are gone are passed over."""
    if before == after:
        return
    items = {item.id: item for item in order.line_items}
    moving = [held for held in order.stock_held if before.get(held.line_item_id, 0) != after.get(held.line_item_id, 0)]
    facts.gather(ById(inventory_entries.name, held.entry_id) for held in moving)
    for held in moving:
        entry = facts.find(inventory_entries, held.entry_id)
        if entry is not None:
            more = after.get(held.line_item_id, 0) - before.get(held.line_item_id, 0)
            yield _movement(items[held.line_item_id], more, order, entry)


def _movement(item: LineItem, taken: int, order: Order, entry: InventoryEntry) -> StockMovement:
    tracked = _mode(item, order) == "TrackOnly"
    sku = item.variant.sku or ""
    if taken < 0:
        return StockMovement("receive" if tracked else "release", entry.id, -taken, sku, item.id)
    if tracked:
        return StockMovement("track", entry.id, taken, sku, item.id)
    return StockMovement("reserve" if entry.restockable_in_days is None else "backorder", entry.id, taken, sku, item.id)


def with_returns(order: Order, before: LineItem, after: LineItem, facts: Facts) -> Order:
    """The order, a line of which took a step in its workflow, without the units that newly came back."""
    if all(held.line_item_id != after.id for held in order.stock_held):
        return order
    facts.gather(ById(states.name, entry.state.id) for entry in (*before.state, *after.state))
    held = tuple(
        _recounted(held, before, after, facts) if held.line_item_id == after.id else held for held in order.stock_held
    )
    return replace(order, stock_held=held)


def _recounted(held: HeldStock, before: LineItem, after: LineItem, facts: Facts) -> HeldStock:
    """What a line holds after a step.

    Units that came back earlier are told from others by the state they are in. Where both are in one, those
    that came back stay; those that must have moved went where there are more units than before.
    """
    gone_on = {entry.state: entry.quantity for entry in held.gone_on if not _is_return(entry.state, facts)}
    units = {entry.state: entry.quantity for entry in after.state}
    staying = {state: min(quantity, units.get(state, 0)) for state, quantity in gone_on.items()}
    moving = _returned(before, facts) + sum(gone_on.values()) - sum(staying.values())
    returned = _returned(after, facts)
    fresh = max(returned - moving, 0)
    left = max(held.quantity - fresh, 0)
    # Units that were in such a state before it had the role never gave their stock back.
    arriving = min(moving - (returned - fresh), max(after.quantity - left - sum(staying.values()), 0))
    grown = {entry.state: -entry.quantity for entry in before.state}
    for state in sorted(units, key=lambda state: grown.get(state, 0) + units[state], reverse=True):
        if not _is_return(state, facts):
            more = min(arriving, units[state] - staying.get(state, 0))
            staying[state] = staying.get(state, 0) + more
            arriving -= more
    on = tuple(ItemState(quantity=quantity, state=state) for state, quantity in staying.items() if quantity)
    return replace(held, quantity=left, gone_on=on)


def _returned(item: LineItem, facts: Facts) -> int:
    """Units in states with the role Return."""
    return sum(entry.quantity for entry in item.state if _is_return(entry.state, facts))


def _is_return(reference: Reference, facts: Facts) -> bool:
    state = facts.find(states, reference)
    return state is not None and "Return" in state.roles
