"""One bucket for all hosts of a shop: what is taken here is told there, and what others took is marked off here.

No request waits for it. A host limits by its own page all the time; every TELL_SECONDS a process adds what it took
to the shared buckets and marks off in the page what they lack beyond that. So hosts may spend a bucket together
within that time, and pay it back after. While the server is away each host limits by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from holdfast.base.log import log
from holdfast.http.bucket import SECOND, Tier
from holdfast.http.rate_page import Page
from holdfast.http.rates import HostFigures
from holdfast.outbound.shared_buckets import Spent

TELL_SECONDS = 0.02
# After a failure nobody asks for so long.
AWAY_SECONDS = 2.0
# Buckets told of at once, and those that wait for it; what was taken from others meanwhile is not told.
BATCH_MAX = 200
WAITING_MAX = 4_000
_MICROSECONDS = 1_000_000
_MICROSECOND = SECOND // _MICROSECONDS


class Shared(Protocol):
    async def add(self, spent: Sequence[Spent]) -> list[int]: ...

    async def close(self) -> None: ...


class Hosts:
    """Tells the shared buckets of this process's leases."""

    def __init__(self, shared: Shared, page: Page, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._page = page
        self._clock = clock
        self._waiting: dict[int, tuple[Tier, float]] = {}
        self._telling: asyncio.Task[None] | None = None
        self._away_until = 0.0
        self._told = 0
        self._failed = 0
        self._untold = 0

    def spent(self, key: int, tier: Tier, tokens: float) -> None:
        """Note what was taken from a bucket, or brought back."""
        known = self._waiting.get(key)
        if known is not None:
            tokens += known[1]
        elif len(self._waiting) >= WAITING_MAX or self._clock() < self._away_until:
            self._untold += 1
            return
        self._waiting[key] = (tier, tokens)
        if self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._tell_all(), name="rates of all hosts")

    def figures(self) -> HostFigures:
        return HostFigures(self._told, self._failed, self._untold, is_away=bool(self._away_until))

    async def close(self) -> None:
        """Hang up. What was not told yet is a few milliseconds' worth."""
        if self._telling is not None:
            self._telling.cancel()
        await self._shared.close()

    async def _tell_all(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(TELL_SECONDS)
                await self._tell()
        finally:
            self._telling = None

    async def _tell(self) -> None:
        keys = list(self._waiting)[:BATCH_MAX]
        batch = [spent_of(key, *self._waiting.pop(key)) for key in keys]
        try:
            missing = await self._shared.add(batch)
        except Exception as problem:  # noqa: BLE001 - whatever it is, we go on without
            self._fail(problem)
            return
        if self._away_until:
            log.info("rates.shared_again")
        self._away_until = 0.0
        self._told += len(batch)
        self._page.raise_to({key: lacks * _MICROSECOND for key, lacks in zip(keys, missing, strict=True)})

    def _fail(self, problem: Exception) -> None:
        if not self._away_until:
            log.warning("rates.not_shared", reason=str(problem) or type(problem).__name__, seconds=AWAY_SECONDS)
        self._away_until = self._clock() + AWAY_SECONDS
        self._failed += 1
        self._untold += len(self._waiting)
        self._waiting.clear()


def spent_of(key: int, tier: Tier, tokens: float) -> Spent:
    token = _MICROSECONDS / tier.per_second
    return Spent(key, tokens * token, tier.burst * token)
