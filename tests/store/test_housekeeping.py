"""What the worker does for the database: old marks go, and the planner hears of tables that grew."""

from __future__ import annotations

from holdfast.base.ids import uuid7
from holdfast.store.housekeeping import GROWN_ROWS, analyze_grown, purge_fates
from holdfast.store.store import Store


async def test_marks_of_old_batches_go_and_young_ones_stay(store: Store) -> None:
    old, young = uuid7(), uuid7()
    for fate, age in ((old, "25 hours"), (young, "1 hour")):
        await store.database.execute(
            "INSERT INTO fate (id, committed, decided_at) VALUES ($1, true, now() - $2::text::interval)", fate, age
        )
    assert await purge_fates(store.database) >= 1
    left = await store.database.fetch("SELECT id FROM fate WHERE id = ANY($1::uuid[])", [old, young])
    assert [str(row["id"]) for row in left] == [young]


async def test_a_table_that_grew_is_analyzed_once(store: Store, project: str) -> None:
    await store.database.execute(
        "INSERT INTO tally (project, name) SELECT $1, n::text FROM generate_series(1, $2) n", project, 5 * GROWN_ROWS
    )
    await store.database.execute("SELECT pg_stat_force_next_flush()")
    assert await analyze_grown(store.database) >= 1
    row = await store.database.fetchrow("SELECT reltuples FROM pg_class WHERE relname = 'tally'")
    assert row is not None
    assert row["reltuples"] >= 5 * GROWN_ROWS
    await store.database.execute("SELECT pg_stat_force_next_flush()")
    assert await analyze_grown(store.database) == 0
