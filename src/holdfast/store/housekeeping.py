"""Finding what expires by itself, a bounded batch at a time."""

from __future__ import annotations

from typing import NamedTuple

from holdfast.store.pool import Database
from holdfast.store.queries import queries

BATCH_MAX = 100
# Published default of a project's carts configuration.
CART_LIFETIME_DAYS = 90


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
