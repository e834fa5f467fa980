"""Shoppers from a process of their own: `python -m holdfast.ops.bench.flood` takes a job and answers what it saw.

Each shopper makes a whole checkout, one request after another, and goes away at the first refusal: he honours
no Retry-After. They come either one for one (`clients`: a closed loop, told of from when all are under way) or at
a fixed rate whatever the shop does (`rate`: an open loop, as real crowds come); then a latency counts from when
the shopper was due. Job and result are JSON on standard input and output. The client shares the machine with the
shop, so it does as little as it can: of an answer it reads status, length, and the first id and version.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import uvloop

from holdfast.ops.bench.load import whole_answer

# Fewer than one process of a shop accepts.
CONNECTIONS_MAX = 1_000
TICK_SECONDS = 0.001
# The clients of a closed loop begin one after another, over about the time of a checkout. Beginning together they stay
# in step: a batch of new carts, then one of lines, and so on, which is cheaper than the mix that real shoppers bring;
# and orders come in lumps of all clients, so that a few seconds hold a lump more or less by chance.
SPREAD_SECONDS = 0.5
# After the last shopper was due, those inside may finish.
FINISH_SECONDS_MAX = 10.0
BUCKET_SECONDS = 0.25
_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')
_VERSION = re.compile(rb'"version":(\d+)')
STEPS = 7
_PAYMENT = 4


@dataclass(frozen=True)
class Job:
    """What to send: where, for how long, and how shoppers come (`clients` or `rate` a second)."""

    host: str
    port: int
    project: str
    token: str
    skus: int
    seconds: float
    clients: int = 0
    rate: float = 0.0


@dataclass
class Seen:
    """What the shoppers saw. Times are of the system's monotonic clock, which all processes share."""

    started_at: float = 0.0
    ended_at: float = 0.0
    due: int = 0
    # Shoppers that found no free connection: the client's own end, or the kernel's queue.
    unserved: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    steps: list[int] = field(default_factory=lambda: [0] * STEPS)
    refused_steps: list[int] = field(default_factory=lambda: [0] * STEPS)
    request_seconds: list[float] = field(default_factory=list)
    order_seconds: list[float] = field(default_factory=list)
    checkout_seconds: list[float] = field(default_factory=list)
    refusal_seconds: list[float] = field(default_factory=list)
    # By bucket since the start: orders placed, and requests refused.
    placed: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)


class Shopper:
    """One checkout: cart, line, address, shipping method, payment, payment on the cart, order."""

    __slots__ = ("cart", "due_at", "payment", "sent_at", "sku", "step", "version")

    def __init__(self, due_at: float, sku: int) -> None:
        self.due_at = self.sent_at = due_at
        self.sku = sku
        self.step = 0
        self.cart = self.payment = self.version = ""


