"""One shopper at a time: browse, fill a cart, order it, and try again as an SDK does when the shop does not answer."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from typing import Any, NamedTuple

import msgspec

from holdfast.ops.bench.shop import Shop
from holdfast.ops.drill.caller import Answer, Caller, Unanswered
from holdfast.ops.drill.pulse import Pulse

REQUEST_TIMEOUT_SECONDS = 5.0
RETRY_FIRST_SECONDS = 0.05
RETRY_LONGEST_SECONDS = 0.5
# How long one step is tried again before its outcome stays unknown.
PATIENCE_SECONDS = 25.0
DIGEST_BYTES = 12

ADDRESS = {"country": "DE", "city": "Berlin", "firstName": "Ada", "lastName": "L", "email": "a@b.co"}
SHIPPING = {"typeId": "shipping-method", "key": "standard"}
CART = {"currency": "EUR", "country": "DE", "inventoryMode": "ReserveOnOrder"}


class Kept(msgspec.Struct):
    """What a client keeps of an answer."""

    id: str
    version: int


class Refusal(msgspec.Struct):
    """What a client keeps of a refusal."""

    errors: list[dict[str, Any]] = []


class GaveUp(Exception):
    """A step before the order found no answer, or its cart cannot be ordered: the shopper leaves."""


class Broken(Exception):
    """An answer that breaks a promise."""


class Line(NamedTuple):
    sku: str
    quantity: int


class Told(NamedTuple):
    """What became of the request to order: answered (201 or a refusal) or unknown (None)."""

    answer: Answer | None
    attempts: int
    # Whether an attempt without an answer may have reached the shop.
    doubtful: bool


_kept = msgspec.json.Decoder(Kept)
_refusals = msgspec.json.Decoder(Refusal)
RETRIED = {401, 429, 500, 502, 503, 504}
# Answers after which the change may still have happened.
DOUBTFUL = {500, 502, 504}


def digest_of(body: bytes) -> str:
    """What tells one body from another, byte by byte."""
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).hexdigest()


def kept_of(answer: Answer) -> Kept:
    return _kept.decode(answer.body)


def codes_of(answer: Answer) -> set[str]:
    """The published codes of a refusal."""
    try:
        return {str(error.get("code")) for error in _refusals.decode(answer.body).errors}
    except msgspec.DecodeError:
        return set()


class Till:
    """Where shoppers send requests: the shop's address, the token they share, the pulse they are counted in."""

    def __init__(self, shop: Shop, pulse: Pulse) -> None:
        self.shop = shop
        self.pulse = pulse
        self.in_flight = 0
        self.patience_seconds = PATIENCE_SECONDS

    async def ask(self, caller: Caller, request: bytes) -> Answer:
        """One request, tried once. Raises Unanswered."""
        self.in_flight += 1
        try:
            answer = await caller.send(request, REQUEST_TIMEOUT_SECONDS)
        except Unanswered:
            self.pulse.fail()
            raise
        finally:
            self.in_flight -= 1
        if answer.status in RETRIED:
            self.pulse.fail()
        else:
            self.pulse.answered()
        return answer

    async def insist(self, caller: Caller, chance: random.Random, request: bytes) -> Told:
        """One request, sent again and again while there is no answer, with growing pauses, until patience ends."""
        began = time.monotonic()
        pause, attempts, doubtful = RETRY_FIRST_SECONDS, 0, False
        while True:
            attempts += 1
            try:
                answer = await self.ask(caller, request)
            except Unanswered as failure:
                doubtful |= failure.sent
            else:
                if answer.status not in RETRIED:
                    return Told(answer, attempts, doubtful)
                doubtful |= answer.status in DOUBTFUL
            if time.monotonic() + pause - began > self.patience_seconds:
                return Told(None, attempts, doubtful)
            await asyncio.sleep(pause * chance.uniform(0.5, 1.0))
            pause = min(pause * 2, RETRY_LONGEST_SECONDS)


