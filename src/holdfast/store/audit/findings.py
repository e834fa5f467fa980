"""The list of what was found, and how far each walk has come: both outlive the process that walks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg
import msgspec

from holdfast.store.audit.check import Finding, Place, Walk
from holdfast.store.audit.reading import statement
from holdfast.store.pool import Database
from holdfast.store.queries import columns

# Findings that are gone stay visible so long.
GONE_DAYS = 30
PURGE_BATCH_MAX = 500
# Open findings of one walk that are looked at again before each new pass.
OPEN_MAX = 500
# Where so much is broken, the next finding tells nothing new.
LISTED_MAX = 10_000


class Standing(NamedTuple):
    """How far a walk has come: in which project, after which place, since when."""

    project: str
    place: Place
    started_at: datetime
    spent_seconds: float = 0.0
    looked_at: int = 0
    passed_over: int = 0


class Listed(NamedTuple):
    """A finding on the list, and when it was first and last seen."""

    finding: Finding
    first_seen: datetime
    last_seen: datetime


async def record(connection: asyncpg.Connection, walk: Walk, findings: Sequence[Finding]) -> list[Finding]:
    """Put findings on the list, or note that they are still there; answers those that are new."""
    rows = [
        (each.project, each.check, each.kind, each.subject, walk.name, _text(each.place), each.detail, each.remedy)
        for each in findings
    ]
    if not rows:
        return []
    noted = await connection.fetch(statement("record_findings"), *columns(rows, 8), LISTED_MAX)
    new = {(row["project"], row["check_name"], row["kind"], row["subject"]) for row in noted if row["is_new"]}
    return [each for each in findings if each.identity in new]


async def strike(connection: asyncpg.Connection, findings: Iterable[Finding], mended: str | None = None) -> None:
    """Note that findings are gone, and what was done about them."""
    rows = [each.identity for each in findings]
    if rows:
        await connection.execute(statement("findings_gone"), *columns(rows, 4), mended)


async def open_findings(connection: asyncpg.Connection, walk: Walk) -> list[Finding]:
    """What is open of a walk, those not looked at for longest first."""
    rows = await connection.fetch(statement("open_findings"), walk.name, OPEN_MAX)
    return [_listed(row).finding for row in rows]


async def listed(
    database: Database, project: str, checks: Sequence[str], *, limit: int, offset: int = 0
) -> tuple[list[Listed], int]:
    """A page of what is open in a project, and how much there is in all."""
    rows = await database.fetch(statement("findings_of_project"), project, list(checks), limit, offset)
    total = await database.fetchrow(statement("count_findings"), project, list(checks))
    assert total is not None
    return [_listed(row) for row in rows], total["total"]


def _listed(row: asyncpg.Record) -> Listed:
    place = tuple(msgspec.json.decode(row["place"]))
    finding = Finding(
        row["project"], row["check_name"], row["kind"], row["subject"], place, row["detail"], row["remedy"]
    )
    return Listed(finding, row["first_seen"], row["last_seen"])


async def standings(connection: asyncpg.Connection, lane: str) -> dict[str, tuple[Standing, datetime | None]]:
    """How far the walks of a lane have come, and when each was last through."""
    rows = await connection.fetch(statement("passes"), lane)
    return {
        row["walk"]: (
            Standing(
                row["project"],
                tuple(msgspec.json.decode(row["place"])),
                row["started_at"],
                row["spent_seconds"],
                row["looked_at"],
                row["passed_over"],
            ),
            row["completed_at"],
        )
        for row in rows
    }


async def keep(connection: asyncpg.Connection, lane: str, walk: Walk, standing: Standing) -> None:
    """Note how far a walk has come."""
    project, place, *rest = standing
    await connection.execute(statement("keep_pass"), lane, walk.name, project, _text(place), *rest)


async def complete(connection: asyncpg.Connection, lane: str, walk: Walk, standing: Standing) -> None:
    """Note that a walk is through: what a whole pass has not seen is gone."""
    async with connection.transaction():
        await keep(connection, lane, walk, standing)
        await connection.execute(
            statement("complete_pass"), lane, walk.name, standing.spent_seconds, standing.looked_at
        )


async def strike_unseen(connection: asyncpg.Connection, walk: Walk, since: datetime) -> None:
    """What a whole pass did not see again is gone."""
    await connection.execute(statement("unseen_findings_gone"), walk.name, since)


async def purge(database: Database) -> int:
    """Forget a batch of findings that have been gone for long."""
    done = await database.execute(statement("purge_findings"), GONE_DAYS, PURGE_BATCH_MAX)
    return int(done.rpartition(" ")[2])


def _text(place: Place) -> str:
    return msgspec.json.encode(place).decode()


class Numbers(NamedTuple):
    """The audit in numbers: open findings of a check, or the last whole pass of a walk in its lane."""

    what: str
    name: str
    number: float | None
    age_seconds: float | None
    seconds: float | None
    passed_over: int | None


async def numbers(database: Database) -> list[Numbers]:
    """Open findings by check, and how each walk goes; for the metrics."""
    rows = await database.fetch(statement("audit_in_numbers"))
    return [Numbers(*(row[name] for name in Numbers._fields)) for row in rows]
