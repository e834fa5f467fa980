"""Stock movements: what a change asks of the counters of an inventory entry.

`onStock` is what lies in the warehouse, `reserved` what orders (or carts) hold of it, and
`available` the difference. Movements are decided here and applied by the committer, which holds
the row, so that a reservation can be refused on the spot.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, assert_never


class StockMovement(NamedTuple):
    """One movement on one inventory entry. `at` is when, where that is not when its cause was last changed.

    reserve   hold `quantity` for an order; refused when less is available (I3)
    backorder hold `quantity` even beyond what is available (the entry is restockable)
    adopt     hold for an order the `quantity` its cart had reserved: the holder changes, nothing moves
    track     take `quantity` off the stock, below zero if need be (TrackOnly)
    release   give back a reservation of `quantity`, as far as the entry still holds one: an entry
              that was deleted and made anew has forgotten those of its predecessor
    receive   add `quantity` to the stock (negative: remove)
    count     the stock is now exactly `quantity`; reservations stay
    """

    kind: Literal["reserve", "backorder", "adopt", "track", "release", "receive", "count"]
    entry_id: str
    quantity: int
    sku: str = ""
    line_item_id: str = ""
    at: str = ""


class StockLevel(NamedTuple):
    """The counters of an entry."""

    on_stock: int
    reserved: int

    @property
    def available(self) -> int:
        return self.on_stock - self.reserved


NO_STOCK = StockLevel(0, 0)
# Movements that can never take a level below zero; the others lift the table's check.
GUARDED = frozenset({"reserve", "adopt", "release"})


def moved(level: StockLevel, movement: StockMovement) -> StockLevel | None:
    """The counters after a movement, or None when a reservation is refused."""
    on_stock, reserved = level
    quantity = movement.quantity
    match movement.kind:
        case "reserve":
            return StockLevel(on_stock, reserved + quantity) if level.available >= quantity else None
        case "backorder":
            return StockLevel(on_stock, reserved + quantity)
        case "adopt":
            return level
        case "track":
            return StockLevel(on_stock - quantity, reserved)
        case "release":
            return StockLevel(on_stock, max(0, reserved - quantity))
        case "receive":
            return StockLevel(on_stock + quantity, reserved)
        case "count":
            return StockLevel(quantity, reserved)
        case _:
            assert_never(movement.kind)
