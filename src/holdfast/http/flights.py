"""Single flight: who asks for what is being made already waits for that.

A flight is a task of its own, so nobody who gives up waiting takes the others along.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from holdfast.base.deadline import Deadline
from holdfast.base.errors import OverCapacity

T = TypeVar("T")

# Flights of one process under way, those nobody waits for any more included.
FLIGHTS_MAX = 2_048
# Longer than reading holds out in an outage (store/pool.py).
FLIGHT_SECONDS_MAX = 20.0


class Flights(Generic[T]):
    """What is being made, by what it is."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}
        self.joined = 0

    def __len__(self) -> int:
        return len(self._under_way)

    def join(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> tuple[asyncio.Task[T], bool]:
        """The flight under this key, and whether it was there already. Raises OverCapacity."""
        flight = self._under_way.get(key)
        if flight is not None:
            self.joined += 1
            return flight, True
        if len(self._under_way) >= FLIGHTS_MAX:
            raise OverCapacity
        flight = asyncio.get_running_loop().create_task(_bounded(make), name="kept answer")
        self._under_way[key] = flight
        flight.add_done_callback(lambda done: self._landed(key, done))
        return flight, False

    def _landed(self, key: Hashable, flight: asyncio.Task[T]) -> None:
        del self._under_way[key]
        # A failure is told to those who wait; perhaps nobody does.
        if not flight.cancelled():
            flight.exception()


async def _bounded(make: Callable[[], Awaitable[T]]) -> T:
    with Deadline(FLIGHT_SECONDS_MAX):
        return await make()
