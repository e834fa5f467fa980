"""Reads the logs of an installation: the newest lines of all processes, and those to come."""

import re
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from holdfast.ops.server.layout import Layout
from holdfast.ops.trouble import Trouble

POLL_SECONDS = 0.2
TAIL_BYTES_MAX = 4 * 1024 * 1024
# Our lines carry "at": "2026-11-21T10:00:00…Z"; PostgreSQL's begin with 2026-11-21 10:00:00.000 UTC.
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)")

Line = tuple[str, str]


def last_lines(layout: Layout, processes: Sequence[str], count: int) -> list[Line]:
    """The newest lines over all processes; a line without a moment stays with the one before it."""
    dated = chain.from_iterable(with_moments(path.stem, tail_of(path)) for path in paths(layout, processes))
    ordered = sorted(dated, key=lambda entry: entry[0])
    return [line for _, line in ordered[-count:]] if count > 0 else []


def with_moments(process: str, lines: Sequence[str]) -> Iterator[tuple[str, Line]]:
    moment = ""
    for line in lines:
        found = MOMENT.search(line)
        moment = f"{found[1]} {found[2]}" if found else moment
        yield moment, (process, line)


def follow(layout: Layout, processes: Sequence[str]) -> Iterator[Line]:
    """New lines as they come, for ever."""
    seen = {path: path.stat().st_size for path in paths(layout, processes)}
    while True:
        time.sleep(POLL_SECONDS)
        for path in paths(layout, processes):
            begin, size = seen.get(path, 0), path.stat().st_size
            with path.open("rb") as file:
                # A log that got shorter was emptied: everything in it is new.
                file.seek(begin if begin <= size else 0)
                fresh = file.read()
            whole, newline, _ = fresh.rpartition(b"\n")
            seen[path] = (begin if begin <= size else 0) + len(whole) + len(newline)
            for line in whole.decode(errors="replace").splitlines():
                yield path.stem, line


def tail_of(path: Path) -> list[str]:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - TAIL_BYTES_MAX))
        return file.read().decode(errors="replace").splitlines()


def paths(layout: Layout, processes: Sequence[str]) -> list[Path]:
    there = sorted(layout.logs.glob("*.log"))
    missing = set(processes) - {path.stem for path in there}
    if missing or not there:
        raise Trouble(
            f"There are no logs of {', '.join(sorted(missing)) or 'any process'} in {layout.logs}.",
            why=f"There are: {', '.join(path.stem for path in there) or 'none'}.",
            remedy="Name one of those, or another data folder with --data.",
            code="no-logs",
        )
    return [path for path in there if not processes or path.stem in processes]
