"""The ledger, tallies and idempotency keys: what a batch writes beside the resources, all or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from holdfast.base import clock
from holdfast.base.errors import (
    ConcurrentModification,
    DiscountCodeNonApplicable,
    DuplicateField,
    IdempotencyKeyTaken,
)
from holdfast.base.ids import uuid7
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.inventory_entry import InventoryEntry, inventory_entries
from holdfast.commerce.resources.zone import Zone, zones
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.tally import Tally
from holdfast.store.bodies import unpacked
from holdfast.store.change import Change, Reply, change_of
from holdfast.store.store import Store

BUYERS = 60
LIMIT = 7
SPENT = DiscountCodeNonApplicable("The code is used up.", discount_code_id="code")


def a_zone(key: str | None = None) -> Zone:
    moment = clock.now()
    return Zone(id=uuid7(), version=1, created_at=moment, last_modified_at=moment, name="Europe", key=key)


def creation(project: str, *, key: str | None = None, reply: Reply | None = None, **side: object) -> Change:
    return change_of(project, zones, None, Changed(a_zone(key), **side), reply=reply)  # type: ignore[arg-type]


def an_entry() -> InventoryEntry:
    moment = clock.now()
    return InventoryEntry(id=uuid7(), version=1, created_at=moment, last_modified_at=moment, sku=uuid7())


async def verdicts(store: Store, changes: Sequence[Change]) -> list[BaseException | None]:
    return list(await asyncio.gather(*map(store.commit, changes), return_exceptions=True))


async def new_entry(store: Store, project: str, units: int) -> InventoryEntry:
    entry = an_entry()
    stock = [StockMovement("receive", entry.id, units)]
    await store.commit(change_of(project, inventory_entries, None, Changed(entry, stock=stock)))
    return entry


async def counters(store: Store, project: str, entry: InventoryEntry) -> tuple[int, int] | None:
    row = await store.database.fetchrow(
        "SELECT on_stock, reserved FROM stock WHERE project = $1 AND entry_id = $2", project, entry.id
    )
    return (row["on_stock"], row["reserved"]) if row else None


async def ledger(store: Store, project: str, entry: InventoryEntry) -> list[tuple[str, int, int]]:
    rows = await store.database.fetch(
        "SELECT movement, on_stock, reserved FROM stock_ledger WHERE project = $1 AND entry_id = $2 ORDER BY position",
        project,
        entry.id,
    )
    return [(row["movement"], row["on_stock"], row["reserved"]) for row in rows]


async def test_the_ledger_tells_every_movement_and_adds_up_to_the_counters(store: Store, project: str) -> None:
    entry = await new_entry(store, project, 10)
    for kind, quantity in (("reserve", 4), ("track", 3), ("release", 9), ("count", 20)):
        await store.commit(creation(project, stock=[StockMovement(kind, entry.id, quantity)]))  # type: ignore[arg-type]
    lines = await ledger(store, project, entry)
    assert lines == [("receive", 10, 0), ("reserve", 0, 4), ("track", -3, 0), ("release", 0, -4), ("count", 13, 0)]
    assert await counters(store, project, entry) == (20, 0)


async def test_a_refused_reservation_leaves_no_line(store: Store, project: str) -> None:
    entry = await new_entry(store, project, LIMIT)
    answers = await verdicts(
        store, [creation(project, stock=[StockMovement("reserve", entry.id, 1)]) for _ in range(BUYERS)]
    )
    assert answers.count(None) == LIMIT
    assert await ledger(store, project, entry) == [("receive", LIMIT, 0), *[("reserve", 0, 1)] * LIMIT]


async def test_an_entry_that_goes_leaves_a_ledger_of_zero(store: Store, project: str) -> None:
    entry = await new_entry(store, project, 5)
    await store.commit(creation(project, stock=[StockMovement("reserve", entry.id, 2)]))
    await store.commit(change_of(project, inventory_entries, entry, Changed(entry), delete=True))
    assert (await ledger(store, project, entry))[-1] == ("close", -5, -2)
    assert await counters(store, project, entry) is None


async def used(store: Store, project: str, name: str) -> int:
    row = await store.database.fetchrow("SELECT used FROM tally WHERE project = $1 AND name = $2", project, name)
    return int(row["used"]) if row else 0


async def test_a_limit_holds_against_a_crowd_in_two_processes(store: Store, postgres: str, project: str) -> None:
    other = Store(postgres)
    await other.open()
    try:
        uses = [creation(project, tallies=[Tally("code", 1, LIMIT, SPENT)]) for _ in range(BUYERS)]
        answers = await verdicts(store, uses[::2]) + await verdicts(other, uses[1::2])
    finally:
        await other.close()
    assert answers.count(None) == LIMIT
    assert answers.count(SPENT) == BUYERS - LIMIT
    assert await used(store, project, "code") == LIMIT


async def test_a_tally_of_a_refused_change_is_not_counted(store: Store, project: str) -> None:
    await store.commit(creation(project, key="taken"))
    (answer,) = await verdicts(store, [creation(project, key="taken", tallies=[Tally("code", 1, LIMIT, SPENT)])])
    assert isinstance(answer, DuplicateField)
    assert await used(store, project, "code") == 0


async def test_how_far_a_tally_has_counted_can_be_read(store: Store, project: str) -> None:
    other = f"{project}-2"
    await store.commit(creation(project, tallies=[Tally("card", 3, None, SPENT)]))
    await store.commit(creation(other, tallies=[Tally("card", 4, None, SPENT)]))
    asked = [(project, "card"), (project, "nobody's"), (other, "card"), (project, "card")]
    assert await asyncio.gather(*(store.used(*each) for each in asked)) == [3, 0, 4, 3]


async def test_what_is_given_back_can_be_used_again(store: Store, project: str) -> None:
    await store.commit(creation(project, tallies=[Tally("card", LIMIT, LIMIT, SPENT)]))
    await store.commit(creation(project, tallies=[Tally("card", -2, None, SPENT)]))
    await store.commit(creation(project, tallies=[Tally("card", 2, LIMIT, SPENT)]))
    assert await used(store, project, "card") == LIMIT


def keyed(project: str, key: str, fingerprint: bytes = b"f") -> Change:
    return creation(project, reply=Reply("client", key, fingerprint, 201))


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_a_key_commits_with_the_first_change_that_uses_it(store: Store, project: str, *, together: bool) -> None:
    changes = [keyed(project, "k") for _ in range(5)]
    if together:
        answers = await verdicts(store, changes)
    else:
        answers = [(await verdicts(store, [change]))[0] for change in changes]
    assert answers.count(None) == 1
    assert sum(isinstance(answer, IdempotencyKeyTaken) for answer in answers) == 4
    won = changes[answers.index(None)].puts[0]
    (row,) = await store.database.fetch("SELECT * FROM idempotency WHERE project = $1", project)
    assert (row["status"], row["kind"], str(row["resource_id"]), row["version"]) == (201, "zone", won.id, 1)
    assert unpacked(row["body"]) == won.body
    made = await store.database.fetch("SELECT id FROM zone WHERE project = $1", project)
    assert [zone["id"] for zone in made] == [row["resource_id"]]


async def test_a_key_of_a_deletion_keeps_the_last_body(store: Store, project: str) -> None:
    zone = a_zone()
    await store.commit(change_of(project, zones, None, Changed(zone)))
    reply = Reply("client", "gone", b"f", 200)
    gone = change_of(project, zones, zone, Changed(zone), delete=True, reply=reply)
    await store.commit(gone)
    (row,) = await store.database.fetch("SELECT * FROM idempotency WHERE project = $1", project)
    assert zones.decode(unpacked(row["body"])) == zone


async def test_a_key_of_a_refused_change_stays_free(store: Store, project: str) -> None:
    await store.commit(creation(project, key="taken"))
    reply = Reply("client", "k", b"f", 201)
    (answer,) = await verdicts(store, [creation(project, key="taken", reply=reply)])
    assert isinstance(answer, DuplicateField)
    await store.commit(creation(project, key="free", reply=reply))


async def test_an_id_made_by_another_process_is_a_conflict(store: Store, project: str) -> None:
    change = creation(project)
    await store.commit(change)
    (answer,) = await verdicts(store, [change])
    assert isinstance(answer, ConcurrentModification)


async def test_every_commit_marks_its_fate(store: Store, project: str) -> None:
    before = await store.database.fetchrow("SELECT count(*) AS n FROM fate")
    await store.commit(creation(project))
    after = await store.database.fetchrow("SELECT count(*) AS n FROM fate")
    assert before is not None
    assert after is not None
    assert after["n"] > before["n"]


async def test_whoever_asks_for_an_open_batch_waits_and_then_takes_its_place(store: Store, postgres: str) -> None:
    """The old transaction is still open when its fate is asked for: it must not commit unseen afterwards."""
    fate = uuid7()
    old = await asyncpg.connect(postgres)
    await old.execute("BEGIN")
    await old.execute("INSERT INTO fate (id, committed) VALUES ($1, true)", fate)
    question = asyncio.create_task(store._committer._did_commit(fate))
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    while not await store.database.fetch(waiting):  # noqa: ASYNC110 - the event is inside PostgreSQL
        await asyncio.sleep(0)
    assert not question.done()
    old.terminate()
    assert await question is False
    assert await store._committer._did_commit(fate) is False, "asked again, because the answer was lost: still no"
