"""Whether the database answers, as far as reading the catalogue is concerned.

Suspected by a read that waits in vain, and confirmed by a probe, so that a slow database is no outage.
While it lasts kept answers are given at once, and the one probe of the process, not each reader, finds
out when the database is back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from holdfast.base.log import log

PROBE_PAUSE_SECONDS = 0.25
PROBE_SECONDS_MAX = 1.0


class Outage:
    """None until confirmed; `probe` returns once the database answers, and raises while it does not."""

    def __init__(self, probe: Callable[[], Awaitable[None]]) -> None:
        self._probe = probe
        self._probing: asyncio.Task[None] | None = None
        # When it was first and last confirmed, in nanoseconds of Unix time as epochs are; 0 while there is none.
        self.since_ns = 0
        self.confirmed_ns = 0
        self.count = 0

    def suspect(self) -> None:
        """The database seems not to answer: find out, and if so, when it does again."""
        if self._probing is None:
            self._probing = asyncio.get_running_loop().create_task(self._watch(), name="database probe")

    async def _watch(self) -> None:
        try:
            while not await self._answers():
                self._confirm()
                await asyncio.sleep(PROBE_PAUSE_SECONDS)
            if self.since_ns:
                log.info("reads.live", after_seconds=round((time.time_ns() - self.since_ns) / 1e9, 3))
        finally:
            self.since_ns = self.confirmed_ns = 0
            self._probing = None

    def _confirm(self) -> None:
        self.confirmed_ns = time.time_ns()
        if not self.since_ns:
            self.since_ns = self.confirmed_ns
            self.count += 1
            log.warning("reads.stale", reason="the database does not answer")

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(PROBE_SECONDS_MAX):
                await self._probe()
        except Exception as problem:  # noqa: BLE001 - whatever it is, the database does not answer
            log.debug("reads.probed", reason=str(problem) or type(problem).__name__)
            return False
        return True
