"""Plays the cells: break, let a buyer visit, mend, see how it comes back and what became of the events."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from tests.outbound.sinks import Sink, answers, sink
from tests.resilience.buyer import PATIENCE_SECONDS, PRODUCT, Answer, Basket, Buyer, Visit, pace
from tests.resilience.cells import CELLS, DATABASE, DESTINATIONS, EXTENSIONS, SHARED, Cell
from tests.resilience.stage import Between, House, Stage, between, stage

from holdfast.ops.drill.proxy import WHOLE

POLL_SECONDS = 0.02
# Longer than a slow extension takes here, shorter than anybody waits.
EXTENSION_MILLISECONDS = 900

_numbers = itertools.count(1)


class Row(NamedTuple):
    """What was seen in a cell. orders: made of the one checkout. back_seconds: from mending until all was well."""

    cell: Cell
    visit: Visit
    events: str
    orders: int
    back_seconds: float

    @property
    def back(self) -> str:
        return f"by itself · {pace(self.back_seconds)}"

    @property
    def pages(self) -> tuple[Answer, ...]:
        return (*self.visit.product, *self.visit.categories)


class Told(NamedTuple):
    """A subscription, and whether it was sent an order."""

    house: House
    key: str
    was_sent: Callable[[str], Awaitable[bool]]

    async def has(self, order_id: str) -> bool:
        """Whether it was sent this, and is owed nothing."""
        return await self.was_sent(order_id) and (await self.house.standing(self.key)).owed == 0

    async def outcome(self, order_id: str, failed: int) -> str:
        """Wait until an order's event is out of the way; how it went since `failed` failures."""
        await until(lambda: self.has(order_id))
        standing = await self.house.standing(self.key)
        if standing.dead:
            return "dead letter"
        return "delivered late" if standing.failed > failed else "delivered"


async def play(folder: Path, *, at_once: bool) -> list[Row]:
    """Every cell, in the order of the table. at_once: cells that do not disturb each other; waits are longer then."""
    async with stage(folder) as played, AsyncExitStack() as stack:
        street = asyncio.Lock()
        selling = Player(played, played.selling, street, stack)
        far = Player(played, played.database_house, asyncio.Lock() if at_once else street, stack)
        await selling.warm(told_witness(selling.house))
        chains = [
            far.in_turn(DATABASE, far.break_database),
            selling.in_turn(SHARED[::2], selling.break_redis),
            selling.in_turn(SHARED[1::2], selling.break_redis),
            selling.in_turn(EXTENSIONS, selling.break_extension),
            *(selling.in_turn([cell], selling.break_destination) for cell in DESTINATIONS),
        ]
        rows = [row for chain in await asyncio.gather(*chains) for row in chain]
    return sorted(rows, key=lambda row: CELLS.index(row.cell))