class Flood:
    """The shoppers of one job and the connections they share."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.seen = Seen()
        self._skus = itertools.cycle(range(job.skus))
        self._idle: deque[Connection] = deque()
        self._open = 0
        self._inside = 0
        self._over = False
        self._empty = asyncio.Event()
        self._head = f"Host: {job.host}\r\nAuthorization: Bearer {job.token}\r\nContent-Type: application/json\r\n"

    async def run(self) -> Seen:
        self.seen.started_at = time.monotonic()
        if self.job.clients:
            for _ in range(self.job.clients):
                await self._connect(Shopper(time.monotonic(), next(self._skus)))
                await asyncio.sleep(SPREAD_SECONDS / self.job.clients)
            # A refusal or a lost connection is told of whenever it came.
            self.seen = Seen(started_at=time.monotonic(), statuses=self.seen.statuses)
            await asyncio.sleep(self.job.seconds)
        else:
            await self._arrivals()
        self.seen.ended_at = time.monotonic()
        self._over = True
        if not self._inside:
            self._empty.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_SECONDS_MAX):
                await self._empty.wait()
        return self.seen

    async def _arrivals(self) -> None:
        """Shoppers at a fixed rate, whatever becomes of those before them."""
        loop = asyncio.get_running_loop()
        opening: set[asyncio.Task[None]] = set()
        start, end = self.seen.started_at, self.seen.started_at + self.job.seconds
        while (now := time.monotonic()) < end:
            while (due_at := start + self.seen.due / self.job.rate) <= now:
                self.seen.due += 1
                shopper = Shopper(due_at, next(self._skus))
                if self._idle:
                    self._idle.popleft().begin(shopper)
                elif self._open < CONNECTIONS_MAX:
                    self._open += 1
                    task = loop.create_task(self._connect(shopper))
                    opening.add(task)
                    task.add_done_callback(opening.discard)
                else:
                    self.seen.unserved += 1
            await asyncio.sleep(TICK_SECONDS)
        for task in opening:
            task.cancel()

    async def _connect(self, shopper: Shopper) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: Connection(self), self.job.host, self.job.port)
        except OSError:
            self._closed()
            return
        connection.begin(shopper)

    def lost(self, connection: Connection) -> None:
        """A connection is gone, and with it whoever was asking something."""
        self._closed()
        if connection in self._idle:
            self._idle.remove(connection)
        elif connection.is_asking:
            self._leave()

    def _closed(self) -> None:
        self._open -= 1
        self.seen.statuses[0] += 1

    def entered(self) -> None:
        self._inside += 1

    def request(self, shopper: Shopper) -> bytes:
        path, body = _step(shopper)
        line = f"POST /{self.job.project}/{path} HTTP/1.1\r\n"
        return f"{line}{self._head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def answered(self, connection: Connection, shopper: Shopper, status: int, body: bytes) -> None:
        now, seen = time.monotonic(), self.seen
        seen.statuses[status] += 1
        bucket = int((now - seen.started_at) / BUCKET_SECONDS)
        took = now - shopper.sent_at
        if status not in (200, 201):
            seen.refused[bucket] += 1
            seen.refused_steps[shopper.step] += 1
            seen.refusal_seconds.append(took)
            self._gone(connection)
            return
        seen.steps[shopper.step] += 1
        seen.request_seconds.append(took)
        if shopper.step == STEPS - 1:
            seen.placed[bucket] += 1
            seen.order_seconds.append(took)
            seen.checkout_seconds.append(now - shopper.due_at)
            self._gone(connection)
            return
        _remember(shopper, body)
        shopper.step += 1
        shopper.sent_at = now
        connection.send(shopper)

    def _gone(self, connection: Connection) -> None:
        """A shopper has left; in a closed loop the next one comes at once."""
        self._leave()
        if self._over:
            return
        if self.job.clients:
            connection.begin(Shopper(time.monotonic(), next(self._skus)))
        else:
            self._idle.append(connection)

    def _leave(self) -> None:
        self._inside -= 1
        if self._over and not self._inside:
            self._empty.set()


class Connection(asyncio.Protocol):
    """A kept-alive connection; one shopper at a time."""

    def __init__(self, flood: Flood) -> None:
        self._flood = flood
        self._buffer = b""
        self._shopper: Shopper | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @property
    def is_asking(self) -> bool:
        return self._shopper is not None

    def begin(self, shopper: Shopper) -> None:
        self._flood.entered()
        self.send(shopper)

    def send(self, shopper: Shopper) -> None:
        assert self._transport is not None
        self._shopper = shopper
        self._transport.write(self._flood.request(shopper))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        answer = whole_answer(buffer)
        self._buffer = buffer if answer is None else b""
        if answer is not None:
            assert self._shopper is not None
            shopper, self._shopper = self._shopper, None
            self._flood.answered(self, shopper, *answer)

    def connection_lost(self, _reason: Exception | None) -> None:
        self._flood.lost(self)


_ADDRESS = '{"country":"DE","city":"Berlin","firstName":"Ada","lastName":"L","email":"a@b.co"}'
_AMOUNT = '{"currencyCode":"EUR","centAmount":2389}'


def _step(shopper: Shopper) -> tuple[str, str]:
    """Path and body of the shopper's next request."""
    match shopper.step:
        case 0:
            return "carts", '{"currency":"EUR","country":"DE","inventoryMode":"ReserveOnOrder"}'
        case 1:
            return _update(shopper, f'{{"action":"addLineItem","sku":"SKU-{shopper.sku}","quantity":1}}')
        case 2:
            return _update(shopper, f'{{"action":"setShippingAddress","address":{_ADDRESS}}}')
        case 3:
            method = '{"typeId":"shipping-method","key":"standard"}'
            return _update(shopper, f'{{"action":"setShippingMethod","shippingMethod":{method}}}')
        case 4:
            return "payments", f'{{"amountPlanned":{_AMOUNT}}}'
        case 5:
            payment = f'{{"typeId":"payment","id":"{shopper.payment}"}}'
            return _update(shopper, f'{{"action":"addPayment","payment":{payment}}}')
        case _:
            return "orders", f'{{"cart":{{"typeId":"cart","id":"{shopper.cart}"}},"version":{shopper.version}}}'


def _update(shopper: Shopper, action: str) -> tuple[str, str]:
    return f"carts/{shopper.cart}", f'{{"version":{shopper.version},"actions":[{action}]}}'


def _remember(shopper: Shopper, body: bytes) -> None:
    """Ids and versions that the next request names."""
    named = _ID.search(body)
    versioned = _VERSION.search(body)
    assert named is not None
    assert versioned is not None
    if shopper.step == _PAYMENT:
        shopper.payment = named[1].decode()
    else:
        shopper.cart, shopper.version = named[1].decode(), versioned[1].decode()


async def _main(job: Job) -> dict[str, Any]:
    return vars(await Flood(job).run())


if __name__ == "__main__":
    told = json.dumps(uvloop.run(_main(Job(**json.load(sys.stdin)))))
    # `print` loses the rest of what a pipe takes but a part of, where output is unbuffered (PYTHONUNBUFFERED).
    with open(sys.stdout.fileno(), "wb", closefd=False) as parent:
        parent.write(told.encode())
