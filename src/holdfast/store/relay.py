"""The relay's part of the database: deals messages out to subscriptions, claims what is owed, notes what became of it.

Order of one resource: positions are drawn while its row is locked, dealing takes turns and goes by
position, so places follow each other as the messages did. Nobody keeps a lock while something is sent.

What is written here may be lost with the database's last moments: then it is done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

import asyncpg

from holdfast.store.bodies import unpacked
from holdfast.store.pool import CONNECT_TIMEOUT_SECONDS, Database
from holdfast.store.queries import columns, queries

_SQL = queries("relay")
STATEMENT_SECONDS_MAX = 10
# The server ends a statement before we lose patience with the connection.
ANSWER_SECONDS_MAX = STATEMENT_SECONDS_MAX + 2
# A relay asks every second. One that does not was forgotten on the way: neither end is told, and the server
# would keep what its session holds for hours.
SILENT_SECONDS_MAX = 15
# Positions dealt out in one transaction.
DEAL_MAX = 2_000
# Held lanes one claim takes up, and notifications of each.
LANES_MAX = 200
LANE_DEPTH_MAX = 32
# Places one claim looks at. Behind a failing destination most belong to lanes that are held.
PLACES_MAX = 10_000
SWEEP_MAX = 5_000
_SETTINGS = {
    "synchronous_commit": "off",
    "jit": "off",
    "enable_mergejoin": "off",
    "statement_timeout": f"{STATEMENT_SECONDS_MAX}s",
    "idle_in_transaction_session_timeout": f"{SILENT_SECONDS_MAX}s",
    "idle_session_timeout": f"{SILENT_SECONDS_MAX}s",
    "application_name": "holdfast relay",
}

Lane = tuple[str, str]  # kind, resource id


class HoldLost(ConnectionError):
    """The connection that held a subscription is gone: somebody else may be sending for it by now."""


class Dealt(NamedTuple):
    """What one round of dealing found: positions, those that came late, and what they came to."""

    fresh: int
    late: int
    dealt: int


class Work(NamedTuple):
    """A subscription something is owed to, with the versions of what says where it goes."""

    project: str
    id: str
    version: int
    secret_version: int


class Hold(NamedTuple):
    """The right to send for a subscription, as long as the connection of that era lasts."""

    project: str
    id: str
    era: int


class Owed(NamedTuple):
    """One notification a subscription is owed.

    held: whether it was failing before; then `attempts` and `first_failed_at` tell of it. is_trial: what a new
    subscription is tried with. body: the message, None where only a change is told.
    """

    place: int
    held: bool
    attempts: int
    first_failed_at: datetime | None
    kind: str
    resource_id: str
    is_trial: bool
    id: str | None
    sequence_number: int
    resource_version: int | None
    old_version: int
    type: str | None
    created_at: datetime | None
    body: bytes | None

    @property
    def lane(self) -> Lane:
        return self.kind, self.resource_id


class Claimed(NamedTuple):
    """What is to be sent next, the place up to which everything was looked at, and whether there are places beyond."""

    owed: list[Owed]
    after: int
    more: bool


class Held(NamedTuple):
    """A lane that waits for another attempt."""

    lane: Lane
    attempts: int
    first_failed_at: datetime
    next_at: datetime
    reason: str


class Buried(NamedTuple):
    """A notification that is given up."""

    place: int
    reason: str
    attempts: int
    first_failed_at: datetime


class Freed(NamedTuple):
    """A lane whose first notification is out of the way. failed_at: since when it fails, where that goes on."""

    lane: Lane
    failed_at: datetime | None


class Record(NamedTuple):
    """What became of some of a subscription's notifications, written together."""

    accepted: Sequence[int] = ()
    held: Sequence[Held] = ()
    buried: Sequence[Buried] = ()
    freed: Sequence[Freed] = ()
    failures: int = 0
    reason: str | None = None
    status: int | None = None


class Standing(NamedTuple):
    """How a subscription fares."""

    project: str
    id: str
    key: str | None
    destination: str
    status: int
    delivered: int
    failed: int
    buried: int
    last_accepted_at: datetime | None
    last_failed_at: datetime | None
    last_reason: str | None
    owed: int
    held: int
    dead: int
    lag_seconds: float | None


