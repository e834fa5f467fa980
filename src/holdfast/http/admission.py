"""Who may come in now, who waits, and who is told to come back: one gate per API process.

So many requests are under way at once as http/limits.py allows. Beyond that they wait: the steps of
checkouts that have begun in front, all others in the order they came. A crowd that fits is never
refused. It does not fit when the queue is full, or stands: when for an interval everybody of a kind who was
let in had waited longer than the target (CoDel, RFC 8289: a queue that does not drain serves nobody faster). Then
the gate is overloaded for a time: what has not begun waits no more and may use but a share of the limit, so
that what has begun finds room at once. That time ends by itself, however many are refused: the
few who come back at once when they are refused would keep it up for ever.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from holdfast.base.errors import OverCapacity
from holdfast.http.criticality import Criticality
from holdfast.http.limits import WINDOW_REQUESTS_MIN, WINDOW_SECONDS, Seen, first_limit, next_limit

# Requests of one kind and those before it that may wait in one process, while all can be served.
QUEUE_MAX = 256
# The same in an overload, for checkouts that have begun, as a share of the limit: none of them is to be lost.
OVERLOADED_QUEUE_SHARE = 4.0
# What has not begun may use this share of the limit in an overload.
OVERLOADED_ROOM_SHARE = 0.8
# And that of the fullest moment lately, as soon as new carts wait: how long until a fall is followed to a third. Who is
# answered in one batch comes back in one with his next step, a few hundredths of a second later; a place that is free
# in between is his.
FULLEST_SECONDS = 0.05
# How long an overload lasts. Then it is tried whether all fit; when they do not, the next one lasts twice as long.
OVERLOADED_SECONDS = 1.0
OVERLOADED_SECONDS_MAX = 4.0
TRIAL_SECONDS = 1.0
TRIAL_QUEUE_MAX = 64
# A queue in which everybody of a kind waits longer than the target for an interval is an overload.
TARGET_SECONDS = 1.5
INTERVAL_SECONDS = 1.0
# A place in the queue is kept through a restart of the database; by what has not begun in an overload far shorter.
WAIT_SECONDS_MAX = 10.0
OVERLOADED_WAIT_SECONDS = 0.05
SWEEP_SECONDS = 0.02
_BEGUN = (Criticality.ORDER, Criticality.STEP)


class Waiter(NamedTuple):
    """A request in the queue."""

    place: asyncio.Future[None]
    criticality: Criticality
    since: float


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
    """What the gate has done since the process started, by criticality, and how things stand: plain numbers."""

    def __init__(self) -> None:
        self.admitted = [0] * len(Criticality)
        self.waited = [0] * len(Criticality)
        self.refused = [0] * len(Criticality)
        self.in_flight = 0
        self.waiting = 0
        self.limit = 0.0
        self.overloaded = False


class Fullest:
    """How many were inside at the fullest moment lately: a rise is followed at once, a fall as time goes by."""

    def __init__(self) -> None:
        self._most = 0.0
        self._at = 0.0

    def see(self, in_flight: int, now: float) -> int:
        """What it comes to, with so many inside now."""
        self._most = max(in_flight, self._most * math.exp((self._at - now) / FULLEST_SECONDS))
        self._at = now
        return int(self._most)


class Stay:
    """A request that has come in: it may step out while it waits for somebody else's machine."""

    __slots__ = ("_away", "_criticality", "_gate", "_since", "_stepped_out")

    def __init__(self, gate: Gate, criticality: Criticality, now: float) -> None:
        self._gate = gate
        self._criticality = criticality
        self._since = now
        self._stepped_out = 0.0
        self._away = 0.0

    def step_out(self) -> None:
        self._stepped_out = self._gate.vacate()

    def step_in(self) -> None:
        """Come back at once: it has begun, and was let in before."""
        self._away += self._gate.reoccupy() - self._stepped_out

    def leave(self) -> None:
        """Go for good; what it spent outside is not counted as our latency."""
        self._gate.leave(self._criticality, self._gate.now() - self._since - self._away)


