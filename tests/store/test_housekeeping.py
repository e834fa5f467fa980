"""What the background worker looks for, and how little it reads to find it."""

from __future__ import annotations

from holdfast.base import clock
from holdfast.store.housekeeping import BATCH_MAX, carts_to_release
from holdfast.store.queries import queries
from holdfast.store.store import Store


async def test_looking_for_expired_reservations_reads_only_carts_that_have_some(store: Store) -> None:
    connection = await store.database.connect()
    try:
        sql = queries("housekeeping")["find_expired_reservations"]
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {sql}", clock.now(), BATCH_MAX))
    finally:
        await connection.close()
    assert '"cart_reservedUntil"' in plan


async def test_where_nothing_is_due_nothing_is_found(store: Store) -> None:
    assert await carts_to_release(store.database, "2000-01-01T00:00:00.000Z") == []
