"""Random histories of carts, orders and stock, step by step beside the model: whoever differs is wrong.

A subclass says what to call; everything else is the published API.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from tests.simulation.model import INVALID, OK, OUT_OF_STOCK, Cart, Level, Shop, lines_of

HOT, WIDE, TRACKED = "HOT", "WIDE", "TRACKED"
UNITS = {HOT: 2, WIDE: 12, TRACKED: 2}
_CODES = {400: {"OutOfStock": OUT_OF_STOCK, "InvalidOperation": INVALID}}

skus = st.sampled_from([HOT, HOT, WIDE, TRACKED])
quantities = st.integers(0, 3)


class Reply(NamedTuple):
    """What the API answered."""

    status: int
    body: Any


class CartsOrdersStock(RuleBasedStateMachine):
    """The same steps for the API and for the model."""

    carts = Bundle("carts")
    placed = Bundle("placed")

    def call(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a request to the project that is tested."""
        raise NotImplementedError

    def stock(self) -> dict[str, tuple[str, str]]:
        """The SKU and the inventory entry's id behind each name, with UNITS counted."""
        raise NotImplementedError

    @initialize()
    def open(self) -> None:
        self.entries = self.stock()
        self.names = {sku: name for name, (sku, _) in self.entries.items()}
        self.model = Shop({name: Level(units) for name, units in UNITS.items()})
        self.orders: dict[str, str] = {}

    # --- steps -----------------------------------------------------------------------------

    @rule(target=carts, sku=skus, quantity=st.integers(1, 3), mode=st.sampled_from(["ReserveOnOrder", "TrackOnly"]))
    def new_cart(self, sku: str, quantity: int, mode: Any) -> str:
        lines = [{"sku": self.entries[sku][0], "quantity": quantity}]
        draft = {"currency": "EUR", "taxMode": "Disabled", "inventoryMode": mode, "lineItems": lines}
        answer = self.call("POST", "carts", {**draft, "shippingAddress": {"country": "DE"}})
        assert answer.status == 201, answer.body
        cart: str = answer.body["id"]
        self.model.carts[cart] = Cart({sku: quantity}, mode)
        return cart

    @rule(cart=carts, sku=skus, quantity=quantities)
    def fill(self, cart: str, sku: str, quantity: int) -> None:
        body = self.call("GET", f"carts/{cart}").body
        item = next((item for item in body["lineItems"] if item["variant"]["sku"] == self.entries[sku][0]), None)
        if item is not None:
            action = {"action": "changeLineItemQuantity", "lineItemId": item["id"], "quantity": quantity}
        elif quantity:
            action = {"action": "addLineItem", "sku": self.entries[sku][0], "quantity": quantity}
        else:
            return
        answer = self.call("POST", f"carts/{cart}", {"version": body["version"], "actions": [action]})
        self.agree(answer, self.model.fill(cart, sku, quantity))

    @rule(target=placed, cart=carts)
    def place(self, cart: str) -> str:
        version = self.call("GET", f"carts/{cart}").body["version"]
        answer = self.call("POST", "orders", {"cart": {"typeId": "cart", "id": cart}, "version": version})
        self.agree(answer, self.model.place(cart))
        if answer.status == 201:
            assert self.orders.setdefault(cart, answer.body["id"]) == answer.body["id"], "two orders of one cart"
        return cart

    @rule(cart=placed)
    def cancel(self, cart: str) -> None:
        if cart in self.model.orders:
            self.agree(self.change(cart, "Cancelled"), self.model.cancel(cart))

    @rule(cart=placed)
    def reopen(self, cart: str) -> None:
        if cart in self.model.orders:
            self.agree(self.change(cart, "Open"), self.model.reopen(cart))

    @rule(cart=placed)
    def delete(self, cart: str) -> None:
        if cart in self.model.orders:
            path = f"orders/{self.orders[cart]}"
            answer = self.call("DELETE", f"{path}?version={self.call('GET', path).body['version']}")
            self.agree(answer, self.model.delete(cart))

    @rule(sku=skus, quantity=st.integers(0, 5), counted=st.booleans())
    def restock(self, sku: str, quantity: int, counted: bool) -> None:
        path = f"inventory/{self.entries[sku][1]}"
        action = {"action": "changeQuantity" if counted else "addQuantity", "quantity": quantity}
        answer = self.call("POST", path, {"version": self.call("GET", path).body["version"], "actions": [action]})
        self.agree(answer, (self.model.count if counted else self.model.receive)(sku, quantity))

    def change(self, cart: str, state: str) -> Reply:
        path = f"orders/{self.orders[cart]}"
        action = {"action": "changeOrderState", "orderState": state}
        return self.call("POST", path, {"version": self.call("GET", path).body["version"], "actions": [action]})

    # --- agreement -------------------------------------------------------------------------

    def agree(self, answer: Reply, expected: str) -> None:
        code = answer.body["errors"][0]["code"] if answer.status >= 400 else ""
        assert _CODES.get(answer.status, {}).get(code, code or OK) == expected, answer.body

    @invariant()
    def the_counters_agree(self) -> None:
        for name, (_, entry) in getattr(self, "entries", {}).items():
            body = self.call("GET", f"inventory/{entry}").body
            level = self.model.levels[name]
            assert (body["quantityOnStock"], body["availableQuantity"]) == (level.on_stock, level.available), name

    @invariant()
    def carts_and_orders_agree(self) -> None:
        for cart, order_id in getattr(self, "orders", {}).items():
            answer = self.call("GET", f"orders/{order_id}")
            order = self.model.orders.get(cart)
            assert (answer.status == 404) == (order is None)
            if order is not None:
                assert (answer.body["orderState"] == "Cancelled") == order.cancelled
                assert {self.names[sku]: units for sku, units in lines_of(answer.body).items()} == order.lines
