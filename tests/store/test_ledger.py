"""Reading the ledger: lines, sums and counters of one moment."""

from __future__ import annotations

import asyncio

from holdfast.base import clock
from holdfast.base.ids import uuid7
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.inventory_entry import InventoryEntry, inventory_entries
from holdfast.commerce.resources.zone import Zone, zones
from holdfast.commerce.stock import StockLevel, StockMovement
from holdfast.store.change import change_of
from holdfast.store.ledger import account_of, places_of
from holdfast.store.store import Store

SALES = 150


async def an_entry(store: Store, project: str, units: int, sku: str = "mug") -> str:
    moment = clock.now()
    entry = InventoryEntry(id=uuid7(), version=1, created_at=moment, last_modified_at=moment, sku=sku)
    stock = [StockMovement("count", entry.id, units)]
    await store.commit(change_of(project, inventory_entries, None, Changed(entry, stock=stock)))
    return entry.id


async def move(store: Store, project: str, *movements: StockMovement) -> None:
    moment = clock.now()
    zone = Zone(id=uuid7(), version=1, created_at=moment, last_modified_at=moment, name="Europe")
    await store.commit(change_of(project, zones, None, Changed(zone, stock=movements)))


async def test_lines_say_what_the_counters_came_to(store: Store, project: str) -> None:
    entry = await an_entry(store, project, 5)
    await move(store, project, StockMovement("reserve", entry, 2), StockMovement("track", entry, 1))
    account = await account_of(store.database, project, entry, 2)
    assert [(line.movement, line.change, line.after) for line in account.lines] == [
        ("reserve", (0, 2), (5, 2)),
        ("track", (-1, 0), (4, 2)),
    ]
    assert (account.movements, account.total, account.counters, account.balanced) == (3, (4, 2), (4, 2), True)
    (first,) = (await account_of(store.database, project, entry, 9, account.lines[0].position)).lines
    assert (first.movement, first.after) == ("count", StockLevel(5, 0))


async def test_a_movement_can_have_a_moment_of_its_own(store: Store, project: str) -> None:
    entry = await an_entry(store, project, 5)
    await move(store, project, StockMovement("reserve", entry, 1, at="2026-01-31T10:00:00.000Z"))
    (line,) = (await account_of(store.database, project, entry, 1)).lines
    assert line.at == "2026-01-31T10:00:00.000Z"


async def test_an_entry_nobody_counted_has_no_lines(store: Store, project: str) -> None:
    account = await account_of(store.database, project, uuid7(), 10)
    assert (account.movements, list(account.lines), account.balanced) == (0, [], True)


async def test_the_books_balance_at_every_moment_of_a_sale(store: Store, project: str) -> None:
    entry = await an_entry(store, project, SALES)

    async def sell() -> None:
        for _ in range(SALES // 10):
            await asyncio.gather(*(move(store, project, StockMovement("reserve", entry, 1)) for _ in range(10)))

    selling = asyncio.create_task(sell())
    seen = set()
    while not selling.done():
        account = await account_of(store.database, project, entry, 5)
        assert account.balanced
        assert account.lines[-1].after == account.counters
        seen.add(account.movements)
    await selling
    assert len(seen) > 1
    assert (await account_of(store.database, project, entry, 1)).counters == (SALES, SALES)


async def test_an_item_is_found_wherever_it_lies(store: Store, project: str) -> None:
    sku, other = uuid7(), f"{project}-other"
    mine, theirs = await an_entry(store, project, 1, sku), await an_entry(store, other, 1, sku)
    found = await places_of(store.database, sku, None, None)
    assert {(place.project, place.entry_id) for place in found} == {(project, mine), (other, theirs)}
    assert [place.entry_id for place in await places_of(store.database, sku, other, None)] == [theirs]
    assert await places_of(store.database, sku, None, "depot") == []
