"""The buckets of this host: a page of shared memory, so that its processes share one bucket each.

A bucket is two words, whose it is and when it will be full. A lease is taken under a lock on the file, which
the kernel lets go when its holder dies; the bucket itself changes in one store, so a death in between
costs the one lease. A full bucket says nothing, so a new one may take its place. Where all places of a key
are taken by buckets that are not full, the one nearest to it is forgotten: the page is bounded, and lenient.

Whoever holds the lock holds it for microseconds. One who was stopped with it must not stop the others: after
the last of LOCK_PAUSES_SECONDS they leave the page alone for ALONE_SECONDS.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from holdfast.base.page import mapped
from holdfast.http.bucket import SECOND, Ask, Taken, Tier, take

BUCKETS = 16_384
# Places a key may have, side by side.
PLACES = 8
# Between tries, 13 ms in all: as long as a busy machine may keep the holder from its processor.
LOCK_PAUSES_SECONDS = tuple(50e-6 * 2**n for n in range(8))
ALONE_SECONDS = 0.25
_BYTES = BUCKETS * 16
_SETS = BUCKETS // PLACES


class Buckets:
    """Buckets in some memory, used by one at a time."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._words = memoryview(memory).cast("Q")
        self.forgotten = 0

    def take(self, key: int, now: int, tier: Tier, ask: Ask) -> Taken:
        """As `bucket.take`, for the bucket of this key."""
        place = self._place(key, now)
        taken = take(self._words[place + 1], now, tier, ask)
        self._words[place + 1] = taken.full_at
        return taken

    def raise_to(self, key: int, now: int, missing: int) -> None:
        """Let a bucket be full no sooner than in `missing` nanoseconds."""
        place = self._place(key, now)
        self._words[place + 1] = max(self._words[place + 1], now + missing)

    def _place(self, key: int, now: int) -> int:
        """Where this key's bucket is; it may move in where the fullest one was, which is then forgotten."""
        words = self._words
        first = key % _SETS * PLACES * 2
        fullest = first
        for place in range(first, first + PLACES * 2, 2):
            if words[place] == key:
                return place
            if words[place + 1] < words[fullest + 1]:
                fullest = place
        if words[fullest + 1] > now:
            self.forgotten += 1
        words[fullest + 1] = 0
        words[fullest] = key
        return fullest


class Page:
    """The buckets all processes share; `path` None keeps them to this process."""

    def __init__(self, path: Path | None, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._handle = None if path is None else os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._buckets = Buckets(mmap.mmap(-1, _BYTES) if self._handle is None else mapped(self._handle, _BYTES))
        self._alone_until = 0

    @property
    def forgotten(self) -> int:
        """How many buckets that were not full had to make room here."""
        return self._buckets.forgotten

    def take(self, key: int, tier: Tier, ask: Ask) -> Taken | None:
        """Take a lease of the bucket of this key; None while somebody else holds the page."""
        if not self._lock():
            return None
        try:
            return self._buckets.take(key, self._clock(), tier, ask)
        finally:
            self._unlock()

    def raise_to(self, missing: Mapping[int, int]) -> None:
        """Let buckets be full no sooner than in so many nanoseconds each: what was taken of them elsewhere."""
        if not self._lock():
            return
        try:
            now = self._clock()
            for key, nanoseconds in missing.items():
                self._buckets.raise_to(key, now, nanoseconds)
        finally:
            self._unlock()

    def _lock(self) -> bool:
        if self._handle is None:
            return True
        if self._clock() < self._alone_until:
            return False
        for pause in (*LOCK_PAUSES_SECONDS, 0.0):
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(pause)
            else:
                return True
        self._alone_until = self._clock() + int(ALONE_SECONDS * SECOND)
        return False

    def _unlock(self) -> None:
        if self._handle is not None:
            fcntl.flock(self._handle, fcntl.LOCK_UN)
