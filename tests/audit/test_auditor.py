"""The background audit: sees no ghosts while a shop sells, lists what it finds, goes on where it was killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.audit.conftest import Desk

from holdfast.base.counts import counts
from holdfast.base.ids import uuid7
from holdfast.base.series import SLICES, place
from holdfast.delivery.auditing import Auditor, Lane, whole_lane
from holdfast.delivery.mending import mend
from holdfast.delivery.objectives import Objectives
from holdfast.store.audit.examine import Page, examine_page, walks
from holdfast.store.audit.reading import FIRST_ID, connect, statement

PASSES = 3
SECONDS_MAX = 60


def a_lane(*names: str, rest_seconds: float = 3600) -> Lane:
    """A lane of its own, of some walks."""
    chosen = [walk for walk in walks() if walk.name in names]
    return whole_lane()._replace(name=f"test-{uuid7()}", walks=chosen, rest_seconds=rest_seconds)


async def whole_pass(desk: Desk, lane: Lane) -> None:
    auditor = Auditor(desk.dsn, lane._replace(name=f"test-{uuid7()}"))
    while await auditor.step():
        pass
    auditor.stop()


async def leave_alone(desk: Desk) -> None:
    """Forget all other projects, and what was seen of them: one project is soon looked through."""
    for table in ("project", "api_client"):
        await desk.sql(f"DELETE FROM {table} WHERE project <> $1", desk.project)
    for table in ("audit_pass", "finding"):
        await desk.sql(f"DELETE FROM {table}")


async def listed(desk: Desk) -> list[Any]:
    """What is on the list of this project, and whether it is gone."""
    rows = await desk.sql(
        "SELECT check_name, gone_at IS NOT NULL AS gone FROM finding WHERE project = $1 ORDER BY 1", desk.project
    )
    return [tuple(row) for row in rows]


async def test_there_are_no_findings_while_shoppers_buy_cancel_and_come_back(desk: Desk) -> None:
    skus = [await desk.sku(1000) for _ in range(2)]
    over = asyncio.Event()
    sold = 0

    async def shop(number: int) -> None:
        nonlocal sold
        while not over.is_set():
            sku, entry = skus[number % 2]
            cart = await desk.cart(sku)
            order = await desk.order(cart, orderNumber=f"{desk.project}-{desk.number()}")
            sold += 1
            await desk.update("/orders", order, {"action": "changeOrderState", "orderState": "Cancelled"})
            now = await desk.get(f"/inventory/{entry['id']}")
            with contextlib.suppress(AssertionError):  # another shopper changed it first
                await desk.update("/inventory", now, {"action": "addQuantity", "quantity": 1})
            assert (await desk.send("DELETE", f"/orders/{order['id']}?version=2")).status_code == 200

    shoppers = [asyncio.create_task(shop(number)) for number in range(6)]
    try:
        for _ in range(PASSES):
            before = sold
            assert await desk.audit() == []
            assert sold > before
    finally:
        over.set()
        await asyncio.gather(*shoppers)


async def test_findings_are_listed_until_they_are_gone_and_open_again_when_they_come_back(desk: Desk) -> None:
    lane = a_lane("zone documents")
    zone = await desk.create("/zones", {"key": "zone", "name": "Zone"})
    await desk.sql("UPDATE zone SET version = 7 WHERE id = $1", zone["id"])
    for version, gone in ((7, False), (1, True), (7, False)):
        await desk.sql("UPDATE zone SET version = $2 WHERE id = $1", zone["id"], version)
        await whole_pass(desk, lane)
        assert await listed(desk) == [("version", gone)]
    await desk.sql("DELETE FROM zone WHERE id = $1", zone["id"])
    await whole_pass(desk, lane)
    assert await listed(desk) == [("version", True)]


async def test_an_auditor_goes_on_where_another_was_killed(desk: Desk) -> None:
    for number in range(3):
        await desk.create("/zones", {"key": f"zone-{number}", "name": "Zone"})
    lane = a_lane("zone documents")
    lane = lane._replace(walks=[lane.walks[0]._replace(page_max=1)])
    first, second = Auditor(desk.dsn, lane), Auditor(desk.dsn, lane)
    [before] = await desk.sql("SELECT count(*) AS zones FROM zone")
    for _ in range(2):
        assert await first.step()
    first.stop()
    while await second.step():
        pass
    second.stop()
    [row] = await desk.sql(
        "SELECT last_looked_at, completed_at IS NOT NULL AS done FROM audit_pass WHERE lane = $1", lane.name
    )
    assert (row["last_looked_at"], row["done"]) == (before["zones"], True)


async def test_what_cannot_be_looked_at_keeps_nobody_from_the_rest(desk: Desk) -> None:
    zones = [await desk.create("/zones", {"key": f"zone-{number}", "name": "Zone"}) for number in range(3)]
    await desk.sql("UPDATE zone SET version = 7 WHERE id = $1", zones[2]["id"])
    lane = a_lane("zone documents")
    walk = lane.walks[0]

    async def look(reading: Any, places: Any) -> Any:
        if (zones[1]["id"],) in places:
            raise ValueError("cannot be looked at")
        return await walk.look(reading, places)

    await whole_pass(desk, lane._replace(walks=[walk._replace(look=look)]))
    assert await listed(desk) == [("version", False)]


async def test_a_suspect_that_cannot_be_looked_at_again_is_passed_over_and_not_gone(desk: Desk) -> None:
    zone = await desk.create("/zones", {"key": "zone", "name": "Zone"})
    await desk.sql("UPDATE zone SET version = 7 WHERE id = $1", zone["id"])
    [walk] = a_lane("zone documents").walks
    looks = 0

    async def look(reading: Any, places: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks > 1:
            raise ValueError("cannot be looked at")
        return await walk.look(reading, places)

    connection = await connect(desk.dsn)
    broken = walk._replace(look=look)
    page = await examine_page(connection, broken, desk.project, walk.start)
    assert page == Page(None, 0, 1, [])
    [finding] = await desk.audit()
    left = await mend(desk.store, connection, broken, finding)
    await connection.close()
    assert (left.is_left, left.done, left.why_not) == (True, None, "it could not be looked at")


async def test_an_audit_that_has_not_begun_holds_no_promise(desk: Desk, tmp_path: Path) -> None:
    async def told() -> tuple[float, float]:
        await Objectives(desk.store.database, tmp_path).sample()
        held, broken = (counts.numbers[place(SLICES, "durability", word)] for word in ("yes", "no"))
        return held, broken

    await leave_alone(desk)
    held, broken = await told()
    assert await told() == (held, broken)
    await whole_pass(desk, a_lane("zone documents"))
    assert await told() == (held + 1, broken)
    zone = await desk.create("/zones", {"key": "zone", "name": "Zone"})
    await desk.sql("UPDATE zone SET version = 7 WHERE id = $1", zone["id"])
    await whole_pass(desk, a_lane("zone documents"))
    assert await told() == (held + 1, broken + 1)


async def test_an_auditor_rests_much_longer_than_it_works(desk: Desk) -> None:
    lane = a_lane("zone documents", rest_seconds=0)
    auditor = Auditor(desk.dsn, lane)
    await auditor.slice()
    first = await desk.sql("SELECT * FROM audit_pass WHERE lane = $1", lane.name)
    await auditor.slice()
    second = await desk.sql("SELECT * FROM audit_pass WHERE lane = $1", lane.name)
    auditor.stop()
    assert first
    assert first == second


async def test_a_worker_killed_in_the_middle_of_a_pass_is_followed_by_one_that_completes_it(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.sku()
    await leave_alone(desk)
    with worker(desk, tmp_path) as first:
        await until(lambda: has(desk, "looked_at > 0"))
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert not await has(desk, "walk = 'kept replies' AND completed_at IS NOT NULL"), "the pass was over too soon"
    with worker(desk, tmp_path):
        await until(lambda: has(desk, "walk = 'cart documents' AND completed_at IS NOT NULL"))
    [row] = await desk.sql("SELECT count(*) AS open FROM audit_pass WHERE lane = 'whole' AND passed_over > 0")
    assert row["open"] == 0


@contextlib.contextmanager
def worker(desk: Desk, data: Path) -> Any:
    """A background worker on the database of these tests."""
    settings = {"HOLDFAST_DATABASE_URL": desk.dsn, "HOLDFAST_DATA": str(data)}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "holdfast.delivery.worker"], env=os.environ | settings, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def has(desk: Desk, condition: str) -> bool:
    return bool(await desk.sql(f"SELECT FROM audit_pass WHERE lane = 'whole' AND {condition}"))


async def until(seen: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(SECONDS_MAX):
        while not await seen():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.05)


async def test_a_page_may_only_be_the_next_keys_of_an_index(desk: Desk) -> None:
    """Whatever the planner believes: without statistics it has fetched and sorted the rest of a table for each page."""
    audit = await connect(desk.dsn)
    plan = await audit.fetch(f"EXPLAIN {statement('page_of_documents', 'cart')}", desk.project, FIRST_ID, 500)
    allowed = [await audit.fetchval(f"SHOW {way}") for way in ("enable_bitmapscan", "enable_sort")]
    await audit.close()
    assert "Index" in plan[1][0]
    assert allowed == ["off", "off"]
