"""What the operations page lists: rows an operator acts on, of all projects, the newest first."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from holdfast.store.pool import Database
from holdfast.store.queries import queries

FINDINGS_MAX = 50
DEAD_LETTERS_MAX = 50


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


class DeadLetter(NamedTuple):
    """A notification nobody took; replayed_at: when somebody sent it on its way again."""

    project: str
    id: str
    subscription_id: str
    subscription_key: str | None
    kind: str
    resource_id: str
    type: str
    sequence_number: int
    reason: str
    attempts: int
    created_at: datetime
    first_failed_at: datetime
    buried_at: datetime
    replayed_at: datetime | None


async def newest_findings(database: Database) -> list[OpenFinding]:
    """The newest of what is open, FINDINGS_MAX at most."""
    rows = await database.fetch(queries("operations")["newest_findings"], FINDINGS_MAX)
    return [OpenFinding(*row.values()) for row in rows]


async def newest_dead_letters(database: Database) -> list[DeadLetter]:
    """The newest of what was given up, DEAD_LETTERS_MAX at most."""
    rows = await database.fetch(queries("operations")["newest_dead_letters"], DEAD_LETTERS_MAX)
    return [DeadLetter(*row.values()) for row in rows]
