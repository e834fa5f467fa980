"""Messages as they happened: read for people who watch, owed again to a receiver who asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from holdfast.store.bodies import unpacked
from holdfast.store.pool import Database
from holdfast.store.queries import queries
from holdfast.store.relay import in_turn

_SQL = queries("events")
PAGE_MAX = 500
# Messages one call of a replay looks at; who wants more goes on where it ended.
REPLAY_MAX = 5_000


class Event(NamedTuple):
    """A message, with where it stands in the outbox."""

    position: int
    project: str
    kind: str
    resource_id: str
    sequence_number: int
    id: str
    resource_version: int
    type: str
    created_at: datetime
    body: bytes


class Span(NamedTuple):
    """What happened in a project from one moment up to another."""

    project: str
    since: datetime
    until: datetime


class Replayed(NamedTuple):
    """How many messages are owed again, and after which position to go on; None when all were seen."""

    owed: int
    go_on_after: int | None


async def events(
    database: Database,
    project: str | None,
    types: Sequence[str] | None,
    after: int | None,
    limit: int = PAGE_MAX,
) -> list[Event]:
    """Messages after a position, or the latest ones; in the order of their positions."""
    rows = await database.fetch(_SQL["read_events"], project, types, after, min(limit, PAGE_MAX))
    return [Event(*row.values())._replace(body=unpacked(row["body"])) for row in rows]


async def subscription_id(database: Database, project: str, key: str) -> str | None:
    """The id of the subscription with this key, or id."""
    row = await database.fetchrow(_SQL["find_subscription"], project, key)
    return row["id"] if row is not None else None


async def replay_span(database: Database, subscription: str, span: Span, after: int = 0) -> Replayed:
    """Owe a subscription the messages of a span of time again, under their first ids and in their order."""
    async with in_turn(database) as connection:
        (row,) = await connection.fetch(_SQL["replay_events"], subscription, *span, after, REPLAY_MAX)
    return Replayed(row["owed"], row["last"] if row["seen"] == REPLAY_MAX else None)
