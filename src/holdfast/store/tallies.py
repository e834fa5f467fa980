"""How far tallies have counted, read from the primary."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.store.pool import Database, patiently
from holdfast.store.queries import queries


async def read_tallies(database: Database, project: str, names: Sequence[str]) -> dict[str, int]:
    """The uses each of these tallies has counted; one nobody counted yet is at 0."""
    sql = queries("tallies")["read_tallies"]
    rows = await patiently(lambda: database.fetch_keyed(sql, (project, list(names))))
    found = {row["name"]: row["used"] for row in rows}
    return {name: found.get(name, 0) for name in names}
