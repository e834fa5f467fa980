"""What the operations page lists: rows an operator acts on, of all projects, the newest first."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from holdfast.store.pool import Database
from holdfast.store.queries import queries

FINDINGS_MAX = 50


class OpenFinding(NamedTuple):
    """Something the audit found that is still so."""

    project: str
    check_name: str
    kind: str
    subject: str
    detail: str
    remedy: str
    first_seen: datetime
    last_seen: datetime


async def newest_findings(database: Database) -> list[OpenFinding]:
    """The newest of what is open, FINDINGS_MAX at most."""
    rows = await database.fetch(queries("operations")["newest_findings"], FINDINGS_MAX)
    return [OpenFinding(*row.values()) for row in rows]
