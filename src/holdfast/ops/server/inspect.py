"""Looks at an installation without being part of it: what status, stop and the small commands need."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from typing import Any

from holdfast.ops.server.admin import Shop
from holdfast.ops.server.hold import is_held
from holdfast.ops.server.layout import Layout, read_json
from holdfast.ops.server.processes import Known, is_alive, recalled, send, wait_for_end
from holdfast.ops.trouble import Trouble

EXIT_NOT_RUNNING = 4
STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Seen:
    """One process as found."""

    role: str
    pid: int
    memory_mb: float

    def facts(self) -> dict[str, Any]:
        return {"role": self.role, "pid": self.pid, "memoryMb": round(self.memory_mb, 1)}


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An installation as found."""

    data: Path
    running: bool
    serving: bool
    api_url: str
    answer_ms: float
    uptime_seconds: float
    processes: tuple[Seen, ...]

    def facts(self) -> dict[str, Any]:
        return {
            "data": str(self.data),
            "running": self.running,
            "serving": self.serving,
            "apiUrl": self.api_url,
            "answerMs": round(self.answer_ms, 1),
            "uptimeSeconds": round(self.uptime_seconds),
            "processes": [process.facts() for process in self.processes],
        }


def look(layout: Layout) -> Installation:
    """What runs on a data folder, by its state file, and whether it answers."""
    state = read_json(layout.state)
    running = is_held(layout)
    alive = [process for process in recalled(state.get("processes", ())) if is_alive(process)]
    asked = time.monotonic()
    serving = running and bool(state.get("serving")) and answers(layout, state)
    return Installation(
        data=layout.data,
        running=running,
        serving=serving,
        api_url=str(state.get("apiUrl", "")),
        answer_ms=(time.monotonic() - asked) * 1000,
        uptime_seconds=time.time() - state["startedAt"] if running and "startedAt" in state else 0.0,
        processes=tuple(Seen(process.role, process.pid, memory_mb(process)) for process in alive),
    )


def answers(layout: Layout, state: dict[str, Any]) -> bool:
    with suppress(Trouble):
        return Shop(layout, str(state["url"])).is_ready()
    return False


def memory_mb(process: Known) -> float:
    """Proportional memory: what is shared counts once; of PostgreSQL including its own processes."""
    pids = [process.pid, *children_of(process.pid)] if process.role == "postgres" else [process.pid]
    return sum(proportional_kb(pid) for pid in pids) / 1024


def proportional_kb(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def children_of(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def running_shop(layout: Layout) -> Shop:
    """The shop that serves from this folder; Trouble when none does."""
    state = read_json(layout.state)
    if not is_held(layout) or "url" not in state:
        raise not_running(layout)
    return Shop(layout, str(state["url"]))


def database_url(layout: Layout) -> str:
    """The database of the shop that runs on this folder; Trouble when none does, or its address is not known here."""
    from holdfast.ops.server.cluster import url_of  # noqa: PLC0415 - loads what only few commands need

    external = os.environ.get("HOLDFAST_DATABASE_URL")
    if external:
        return external
    if not is_held(layout):
        raise not_running(layout)
    if read_json(layout.state).get("database") != "embedded":
        raise Trouble(
            "The address of this shop's database is not known.",
            why="It was started on a database of its own, whose address is not written down.",
            remedy="Set HOLDFAST_DATABASE_URL to the address `holdfast up` was given.",
            code="no-database-address",
        )
    return url_of(layout)


def stop(layout: Layout) -> int:
    """Ask the supervisor to end and wait until it has; its number."""
    state = read_json(layout.state)
    supervisor = next((p for p in recalled(state.get("processes", ())) if p.role == "supervisor"), None)
    if supervisor is None or not is_held(layout) or not is_alive(supervisor):
        raise not_running(layout)
    send(supervisor, SIGTERM)
    if wait_for_end([supervisor], STOP_SECONDS):
        raise Trouble(f"Process {supervisor.pid} does not end.", remedy="See `holdfast logs supervisor`.", code="stuck")
    return supervisor.pid


def not_running(layout: Layout) -> Trouble:
    return Trouble(
        f"No shop runs on {layout.data}.",
        why="`holdfast up` was not started on this folder, or has ended.",
        remedy=f"Start it with `holdfast up --data {layout.data}`, or name the right folder with --data.",
        code="not-running",
        exit_code=EXIT_NOT_RUNNING,
    )
