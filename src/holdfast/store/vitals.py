"""How the database does, as a part of the shop: asked once and soon, never patiently."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import asyncpg

from holdfast.store.pool import CONNECTION_LOST, Database
from holdfast.store.queries import queries

PROBE_SECONDS_MAX = 1.0
NUMBERS_SECONDS_MAX = 2.0
_SQL = queries("vitals")


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
    try:
        async with asyncio.timeout(NUMBERS_SECONDS_MAX):
            (row,) = await database.fetch(_SQL["database_in_numbers"])
    except (*CONNECTION_LOST, asyncpg.PostgresError):
        return None
    return DatabaseNumbers(*(row[name] for name in DatabaseNumbers._fields))
