"""How the relay fares, in numbers: for metrics, for the operations page and for `holdfast events`."""

from __future__ import annotations

from typing import NamedTuple

from holdfast.store.pool import Database
from holdfast.store.queries import queries
from holdfast.store.relay import Standing

# What waits is counted up to here.
COUNTED_MAX = 1_000_000


class Backlog(NamedTuple):
    """What was not dealt out to subscriptions yet: how many positions, and the age of the oldest."""

    undealt: int
    oldest_seconds: float | None


async def standings(database: Database) -> list[Standing]:
    """How every subscription of every project fares."""
    rows = await database.fetch(queries("relay")["standing"], COUNTED_MAX)
    return [Standing(*row.values()) for row in rows]


async def backlog(database: Database) -> Backlog:
    row = await database.fetchrow(queries("relay")["backlog"], COUNTED_MAX)
    assert row is not None, "a migration put the one row there"
    return Backlog(row["undealt"], row["oldest_seconds"])
