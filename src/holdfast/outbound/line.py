"""All that is known of one destination: its breaker, its retry budget, who calls and who waits, and the figures."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from holdfast.base import log
from holdfast.outbound import breaker, budget
from holdfast.outbound.breaker import Breaker, Phase, Policy
from holdfast.outbound.budget import Budget
from holdfast.outbound.destination import Destination
from holdfast.outbound.errors import CircuitOpen, OutboundError, TooManyCalls

if TYPE_CHECKING:
    from holdfast.outbound.transport import Connections

# Chance spreads attempts; nobody gains by guessing it.
_chance = random.Random().random  # noqa: S311


class Counts:
    """Calls since the process began, by how they ended."""

    __slots__ = ("answered", "failed", "refused_busy", "refused_open", "retries", "seconds")

    def __init__(self) -> None:
        self.answered = self.failed = self.refused_open = self.refused_busy = self.retries = 0
        self.seconds = 0.0


class PhaseChange(NamedTuple):
    """A change of phase for people: seconds since 1970."""

    at: float
    phase: Phase
    why: str


class Figures(NamedTuple):
    """How things stand with a destination in this process; points in time are seconds since 1970.

    answered, failed, retries: attempts. seconds: the time they took in all. retry_at: when an open breaker tries
    again. retries_left: what its budget holds.
    """

    name: str
    host: str
    phase: Phase
    since: float
    retry_at: float | None
    history: tuple[PhaseChange, ...]
    in_flight: int
    waiting: int
    answered: int
    failed: int
    refused_open: int
    refused_busy: int
    retries: int
    seconds: float
    retries_left: float
    last_error: str


class Line:
    """The line to one destination."""

    def __init__(self, destination: Destination, connections: Connections, policy: Policy) -> None:
        self.destination = destination
        self.connections = connections
        self.counts = Counts()
        self._policy = policy
        self._breaker = Breaker(since=time.monotonic())
        self._budget = Budget()
        self._places = asyncio.Semaphore(destination.in_flight_max)
        self._in_flight = 0
        self._waiting = 0
        self._last_error = ""
        self._retired = False

    @property
    def is_idle(self) -> bool:
        return self._in_flight == 0 and self._waiting == 0

    def called(self) -> None:
        """One more call, which earns a part of a retry."""
        self._budget = budget.earned(self._budget)

    def may_retry(self) -> bool:
        """Whether a retry is within the budget; it is then spent."""
        left = budget.spent(self._budget)
        if left is None:
            return False
        self._budget = left
        self.counts.retries += 1
        return True

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place among the calls under way, perhaps after waiting. Raises TooManyCalls."""
        if self._places.locked() and self._waiting >= self.destination.queue_max:
            self.counts.refused_busy += 1
            raise TooManyCalls(f"{self._waiting} calls wait for '{self.destination.host}' already.")
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._places.release()
            if self._retired:
                await self.retire()

    async def retire(self) -> None:
        """Hang up once nobody is calling any more."""
        self._retired = True
        if self.is_idle:
            await self.connections.close()

    def check_closed(self) -> None:
        """Raises CircuitOpen before anybody waits for a place."""
        if breaker.admitted(self._breaker, time.monotonic()) is None:
            self._refuse()

    def admit(self) -> int:
        """Let a call through the breaker; its turn, to judge it by. Raises CircuitOpen."""
        admitted = breaker.admitted(self._breaker, time.monotonic())
        if admitted is None:
            self._refuse()
        self._move(admitted)
        return admitted.turn

    def _refuse(self) -> NoReturn:
        self.counts.refused_open += 1
        raise CircuitOpen(f"'{self.destination.host}' failed too often ({self._last_error}); it is asked again later.")

    def judge(self, turn: int, seconds: float, *, good: bool | None, error: str = "") -> None:
        """Say how an admitted call ended."""
        if good is not None:
            self.counts.seconds += seconds
        if good:
            self.counts.answered += 1
        elif good is False:
            self.counts.failed += 1
            self._last_error = error
        self._move(breaker.judged(self._breaker, self._policy, time.monotonic(), turn, _chance(), good=good))

    def _move(self, after: Breaker) -> None:
        before, self._breaker = self._breaker, after
        if after.turn != before.turn:
            why = after.history[-1].why
            facts = {"destination": self.destination.name, "host": self.destination.host, "why": why}
            log.log.warning("breaker.moved", **facts, phase=after.phase, last_error=self._last_error)

    def figures(self) -> Figures:
        now = self._breaker
        offset = time.time() - time.monotonic()
        return Figures(
            self.destination.name,
            self.destination.host,
            now.phase,
            now.since + offset,
            now.until + offset if now.phase == "open" else None,
            tuple(PhaseChange(moved.at + offset, moved.phase, moved.why) for moved in now.history),
            self._in_flight,
            self._waiting,
            self.counts.answered,
            self.counts.failed,
            self.counts.refused_open,
            self.counts.refused_busy,
            self.counts.retries,
            self.counts.seconds,
            self._budget.retries,
            self._last_error,
        )


def told(error: OutboundError) -> str:
    """An error for people who look at figures."""
    return f"{type(error).__name__}: {error}"
