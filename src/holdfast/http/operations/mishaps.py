"""What went wrong of late: warnings and errors at the end of this host's logs, with the request they belong to.

What circuits did stands there too, and is told by itself. Read from the files rather than kept in memory, because a
process that crashed is the one to ask about.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from heapq import nlargest
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

TAIL_BYTES_MAX = 128 * 1024
MISHAPS_MAX = 40
CIRCUIT_MOVES_MAX = 30
FILES_MAX = 80
# Of a fact, and of an exception's end, where its reason stands.
FACT_CHARACTERS_MAX = 300
TRACE_CHARACTERS_MAX = 1_500
LEVELS = ("warning", "error", "critical")
# What the outbound client logs (outbound/line.py).
CIRCUIT_MOVED = "breaker.moved"
_KNOWN = ("at", "process", "level", "event", "correlation_id", "exception")


class Mishaps(NamedTuple):
    """The newest of all processes, the newest first."""

    problems: list[dict[str, Any]]
    circuit_moves: list[dict[str, Any]]


def mishaps(folder: Path) -> Mishaps | None:
    """What the logs in this folder tell; None where logs go elsewhere."""
    if not folder.is_dir():
        return None
    files = sorted(folder.glob("*.log"))[:FILES_MAX]
    found = [line for file in files for line in _lines(file)]
    moves = [each for each in found if each["event"] == CIRCUIT_MOVED]
    problems = [each for each in found if each["event"] != CIRCUIT_MOVED]
    return Mishaps(_newest(problems, MISHAPS_MAX), [_move(each) for each in _newest(moves, CIRCUIT_MOVES_MAX)])


def _newest(found: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    return nlargest(most, found, key=lambda line: line["at"])


def _move(line: dict[str, Any]) -> dict[str, Any]:
    facts = {name: line["facts"].get(name, "") for name in ("destination", "phase", "why")}
    return {"at": line["at"], "process": line["process"], **facts}


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    for line in _tail(file):
        # Most lines are neither; decoding them would be most of the work.
        if b'"level"' in line and any(level.encode() in line for level in LEVELS):
            yield from _mishap(file.stem, line)


def _mishap(process: str, line: bytes) -> Iterator[dict[str, Any]]:
    try:
        facts = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return
    if not isinstance(facts, dict) or facts.get("level") not in LEVELS or not isinstance(facts.get("at"), str):
        return
    yield {
        "at": facts["at"],
        "process": str(facts.get("process", process)),
        "level": facts["level"],
        "event": str(facts.get("event", ""))[:FACT_CHARACTERS_MAX],
        "correlationId": facts.get("correlation_id"),
        "facts": {name: str(fact)[:FACT_CHARACTERS_MAX] for name, fact in facts.items() if name not in _KNOWN},
        "exception": str(facts["exception"])[-TRACE_CHARACTERS_MAX:] if "exception" in facts else None,
    }


def _tail(file: Path) -> list[bytes]:
    """The last whole lines of a file that may be trimmed or written to meanwhile."""
    try:
        with file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - TAIL_BYTES_MAX))
            lines = log.read(TAIL_BYTES_MAX).split(b"\n")
    except OSError:
        return []
    return lines[1:] if size > TAIL_BYTES_MAX else lines
