"""Who may come in now, who waits, and who is told to come back: one gate per API process.

So many requests are under way at once as http/limits.py allows. Beyond that they wait, those that matter
most in front, and equals in the order they came. A crowd that fits is never refused: it may be
QUEUE_MAX long. When it does not fit, the queue is cut down to a fraction of the limit for as long as
somebody has to be refused: a long queue serves nobody faster, a short one keeps who is admitted
quick (the reasoning of CoDel, RFC 8289: a standing queue is a bad queue). Who gives way is always who matters
least and came last.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from holdfast.base.errors import OverCapacity
from holdfast.http.criticality import Criticality
from holdfast.http.limits import WINDOW_REQUESTS_MIN, WINDOW_SECONDS, Seen, first_limit, next_limit

# Requests waiting in one process while all of them can be served, and while not: then a share of the limit.
QUEUE_MAX = 512
QUEUE_OVERLOADED_SHARE = 0.25
QUEUE_OVERLOADED_MIN = 4
# How long after a refusal the queue stays short.
OVERLOADED_SECONDS = 1.0
# A place in the queue is kept through a restart of the database, and no longer.
WAIT_SECONDS_MAX = 10.0
SWEEP_SECONDS = 0.5


class Waiter(NamedTuple):
    """A request in the queue."""

    place: asyncio.Future[None]
    criticality: Criticality
    give_up_at: float


class Window:
    """What has left since the limit was last learned."""

    def __init__(self, ends_at: float, in_flight: int) -> None:
        self._requests = [0] * len(Criticality)
        self._seconds = [0.0] * len(Criticality)
        self._left = 0
        self._ends_at = ends_at
        self.in_flight_most = in_flight

    def add(self, criticality: Criticality, seconds: float) -> None:
        self._requests[criticality] += 1
        self._seconds[criticality] += seconds
        self._left += 1

    def is_over(self, now: float) -> bool:
        return self._left >= WINDOW_REQUESTS_MIN and now >= self._ends_at

    def seen(self) -> list[Seen]:
        return [Seen(*seen) for seen in zip(self._requests, self._seconds, strict=True)]


class Figures:
    """What the gate has done since the process started, by criticality; plain numbers for whoever looks."""

    def __init__(self) -> None:
        kinds = len(Criticality)
        self.admitted = [0] * kinds
        self.waited = [0] * kinds
        self.refused = [0] * kinds
        self.in_flight = 0
        self.waiting = 0
        self.limit = 0.0


class Gate:
    """Lets requests in, up to a limit that learns from how long they take."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.figures = Figures()
        self._clock = clock
        self._limit = first_limit(len(Criticality))
        self._queues: tuple[deque[Waiter], ...] = tuple(deque() for _ in Criticality)
        self._in_flight = 0
        self._waiting = 0
        self._overloaded_until = 0.0
        self._sweeping = False
        self._window = Window(clock() + WINDOW_SECONDS, 0)

    def figures_now(self) -> Figures:
        """The figures, brought up to date."""
        self.figures.in_flight, self.figures.waiting = self._in_flight, self._waiting
        self.figures.limit = self._limit.value
        return self.figures

    def is_full(self, criticality: Criticality) -> bool:
        """Whether a request would be refused: nobody who matters less could give way. Counts the refusal."""
        if self._in_flight < self._limit.requests or self._waiting < self._queue_bound():
            return False
        if any(self._queues[lower] for lower in range(criticality + 1, len(self._queues))):
            return False
        self._refused(criticality)
        return True

    async def enter(self, criticality: Criticality) -> None:
        """Come in, perhaps after waiting; whoever came in calls `leave`. Raises OverCapacity."""
        if self._waiting or self._in_flight >= self._limit.requests:
            await self._wait(criticality)
        else:
            self._in_flight += 1
        self.figures.admitted[criticality] += 1
        self._window.in_flight_most = max(self._window.in_flight_most, self._in_flight)

    def leave(self, criticality: Criticality, seconds: float) -> None:
        """Go, after so long inside; the next ones come in."""
        self._in_flight -= 1
        self._window.add(criticality, seconds)
        now = self._clock()
        if self._window.is_over(now):
            self._limit = next_limit(self._limit, self._window.seen(), self._window.in_flight_most)
            self._window = Window(now + WINDOW_SECONDS, self._in_flight)
        self._admit()

    # --- the queue -------------------------------------------------------------------------

    async def _wait(self, criticality: Criticality) -> None:
        if self._waiting >= self._queue_bound():
            self._make_room(criticality)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = Waiter(place, criticality, self._clock() + WAIT_SECONDS_MAX)
        self._queues[criticality].append(waiter)
        self._waiting += 1
        self.figures.waited[criticality] += 1
        self._sweep_later()
        try:
            await place
        except asyncio.CancelledError:
            self._gave_up(waiter)
            raise

    def _make_room(self, criticality: Criticality) -> None:
        """Refuse who matters least and came last, down to the bound of an overloaded queue; perhaps the asker."""
        self._overloaded_until = self._clock() + OVERLOADED_SECONDS
        bound = self._queue_bound()
        for lower in range(len(self._queues) - 1, criticality, -1):
            queue = self._queues[lower]
            while queue and self._waiting >= bound:
                self._turn_away(queue.pop())
        if self._waiting >= bound:
            self._refused(criticality)
            raise OverCapacity

    def _turn_away(self, waiter: Waiter) -> None:
        if waiter.place.done():
            return  # it gave up, and counts itself out
        self._waiting -= 1
        self._refused(waiter.criticality)
        waiter.place.set_exception(OverCapacity())

    def _refused(self, criticality: Criticality) -> None:
        self._overloaded_until = self._clock() + OVERLOADED_SECONDS
        self.figures.refused[criticality] += 1

    def _gave_up(self, waiter: Waiter) -> None:
        if waiter.place.cancelled():
            self._waiting -= 1
            with suppress(ValueError):  # somebody found it dead already
                self._queues[waiter.criticality].remove(waiter)
        elif waiter.place.exception() is None:  # let in and cancelled in the same moment
            self._in_flight -= 1
            self._admit()

    def _admit(self) -> None:
        """Let in who waits, those that matter most first, as far as the limit allows."""
        room = self._limit.requests
        for queue in self._queues:
            while queue and self._in_flight < room:
                waiter = queue.popleft()
                if not waiter.place.done():
                    self._waiting -= 1
                    self._in_flight += 1
                    waiter.place.set_result(None)

    def _queue_bound(self) -> int:
        if self._clock() >= self._overloaded_until:
            return QUEUE_MAX
        return max(QUEUE_OVERLOADED_MIN, int(self._limit.value * QUEUE_OVERLOADED_SHARE))

    def _sweep_later(self) -> None:
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Turn away who has waited too long: nobody leaves, so nobody else would tell them."""
        self._sweeping = False
        now = self._clock()
        for queue in self._queues:
            while queue and (queue[0].place.done() or queue[0].give_up_at <= now):
                self._turn_away(queue.popleft())
        if self._waiting:
            self._sweep_later()
