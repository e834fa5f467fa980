"""Many askers, one statement: requests that come while one is under way share the next.

Asking for one row costs a round trip, asking for sixty costs hardly more. Nobody waits on purpose:
a lone request goes out once the event loop has been round a few times, which takes microseconds when
it has nothing else to do; under load it lets those come along who are just being read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

import asyncpg

from holdfast.base.errors import OverCapacity

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

BATCH_MAX = 500
WAITING_MAX = 20_000
# Rounds of the event loop between two batches.
GATHER_ROUNDS = 4


class Coalescer(Generic[K, V]):
    """Gathers keys and loads them together; `load` answers one value per key, in order."""

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Sequence[V]]]) -> None:
        self._load = load
        # Askers of one key wait on futures of their own: one that gives up takes nobody along.
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._running: asyncio.Task[None] | None = None

    def ask(self, key: K) -> asyncio.Future[V]:
        """The value behind a key, soon. Raises OverCapacity when too many wait already."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V] = loop.create_future()
        askers = self._waiting.get(key)
        if askers is not None:
            askers.append(future)
            return future
        if len(self._waiting) >= WAITING_MAX:
            raise OverCapacity
        self._waiting[key] = [future]
        if self._running is None:
            self._running = loop.create_task(self._run())
        return future

    async def _run(self) -> None:
        try:
            while self._waiting:
                await gathered()
                keys = list(self._waiting)[:BATCH_MAX]
                await self._serve([(key, self._waiting.pop(key)) for key in keys])
        finally:
            self._running = None

    async def _serve(self, batch: list[tuple[K, list[asyncio.Future[V]]]]) -> None:
        try:
            values = await self._load([key for key, _ in batch])
        except asyncpg.DataError as error:  # a key the database cannot take: it fails its own askers, no others
            if len(batch) == 1:
                _fail(batch, error)
            else:
                half = len(batch) // 2
                await self._serve(batch[:half])
                await self._serve(batch[half:])
        except Exception as error:  # noqa: BLE001 - whatever went wrong is the askers' to know
            _fail(batch, error)
        else:
            for (_, askers), value in zip(batch, values, strict=True):
                for future in askers:
                    if not future.done():
                        future.set_result(value)


def _fail(batch: Sequence[tuple[Any, list[asyncio.Future[V]]]], error: Exception) -> None:
    for _, askers in batch:
        for future in askers:
            if not future.done():
                future.set_exception(error)


async def gathered() -> None:
    """Let everybody speak up who is about to: some rounds of the event loop, no time."""
    for _ in range(GATHER_ROUNDS):
        await asyncio.sleep(0)
