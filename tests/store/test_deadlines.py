"""What a deadline ends and what it does not: waiting ends, a transaction that has begun is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import asyncpg
import pytest
from msgspec.structs import replace

from holdfast.base import clock, deadline
from holdfast.base.deadline import Deadline
from holdfast.base.errors import DeadlineExceeded, PendingOperation
from holdfast.base.ids import uuid7
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.zone import Zone, zones
from holdfast.store.change import Change, change_of
from holdfast.store.store import Store

PATIENCE_SECONDS = 10.0


def a_zone() -> Zone:
    moment = clock.now()
    return Zone(id=uuid7(), version=1, created_at=moment, last_modified_at=moment, name="north")


def creation(project: str, zone: Zone) -> Change:
    return change_of(project, zones, None, Changed(zone))


def renaming(project: str, zone: Zone) -> Change:
    return change_of(project, zones, zone, Changed(replace(zone, version=2, name="south")))


async def commit_within(store: Store, seconds: float, change: Change) -> None:
    with Deadline(seconds):
        await store.commit(change)


async def is_stored(store: Store, project: str, zone: Zone) -> bool:
    return await store.get(zones.name, project, zone.id) is not None


async def until_somebody_waits(connection: asyncpg.Connection) -> None:
    """Until a transaction waits for the row that this connection holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pass


@asynccontextmanager
async def stuck(
    store: Store, url: str, project: str, zone: Zone, first: Coroutine[None, None, None]
) -> AsyncIterator[asyncio.Task[None]]:
    """Somebody else holds the zone's row, and `first` is stuck on it in a transaction of the committer's."""
    await store.commit(creation(project, zone))
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM zone WHERE project = $1 AND id = $2 FOR UPDATE", project, zone.id)
            begun = asyncio.create_task(first)
            await until_somebody_waits(connection)
            yield begun
    finally:
        await connection.close()


async def test_a_change_whose_time_is_over_before_its_batch_begins_is_not_committed(
    store: Store, postgres: str, project: str
) -> None:
    zone, late, last = a_zone(), a_zone(), a_zone()
    async with stuck(store, postgres, project, zone, store.commit(renaming(project, zone))) as first:
        with pytest.raises(DeadlineExceeded):
            await commit_within(store, 0.02, creation(project, late))
    await first
    await store.commit(creation(project, last))
    assert await is_stored(store, project, last)
    assert not await is_stored(store, project, late)


async def test_a_transaction_that_has_begun_outlasts_its_deadline(store: Store, postgres: str, project: str) -> None:
    zone = a_zone()
    async with stuck(store, postgres, project, zone, commit_within(store, 0.2, renaming(project, zone))) as begun:
        with pytest.raises(DeadlineExceeded):  # one that came later and waits as long: the first is overdue
            await commit_within(store, 0.2, creation(project, a_zone()))
        assert not begun.done()
    await begun


async def test_a_client_that_cannot_wait_longer_is_told_that_the_outcome_is_unknown(
    store: Store, postgres: str, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "COMMIT_GRACE_SECONDS", 0.1)
    zone = a_zone()
    async with stuck(store, postgres, project, zone, commit_within(store, 0.2, renaming(project, zone))) as begun:
        with pytest.raises(PendingOperation):
            await begun
    await store.commit(creation(project, a_zone()))
    document = await store.get(zones.name, project, zone.id)
    assert document is not None
    assert document.version == 2


async def test_a_query_is_cancelled_in_the_database_when_its_time_is_over(store: Store) -> None:
    with pytest.raises(DeadlineExceeded), Deadline(0.05):
        await store.database.fetch("SELECT pg_sleep(30)")
    running = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(30)%'"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await store.database.fetch(running):
            pass
