"""The shop on one page: what carts, orders and stock are, without anything that makes them hard.

The oracle of every layer: `stateful.py` walks beside it through random histories, on the simulated
database (`test_model.py`) and over HTTP (`tests/http/test_model.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Mode = Literal["None", "TrackOnly", "ReserveOnOrder"]
Lines = dict[str, int]

OK = "ok"
OUT_OF_STOCK = "OutOfStock"
INVALID = "InvalidOperation"


class Level(NamedTuple):
    """The counters of a SKU."""

    on_stock: int = 0
    reserved: int = 0

    @property
    def available(self) -> int:
        return self.on_stock - self.reserved


@dataclass
class Cart:
    lines: Lines
    mode: Mode
    ordered: bool = False


@dataclass
class Order:
    lines: Lines
    mode: Mode
    cancelled: bool = False


@dataclass
class Shop:
    """Everything there is. Orders are known by their carts: there is one for each, or none."""

    levels: dict[str, Level] = field(default_factory=dict)
    carts: dict[str, Cart] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)

    # --- carts -----------------------------------------------------------------------------

    def fill(self, cart_id: str, sku: str, quantity: int) -> str:
        """Put so many of a SKU into a cart; none takes the line out."""
        cart = self.carts[cart_id]
        if cart.ordered:
            return INVALID
        cart.lines = {**cart.lines, sku: quantity} if quantity else without(cart.lines, sku)
        return OK

    # --- orders ----------------------------------------------------------------------------

    def place(self, cart_id: str) -> str:
        """One cart, one order; asking again finds the same one."""
        cart = self.carts[cart_id]
        if cart.ordered:
            return OK if cart_id in self.orders else INVALID
        if not cart.lines:
            return INVALID
        if not self._take(cart.lines, cart.mode):
            return OUT_OF_STOCK
        cart.ordered = True
        self.orders[cart_id] = Order(cart.lines, cart.mode)
        return OK

    def cancel(self, cart_id: str) -> str:
        """What the order held comes back, once."""
        order = self.orders[cart_id]
        if not order.cancelled:
            self._give_back(order)
        order.cancelled = True
        return OK

    def reopen(self, cart_id: str) -> str:
        """A cancelled order takes its stock again, if it is there."""
        order = self.orders[cart_id]
        if order.cancelled and not self._take(order.lines, order.mode):
            return OUT_OF_STOCK
        order.cancelled = False
        return OK

    def delete(self, cart_id: str) -> str:
        """An order that goes gives back what it still holds; its cart stays ordered."""
        order = self.orders.pop(cart_id)
        if not order.cancelled:
            self._give_back(order)
        return OK

    # --- stock -----------------------------------------------------------------------------

    def receive(self, sku: str, quantity: int) -> str:
        """Goods come in, or go out."""
        level = self.levels[sku]
        self.levels[sku] = level._replace(on_stock=level.on_stock + quantity)
        return OK

    def count(self, sku: str, quantity: int) -> str:
        """What a stocktaking found."""
        self.levels[sku] = self.levels[sku]._replace(on_stock=quantity)
        return OK

    def _take(self, lines: Lines, mode: Mode) -> bool:
        if mode == "ReserveOnOrder":
            if any(self.levels[sku].available < quantity for sku, quantity in lines.items()):
                return False
            self._move(lines, reserved=1)
        elif mode == "TrackOnly":
            self._move(lines, on_stock=-1)
        return True

    def _give_back(self, order: Order) -> None:
        if order.mode == "ReserveOnOrder":
            self._move(order.lines, reserved=-1)
        elif order.mode == "TrackOnly":
            self._move(order.lines, on_stock=1)

    def _move(self, lines: Lines, on_stock: int = 0, reserved: int = 0) -> None:
        for sku, quantity in lines.items():
            level = self.levels[sku]
            self.levels[sku] = Level(level.on_stock + on_stock * quantity, level.reserved + reserved * quantity)


def without(lines: Lines, sku: str) -> Lines:
    return {name: quantity for name, quantity in lines.items() if name != sku}


def lines_of(body: Mapping[str, Any]) -> Lines:
    """The lines of a cart or order as the API serves it."""
    lines: Lines = {}
    for item in body.get("lineItems", ()):
        sku = item["variant"]["sku"]
        lines[sku] = lines.get(sku, 0) + item["quantity"]
    return lines
