"""A page of shared memory that tells every process of this host when something changed.

Each (project, kind) has a slot. A writer puts a new, never repeated number there after its commit
and before it answers; a reader that kept something compares the number it saw before it read the
database. So what one process acknowledged, no other process serves stale. Two pairs may share a
slot: the cost is a needless read, never a stale one. Hosts learn of each other by time-to-live.
"""

from __future__ import annotations

import mmap
import os
import time
import zlib
from array import array
from pathlib import Path

from holdfast.base.page import mapped

SLOTS = 8192
_BYTES = SLOTS * 8


class Epochs:
    """The numbers of all slots; `path` None keeps them to this process."""

    def __init__(self, path: Path | None) -> None:
        if path is None:
            memory = mmap.mmap(-1, _BYTES)
        else:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                memory = mapped(handle, _BYTES)
            finally:
                os.close(handle)
        # Read by index where a call would cost as much as all else.
        self.numbers = memoryview(memory).cast("Q")
        self._salt = os.getpid() & 0xFFF
        self.bump_all()

    @staticmethod
    def slot(project: str, kind: str) -> int:
        """The slot of a kind of things in a project."""
        return zlib.crc32(f"{project}/{kind}".encode()) % SLOTS

    def read(self, slot: int) -> int:
        return self.numbers[slot]

    def bump(self, slot: int) -> None:
        """Say that something behind this slot changed. The number is unique: time and process."""
        self.numbers[slot] = self._number()

    def bump_all(self) -> None:
        """Say that anything may have changed: who starts may replace one that died between a commit and its word."""
        self.numbers[:] = memoryview(array("Q", [self._number()]) * SLOTS)

    def _number(self) -> int:
        return (time.time_ns() & ~0xFFF) | self._salt

    def snapshot(self) -> bytes:
        """All numbers at once, to see later whether anything changed."""
        return self.numbers.tobytes()