class Player:
    """Plays cells at one shop. One visit at a time: what a buyer sees is of one broken thing."""

    def __init__(self, played: Stage, house: House, street: asyncio.Lock, stack: AsyncExitStack) -> None:
        self.house = house
        self._stage = played
        self._street = street
        self._stack = stack

    async def in_turn(self, cells: Sequence[Cell], play: Callable[[Cell], Awaitable[Row]]) -> list[Row]:
        rows = []
        for cell in cells:
            try:
                rows.append(await play(cell))
            except Exception as problem:
                problem.add_note(cell.name)
                raise
        return rows

    async def warm(self, told: Told, email: str | None = None) -> int:
        """Place an order and have it told, so that every connection is open; the failures until then."""
        buyer = self.house.buyer
        order = await buyer.ordered(await buyer.basket(email))
        await until(lambda: told.has(order.body["id"]))
        return (await self.house.standing(told.key)).failed

    async def _visited(self, buyer: Buyer, cell: Cell, way: Between) -> tuple[Basket, Visit, float]:
        """A visit while the way to a dependency is broken: its basket, what was seen, and when the way was mended."""
        basket = await buyer.basket()
        await buyer.look_and_change()
        way.take(cell.way)
        visit = await buyer.visit(basket)
        way.take(WHOLE)
        return basket, visit, time.monotonic()

    # --- PostgreSQL ------------------------------------------------------------------------------

    async def break_database(self, cell: Cell) -> Row:
        buyer, told, way = self.house.buyer, told_witness(self.house), self._stage.database_way
        async with self._street:
            failed = await self.warm(told)
            basket, visit, mended_at = await self._visited(buyer, cell, way)
        order = await buyer.ordered(basket)
        await until(lambda: is_live(buyer))
        seconds = time.monotonic() - mended_at
        events = await told.outcome(order.body["id"], failed)
        return Row(cell, visit, events, await buyer.orders_of(basket), seconds)

    # --- Redis -----------------------------------------------------------------------------------

    async def break_redis(self, cell: Cell) -> Row:
        buyer = self.house.buyer if SHARED.index(cell) % 2 else self.house.other
        told, way = told_witness(self.house), self._stage.redis_way
        async with self._street:
            await self._until_shelved(buyer)
            failed = await self.warm(told)
            basket, visit, mended_at = await self._visited(buyer, cell, way)
            order = await buyer.ordered(basket)
            events = await told.outcome(order.body["id"], failed)
        await self._until_shelved(buyer)
        seconds = time.monotonic() - mended_at
        return Row(cell, visit, events, await buyer.orders_of(basket), seconds)

    async def _until_shelved(self, buyer: Buyer) -> None:
        """Until what this process reads is laid into Redis."""

        async def is_shelved() -> bool:
            path = f"/zones?offset={next(_numbers)}"
            await buyer.good("GET", path)
            name = blake2b(f"/{self.house.key}{path}".encode(), digest_size=20).hexdigest()
            # It is laid there after the answer, so perhaps it is found only at the next look.
            read.append(name)
            laid: list[Any] = await self._stage.redis.keys(f"holdfast:kept:*:{self.house.key}:*")
            return any(key.decode().endswith(tuple(read)) for key in laid)

        read: list[str] = []
        await until(is_shelved)

    # --- destinations of events ------------------------------------------------------------------

    async def break_destination(self, cell: Cell) -> Row:
        way, server, told = await (self._broker(cell) if cell.dependency == "broker" else self._webhook(cell))
        buyer = self.house.buyer
        async with self._street:
            failed = await self.warm(told)
            swallowed = way.proxy.seen.swallowed_bytes
            basket = await buyer.basket()
            await buyer.look_and_change()
            bend(cell, way, server)
            visit = await buyer.visit(basket)
            order = await buyer.ordered(basket)

            async def was_felt() -> bool:
                if way.proxy.seen.swallowed_bytes > swallowed or cell.failure == "half-open":
                    return True
                standing = await self.house.standing(told.key)
                return standing.failed > failed or standing.dead > 0 or await told.has(order.body["id"])

            await until(was_felt)
            mend(way, server)
            mended_at = time.monotonic()
        events = await told.outcome(order.body["id"], failed)
        return Row(cell, visit, events, await buyer.orders_of(basket), time.monotonic() - mended_at)

    async def _broker(self, cell: Cell) -> tuple[Between, Sink | None, Told]:
        way = await self._stack.enter_async_context(between(f"127.0.0.1:{self._stage.valkey.port}"))
        key = f"broker-{cell.failure.replace(' ', '-')}"
        url = f"redis://127.0.0.1:{way.port}/1"
        redis = self._stage.broker

        async def was_sent(order_id: str) -> bool:
            entries: Any = await redis.xrange(key)
            return any(order_id.encode() in fields[b"body"] for _, fields in entries)

        await self.house.subscribe(key, {"type": "RedisStream", "url": url, "stream": key})
        return way, None, Told(self.house, key, was_sent)

    async def _webhook(self, cell: Cell) -> tuple[Between, Sink, Told]:
        server, way = await self._server()
        key = f"webhook-{cell.failure.replace(' ', '-')}-{cell.note}"
        await self.house.subscribe(key, {"type": "Webhook", "url": f"http://127.0.0.1:{way.port}/{key}"})
        return way, server, told_sink(self.house, key, server)

    async def _server(self) -> tuple[Sink, Between]:
        server = await self._stack.enter_async_context(sink(answers(200)))
        return server, await self._stack.enter_async_context(between(f"127.0.0.1:{server.port}"))

    # --- extensions ------------------------------------------------------------------------------

    async def break_extension(self, cell: Cell) -> Row:
        server, way = await self._server()
        buyer, told = self.house.buyer, told_witness(self.house)
        email = f"{cell.failure}-{cell.note}-{cell.dependency}@shop.example".replace(" ", "-").replace(",", "")
        async with self._street:
            await buyer.good("POST", "/extensions", an_extension(cell, way, email))
            failed = await self.warm(told, email)
            assert server.asked, "the extension is asked"
            basket = await buyer.basket(email)
            await buyer.look_and_change()
            bend(cell, way, server)
            visit = await buyer.visit(basket, email)
            mend(way, server)
            mended_at = time.monotonic()
            order = await buyer.ordered(basket)

            async def is_asked() -> bool:
                asked = len(server.asked)
                await buyer.ordered(await buyer.basket(email))
                return len(server.asked) > asked

            await until(is_asked)
            seconds = time.monotonic() - mended_at
            events = await told.outcome(order.body["id"], failed)
        return Row(cell, visit, events, await buyer.orders_of(basket), seconds)


def an_extension(cell: Cell, way: Between, email: str) -> dict[str, object]:
    """Asked about the orders of this cell's buyer."""
    trigger = {"resourceTypeId": "order", "actions": ["Create"], "condition": f'customerEmail = "{email}"'}
    return {
        "key": email.partition("@")[0],
        "destination": {"type": "HTTP", "url": f"http://127.0.0.1:{way.port}/extension"},
        "triggers": [trigger],
        "timeoutInMs": EXTENSION_MILLISECONDS,
        "fallback": "FailClosed" if cell.dependency.endswith("closed") else "FailOpen",
    }


def bend(cell: Cell, way: Between, server: Sink | None) -> None:
    way.take(cell.way)
    if cell.behave is not None:
        assert server is not None
        server.behave = cell.behave


def mend(way: Between, server: Sink | None) -> None:
    way.take(WHOLE)
    if server is not None:
        server.behave = answers(200)


def told_witness(house: House) -> Told:
    return told_sink(house, "witness", house.witness)


def told_sink(house: House, key: str, server: Sink) -> Told:
    async def was_sent(order_id: str) -> bool:
        await asyncio.sleep(0)
        return any(json.loads(asked.body)["resource"]["id"] == order_id for asked in server.asked)

    return Told(house, key, was_sent)


async def is_live(buyer: Buyer) -> bool:
    return (await buyer.send("GET", PRODUCT)).served in ("live", "cached")


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a question is answered with yes; facts in other processes set no event."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await true():  # noqa: ASYNC110 - as above
            await asyncio.sleep(POLL_SECONDS)
