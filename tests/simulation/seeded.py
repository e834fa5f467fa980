"""Time and chance of the product, taken from the schedule's seed.

The product reads clocks and randomness in five modules; here they read the simulated ones. The wall
clock follows the loop's time and can jump; the loop's own time cannot, like a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from random import Random
from typing import Any
from unittest.mock import patch

from tests.simulation.loop import SeededLoop

STARTED_AT = 1_780_000_000.0


class Nature:
    """What the machine would give: the time of day, and random bytes."""

    def __init__(self) -> None:
        self.begin(SeededLoop(Random(0)), Random(0))

    def begin(self, loop: SeededLoop, chance: Random) -> None:
        """A new schedule: its loop keeps the time, `chance` is drawn from."""
        self.loop = loop
        self._draw = chance.randbytes
        self.jumped_seconds = 0.0

    def time(self) -> float:
        return STARTED_AT + self.loop.time() + self.jumped_seconds

    def time_ns(self) -> int:
        return int(self.time() * 1e9)

    def monotonic(self) -> float:
        return self.loop.time()

    def urandom(self, size: int) -> bytes:
        return self._draw(size)

    def getpid(self) -> int:
        return 1


NATURE = Nature()


class WallClock(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.fromtimestamp(NATURE.time(), tz or UTC)


@contextmanager
def seeded() -> Iterator[None]:
    """Let the product live in simulated time."""
    with (
        patch("holdfast.base.ids.time", NATURE),
        patch("holdfast.base.ids.os", NATURE),
        patch("holdfast.base.clock.datetime", WallClock),
        patch("holdfast.store.epochs.time", NATURE),
        patch("holdfast.http.kept.time", NATURE),
        patch("holdfast.http.outage.time", NATURE),
    ):
        yield