class Gate:
    """Lets requests in, up to a limit that learns from how long they take."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._figures = Figures()
        self._limit = first_limit(len(Criticality))
        self._window = Window(clock() + WINDOW_SECONDS, 0)
        self._queues: tuple[deque[Waiter], ...] = tuple(deque() for _ in Criticality)
        self._in_flight = 0
        self._fullest = Fullest()
        self._expected = 0
        self._overloaded_until = float("-inf")
        self._overload_seconds = OVERLOADED_SECONDS
        # Since when each kind that waits has waited longer than the target.
        self._standing_since: dict[Criticality, float] = {}
        self._sweeping = False

    @property
    def figures(self) -> Figures:
        """The figures as they stand now."""
        figures = self._figures
        figures.in_flight, figures.waiting = self._in_flight, sum(map(len, self._queues))
        figures.limit, figures.overloaded = self._limit.value, self.is_overloaded()
        return figures

    def is_overloaded(self) -> bool:
        """Whether more has come lately than fits."""
        return self._clock() < self._overloaded_until

    def is_full(self, criticality: Criticality) -> bool:
        """Whether a request would be refused; told before anything of it is read, and counted as a refusal."""
        beyond = self._expected - max(0, self._free(criticality))
        if beyond < 0 or self._ahead(criticality) + beyond < self._bound(criticality):
            return False
        self._refused(criticality)
        return True

    def expect(self) -> None:
        """Somebody was told that there is room, and enters in the next round of the event loop.

        In an overload the next ones are told so: who is refused at the gate has become a task, and costs five times
        a refusal.
        """
        if self.is_overloaded():
            if not self._expected:
                asyncio.get_running_loop().call_soon(self._expect_nobody)
            self._expected += 1

    def _expect_nobody(self) -> None:
        self._expected = 0

    async def enter(self, criticality: Criticality) -> None:
        """Come in, perhaps after waiting; whoever came in calls `leave`. Raises OverCapacity."""
        if self._free(criticality) <= 0 or self._ahead(criticality):
            await self._wait(criticality)
        else:
            self._in_flight += 1
        self._figures.admitted[criticality] += 1
        self._window.in_flight_most = max(self._window.in_flight_most, self._in_flight)

    def leave(self, criticality: Criticality, seconds: float) -> None:
        """Go, after so long inside; the next ones come in."""
        now = self._clock()
        self._taken()
        self._in_flight -= 1
        self._window.add(criticality, seconds)
        if self._window.is_over(now):
            self._limit = next_limit(self._limit, self._window.seen(), self._window.in_flight_most)
            self._window = Window(now + WINDOW_SECONDS, self._in_flight)
        self._admit()

    def stay(self, criticality: Criticality) -> Stay:
        """The stay of a request that has entered, up to its `leave`."""
        return Stay(self, criticality, self._clock())

    def now(self) -> float:
        return self._clock()

    def vacate(self) -> float:
        """Give up a place for a while; the time."""
        self._in_flight -= 1
        self._admit()
        return self._clock()

    def reoccupy(self) -> float:
        """Take a place again, be there room or not; the time."""
        self._in_flight += 1
        return self._clock()

    # --- the queue -------------------------------------------------------------------------

    async def _wait(self, criticality: Criticality) -> None:
        if self._ahead(criticality) >= self._bound(criticality):
            self._refused(criticality)
            raise OverCapacity
        waiter = Waiter(asyncio.get_running_loop().create_future(), criticality, self._clock())
        self._queues[criticality].append(waiter)
        self._figures.waited[criticality] += 1
        self._sweep_later()
        try:
            await waiter.place
        except asyncio.CancelledError:
            self._gave_up(waiter)
            raise

    def _gave_up(self, waiter: Waiter) -> None:
        with suppress(ValueError):  # it may have been passed over already
            self._queues[waiter.criticality].remove(waiter)
        if not waiter.place.cancelled() and waiter.place.exception() is None:
            # Let in and cancelled in the same moment.
            self._in_flight -= 1
            self._admit()

    def _admit(self) -> None:
        """Let in who waits, as far as there is room for his kind."""
        while (queue := self._next()) is not None:
            waiter = queue.popleft()
            if self._is_stale(waiter):
                self._turn_away(waiter)
            elif not waiter.place.done():
                self._watch(waiter)
                self._in_flight += 1
                waiter.place.set_result(None)

    def _next(self) -> deque[Waiter] | None:
        """The queue whose turn it is, of those there is room for."""
        queues = [queue for queue in self._queues if queue and self._free(queue[0].criticality) > 0]
        if not queues or queues[0][0].criticality in _BEGUN or self.is_overloaded():
            return queues[0] if queues else None
        return min(queues, key=lambda queue: queue[0].since)

    def _watch(self, waiter: Waiter) -> None:
        """See whether the queue of his kind stands: those in front of it may be let in at once all the time."""
        now = self._clock()
        if now - waiter.since < TARGET_SECONDS:
            self._standing_since.pop(waiter.criticality, None)
        elif now - self._standing_since.setdefault(waiter.criticality, now) > INTERVAL_SECONDS:
            self._overload()

    def _turn_away(self, waiter: Waiter) -> None:
        if not waiter.place.done():
            self._refused(waiter.criticality)
            waiter.place.set_exception(OverCapacity())

    def _sweep_later(self) -> None:
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Turn away who has waited too long: when nobody leaves, nobody else would tell them."""
        self._sweeping = False
        for queue in self._queues:
            while queue and (queue[0].place.done() or self._is_stale(queue[0])):
                self._turn_away(queue.popleft())
        self._admit()  # the fullest moment may be past though nobody has left since
        if any(self._queues):
            self._sweep_later()

    # --- bounds ----------------------------------------------------------------------------

    def _refused(self, criticality: Criticality) -> None:
        self._overload()
        self._figures.refused[criticality] += 1

    def _overload(self) -> None:
        if self.is_overloaded():
            return
        longer = min(2 * self._overload_seconds, OVERLOADED_SECONDS_MAX)
        self._overload_seconds = longer if self._is_on_trial() else OVERLOADED_SECONDS
        self._overloaded_until = self._clock() + self._overload_seconds

    def _is_on_trial(self) -> bool:
        """Whether an overload is just over, and it is seen whether all fit."""
        return not self.is_overloaded() and self._clock() < self._overloaded_until + TRIAL_SECONDS

    def _ahead(self, criticality: Criticality) -> int:
        """How many wait that one of this kind who comes now would come after."""
        return sum(map(len, self._queues[: criticality + 1]))

    def _bound(self, criticality: Criticality) -> int:
        begun = criticality in _BEGUN
        if self.is_overloaded():
            # What has not begun waits no more: the next one comes in a moment, and who waits in vain costs most of all.
            return min(QUEUE_MAX, int(self._limit.value * OVERLOADED_QUEUE_SHARE)) if begun else 0
        return TRIAL_QUEUE_MAX if self._is_on_trial() and not begun else QUEUE_MAX

    def _free(self, criticality: Criticality) -> int:
        """How many places are free for one of this kind."""
        if criticality in _BEGUN:
            return self._limit.requests - self._in_flight
        if self.is_overloaded():
            return int(self._limit.value * OVERLOADED_ROOM_SHARE) - self._taken()
        # While new carts wait, it may be the first moment of an overload that nobody knows of yet.
        is_crowd = criticality is Criticality.BEGIN and self._queues[criticality]
        return self._limit.requests - (self._taken() if is_crowd else self._in_flight)

    def _taken(self) -> int:
        """How many places are taken, and with them those just left, whose owners come back with their next steps."""
        return self._fullest.see(self._in_flight, self._clock())

    def _is_stale(self, waiter: Waiter) -> bool:
        short = waiter.criticality not in _BEGUN and self.is_overloaded()
        return self._clock() - waiter.since > (OVERLOADED_WAIT_SECONDS if short else WAIT_SECONDS_MAX)
