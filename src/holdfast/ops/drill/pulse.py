"""How a sale goes over time: what was acknowledged and what failed, in tenths of a second, and the longest pause."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

BEAT_SECONDS = 0.1
# Nobody sees a shorter pause: the next order was on its way.
PAUSE_SECONDS_MIN = 0.25


@dataclass
class Pause:
    """The longest time without an acknowledgement since somebody began to look."""

    began: float
    last: float
    longest_seconds: float = 0.0
    ended: float = 0.0

    def beat(self, now: float) -> None:
        if now - self.last > self.longest_seconds:
            self.longest_seconds, self.ended = now - self.last, now
        self.last = now

    @property
    def recovered_after_seconds(self) -> float:
        """From the beginning to the acknowledgement that ended the longest pause; 0 when selling went on."""
        return self.ended - self.began if self.longest_seconds >= PAUSE_SECONDS_MIN else 0.0


@dataclass
class Pulse:
    """Counted by whoever drives the sale; times are seconds since `started`."""

    started: float = field(default_factory=time.monotonic)
    acknowledged: Counter[int] = field(default_factory=Counter)
    failed: Counter[int] = field(default_factory=Counter)
    requests: int = 0
    failures: int = 0
    orders: int = 0
    _pause: Pause | None = None
    _first_failure: float | None = None

    def now(self) -> float:
        return time.monotonic() - self.started

    def answered(self) -> None:
        self.requests += 1

    def fail(self) -> None:
        """A request without an answer, or with one that says the shop cannot."""
        now = self.now()
        self.requests += 1
        self.failures += 1
        self.failed[int(now / BEAT_SECONDS)] += 1
        if self._first_failure is None:
            self._first_failure = now

    def order(self) -> None:
        """An acknowledgement that has been written down."""
        now = self.now()
        self.orders += 1
        self.acknowledged[int(now / BEAT_SECONDS)] += 1
        if self._pause:
            self._pause.beat(now)

    def watch(self) -> Pause:
        """Look for the longest pause from now on."""
        now = self.now()
        self._first_failure = None
        self._pause = Pause(now, now)
        return self._pause

    def first_failure_seconds(self) -> float | None:
        """How long after somebody began to look the first request failed."""
        return self._first_failure - self._pause.began if self._pause and self._first_failure is not None else None
