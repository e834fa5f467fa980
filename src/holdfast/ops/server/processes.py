"""Processes known by more than their number, so that a reused number is never signalled.

A pid is written down together with the moment the process started (and the boot it belongs
to); only a process that still matches all of it is taken for the one that was written down.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.02
PROC = Path("/proc")


@dataclass(frozen=True)
class Known:
    """A process as written down: its role, its number and its birth mark."""

    role: str
    pid: int
    birth: str

    def facts(self) -> dict[str, Any]:
        return asdict(self)


def known(role: str, pid: int) -> Known:
    return Known(role, pid, birth_mark(pid) or "")


def recalled(entries: Iterable[dict[str, Any]]) -> list[Known]:
    """Processes from a state file; entries that make no sense are left out."""
    fields = ("role", "pid", "birth")
    return [Known(*(entry[name] for name in fields)) for entry in entries if all(name in entry for name in fields)]


def is_alive(process: Known) -> bool:
    return bool(process.birth) and birth_mark(process.pid) == process.birth


def birth_mark(pid: int) -> str | None:
    """What tells this process from a later one of the same number; None when it does not run."""
    if (PROC / "self" / "stat").exists():
        return birth_mark_from_proc(pid)
    shown = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


def birth_mark_from_proc(pid: int) -> str | None:
    try:
        # The name in parentheses may hold blanks; what follows it is fixed: state, parent, …
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except (OSError, ValueError):
        return None
    state, started_ticks = fields[0], fields[19]
    return None if state in "ZX" else f"{boot}:{started_ticks}"


def command_line(pid: int) -> list[str]:
    """The arguments a process was started with; empty when unknown."""
    if (PROC / "self" / "stat").exists():
        with suppress(OSError):
            return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        return []
    shown = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.split()


def send(process: Known, number: signal.Signals) -> None:
    if is_alive(process):
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def wait_for_end(processes: Iterable[Known], timeout_seconds: float) -> list[Known]:
    """Those still alive after the wait."""
    deadline = time.monotonic() + timeout_seconds
    left = [process for process in processes if is_alive(process)]
    while left and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        left = [process for process in left if is_alive(process)]
    return left


def end(processes: Iterable[Known], signals: Iterable[tuple[signal.Signals, float]]) -> list[Known]:
    """Send each signal in turn and wait its seconds; those that outlived all of them."""
    left = [process for process in processes if is_alive(process)]
    for number, wait_seconds in signals:
        for process in left:
            send(process, number)
        left = wait_for_end(left, wait_seconds)
    return left
