"""How far tallies have counted, read from the primary; concurrent askers share a statement."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Sequence

from holdfast.store.coalescer import Coalescer
from holdfast.store.pool import Database
from holdfast.store.queries import columns, queries

Counter = tuple[str, str]  # project, tally name


class Tallies:
    """Reads counters; one nobody counted yet is at 0."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: Coalescer[Counter, int] = Coalescer(self._load)

    def used(self, project: str, name: str) -> Future[int]:
        """How far a tally has counted."""
        return self._counts.ask((project, name))

    async def _load(self, counters: Sequence[Counter]) -> Sequence[int]:
        sql = queries("tallies")["read_tallies"]
        rows = await self._database.fetch_keyed(sql, *columns(list(counters), 2))
        found = {row["n"]: row["used"] for row in rows}
        return [found.get(n, 0) for n in range(1, len(counters) + 1)]
