"""A shop that may be broken: started as its users start it, watched through what `holdfast status` reads."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.ops.server.cluster import url_of
from holdfast.ops.server.hold import is_held
from holdfast.ops.server.inspect import answers, children_of
from holdfast.ops.server.layout import Layout, read_json
from holdfast.ops.server.parts import TETHER
from holdfast.ops.server.processes import Known, is_alive, recalled
from holdfast.ops.trouble import Trouble, tail

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 40.0
END_SECONDS_MAX = 20.0
POLL_SECONDS = 0.01
HOLDFAST = (sys.executable, "-P", "-m", "holdfast.cli.main")


class Account(NamedTuple):
    """The API client the sale uses, and its project."""

    project_key: str
    client_id: str
    client_secret: str


@dataclass
class Stage:
    """Where one shop is drilled. What stands above `process` may be changed by a setting before the first start."""

    # A temporary folder that outlives every fault: logs, ready file.
    folder: Path
    port: int
    # The shop's data folder; a setting may put it on a disk of its own.
    data: Path
    workers: int = 2
    # The database the shop is told to use (perhaps through a proxy); None: its own, in the data folder.
    database: str | None = None
    # How the verdict reads the database, past every proxy; None: the shop's own, over its socket.
    direct_database: str | None = None
    # Variables the shop's processes see besides ours.
    environment: dict[str, str] = field(default_factory=dict)
    # Where the sale sends its requests; None: to the shop.
    front: str | None = None
    process: subprocess.Popen[bytes] | None = None
    account: Account | None = None

    @property
    def url(self) -> str:
        """Where the shop itself serves; the same after every restart."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def layout(self) -> Layout:
        return Layout(self.data)

    @property
    def dsn(self) -> str:
        """The database, read directly."""
        return self.direct_database or url_of(self.layout)

    @property
    def output(self) -> Path:
        return self.folder / "up.out"

    # --- starting and stopping -----------------------------------------------------------------

    async def start(self) -> None:
        """`holdfast up` until it serves. Raises Trouble when it does not."""
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        options = ["--data", self.data, "--port", self.port, "--workers", self.workers, "--ready-file", ready]
        options += ["--database", self.database] if self.database else []
        # Tethered to us: a drill that is killed leaves no shop behind.
        tether = [sys.executable, "-I", "-S", str(TETHER), "SIGTERM", str(os.getpid()), "-"]
        with self.output.open("ab") as out:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
                [*tether, *HOLDFAST, "up", "--no-demo", *map(str, options)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=self.surroundings(),
                # Ctrl-C is for us; the shop goes on until its sale was judged.
                start_new_session=True,
            )
        process = self.process
        await self.until(lambda: ready.exists() or process.poll() is not None, START_SECONDS_MAX, "the shop starts")
        if not ready.exists():
            raise Trouble("The drilled shop did not start.", why=tail(self.output), code="drill-start")
        facts = json.loads(ready.read_text())
        self.account = Account(facts["projectKey"], facts["clientId"], facts["clientSecret"])

    async def stop(self) -> None:
        """Ask the shop to end, in order; nothing when it does not run. Raises Trouble when it does not end."""
        if self.process is None or self.process.poll() is not None:
            return
        process = self.process
        process.send_signal(signal.SIGTERM)
        await self.until(lambda: process.poll() is not None, STOP_SECONDS_MAX, "the shop stops")

    async def ended(self) -> None:
        """Wait until the supervisor that was killed is gone."""
        process = self.process
        if process is not None:
            await self.until(lambda: process.poll() is not None, END_SECONDS_MAX, "the supervisor ends")

    async def restart(self) -> None:
        """What an operator or an init system does after the supervisor died: `up` again on the same folder."""
        await self.ended()
        await self.start()

    @property
    def is_running(self) -> bool:
        """Whether the supervisor lives."""
        return self.process is not None and self.process.poll() is None

    def kill_everything(self) -> None:
        """SIGKILL to the supervisor and all below it at once, PostgreSQL's own processes included."""
        for pid in self.tree():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # --- looking -------------------------------------------------------------------------------

    def processes(self) -> list[Known]:
        """The processes that live now; their roles are supervisor, postgres, background, api-0, api-1."""
        state = read_json(self.layout.state)
        return [process for process in recalled(state.get("processes", ())) if is_alive(process)]

    def pids(self, role: str) -> list[int]:
        """The processes of a role; `api` means all API workers."""
        return [known.pid for known in self.processes() if role in (known.role, known.role.partition("-")[0])]

    def tree(self) -> list[int]:
        """The supervisor and everything below it; what it left behind when it is gone."""
        roots = {process.pid for process in self.processes()}
        roots |= {self.process.pid} if self.process and self.is_running else set()
        return list(dict.fromkeys(pid for root in roots for pid in descendants(root)))

    async def whole(self, seconds_max: float) -> float:
        """The seconds until every process runs and the shop says it is ready. Raises Trouble after `seconds_max`."""
        began = time.monotonic()
        # Asking waits for an answer: in a thread, for the sale goes on meanwhile.
        while not await asyncio.to_thread(self._is_whole):
            if time.monotonic() - began > seconds_max:
                why = f"After {seconds_max:.0f} s it is not whole again.\n{tail(self.output)}"
                raise Trouble("The drilled shop does not recover.", why=why, code="drill-stuck")
            await asyncio.sleep(POLL_SECONDS)
        return time.monotonic() - began

    def _is_whole(self) -> bool:
        state: dict[str, Any] = read_json(self.layout.state)
        roles = {process.role for process in self.processes()}
        wanted = {"supervisor", "background", *(f"api-{n}" for n in range(self.workers))}
        wanted |= set() if self.database else {"postgres"}
        return wanted <= roles and is_held(self.layout) and bool(state.get("serving")) and answers(self.layout, state)

    async def until(self, holds: Callable[[], bool], seconds_max: float, what: str) -> float:
        """The seconds until something holds. Raises Trouble after `seconds_max`."""
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > seconds_max:
                why = f"Waited {seconds_max:.0f} s until {what}.\n{tail(self.output)}"
                raise Trouble("The drilled shop is stuck.", why=why, code="drill-stuck")
            await asyncio.sleep(POLL_SECONDS)
        return time.monotonic() - began

    def surroundings(self) -> dict[str, str]:
        """The variables the shop's processes see."""
        kept = ("HOLDFAST_POSTGRES_BIN", "HOLDFAST_POSTGRES_ACCOUNT")
        inherited = os.environ.items()
        ours = {name: text for name, text in inherited if not name.startswith("HOLDFAST_") or name in kept}
        return {**ours, **self.environment}


def descendants(pid: int) -> Iterator[int]:
    """A process and all below it, the oldest first."""
    yield pid
    for child in children_of(pid):
        yield from descendants(child)
