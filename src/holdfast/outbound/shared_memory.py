"""Bytes that all hosts of a shop share in a Redis or Valkey. Without it nothing is wrong, only more work.

Whatever happens to the server, nobody waits longer than SECONDS_MAX, and after a failure nobody at all
for a while: then one request finds out whether it is back.
"""

from __future__ import annotations

import asyncio
import time

from holdfast.base.log import log
from holdfast.outbound.redis import client_of

# A look-up that takes longer costs more than it saves.
SECONDS_MAX = 0.05
CLOSED_SECONDS = 5.0
# Look-ups under way at once, and writes nobody waits for; what is beyond is left out.
PARALLEL_MAX = 16
WRITES_MAX = 64


class Figures:
    """What it was asked for since the process started: plain numbers."""

    def __init__(self) -> None:
        self.found = 0
        self.missed = 0
        self.failed = 0
        self.left_out = 0
        self.put = 0
        self.closed = False


class SharedMemory:
    """The server behind a redis:// address."""

    def __init__(self, url: str) -> None:
        self._client = client_of(url, connections_max=PARALLEL_MAX + WRITES_MAX, seconds_max=SECONDS_MAX)
        self._reading = 0
        self._writes: set[asyncio.Task[None]] = set()
        self._closed_until = 0.0
        self._figures = Figures()

    @property
    def figures(self) -> Figures:
        self._figures.closed = time.monotonic() < self._closed_until
        return self._figures

    async def get(self, key: str) -> bytes | None:
        """What lies under a key; None also where the server does not answer in time."""
        if self._reading >= PARALLEL_MAX or not self._may_try():
            self._figures.left_out += 1
            return None
        self._reading += 1
        try:
            async with asyncio.timeout(SECONDS_MAX):
                found = await self._client.get(key)
        except Exception as problem:  # noqa: BLE001 - whatever it is, we go on without
            self._fail(problem)
            return None
        finally:
            self._reading -= 1
        self._closed_until = 0.0
        if not isinstance(found, bytes):
            self._figures.missed += 1
            return None
        self._figures.found += 1
        return found

    def put(self, key: str, value: bytes, seconds: int) -> None:
        """Lay something under a key, later and without anybody waiting."""
        if len(self._writes) >= WRITES_MAX or self._closed_until:
            self._figures.left_out += 1
            return
        task = asyncio.get_running_loop().create_task(self._put(key, value, seconds), name="shared memory")
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def close(self) -> None:
        for task in self._writes:
            task.cancel()
        await self._client.aclose()

    async def _put(self, key: str, value: bytes, seconds: int) -> None:
        try:
            async with asyncio.timeout(SECONDS_MAX):
                await self._client.set(key, value, ex=seconds)
        except Exception as problem:  # noqa: BLE001 - whatever it is, we go on without
            self._fail(problem)
        else:
            self._figures.put += 1

    def _may_try(self) -> bool:
        if not self._closed_until:
            return True
        now = time.monotonic()
        if now < self._closed_until:
            return False
        # Those who come after this one go on without, until it has an answer.
        self._closed_until = now + CLOSED_SECONDS
        return True

    def _fail(self, problem: Exception) -> None:
        self._figures.failed += 1
        if not self._closed_until:
            log.warning("shared_memory.closed", reason=str(problem) or type(problem).__name__, seconds=CLOSED_SECONDS)
        self._closed_until = time.monotonic() + CLOSED_SECONDS