class Shopper:
    """One client with a connection of its own, and a second one for the other tab."""

    def __init__(self, till: Till, chance: random.Random) -> None:
        self.till = till
        self.chance = chance
        self.caller = Caller(till.shop.url)
        self.other_tab = Caller(till.shop.url)

    def close(self) -> None:
        self.caller.close()
        self.other_tab.close()

    # --- towards the order ---------------------------------------------------------------------

    async def browse(self, product_id: str) -> None:
        answer = await self._answer("GET", f"product-projections/{product_id}")
        if answer.status != 200:
            raise Broken(f"product {product_id} answered {answer.status}")

    async def whole_cart(self, lines: list[Line]) -> Kept:
        """A cart made ready in one request."""
        items = [{"sku": line.sku, "quantity": line.quantity} for line in lines]
        draft = {**CART, "shippingAddress": ADDRESS, "shippingMethod": SHIPPING, "lineItems": items}
        return await self._made("carts", draft)

    async def cart_by_steps(self, lines: list[Line]) -> Kept:
        """A cart filled the way a storefront does it: empty, lines, address, shipping, payment."""
        cart = await self._made("carts", CART)
        for line in lines:
            cart = await self._change(cart, {"action": "addLineItem", "sku": line.sku, "quantity": line.quantity})
        cart = await self._change(cart, {"action": "setShippingAddress", "address": ADDRESS})
        cart = await self._change(cart, {"action": "setShippingMethod", "shippingMethod": SHIPPING})
        money = {"currencyCode": "EUR", "centAmount": 1_000}
        # Not charged yet: who gives up before the order leaves no money behind.
        reserved = {"type": "Authorization", "amount": money, "state": "Success"}
        payment = await self._made("payments", {"amountPlanned": money, "transactions": [reserved]})
        return await self._change(cart, {"action": "addPayment", "payment": {"typeId": "payment", "id": payment.id}})

    async def _made(self, path: str, draft: Any) -> Kept:
        """Something new; a lost answer leaves one nobody uses."""
        answer = await self._answer("POST", path, draft)
        if answer.status != 201:
            raise Broken(f"POST {path} answered {answer.status}: {answer.body[:300]!r}")
        return kept_of(answer)

    async def _change(self, cart: Kept, action: dict[str, Any]) -> Kept:
        """One update; after a lost answer the cart is read again, as the next version tells whether it happened."""
        path = f"carts/{cart.id}"
        told = await self._insist("POST", path, {"version": cart.version, "actions": [action]})
        if told.answer is not None and told.answer.status == 409 and told.doubtful:
            told = told._replace(answer=await self._answer("GET", path))
        if told.answer is None:
            raise GaveUp
        if told.answer.status != 200:
            raise Broken(f"{action['action']} on {path} answered {told.answer.status}: {told.answer.body[:300]!r}")
        after = kept_of(told.answer)
        if after.version <= cart.version:
            raise Broken(f"{path} was at version {cart.version} and is at {after.version} after a change")
        return after

    async def _answer(self, method: str, path: str, value: Any = None) -> Answer:
        told = await self._insist(method, path, value)
        if told.answer is None:
            raise GaveUp
        return told.answer

    async def _insist(self, method: str, path: str, value: Any = None) -> Told:
        shop = self.till.shop
        request = shop.get(path) if method == "GET" else shop.post(path, value)
        return await self.till.insist(self.caller, self.chance, request)

    # --- the order -----------------------------------------------------------------------------

    async def order(self, cart: Kept, tabs: int, *, keyed: bool) -> list[Told]:
        """Order the cart, from two tabs at once if there are two, under an idempotency key or without."""
        draft = {"cart": {"typeId": "cart", "id": cart.id}, "version": cart.version}
        request = self.till.shop.post("orders", draft)
        if keyed:
            request = request.replace(b"\r\n", f"\r\nidempotency-key: {cart.id}\r\n".encode(), 1)
        callers = (self.caller, self.other_tab)[:tabs]
        return list(await asyncio.gather(*(self.till.insist(caller, self.chance, request) for caller in callers)))

    async def look_again(self, order_id: str, digest: str) -> None:
        """What was acknowledged can be read at once, byte for byte."""
        answer = await self._answer("GET", f"orders/{order_id}")
        if answer.status != 200:
            raise Broken(f"order {order_id} was acknowledged and answers {answer.status}")
        if digest_of(answer.body) != digest:
            raise Broken(f"order {order_id} reads otherwise than it was acknowledged")
