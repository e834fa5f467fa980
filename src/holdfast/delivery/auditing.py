"""The audit in the background: always on its way through what is stored, at a small bounded cost.

It works for a moment and then rests so much longer that its share of the time is kept, however long
the work took. How far it has come is kept in the database: a worker that takes over, after a stop or a
kill, goes on there.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import asyncpg

from holdfast.base.log import log
from holdfast.store.audit import findings as ledger
from holdfast.store.audit.check import Finding, Walk
from holdfast.store.audit.examine import examine_again, examine_page, walks
from holdfast.store.audit.findings import Standing
from holdfast.store.audit.payments import RECENT_PAYMENTS
from holdfast.store.audit.reading import connect, projects
from holdfast.store.pool import CONNECTION_LOST

# The shares of the time that are worked: together a twentieth.
WHOLE_DUTY = 0.02
RECENT_DUTY = 0.03
# It works this long at a time; what it has begun it ends.
WORK_SECONDS_MAX = 0.05
# Between one whole pass and the next.
WHOLE_REST_SECONDS = 300.0
# Money is looked after more often.
RECENT_REST_SECONDS = 30.0


class Lane(NamedTuple):
    """Walks an auditor repeats.

    rest_seconds: between the end of a pass and the next. duty: the share of the time that is worked.
    whole: whether they see everything there is.
    """

    name: str
    walks: Sequence[Walk]
    rest_seconds: float
    duty: float
    whole: bool


def whole_lane() -> Lane:
    """Everything."""
    return Lane("whole", walks(), WHOLE_REST_SECONDS, WHOLE_DUTY, whole=True)


def recent_lane() -> Lane:
    """Payments that changed lately."""
    return Lane("recent", [RECENT_PAYMENTS], RECENT_REST_SECONDS, RECENT_DUTY, whole=False)


class Auditor:
    """Goes along a lane, a slice of work at a time."""

    def __init__(self, dsn: str, lane: Lane) -> None:
        self._dsn = dsn
        self._lane = lane
        self._connection: asyncpg.Connection | None = None
        self._standings: dict[str, Standing] = {}
        self._completed: dict[str, datetime] = {}
        self._rest_until = 0.0
        self._stopped = False

    async def slice(self) -> int:
        """Work for a moment, unless it is time to rest. Answers 0: what is left is for the next moment."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        if began < self._rest_until or self._stopped:
            return 0
        try:
            while loop.time() - began < WORK_SECONDS_MAX and await self.step():
                pass
        except CONNECTION_LOST:
            self._forget()
            if not self._stopped:
                raise
        except BaseException:
            self._forget()
            raise
        finally:
            self._rest_until = loop.time() + (loop.time() - began) * (1 / self._lane.duty - 1)
        return 0

    def stop(self) -> None:
        """Drop everything at once: the next auditor goes on after the last page that was noted."""
        self._stopped = True
        self._forget()

    async def step(self) -> bool:
        """Look at one page; False when everything was looked at lately."""
        connection = await self._connected()
        walk = self._next_walk()
        if walk is None:
            return False
        standing = self._standings.get(walk.name)
        if standing is None:
            await self._look_again(connection, walk)
            standing = Standing("", (), datetime.now(UTC))
        await self._go_on(connection, walk, standing)
        return True

    def _next_walk(self) -> Walk | None:
        """The walk under way, else the one that has rested longest and enough."""
        for walk in self._lane.walks:
            if walk.name in self._standings:
                return walk
        rested = datetime.now(UTC) - timedelta(seconds=self._lane.rest_seconds)
        never = datetime.min.replace(tzinfo=UTC)
        longest = min(self._lane.walks, key=lambda walk: self._completed.get(walk.name, never))
        return longest if self._completed.get(longest.name, never) <= rested else None

    async def _go_on(self, connection: asyncpg.Connection, walk: Walk, standing: Standing) -> None:
        """One page further: of the project under way, or the first of the next."""
        began = asyncio.get_running_loop().time()
        if not standing.place:
            following = [project for project in await projects(connection) if project > standing.project]
            if not following:
                await self._complete(connection, walk, standing)
                return
            standing = standing._replace(project=following[0], place=walk.start)
        page = await examine_page(connection, walk, standing.project, standing.place)
        for finding in await ledger.record(connection, walk, page.findings):
            log.warning("audit.found", **_facts(finding))
        standing = standing._replace(
            place=page.last or (),
            spent_seconds=standing.spent_seconds + asyncio.get_running_loop().time() - began,
            looked_at=standing.looked_at + page.looked_at,
            passed_over=standing.passed_over + page.passed_over,
        )
        await ledger.keep(connection, self._lane.name, walk, standing)
        self._standings[walk.name] = standing

    async def _complete(self, connection: asyncpg.Connection, walk: Walk, standing: Standing) -> None:
        if self._lane.whole and not standing.passed_over:
            await ledger.strike_unseen(connection, walk, standing.started_at)
        await ledger.complete(connection, self._lane.name, walk, standing)
        self._standings.pop(walk.name, None)
        self._completed[walk.name] = datetime.now(UTC)

    async def _look_again(self, connection: asyncpg.Connection, walk: Walk) -> None:
        """What was found earlier and is gone leaves the list at once, not after a whole pass."""
        found = sorted(await ledger.open_findings(connection, walk), key=lambda each: each.project)
        for project, group in itertools.groupby(found, key=lambda each: each.project):
            suspects = list(group)
            seen, passed_over = await examine_again(connection, walk, project, suspects)
            await ledger.record(connection, walk, seen)
            if not passed_over:
                still = {each.identity for each in seen}
                await ledger.strike(connection, [each for each in suspects if each.identity not in still])

    async def _connected(self) -> asyncpg.Connection:
        """The auditor's own connection; a new one reads how far others have come."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._dsn)
            known = await ledger.standings(self._connection, self._lane.name)
            names = {walk.name for walk in self._lane.walks}
            self._standings = {name: each for name, (each, _) in known.items() if name in names and each.project}
            self._completed = {name: done for name, (_, done) in known.items() if done is not None}
        return self._connection

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _facts(finding: Finding) -> dict[str, str]:
    names = ("project", "check", "kind", "subject", "detail")
    return {name: getattr(finding, name) for name in names}
