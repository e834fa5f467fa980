"""What nobody took: listed, replayed, discarded. A letter that is replayed is none until it fails again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from holdfast.base.log import log
from holdfast.store.bodies import unpacked
from holdfast.store.pool import Database
from holdfast.store.queries import queries
from holdfast.store.relay import in_turn

_SQL = queries("dead_letters")
# Letters a page shows, and those one call replays or discards.
PAGE_MAX = 500
BATCH_MAX = 5_000
_FIRST = (datetime.min.replace(tzinfo=UTC), "00000000-0000-0000-0000-000000000000")


class DeadLetter(NamedTuple):
    """A notification that was given up. body: the message it carries, where it was asked for."""

    project: str
    id: str
    subscription_id: str
    subscription_key: str | None
    kind: str
    resource_id: str
    sequence_number: int
    message_id: str
    type: str
    created_at: datetime
    reason: str
    attempts: int
    first_failed_at: datetime
    buried_at: datetime
    body: bytes | None


class Choice(NamedTuple):
    """Which letters are meant: of a project, of a subscription (its key or id), or by their ids."""

    project: str | None = None
    subscription: str | None = None
    ids: Sequence[str] | None = None


async def letters(database: Database, chosen: Choice, after: DeadLetter | None = None) -> list[DeadLetter]:
    """A page of dead letters, the oldest first."""
    place = (after.buried_at, after.id) if after else _FIRST
    rows = await database.fetch(_SQL["list_letters"], chosen.project, chosen.subscription, *place, PAGE_MAX)
    return [DeadLetter(*row.values()) for row in rows]


async def letter(database: Database, letter_id: str) -> DeadLetter | None:
    """One dead letter with its message."""
    row = await database.fetchrow(_SQL["find_letter"], letter_id)
    if row is None:
        return None
    found = DeadLetter(*row.values())
    return found if found.body is None else found._replace(body=unpacked(found.body))


async def replay(database: Database, chosen: Choice) -> int:
    """Owe up to BATCH_MAX dead letters again; how many that were."""
    async with in_turn(database) as connection:
        rows = await connection.fetch(_SQL["replay_letters"], *chosen, BATCH_MAX)
    if rows:
        log.info("dead_letters.replayed", count=len(rows), project=chosen.project, subscription=chosen.subscription)
    return len(rows)


async def discard(database: Database, chosen: Choice) -> int:
    """Throw up to BATCH_MAX dead letters away; how many that were. Each is named in the log."""
    async with in_turn(database) as connection:
        rows = await connection.fetch(_SQL["discard_letters"], *chosen, BATCH_MAX)
    for row in rows:
        log.warning("dead_letter.discarded", **dict(row))
    return len(rows)
