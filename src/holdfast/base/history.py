"""What had been counted when, for as long as error budgets look back: two rings of samples in files of fixed size.

The last days lie there by the minute, the last month by the hour. The background worker writes them; anybody reads.
A sample has its own checksum: one that was torn by a power cut, or belongs to other objectives, was never taken.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from holdfast.base.slo import SLOS, Events, Sample

FOLDER = "slo"
_NUMBERS = struct.Struct(f"<d{2 * len(SLOS)}d")
_HEAD = struct.Struct("<II")  # objectives, checksum
_SAMPLE_BYTES = _HEAD.size + _NUMBERS.size
_OBJECTIVES = zlib.crc32(repr([(slo.name, slo.indicator) for slo in SLOS]).encode())


class Ring(NamedTuple):
    """A file of so many slots, each for the last sample of its step of time."""

    name: str
    step_seconds: int
    slots: int


MINUTES = Ring("slo-minutes", 60, 3 * 24 * 60 + 60)
HOURS = Ring("slo-hours", 3_600, 31 * 24)
RINGS = (MINUTES, HOURS)


def keep(folder: Path, sample: Sample) -> None:
    """Keep a sample in the slots of its minute and its hour."""
    folder.mkdir(mode=0o700, exist_ok=True)
    numbers = _NUMBERS.pack(sample.at, *(number for events in sample.events for number in events))
    written = _HEAD.pack(_OBJECTIVES, zlib.crc32(numbers)) + numbers
    for ring in RINGS:
        slot = int(sample.at // ring.step_seconds) % ring.slots
        handle = os.open(folder / ring.name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(handle, written, slot * _SAMPLE_BYTES)
        finally:
            os.close(handle)


def samples(folder: Path) -> list[Sample]:
    """All samples there are, oldest first; by the minute where they are known so."""
    by_minute = sorted(_read(folder / MINUTES.name))
    since = by_minute[0].at if by_minute else float("inf")
    return [*sorted(sample for sample in _read(folder / HOURS.name) if sample.at < since), *by_minute]


def _read(path: Path) -> Iterator[Sample]:
    content = b""
    with suppress(FileNotFoundError):
        content = path.read_bytes()
    for at in range(0, len(content) - _SAMPLE_BYTES + 1, _SAMPLE_BYTES):
        objectives, checksum = _HEAD.unpack_from(content, at)
        numbers = content[at + _HEAD.size : at + _SAMPLE_BYTES]
        if objectives == _OBJECTIVES and zlib.crc32(numbers) == checksum:
            moment, *values = _NUMBERS.unpack(numbers)
            yield Sample(moment, tuple(map(Events, values[::2], values[1::2])))
