"""Finding what expires by itself, a bounded batch at a time; and keeping the planner informed."""

from __future__ import annotations

from typing import NamedTuple

from holdfast.store.pool import Database
from holdfast.store.queries import queries

BATCH_MAX = 100
# Published default of a project's carts configuration.
CART_LIFETIME_DAYS = 90
FATES_MAX = 5_000
# A table is analyzed once it has this many rows, and again when they are so many times as many.
GROWN_ROWS = 500
GROWN_TIMES = 4


class Due(NamedTuple):
    """A resource whose time has come, as it was found."""

    project: str
    id: str
    version: int


async def carts_to_delete(database: Database) -> list[Due]:
    """Carts nobody has touched for as long as they ask to be kept."""
    return await _due(database, "find_expired_carts", CART_LIFETIME_DAYS)


async def carts_to_release(database: Database, now: str) -> list[Due]:
    """Carts with a reservation whose time is over, in projects that give such reservations back."""
    return await _due(database, "find_expired_reservations", now)


async def _due(database: Database, name: str, *arguments: object) -> list[Due]:
    rows = await database.fetch(queries("housekeeping")[name], *arguments, BATCH_MAX)
    return [Due(row["project"], row["id"], row["version"]) for row in rows]


async def purge_fates(database: Database) -> int:
    """Forget the marks of old batches."""
    return len(await database.fetch(queries("housekeeping")["purge_fates"], FATES_MAX))


async def analyze_grown(database: Database) -> int:
    """Tell the planner of tables that have grown by a multiple.

    Statements by key are planned once and kept. One planned on a young shop's empty tables may walk an
    index by its first column, which was as good as any then. Analyzing a table has its statements
    planned anew; PostgreSQL's own housekeeping comes to that a minute later.
    """
    sql = queries("housekeeping")
    grown = await database.fetch(sql["find_grown_tables"], GROWN_ROWS, GROWN_TIMES)
    for row in grown:
        await database.execute(sql["analyze"].replace("{table}", row["table"]))
    return len(grown)
