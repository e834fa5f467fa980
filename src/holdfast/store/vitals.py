"""How the database does, as a part of the shop: asked once and soon, never patiently."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, TypeVar

import asyncpg

from holdfast.base.errors import ApiError
from holdfast.store.pool import CONNECTION_LOST, Database
from holdfast.store.queries import queries

PROBE_SECONDS_MAX = 1.0
NUMBERS_SECONDS_MAX = 2.0
# What waits is counted up to here: whoever has that many need not know how many more.
COUNTED_MAX = 10_000
_SQL = queries("vitals")
N = TypeVar("N", "DatabaseNumbers", "EventNumbers")


class DatabaseNumbers(NamedTuple):
    """Connections to this database and what they do, transactions since its statistics began, standbys."""

    active: float
    idle: float
    in_transaction: float
    waiting: float
    allowed: float
    oldest_seconds: float
    committed: float
    rolled_back: float
    deadlocks: float
    bytes: float
    standbys: float
    lag_seconds: float


class EventNumbers(NamedTuple):
    """Events of all subscriptions: what waits, what was given up, and for how long the oldest have waited."""

    owed: float
    held: float
    dead: float
    undealt: float
    undealt_seconds: float
    delivered: float
    failed: float
    buried: float
    lag_seconds: float

    @property
    def wait_seconds(self) -> float:
        """The longest an event has waited for somebody who takes events."""
        return max(self.undealt_seconds, self.lag_seconds)


async def database_trouble(database: Database) -> str | None:
    """Why the database does not answer; None when it does."""
    try:
        async with asyncio.timeout(PROBE_SECONDS_MAX):
            await database.fetch(_SQL["probe"])
    except TimeoutError:
        return f"It has not answered for {PROBE_SECONDS_MAX:g} s."
    except (*CONNECTION_LOST, asyncpg.PostgresError) as problem:
        return str(problem) or type(problem).__name__
    return None


async def database_numbers(database: Database) -> DatabaseNumbers | None:
    """The numbers of the moment; None when the database does not answer in time."""
    return await _row(database, "database_in_numbers", DatabaseNumbers)


async def event_numbers(database: Database) -> EventNumbers | None:
    """How events fare at the moment; None when the database does not answer in time."""
    return await _row(database, "events_in_numbers", EventNumbers, COUNTED_MAX)


async def _row(database: Database, name: str, shape: type[N], *arguments: object) -> N | None:
    try:
        async with asyncio.timeout(NUMBERS_SECONDS_MAX):
            rows = await database.fetch(_SQL[name], *arguments)
    except (*CONNECTION_LOST, asyncpg.PostgresError, ApiError):
        return None
    return shape(*rows[0].values())