class Desk:
    """One connection on which a relay deals, or sends; its users take turns.

    Whatever fails on it raises and hangs up: what the connection held, others may take.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self._era = 0

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    # --- dealing ---------------------------------------------------------------------------

    async def deal(self) -> Dealt:
        """Deal out the next messages and changes."""
        async with self._transaction() as connection:
            await connection.fetch(_SQL["welcome"])
            position = await connection.fetchval(_SQL["lock_cursor"])
            (row,) = await connection.fetch(_SQL["deal"], position, DEAL_MAX)
        return Dealt(row["fresh"], row["late"], row["dealt"])

    async def sweep(self) -> int:
        """Forget what was owed to subscriptions that are gone; how many rows that were."""
        async with self._transaction() as connection:
            return int(await connection.fetchval(_SQL["sweep"], SWEEP_MAX))

    # --- sending ---------------------------------------------------------------------------

    async def find_work(self) -> list[Work]:
        """The subscriptions something is owed to."""
        async with self._transaction() as connection:
            return [Work(*row) for row in await connection.fetch(_SQL["find_work"])]

    async def try_hold(self, work: Work) -> Hold | None:
        """Be the only one who sends for a subscription, unless somebody else is."""
        async with self._transaction() as connection:
            held = await connection.fetchval(_SQL["try_hold"], work.project, work.id)
            return Hold(work.project, work.id, self._era) if held else None

    async def let_go(self, hold: Hold) -> None:
        async with self._transaction(hold) as connection:
            await connection.fetchval(_SQL["let_go"], hold.project, hold.id)

    async def claim(
        self, hold: Hold, after: int, fresh_max: int, under_way: Iterable[Lane], lanes_max: int = LANES_MAX
    ) -> Claimed:
        """What is to be sent next, in order."""
        busy = [f"{kind}/{resource_id}" for kind, resource_id in under_way]
        place = (hold.project, hold.id)
        async with self._transaction(hold) as connection:
            ((last, more),) = await connection.fetch(_SQL["look_up_to"], *place, after, PLACES_MAX)
            bounds = (after, fresh_max, busy, lanes_max, LANE_DEPTH_MAX, last)
            owed = [_owed(row) for row in await connection.fetch(_SQL["claim"], *place, *bounds)]
        fresh = [each.place for each in owed if not each.held]
        if len(fresh) >= fresh_max:
            return Claimed(owed, fresh[-1], more=True)
        return Claimed(owed, max(last, after), more)

    async def identifiers(self, hold: Hold, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """What people know resources by: field → value of each id."""
        found: dict[str, dict[str, str]] = {}
        async with self._transaction(hold) as connection:
            for row in await connection.fetch(_SQL["find_identifiers"], hold.project, ids):
                found.setdefault(row["id"], {})[row["field"]] = row["value"]
        return found

    async def record(self, hold: Hold, record: Record) -> None:
        """Note what became of notifications, all of it or nothing."""
        place = (hold.project, hold.id)
        async with self._transaction(hold) as connection:
            if record.accepted:
                await connection.execute(_SQL["settle"], *place, list(record.accepted))
            if record.buried:
                await self._bury(connection, place, record.buried)
            if record.held:
                rows = [(*each.lane, *each[1:]) for each in record.held]
                await connection.execute(_SQL["hold_lanes"], *place, *columns(rows, 6))
            if record.freed:
                freed = [(*each.lane, each.failed_at) for each in record.freed]
                await connection.execute(_SQL["free_lanes"], *place, *columns(freed, 3))
            numbers = (len(record.accepted), record.failures, len(record.buried))
            if any(numbers):
                await connection.execute(_SQL["count"], *place, *numbers, record.reason)
            if record.status is not None:
                await connection.execute(_SQL["set_status"], *place, record.status)

    async def _bury(self, connection: asyncpg.Connection, place: tuple[str, str], buried: Sequence[Buried]) -> None:
        places, reasons, attempts, since = columns(list(buried), 4)
        await connection.execute(_SQL["bury"], *place, places, reasons, attempts, since)
        await connection.execute(_SQL["bury_again"], *place, places, reasons, attempts)
        await connection.execute(_SQL["strike"], *place, places)

    @asynccontextmanager
    async def _transaction(self, hold: Hold | None = None) -> AsyncIterator[asyncpg.Connection]:
        """A transaction on the connection; for the holder of a subscription on none but the one that holds it."""
        async with self._turn:
            try:
                connection = await self._connected(hold)
                async with connection.transaction():
                    yield connection
            except HoldLost:
                raise
            except BaseException:
                self.hang_up()
                raise

    async def _connected(self, hold: Hold | None) -> asyncpg.Connection:
        connection = self._connection
        if connection is not None and not connection.is_closed() and (hold is None or hold.era == self._era):
            return connection
        if hold is not None:
            raise HoldLost(hold.id)
        self._connection = await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=ANSWER_SECONDS_MAX,
            server_settings=_SETTINGS,
        )
        self._era += 1
        return self._connection


def _owed(row: asyncpg.Record) -> Owed:
    body = row["body"]
    return Owed(*row.values())._replace(body=None if body is None else unpacked(body))


@asynccontextmanager
async def in_turn(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A transaction that owes something anew: between what was dealt out before and what will be after."""
    connection = await database.connect()
    try:
        async with connection.transaction():
            await connection.fetch(_SQL["lock_cursor"])
            yield connection
    finally:
        await connection.close()
