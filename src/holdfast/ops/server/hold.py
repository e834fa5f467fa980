"""Holds a data folder and a port for one run, and clears away what an earlier run left."""

import errno
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM

from holdfast.ops.server.layout import PRIVATE_FILE, Layout, read_json
from holdfast.ops.server.processes import end, recalled, wait_for_end
from holdfast.ops.trouble import Trouble

EXIT_ALREADY_RUNNING = 3
# Their supervisor's death has told them to drain; after a crash a quick start matters more.
LEAVING_SECONDS = 0.4
LEFTOVER_SIGNALS = ((SIGTERM, 0.3), (SIGKILL, 1.0))
LOG_BYTES_MAX = 16 * 1024 * 1024
# A supervisor that is just being killed lets go a moment after its children notice.
LOCK_ATTEMPTS = 10
LOCK_PAUSE_SECONDS = 0.03


@contextmanager
def exclusive(layout: Layout) -> Iterator[None]:
    """The data folder for ourselves, given back by the system however we end."""
    descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        take(descriptor, layout)
        yield
    finally:
        os.close(descriptor)


def take(descriptor: int, layout: Layout) -> None:
    for _ in range(LOCK_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_SECONDS)
        else:
            return
    raise already_running(layout)


def is_held(layout: Layout) -> bool:
    """Whether a supervisor runs on this folder."""
    try:
        descriptor = os.open(layout.lock, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def already_running(layout: Layout) -> Trouble:
    state = read_json(layout.state)
    where = f"process {state['pid']}, {state['apiUrl']}" if state else "it is just starting or stopping"
    return Trouble(
        f"Holdfast already runs on {layout.data} ({where}).",
        why="A data folder belongs to one `holdfast up` at a time.",
        remedy=f"Use that one, stop it with `holdfast stop --data {layout.data}`, or name another folder with --data.",
        code="already-running",
        exit_code=EXIT_ALREADY_RUNNING,
    )


def stop_leftovers(layout: Layout) -> None:
    """End workers whose supervisor was killed; PostgreSQL has its own way (cluster.py)."""
    entries = recalled(read_json(layout.state).get("processes", ()))
    workers = [process for process in entries if process.role not in ("postgres", "supervisor")]
    stuck = end(wait_for_end(workers, LEAVING_SECONDS), LEFTOVER_SIGNALS)
    if stuck:
        raise Trouble(f"Processes of an earlier run do not end: {[process.pid for process in stuck]}.", code="stuck")


def free_port(host: str, port: int, layout: Layout) -> int:
    """The port, if nobody has it; for port 0 any that is free. Workers share it later among themselves."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise port_trouble(host, port, error, layout.data) from error
        return int(probe.getsockname()[1])


def port_trouble(host: str, port: int, error: OSError, data: Path) -> Trouble:
    taken = error.errno == errno.EADDRINUSE
    return Trouble(
        f"Port {port} on {host} cannot be used.",
        why="Another program listens there." if taken else str(error.strerror),
        remedy=f"Name another one: holdfast up --data {data} --port {port + 1 if 1023 < port < 65535 else 8081}",
        code="port-taken" if taken else "port-refused",
    )


def trim_logs(layout: Layout) -> None:
    """Keep one older part of each log; writers append, so emptying a file under them is safe."""
    for path in layout.logs.glob("*.log"):
        if path.stat().st_size > LOG_BYTES_MAX:
            shutil.copyfile(path, path.with_suffix(".log.1"))
            os.truncate(path, 0)
