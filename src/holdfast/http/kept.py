"""Catalogue answers kept as bytes: what was rendered once is sent again until something changes.

An answer is kept under its exact URL with the epoch of what it shows. A look-up compares it and asks
for the token's rights, so a change or a revocation this host acknowledged is seen by the very next
read; what other hosts changed, and stock shown beside products, by the time-to-live. What is overtaken
stays, for when nothing better can be had (http/ladder.py). Carts, orders and customers are never kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from holdfast.base.errors import ApiError, BadGateway, DeadlineExceeded, ResourceNotFound, Unavailable
from holdfast.commerce.scopes import allows
from holdfast.commerce.values.value import encode
from holdfast.handlers.endpoints import Request
from holdfast.http.auth import Authenticator
from holdfast.http.flights import Flights
from holdfast.http.headers import Headers
from holdfast.http.kept_answer import Keeping, KeptAnswer, Key
from holdfast.http.ladder import (
    COMPOSED,
    LADDERS,
    STALE_SECONDS_MAX,
    TTL_SECONDS,
    Step,
    is_composed,
    ladder_of,
    stays_in_catalogue,
)
from holdfast.http.outage import Outage
from holdfast.http.routes import Place, Route
from holdfast.http.shelf import Shelf
from holdfast.outbound.shared_memory import Figures as SharedFigures
from holdfast.store.epochs import Epochs

KEPT_BYTES_MAX = 48 * 1024 * 1024
KEPT_ANSWER_BYTES_MAX = 512 * 1024
# Answers that something does not exist are kept apart: who asks for nonsense displaces nothing of use.
ABSENT_MAX = 2_000
# How long a read waits before it doubts that the database answers, and between two looks whether it does.
PATIENCE_SECONDS = 0.25
# Projects whose slots are remembered.
PROJECTS_MAX = 1_024

_READS = ("GET", "HEAD")

Reply = tuple[int, Headers, bytes]
# Makes an answer: its body, and whether everybody with the scope may be given it.
Make = Callable[[], Awaitable[tuple[bytes, bool]]]


class Landed(NamedTuple):
    """An answer that was made, or found with the other hosts; for_all: whether others may be given it."""

    kept: KeptAnswer
    for_all: bool
    step: Step = Step.LIVE


class Figures:
    """What keeping answers has done since the process started, and how things stand: plain numbers.

    cached, stale, held: answers given, the last as 304. missed: answers that had to be made. joined:
    requests that waited for one another was making. ages: cached answers by whole seconds of age.
    """

    def __init__(self) -> None:
        self.cached = 0
        self.stale = 0
        self.held = 0
        self.missed = 0
        self.joined = 0
        self.dropped = 0
        self.ages = [0] * (TTL_SECONDS + 1)
        self.stale_seconds_max = 0
        self.entries = 0
        self.absent = 0
        self.bytes = 0
        self.flights = 0
        self.outages = 0
        self.outage_seconds = 0.0


class Kept:
    """Kept answers, those kept longest making room."""

    def __init__(
        self, epochs: Epochs, authenticator: Authenticator, outage: Outage, shelf: Shelf | None = None
    ) -> None:
        self._epochs = epochs
        self._authenticator = authenticator
        self._outage = outage
        self._shelf = shelf
        self._answers: dict[Key, KeptAnswer] = {}
        self._absent: dict[Key, KeptAnswer] = {}
        self._bytes = 0
        self._flights: Flights[Landed] = Flights()
        self._figures = Figures()

    @property
    def figures(self) -> Figures:
        """The figures as they stand now."""
        figures = self._figures
        figures.entries, figures.absent, figures.bytes = len(self._answers), len(self._absent), self._bytes
        figures.flights, figures.joined = len(self._flights), self._flights.joined
        figures.outages = self._outage.count
        since_ns = self._outage.since_ns
        figures.outage_seconds = max(0.0, (time.time_ns() - since_ns) / 1e9) if since_ns else 0.0
        return figures

    @property
    def shelf_figures(self) -> SharedFigures | None:
        """The figures of the second level, where there is one."""
        return self._shelf.memory.figures if self._shelf is not None else None

    async def close(self) -> None:
        if self._shelf is not None:
            await self._shelf.memory.close()

    # --- answers that are there --------------------------------------------------------------

    def find(
        self, scope: Mapping[str, Any], authorization: bytes, if_none_match: bytes | None
    ) -> tuple[Reply, str] | None:
        """What is kept and what it is counted as, if it is still true and this token may read it.

        All else takes the long way.
        """
        key = (scope["path"], scope["query_string"])
        kept = self._answers.get(key) or self._absent.get(key)
        if kept is None:
            return None
        now = time.monotonic()
        if now < kept.fresh_until and self._is_current(kept):
            step = Step.CACHED
        elif self._outage.since_ns and self._is_all_there_is(kept, now):
            step = Step.STALE
        else:
            return None
        if not self._may_read(kept, scope, authorization):
            return None
        return self._reply(kept, step, if_none_match, now), kept.endpoint

    def instead(
        self,
        scope: Mapping[str, Any],
        authorization: bytes | None,
        refusal: ApiError,
        if_none_match: bytes | None = None,
    ) -> Reply | None:
        """What is kept, in place of a refusal that has nothing to do with the request."""
        if not isinstance(refusal, Unavailable | DeadlineExceeded):
            return None
        if isinstance(refusal, BadGateway):
            self._outage.suspect()
        kept = self._overtaken((scope["path"], scope["query_string"]), now := time.monotonic())
        if kept is None or authorization is None or not self._may_read(kept, scope, authorization):
            return None
        return self._reply(kept, Step.STALE, if_none_match, now)

    def _is_current(self, kept: KeptAnswer) -> bool:
        if kept.slot is not None:
            return self._epochs.numbers[kept.slot] == kept.epoch
        return self._epoch(kept.keeping.slots) == kept.epoch

    def _is_all_there_is(self, kept: KeptAnswer, now: float) -> bool:
        """In an outage: no, where something was changed since it was last confirmed, for then it is over."""
        if self._overtaken(kept.keeping.key, now) is None:
            return False
        return max(map(self._epochs.read, kept.keeping.slots)) < self._outage.confirmed_ns

    def _overtaken(self, key: Key, now: float) -> KeptAnswer | None:
        """What is kept, whether or not it is still true."""
        kept = self._answers.get(key)
        return kept if kept is not None and now - kept.began_at < STALE_SECONDS_MAX else None

    def _may_read(self, kept: KeptAnswer, scope: Mapping[str, Any], authorization: bytes) -> bool:
        keeping, method = kept.keeping, scope["method"]
        if method != "GET" and (method != "HEAD" or not keeping.single):
            return False
        seen = self._authenticator.seen(authorization)
        if seen is None and self._outage.confirmed_ns:
            # Nobody can look whether it was this one that was revoked.
            seen = self._authenticator.once_seen(authorization)
        if seen is None:
            return False
        if seen is kept.reader:
            return True
        caller = seen.caller
        if caller.project != keeping.project or not allows(caller.scopes, keeping.scope, keeping.store_key):
            return False
        kept.reader = seen
        return True

    def _reply(self, kept: KeptAnswer, step: Step, if_none_match: bytes | None, now: float) -> Reply:
        figures, age_seconds = self._figures, int(now - kept.began_at)
        if step is Step.CACHED:
            figures.cached += 1
            figures.ages[age_seconds] += 1
        elif step is Step.STALE:
            figures.stale += 1
            figures.stale_seconds_max = max(figures.stale_seconds_max, age_seconds)
        headers = kept.headers_as(step, age_seconds)
        if if_none_match is not None and kept.is_held(if_none_match):
            figures.held += 1
            return 304, headers, b""
        return kept.status, headers, kept.body

    # --- answers to be made ------------------------------------------------------------------

    def begin(self, scope: Mapping[str, Any], place: Place, route: Route, request: Request) -> Keeping | None:
        """Before the answer is made: where things stand, or None when it is not for keeping."""
        kind = route.kept_kind or ""
        ladder = ladder_of(kind)
        single = (bool(place.rest) and kind not in COMPOSED) or not place.collection
        if not ladder.is_kept or request.me or scope["method"] not in (_READS if single else ("GET",)):
            return None
        parameters = request.parameters
        # Staged versions are for those with one more right, whom a look-up would not tell from others.
        if any(text != "false" for text in parameters.get("staged", ())):
            return None
        if not stays_in_catalogue(parameters.get("expand", ())):
            return None
        composed = is_composed(kind, parameters, request.store_key)
        slots = _slots(place.project) if composed else (Epochs.slot(place.project, kind),)
        return Keeping(
            (scope["path"], scope["query_string"]),
            place.project,
            route.scope,
            request.store_key,
            kind,
            ladder,
            single,
            slots,
            self._epoch(slots),
            time.monotonic(),
        )

    def _epoch(self, slots: tuple[int, ...]) -> int:
        read = self._epochs.read
        return read(slots[0]) if len(slots) == 1 else hash(tuple(map(read, slots)))

    async def answer(self, keeping: Keeping, make: Make, if_none_match: bytes | None) -> Reply:
        """The answer as it is now, made once for all who ask while nothing changes.

        Only where the database does not answer at all, the one that was given before.
        """
        flight, joined = self._flights.join((keeping.key, keeping.epoch), lambda: self._found_or_made(keeping, make))
        while not (await asyncio.wait((flight,), timeout=PATIENCE_SECONDS))[0]:
            now = time.monotonic()
            kept = self._overtaken(keeping.key, now)
            if kept is not None:
                self._outage.suspect()
                if self._outage.since_ns:
                    return self._reply(kept, Step.STALE, if_none_match, now)
        landed = flight.result()
        if joined and not landed.for_all:
            landed = await self._made(keeping, make)
        return self._reply(landed.kept, landed.step, if_none_match, min(time.monotonic(), landed.kept.fresh_until))

    async def _found_or_made(self, keeping: Keeping, make: Make) -> Landed:
        """An answer for the shelf is looked for there first."""
        found = await self._shelf.find(keeping) if self._shelf is not None else None
        if found is not None and found.is_current:
            self._keep(found.answer)
            return Landed(found.answer, for_all=True, step=Step.CACHED)
        if found is not None and keeping.key not in self._answers:
            # Nobody knows whether the database answers.
            self._keep(found.answer)
        return await self._made(keeping, make)

    async def _made(self, keeping: Keeping, make: Make) -> Landed:
        self._figures.missed += 1
        try:
            body, for_all = await make()
        except ResourceNotFound as missing:
            self._keep_absent(KeptAnswer(keeping, encode(missing.body()), missing.status))
            raise
        answer = KeptAnswer(keeping, body)
        if for_all and self._keep(answer) and self._shelf is not None:
            self._shelf.keep(answer)
        return Landed(answer, for_all)

    def _keep(self, answer: KeptAnswer) -> bool:
        """Whether it is kept."""
        if len(answer.body) > KEPT_ANSWER_BYTES_MAX:
            return False
        key = answer.keeping.key
        self._absent.pop(key, None)
        self._drop(key)
        self._answers[key] = answer
        self._bytes += answer.size_bytes
        while self._bytes > KEPT_BYTES_MAX:
            self._figures.dropped += 1
            self._drop(next(iter(self._answers)))
        return True

    def _keep_absent(self, answer: KeptAnswer) -> None:
        key = answer.keeping.key
        self._drop(key)
        self._absent.pop(key, None)
        self._absent[key] = answer
        if len(self._absent) > ABSENT_MAX:
            del self._absent[next(iter(self._absent))]

    def _drop(self, key: Key) -> None:
        known = self._answers.pop(key, None)
        if known is not None:
            self._bytes -= known.size_bytes


@lru_cache(maxsize=PROJECTS_MAX)
def _slots(project: str) -> tuple[int, ...]:
    """Where the epochs of all that may be kept are."""
    return tuple(sorted({Epochs.slot(project, kind) for kind in LADDERS}))
