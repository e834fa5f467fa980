"""Looks every few milliseconds whether the shop shows that something is wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from holdfast.ops.bench.load import request
from holdfast.ops.drill.caller import Caller, Unanswered
from holdfast.ops.drill.stage import Stage
from holdfast.ops.server.admin import database_is_up, decoded
from holdfast.ops.server.layout import read_json

LOOK_SECONDS = 0.025
# A probe that takes longer has noticed, too.
ANSWER_SECONDS_MAX = 1.0


class Watchman:
    """Remembers when the supervisor's state or the readiness probe first told of a fault."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._caller = Caller(stage.url)
        self._began = time.monotonic()
        self.noticed_seconds: float | None = None

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Look until the end of the block."""
        self._began = time.monotonic()
        looks = [asyncio.create_task(self._look(fine)) for fine in (self._same_processes(), self._is_ready)]
        try:
            yield
        finally:
            for look in looks:
                look.cancel()
            await asyncio.wait(looks)
            self._caller.close()

    async def _look(self, is_fine: Callable[[], Awaitable[bool]]) -> None:
        # Another process has no event to wait for.
        while await is_fine():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
        if self.noticed_seconds is None:
            self.noticed_seconds = time.monotonic() - self._began

    def _same_processes(self) -> Callable[[], Awaitable[bool]]:
        """Whether the supervisor still tells of the processes it told of in the beginning."""
        told = self._told()

        async def same() -> bool:
            return self._told() == told

        return same

    def _told(self) -> list[int]:
        return [process["pid"] for process in read_json(self._stage.layout.state).get("processes", ())]

    async def _is_ready(self) -> bool:
        probe = request("GET", f"{self._stage.url}/-/ready")
        try:
            answer = await self._caller.send(probe, ANSWER_SECONDS_MAX)
            return answer.status == 200 and database_is_up(decoded(answer.body))
        except Unanswered:
            return False
