"""Keeps the parts of an installation running, and ends them in order."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from holdfast.base.log import log
from holdfast.ops.server.parts import Part, launch
from holdfast.ops.server.plan import failures_after, restart_delay
from holdfast.ops.server.processes import Known, known


class Supervisor:
    """Starts parts, starts them again when they die, stops them when asked."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self.failures: dict[str, int] = {}
        self._known: dict[str, Known] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._on_change = on_change

    def start(self, part: Part) -> None:
        self.failures[part.role] = 0
        self._keepers[part.role] = asyncio.create_task(self._keep(part), name=part.role)

    def pid(self, role: str) -> int | None:
        process = self.running.get(role)
        return process.pid if process else None

    def processes(self) -> list[Known]:
        return list(self._known.values())

    async def _keep(self, part: Part) -> None:
        """One part's life: run, die, wait a growing moment, run again; until cancelled."""
        while True:
            started = time.monotonic()
            await self._live(part)
            self.failures[part.role] = failures_after(self.failures[part.role], time.monotonic() - started)
            delay_seconds = restart_delay(self.failures[part.role] - 1)
            log.info("part.again", part=part.role, in_seconds=delay_seconds)
            await asyncio.sleep(delay_seconds)

    async def _live(self, part: Part) -> None:
        """One run of a part. Where there is no room to start it, or no process left, it was a short one."""
        try:
            process = await launch(part)
        except OSError as error:
            log.warning("part.not_started", part=part.role, reason=str(error))
            return
        self._entered(part, process)
        code = await process.wait()
        self._left(part)
        log.warning("part.died", part=part.role, pid=process.pid, exit_code=code)

    def _entered(self, part: Part, process: asyncio.subprocess.Process) -> None:
        self.running[part.role] = process
        self._known[part.role] = known(part.role, process.pid)
        log.info("part.started", part=part.role, pid=process.pid)
        self._on_change()

    def _left(self, part: Part) -> None:
        self.running.pop(part.role, None)
        self._known.pop(part.role, None)
        self._on_change()

    async def stop(self, parts: Sequence[Part]) -> None:
        """End these parts together: asked first, then told, then killed."""
        for part in parts:
            if keeper := self._keepers.pop(part.role, None):
                keeper.cancel()
                with suppress(asyncio.CancelledError):
                    await keeper
        await asyncio.gather(*(self._end(part) for part in parts))

    async def _end(self, part: Part) -> None:
        process = self.running.pop(part.role, None)
        if process is None:
            return
        for number, wait_seconds in part.stop:
            with suppress(ProcessLookupError):
                process.send_signal(number)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), wait_seconds)
                log.info("part.stopped", part=part.role, pid=process.pid, exit_code=process.returncode)
                return
            log.warning("part.lingered", part=part.role, pid=process.pid, signal=number.name)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
