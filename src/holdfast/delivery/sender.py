"""Sends what one subscription is owed: in order for each resource, many resources at once.

Notifications of one resource stand in a lane. Only the first of a lane is ever under way; one that cannot be
delivered holds back those behind it, and nobody else. What became of each is noted while others are still
under way, so a process that is killed repeats what it had not noted yet, and no more.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from holdfast.base.log import log
from holdfast.commerce.resources.subscription.shape import STATUSES, Subscription
from holdfast.delivery.destinations.port import Accepted, Delivery, Destination, Misconfigured, Outcome, Refused, Retry
from holdfast.delivery.notifications import delivery_of, trial
from holdfast.store.relay import LANES_MAX, Buried, Desk, Freed, Held, Hold, Lane, Owed, Record

# Notifications in memory at once.
WINDOW_MAX = 1_000
# One call of a destination takes no longer.
SEND_SECONDS_MAX = 20.0
# Outcomes wait this long for company before they are noted.
NOTE_SECONDS = 0.01
# Held lanes are looked after this often.
POLL_SECONDS = 0.5
# With nothing left to send it stays this long.
IDLE_SECONDS = 10.0
# What is under way when it is stopped may still end.
STOP_SECONDS = 2.0
# After so many failures in a row a destination is tried with single notifications, with growing rests between.
TROUBLE_FAILURES = 10
SHOWN_FAILURES = 3
REST_LONGEST_SECONDS = 30.0
REASON_CHARACTERS_MAX = 500
HEALTHY, TEMPORARY, MISCONFIGURED = (
    STATUSES.index("Healthy"),
    STATUSES.index("TemporaryError"),
    STATUSES.index("ConfigurationError"),
)


class Patience(NamedTuple):
    """How a failing notification is tried again: after gaps that grow from the first to the longest, then given up."""

    give_up_after: timedelta = timedelta(hours=48)
    first_gap_seconds: float = 1.0
    longest_gap_seconds: float = 3_600.0

    def gap(self, attempts: int, outcome: Retry | Misconfigured | Refused) -> float:
        """Seconds to the next attempt, scattered so that what failed together does not return together."""
        longest = min(self.longest_gap_seconds, self.first_gap_seconds * 2 ** min(attempts - 1, 30))
        asked = outcome.after_seconds if isinstance(outcome, Retry) else None
        return max(random.uniform(0, longest), min(asked or 0.0, self.longest_gap_seconds))  # noqa: S311 - jitter


class Waiting(NamedTuple):
    """A notification in its lane."""

    owed: Owed
    delivery: Delivery


class InLane:
    """The notifications of one resource that are in memory. ended: it is left alone until that was noted."""

    __slots__ = ("attempts", "ended", "first_failed_at", "held", "key", "waiting")

    def __init__(self, first: Owed) -> None:
        self.key = first.lane
        self.held = first.held
        self.attempts = first.attempts
        self.first_failed_at = first.first_failed_at
        self.waiting: deque[Waiting] = deque()
        self.ended = False


class Notes:
    """What became of notifications and is not in the database yet."""

    def __init__(self) -> None:
        self.accepted: list[int] = []
        self.held: list[Held] = []
        self.buried: list[Buried] = []
        self.freed: list[Freed] = []
        self.failures = 0
        self.reason: str | None = None

    def __len__(self) -> int:
        return len(self.accepted) + len(self.held) + len(self.buried) + len(self.freed)


class Sender:
    """Empties the queue of one subscription."""

    def __init__(
        self, desk: Desk, hold: Hold, subscription: Subscription, destination: Destination, patience: Patience
    ) -> None:
        self._desk = desk
        self._hold = hold
        self._subscription = subscription
        self._destination = destination
        self._patience = patience
        self._lanes: dict[Lane, InLane] = {}
        self._ready: deque[InLane] = deque()
        self._can_send = asyncio.Event()
        self._changed = asyncio.Event()
        self._notes = Notes()
        self._after = 0
        self._in_memory = 0
        self._sending = 0
        self._failures = 0
        self._failures_rested = 0
        self._rests = 0
        self._is_misconfigured = False
        self._status: int | None = None
        self._news = True
        self._paused = False
        self._stopping = False

    def tell(self) -> None:
        """Something new may be owed."""
        self._news = True
        self._changed.set()

    def stop(self) -> None:
        """End soon: what is under way may still arrive."""
        self._stopping = True
        self._changed.set()

    async def run(self) -> None:
        """Send until there has been nothing to send for a while, or until stopped.

        Raises HoldLost and asyncpg errors: then somebody else may be sending by now.
        """
        workers = [asyncio.create_task(self._work()) for _ in range(self._destination.parallel_max)]
        try:
            await self._go_on(workers)
            await self._pause(STOP_SECONDS)
            for worker in workers:
                worker.cancel()
            await self._note()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self._destination.close()

    async def _go_on(self, workers: Sequence[asyncio.Task[None]]) -> None:
        loop = asyncio.get_running_loop()
        busy_at = looked_at = loop.time()
        while not self._stopping and loop.time() - busy_at < IDLE_SECONDS:
            await self._note()
            if self._probing and self._failures > self._failures_rested:
                await self._retreat()
            if self._news or loop.time() - looked_at >= POLL_SECONDS:
                looked_at = loop.time()
                await self._claim()
            if self._lanes or self._notes:
                busy_at = loop.time()
            await self._wait()
            for broken in (worker for worker in workers if worker.done()):
                broken.result()

    async def _wait(self) -> None:
        self._changed.clear()
        if self._news and self._may_claim():
            return
        try:
            await asyncio.wait_for(self._changed.wait(), POLL_SECONDS)
        except TimeoutError:
            return
        if len(self._notes) < WINDOW_MAX // 4 and self._lanes:
            await asyncio.sleep(NOTE_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Send nothing more, and wait until nothing is under way."""
        self._paused = True
        self._ready.clear()
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while self._sending and loop.time() < until:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), until - loop.time())
            except TimeoutError:
                return

    # --- taking --------------------------------------------------------------------------------

    @property
    def _probing(self) -> bool:
        return self._failures >= TROUBLE_FAILURES

    def _may_claim(self) -> bool:
        return not self._lanes if self._probing else self._in_memory <= WINDOW_MAX // 2

    async def _claim(self) -> None:
        """Take more into memory; for a destination in trouble one at a time."""
        if not self._may_claim():
            return
        probing = self._probing
        fresh_max = 1 if probing else WINDOW_MAX - self._in_memory
        self._news = False
        owed, after, more = await self._desk.claim(
            self._hold, self._after, fresh_max, list(self._lanes), 1 if probing else LANES_MAX
        )
        if probing and owed:
            owed, after, more = owed[:1], self._after if owed[0].held else owed[0].place, False
        known = await self._known_by(owed)
        for each in owed:
            self._line_up(each, known.get(each.resource_id, {}))
        self._after = after
        # A full page means there may be more lanes whose rest is over.
        lanes = len({each.lane for each in owed if each.held})
        self._news = self._news or more or (not probing and lanes >= LANES_MAX)
        self._can_send.set()

    async def _known_by(self, owed: Sequence[Owed]) -> dict[str, dict[str, str]]:
        ids = list({each.resource_id for each in owed})
        return await self._desk.identifiers(self._hold, ids) if ids else {}

    def _line_up(self, owed: Owed, known_by: dict[str, str]) -> None:
        lane = self._lanes.get(owed.lane)
        if lane is None:
            lane = self._lanes[owed.lane] = InLane(owed)
        if lane.ended:  # noted in a moment; then the database tells what of it comes next
            return
        if owed.is_trial:
            owed = trial(owed, self._hold.id, self._subscription.version, self._subscription.created_at)
        elif owed.id is None:
            log.error("relay.message_gone", project=self._hold.project, subscription=self._hold.id, place=owed.place)
            self._notes.accepted.append(owed.place)
            if not lane.waiting:
                self._leave(lane)
            return
        delivery = delivery_of(self._hold.project, owed, known_by, self._subscription.format)
        lane.waiting.append(Waiting(owed, delivery))
        self._in_memory += 1
        if len(lane.waiting) == 1:
            self._ready.append(lane)

    # --- sending -------------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            while not self._ready:
                self._can_send.clear()
                await self._can_send.wait()
            taken = [self._ready.popleft() for _ in range(min(self._destination.batch_max, len(self._ready)))]
            self._sending += 1
            try:
                outcomes = await self._send([lane.waiting[0].delivery for lane in taken])
                for lane, outcome in zip(taken, outcomes, strict=True):
                    self._learn(lane, outcome)
            finally:
                self._sending -= 1
                self._changed.set()

    async def _send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        try:
            async with asyncio.timeout(SEND_SECONDS_MAX):
                outcomes = await self._destination.send(deliveries)
        except TimeoutError:
            return [Retry(f"No answer within {SEND_SECONDS_MAX:g} s.")] * len(deliveries)
        except Exception as error:  # noqa: BLE001 - a bug of an adapter is a failure of its destination
            log.exception("relay.adapter_failed", project=self._hold.project, subscription=self._hold.id)
            return [Retry(f"{type(error).__name__}: {error}")] * len(deliveries)
        if len(outcomes) != len(deliveries):
            return [Retry(f"The adapter told of {len(outcomes)} of {len(deliveries)} deliveries.")] * len(deliveries)
        return outcomes

    def _learn(self, lane: InLane, outcome: Outcome) -> None:
        if isinstance(outcome, Accepted):
            self._failures = self._failures_rested = self._rests = 0
            self._is_misconfigured = False
            self._notes.accepted.append(lane.waiting[0].owed.place)
            lane.attempts, lane.first_failed_at = 0, None
            self._next_of(lane)
            return
        now = datetime.now(UTC)
        since = lane.first_failed_at or now
        reason = outcome.reason[:REASON_CHARACTERS_MAX]
        self._failures += 1
        self._is_misconfigured = not isinstance(outcome, Retry)
        self._notes.failures += 1
        self._notes.reason = reason
        lane.attempts += 1
        lane.first_failed_at = since
        if self._probing:
            self._paused = True
            self._ready.clear()
        if isinstance(outcome, Refused) or now - since >= self._patience.give_up_after:
            self._bury(lane, reason, is_refused=isinstance(outcome, Refused))
        else:
            self._hold_back(lane, reason, now + timedelta(seconds=self._patience.gap(lane.attempts, outcome)))

    def _bury(self, lane: InLane, reason: str, *, is_refused: bool) -> None:
        """Give the first of a lane up. Where patience ran out, the next has no more left than the first had."""
        assert lane.first_failed_at is not None
        first = lane.waiting[0].owed
        self._notes.buried.append(Buried(first.place, reason, lane.attempts, lane.first_failed_at))
        log.warning(
            "relay.buried", project=self._hold.project, subscription=self._hold.id, message=first.id, reason=reason
        )
        lane.attempts = 0
        if is_refused:
            lane.first_failed_at = None
        self._next_of(lane)

    def _hold_back(self, lane: InLane, reason: str, next_at: datetime) -> None:
        assert lane.first_failed_at is not None
        self._notes.held.append(Held(lane.key, lane.attempts, lane.first_failed_at, next_at, reason))
        self._in_memory -= len(lane.waiting)
        lane.waiting.clear()
        lane.ended = True

    def _next_of(self, lane: InLane) -> None:
        lane.waiting.popleft()
        self._in_memory -= 1
        if not lane.waiting:
            self._leave(lane)
        elif not self._paused:
            self._ready.append(lane)

    def _leave(self, lane: InLane) -> None:
        """Nothing of it is left in memory; a held one is let go once that was noted."""
        if lane.held:
            self._notes.freed.append(Freed(lane.key, lane.first_failed_at))
            lane.ended = True
        else:
            self._lanes.pop(lane.key, None)

    # --- noting --------------------------------------------------------------------------------

    async def _note(self) -> None:
        """Write down what became of notifications; lanes that ended may then be taken again."""
        notes, self._notes = self._notes, Notes()
        status = self._status_now()
        if not notes and status == self._status:
            return
        record = Record(
            notes.accepted,
            notes.held,
            notes.buried,
            notes.freed,
            notes.failures,
            notes.reason,
            status if status != self._status else None,
        )
        await self._desk.record(self._hold, record)
        self._status = status
        for lane in (*(held.lane for held in notes.held), *(freed.lane for freed in notes.freed)):
            self._lanes.pop(lane, None)
        # What a freed lane left behind is due at once.
        self._news = self._news or bool(notes.freed)

    def _status_now(self) -> int:
        if self._is_misconfigured:
            return MISCONFIGURED
        return TEMPORARY if self._failures >= SHOWN_FAILURES else HEALTHY

    async def _retreat(self) -> None:
        """Let go of everything in memory, rest, and begin anew with what is owed longest."""
        await self._pause(SEND_SECONDS_MAX + STOP_SECONDS)
        await self._note()
        self._lanes.clear()
        self._in_memory = self._after = 0
        self._news = True
        self._paused = False
        self._failures_rested = self._failures
        if self._probing:
            await self._rest()

    async def _rest(self) -> None:
        self._rests += 1
        if self._rests == 1:
            log.warning("relay.trouble", project=self._hold.project, subscription=self._hold.id)
        longest = min(REST_LONGEST_SECONDS, self._patience.first_gap_seconds * 2 ** min(self._rests, 30))
        rest = random.uniform(0, longest)  # noqa: S311 - jitter
        until = asyncio.get_running_loop().time() + rest
        while not self._stopping and (left := until - asyncio.get_running_loop().time()) > 0:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                break
