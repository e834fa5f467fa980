"""What can be mended is gone after it was mended, and says what was done."""

from __future__ import annotations

import pytest
from tests.audit.conftest import Desk

from holdfast.base.ids import order_id
from holdfast.delivery.mending import Mended, mend
from holdfast.store.audit import reading
from holdfast.store.audit.examine import checks, walks
from holdfast.store.audit.reading import connect
from holdfast.store.store import Store

OWN_WALKS = ("stock", "stock held", "unique values")


async def mended(desk: Desk) -> list[Mended]:
    """Audit, and mend all that was found."""
    walk_of = {(check.name, walk.name): walk for walk in walks() for check in walk.checks}
    connection = await connect(desk.dsn)
    # A store that remembers nothing from before, like that of a command.
    store = Store(desk.dsn)
    await store.open()
    try:
        return [
            await mend(store, connection, walk, finding)
            for finding in await desk.audit()
            for (check, name), walk in walk_of.items()
            if check == finding.check and name in (f"{finding.kind} documents", *OWN_WALKS)
        ]
    finally:
        await store.close()
        await connection.close()


async def test_counters_are_set_to_what_the_ledger_and_the_orders_say(desk: Desk) -> None:
    sku, entry = await desk.sku()
    await desk.order(await desk.cart(sku, 3))
    await desk.sql("UPDATE stock SET on_stock = 99, reserved = 50 WHERE entry_id = $1", entry["id"])
    first, second = await mended(desk)
    assert first.done == "on stock 99 → 10, reserved 50 → 3, in the ledger 3 → 3"
    assert second.why_not == "it is gone already"
    assert await desk.audit() == []
    found = await desk.get(f"/inventory/{entry['id']}")
    assert (found["quantityOnStock"], found["availableQuantity"]) == (10, 7)


async def test_a_ledger_that_forgot_a_reservation_gets_a_correction(desk: Desk) -> None:
    sku, entry = await desk.sku()
    await desk.order(await desk.cart(sku, 3))
    await desk.sql("DELETE FROM stock_ledger WHERE entry_id = $1 AND movement = 'reserve'", entry["id"])
    [done] = await mended(desk)
    assert done.done == "on stock 10 → 10, reserved 3 → 3, in the ledger 0 → 3"
    assert await desk.audit() == []
    rows = await desk.sql("SELECT movement, reserved FROM stock_ledger WHERE entry_id = $1", entry["id"])
    assert [tuple(row) for row in rows][-1] == ("correct", 3)


async def test_what_carts_keep_from_others_is_counted_in(desk: Desk) -> None:
    sku, entry = await desk.sku()
    await may_reserve(desk)
    await desk.cart(sku, 4, inventoryMode="ReserveOnCart")
    assert await desk.audit() == []
    await desk.sql("UPDATE stock SET reserved = 9 WHERE entry_id = $1", entry["id"])
    assert (await mended(desk))[0].done == "on stock 10 → 10, reserved 9 → 4, in the ledger 4 → 4"
    assert await desk.audit() == []


async def test_every_cart_that_keeps_stock_is_counted_however_many_there_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS_AHEAD", 2)
    sku, entry = await desk.sku()
    await may_reserve(desk)
    for _ in range(5):
        await desk.cart(sku, 2, inventoryMode="ReserveOnCart")
    assert await desk.audit() == []
    await desk.sql("UPDATE stock SET reserved = 9 WHERE entry_id = $1", entry["id"])
    assert (await mended(desk))[0].done == "on stock 10 → 10, reserved 9 → 10, in the ledger 10 → 10"


async def may_reserve(desk: Desk) -> None:
    project = await desk.get("")
    hour = {"action": "setReservationExpirationInMinutes", "reservationExpirationInMinutes": 60}
    await desk.create("", {"version": project["version"], "actions": [hour]})


async def test_a_value_whose_owner_is_gone_is_released(desk: Desk) -> None:
    zone = await desk.create("/zones", {"key": "zone", "name": "Zone"})
    await desk.sql("DELETE FROM zone WHERE id = $1", zone["id"])
    [done] = await mended(desk)
    assert done.done == "released key = zone"
    assert (await desk.create("/zones", {"key": "zone", "name": "Zone"}))["key"] == "zone"
    # The messages of the lost zone are none, so nothing else is left of it.
    assert await desk.audit() == []


async def test_a_value_nobody_owns_is_claimed_and_one_that_others_own_is_not(desk: Desk) -> None:
    first = await desk.create("/zones", {"key": "first", "name": "Zone"})
    second = await desk.create("/zones", {"key": "second", "name": "Zone"})
    await desk.sql("DELETE FROM unique_value WHERE id = $1", first["id"])
    await desk.rewrite("zone", second["id"], lambda body: body.update(key="first"))
    await desk.sql("DELETE FROM unique_value WHERE id = $1", second["id"])
    claimed, left = await mended(desk)
    assert claimed.done == "claimed key = first"
    assert "belongs to" in left.finding.detail
    assert left.is_left


async def test_an_ordered_cart_without_its_order_can_be_ordered_again(desk: Desk) -> None:
    sku, _ = await desk.sku()
    cart = await desk.cart(sku)
    await desk.rewrite("cart", cart["id"], lambda body: body.update(cartState="Ordered"))
    [done] = await mended(desk)
    assert done.done == f"cart {cart['id']} is Active again"
    again = await desk.get(f"/carts/{cart['id']}")
    assert (await desk.order(again))["id"] == order_id(desk.project, cart["id"])
    assert await desk.audit() == []


async def test_a_cart_whose_order_was_placed_and_is_lost_is_not_ordered_again(desk: Desk) -> None:
    sku, _ = await desk.sku()
    order = await desk.order(await desk.cart(sku, inventoryMode="None"))
    await desk.sql('DELETE FROM "order" WHERE id = $1', order["id"])
    [left] = await mended(desk)
    assert (left.finding.check, left.done, left.is_left) == ("cart-without-order", None, True)
    assert order["id"] in left.why_not
    assert (await desk.get(f"/carts/{order['cart']['id']}"))["cartState"] == "Ordered"


async def test_what_needs_a_person_is_left_as_it_is(desk: Desk) -> None:
    zone = await desk.create("/zones", {"key": "zone", "name": "Zone"})
    await desk.sql("UPDATE zone SET version = 7 WHERE id = $1", zone["id"])
    before = await desk.audit()
    [left] = await mended(desk)
    assert (left.done, left.is_left, left.why_not) == (None, True, checks()["version"].remedy)
    assert await desk.audit() == before
