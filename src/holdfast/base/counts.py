"""The numbers of this host: each process adds to a page of its own in shared memory, and anybody can read all pages.

    counts.add(place(ORDERS, "placed"))

A page is a file in the data folder, named after the process's role and locked while it lives. The kernel keeps what
was written when the process is killed, and the next process of that role goes on adding to it: nothing is lost or
counted twice. Adding is a store of eight bytes that no other process writes, so it needs no lock.

Beside its numbers a page has room for what its process tells once a second: figures that come and go, such as the
state of a queue. Those count for as long as they are fresh.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from holdfast.base.log import log
from holdfast.base.page import mapped
from holdfast.base.series import LAYOUT, NUMBERS, Family, place

FOLDER = "counts"
# Processes of one role that may live at once: the old one that drains and its heir, and room for surprises.
HEIRS_MAX = 8
TOLD_BYTES_MAX = 64 * 1024
TOLD_RETRIES_MAX = 5
# What a process told is true for so long; then it is silent. After a day it is forgotten.
FRESH_SECONDS = 10.0
FORGOTTEN_SECONDS = 86_400.0
_HEAD = struct.Struct("<8sII")  # name, layout, unused
_TOLD = struct.Struct("<II")  # bytes, checksum
_NAME = b"holdfast"
_NUMBERS_AT = _HEAD.size
_TOLD_AT = _NUMBERS_AT + NUMBERS * 8
PAGE_BYTES = _TOLD_AT + _TOLD.size + TOLD_BYTES_MAX


class Figure(NamedTuple):
    """A number a process tells: its name, labels and value."""

    name: str
    value: float
    labels: dict[str, str] = {}  # noqa: RUF012 - never written to


class Told(msgspec.Struct, frozen=True):
    """What a process last told: when (Unix time), who it is, and its figures."""

    at: float
    pid: int
    figures: list[Figure] = []


class Page(NamedTuple):
    """A process's page as read: its name, its numbers, and what it told."""

    process: str
    numbers: tuple[float, ...]
    told: Told | None

    def is_fresh(self, now: float) -> bool:
        return self.told is not None and now - self.told.at < FRESH_SECONDS


class Counts:
    """The numbers of this process. Before `open` they are its own affair."""

    def __init__(self) -> None:
        self._handle: int | None = None
        self._use(mmap.mmap(-1, PAGE_BYTES))
        self.process = ""

    def _use(self, memory: mmap.mmap) -> None:
        self._memory = memory
        self.numbers = memoryview(memory)[_NUMBERS_AT:_TOLD_AT].cast("d")

    def open(self, folder: Path, process: str) -> None:
        """Go on counting where the last process of this role stopped; where there is no room, apart from the others."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle, self.process = _locked(folder, process)
            self._use(mapped(self._handle, PAGE_BYTES))
        except OSError as error:
            log.warning("counts.apart", process=process, reason=str(error))
            self.process = process
            return
        if _HEAD.unpack_from(self._memory)[:2] != (_NAME, LAYOUT):
            self._memory[:] = bytes(PAGE_BYTES)
            _HEAD.pack_into(self._memory, 0, _NAME, LAYOUT, 0)

    def add(self, index: int, amount: float = 1.0) -> None:
        self.numbers[index] += amount

    def observe(self, family: Family, value: float, *values: str) -> None:
        """Add to a histogram."""
        first = place(family, *values)
        self.numbers[first + bisect_left(family.bounds, value)] += 1
        self.numbers[first + len(family.bounds) + 1] += value

    def tell(self, figures: Sequence[Figure]) -> None:
        """Replace what this process told. What does not fit is not told, and that is."""
        body = msgspec.json.encode(Told(time.time(), os.getpid(), list(figures)))
        if len(body) > TOLD_BYTES_MAX:
            log.warning("counts.too_much_told", figures=len(figures), bytes=len(body))
            body = msgspec.json.encode(Told(time.time(), os.getpid()))
        start = _TOLD_AT + _TOLD.size
        self._memory[start : start + len(body)] = body
        _TOLD.pack_into(self._memory, _TOLD_AT, len(body), zlib.crc32(body))

    def close(self) -> None:
        """End as one should: this process is not missed, and its numbers stay."""
        _TOLD.pack_into(self._memory, _TOLD_AT, 0, 0)
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _locked(folder: Path, process: str) -> tuple[int, str]:
    """The first page of this role that no living process has."""
    for number in range(HEIRS_MAX):
        name = process if not number else f"{process}.{number}"
        handle = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        return handle, name
    raise OSError(f"{HEIRS_MAX} processes call themselves {process}")


def read_pages(folder: Path) -> list[Page]:
    """The pages of all processes of this host, dead or alive, by name."""
    with suppress(OSError):
        return [page for path in sorted(folder.iterdir()) for page in _page(path)]
    return []


def _page(path: Path) -> Iterator[Page]:
    with suppress(OSError):
        content = path.read_bytes()
        if len(content) == PAGE_BYTES and _HEAD.unpack_from(content)[:2] == (_NAME, LAYOUT):
            numbers = struct.unpack_from(f"<{NUMBERS}d", content, _NUMBERS_AT)
            yield Page(path.name, numbers, _told(path, content))


def _told(path: Path, content: bytes) -> Told | None:
    """What the page's process told; read again while it is being written."""
    for _ in range(TOLD_RETRIES_MAX):
        length, checksum = _TOLD.unpack_from(content, _TOLD_AT)
        body = content[_TOLD_AT + _TOLD.size :][:length]
        if zlib.crc32(body) == checksum:
            told = msgspec.json.decode(body, type=Told) if body else None
            return told if told and time.time() - told.at < FORGOTTEN_SECONDS else None
        content = path.read_bytes()
    return None


def summed(pages: Sequence[Page]) -> list[float]:
    """The numbers of the host."""
    return [sum(column) for column in zip(*(page.numbers for page in pages), strict=True)] if pages else [0.0] * NUMBERS


counts = Counts()
