"""Shoppers and merchants: they retry as the SDKs do, click twice, and write down what they saw.

What a client wants is drawn from the seed; so is the process that each attempt reaches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from tests.simulation.history import Asked, History, Name, Shown
from tests.simulation.model import lines_of, without
from tests.simulation.prepared import HOT, TRACKED, WIDE, Prepared
from tests.simulation.processes import PROJECT, Answer, ApiProcess, Lost

from holdfast.base.ids import order_id

ATTEMPTS_MAX = 6
PAUSE_SECONDS = 0.4
_PATHS = {"cart": "carts", "order": "orders", "inventory-entry": "inventory", "zone": "zones"}
_TRY_AGAIN = (429, 502, 503, 504)


class Client:
    """One client with its wishes; `work` does them one after another."""

    def __init__(
        self, number: int, shop: Prepared, processes: Sequence[ApiProcess], history: History, chance: Random
    ) -> None:
        self._number = number
        self._shop = shop
        self._processes = processes
        self._history = history
        self._chance = chance
        self._made = 0
        self._loop = asyncio.get_running_loop()

    async def rush(self) -> None:
        """Order a cart of one's own."""
        await self._order(self._shop.carts[self._number % len(self._shop.carts)])

    async def work(self) -> None:
        wishes: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (10, self._order),
            (5, self._fill_and_order),
            (5, self._edit),
            (3, self._cancel_or_reopen),
            (3, self._restock),
            (3, self._open_cart),
            (2, self.rename_zone),
            (2, self._look_around),
        ]
        for _ in range(self._chance.choice((1, 2, 2, 3))):
            (wish,) = self._chance.choices([wish for _, wish in wishes], [weight for weight, _ in wishes])
            await wish()

    # --- wishes ----------------------------------------------------------------------------

    async def _order(self, cart_id: str | None = None) -> None:
        cart = await self.get(("cart", cart_id or self._a_cart()))
        if cart is not None:
            clicks = self._chance.choice((1, 1, 1, 2, 3))
            await asyncio.gather(*(self._place(cart) for _ in range(clicks)))

    async def _place(self, cart: Mapping[str, Any]) -> None:
        order = order_id(PROJECT, cart["id"])
        lines = lines_of(cart)
        asked = Asked("order", ("order", order), 0, lambda _, after: lines_of(after) == lines)
        asked.cart = (cart["id"], cart["version"])
        body = {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]}
        await self._ask(asked, "orders", body)

    async def _fill_and_order(self) -> None:
        """Two requests in a row: the second starts from what the first one answered."""
        cart = await self.get(("cart", self._a_cart()))
        changed = await self._fill(cart) if cart is not None else None
        if changed is not None:
            await self._place(changed)

    async def _edit(self) -> None:
        cart = await self.get(("cart", self._a_cart()))
        if cart is not None:
            await self._fill(cart)

    async def _fill(self, cart: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Set the quantity of a line; the cart as it is then."""
        if not cart["lineItems"]:
            return None
        item = self._chance.choice(cart["lineItems"])
        sku = item["variant"]["sku"]
        quantity = self._chance.choice([wanted for wanted in (0, 1, 2, 3) if wanted != item["quantity"]])
        wanted = {**lines_of(cart), sku: quantity} if quantity else without(lines_of(cart), sku)
        asked = Asked("fill", ("cart", cart["id"]), cart["version"], lambda _, after: lines_of(after) == wanted)
        action = {"action": "changeLineItemQuantity", "lineItemId": item["id"], "quantity": quantity}
        return await self._update(asked, action)

    async def _cancel_or_reopen(self) -> None:
        order = await self.get(("order", order_id(PROJECT, self._a_cart())))
        if order is None:
            await self._order()
            return
        state = "Open" if order["orderState"] == "Cancelled" else "Cancelled"
        asked = Asked("state", ("order", order["id"]), order["version"], lambda _, after: after["orderState"] == state)
        action = {"action": "changeOrderState", "orderState": state}
        tabs = self._chance.choice((1, 1, 2))
        if tabs == 2:
            await asyncio.gather(self._update(asked, action), self._update(_again(asked), action))
        else:
            await self._update(asked, action)

    async def _restock(self) -> None:
        sku = self._chance.choice((HOT, HOT, WIDE, TRACKED))
        entry = await self.get(("inventory-entry", self._shop.entries[sku]))
        if entry is None:
            return
        quantity = self._chance.choice((1, 2, 7))
        action = self._chance.choice(("addQuantity", "removeQuantity", "changeQuantity"))
        if action == "changeQuantity" and (sku == TRACKED or entry["quantityOnStock"] == quantity):
            action = "addQuantity"
        more = {"addQuantity": quantity, "removeQuantity": -quantity}.get(action, quantity - entry["quantityOnStock"])
        asked = Asked(
            "restock",
            ("inventory-entry", entry["id"]),
            entry["version"],
            lambda _, after: after.get("moved", more) == more,
        )
        if action == "changeQuantity":
            asked.counted = (sku, quantity)
        else:
            asked.received = (sku, more)
        await self._update(asked, {"action": action, "quantity": quantity})

    async def _open_cart(self) -> None:
        """A new cart under an idempotency key: however often it is sent, one cart."""
        self._made += 1
        key = f"key-{self._number}-{self._made}@shop"
        draft = {"currency": "EUR", "taxMode": "Disabled", "customerEmail": key}
        asked = Asked("open", ("cart", ""), 0, lambda _, after: after.get("customerEmail") == key, key=key)
        sends = [self._ask(asked, "carts", draft, {"idempotency-key": key})]
        if self._chance.random() < 0.5:
            sends.append(self._ask(_again(asked), "carts", draft, {"idempotency-key": key}))
        await asyncio.gather(*sends)
        if asked.accepted and self._chance.random() < 0.3:
            other = Asked("reuse", ("cart", ""), 0, lambda *_: False)
            await self._ask(other, "carts", {**draft, "country": "DE"}, {"idempotency-key": key})

    async def rename_zone(self) -> None:
        zone = await self.get(("zone", self._shop.zone))
        if zone is None:
            return
        name = f"zone of {self._number} after version {zone['version']}"
        asked = Asked("rename", ("zone", zone["id"]), zone["version"], lambda _, after: after["name"] == name)
        await self._update(asked, {"action": "changeName", "name": name})

    async def _look_around(self) -> None:
        names = [("cart", self._a_cart()), ("zone", self._shop.zone), ("inventory-entry", self._shop.entries[HOT])]
        await asyncio.gather(*(self.get(name) for name in names), self.get(("zone", self._shop.zone)))

    def _a_cart(self) -> str:
        """Few carts, so that clients meet."""
        return self._shop.carts[min(int(self._chance.expovariate(0.7)), len(self._shop.carts) - 1)]

    # --- asking ----------------------------------------------------------------------------

    async def get(self, name: Name) -> Mapping[str, Any] | None:
        """A resource as it is; None when it is not there, or nobody answered."""
        started = self._loop.time()
        answer = await self._sent(None, "GET", f"{_PATHS[name[0]]}/{name[1]}")
        if answer is None:
            return None
        if answer.status == 404:
            self._history.absent.append((name, started))
            return None
        return self._seen(name, answer, started)

    async def _update(self, asked: Asked, action: Mapping[str, Any]) -> Mapping[str, Any] | None:
        body = {"version": asked.base, "actions": [action]}
        changed = await self._ask(asked, f"{_PATHS[asked.name[0]]}/{asked.name[1]}", body)
        if changed is not None and self._chance.random() < 0.3:
            await self.get(asked.name)
        return changed

    async def _ask(
        self, asked: Asked, path: str, body: Any, headers: Mapping[str, str] | None = None
    ) -> Mapping[str, Any] | None:
        """Want something until it is answered; what was answered goes into the history."""
        self._history.asked.append(asked)
        started = self._loop.time()
        asked.answer = answer = await self._sent(asked, "POST", path, body, headers)
        if answer is None or answer.status >= 300:
            return None
        return self._seen((asked.name[0], answer.body["id"]), answer, started, asked)

    def _seen(self, name: Name, answer: Answer, started: float, asked: Asked | None = None) -> Mapping[str, Any]:
        if answer.status >= 300:
            raise AssertionError(f"a read of {name} was refused: {answer.raw!r}")
        body: Mapping[str, Any] = answer.body
        # A replay shows what was answered then; only a first answer says where things stand now.
        if asked is None or asked.key is None:
            marked = answer.headers.get(b"x-holdfast-served") == b"stale"
            self._history.shown[name].append(Shown(body["version"], answer.raw, started, self._loop.time(), marked))
        return body

    async def _sent(
        self, asked: Asked | None, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer | None:
        """Send it, again and again while nobody says yes or no."""
        answer = None
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS * (1 + attempt) * self._chance.random())
            if asked is not None:
                asked.attempts += 1
            process = self._chance.choice(self._processes)
            try:
                answer = await process.call(method, path, body, headers)
            except Lost:
                answer = None
                continue
            if answer.status not in _TRY_AGAIN:
                return answer
        return answer if answer is not None and answer.status not in _TRY_AGAIN else None


def _again(asked: Asked) -> Asked:
    """The same wish in a second tab."""
    return replace(asked)
