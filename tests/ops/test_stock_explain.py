"""`holdfast stock explain`: the numbers of an item, and the movements behind them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from tests.conftest import Shop, run_holdfast
from tests.http.api import Api, fresh
from tests.http.till import a_cart, a_sku, open_till, order, placed


@pytest.fixture(scope="module")
def api(shop: Shop) -> Iterator[Api]:
    with Api(shop.create_project("explained")) as api:
        open_till(api)
        yield api


def explain(shop: Shop, *words: str) -> tuple[int, list[dict[str, Any]]]:
    done = run_holdfast("stock", "explain", *words, "--data", str(shop.data), "--json")
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_every_number_is_explained_by_what_moved_it(api: Api, shop: Shop) -> None:
    sku = a_sku(api, 5)
    bought = placed(api, a_cart(api, sku, quantity=2))
    api.update("/orders", bought, {"action": "changeOrderState", "orderState": "Cancelled"})
    placed(api, a_cart(api, sku, quantity=1, inventoryMode="TrackOnly"))
    order(api, a_cart(api, sku, quantity=9))
    code, (told,) = explain(shop, sku, "--project", api.key)
    assert (code, told["balanced"], told["movements"]) == (0, True, 4)
    assert (told["onStock"], told["reserved"], told["available"]) == (4, 0, 4)
    moves = [(line["movement"], line["onStock"], line["reserved"], line["reservedAfter"]) for line in told["lines"]]
    assert moves == [("count", 5, 0, 0), ("reserve", 0, 2, 2), ("release", 0, -2, 0), ("track", -1, 0, 0)]
    assert told["lines"][1]["reference"] == {"typeId": "order", "id": bought["id"], "version": 1}
    _, (short,) = explain(shop, sku, "--lines", "1")
    assert [(line["movement"], line["onStockAfter"]) for line in short["lines"]] == [("track", 4)]


def test_people_read_what_happened_in_words(api: Api, shop: Shop) -> None:
    sku = a_sku(api, 5)
    bought = placed(api, a_cart(api, sku, quantity=2))
    done = run_holdfast("stock", "explain", sku, "--lines", "1", "--data", str(shop.data))
    assert done.returncode == 0, done.stderr
    assert "not shown: 1 earlier movement\n" in done.stdout
    assert f"order {bought['id']} v1" in done.stdout
    assert "2 (+2)" in done.stdout
    assert "now: 5 on stock, 2 reserved, 3 available" in done.stdout
    assert "2 movements, which come to exactly that" in done.stdout


def test_each_supply_channel_is_explained_by_itself(api: Api, shop: Shop) -> None:
    sku = a_sku(api, 5)
    channel = api.create("/channels", {"key": fresh("depot"), "roles": ["InventorySupply"]})
    api.create("/inventory", {"sku": sku, "quantityOnStock": 7, "supplyChannel": {"key": channel["key"]}})
    _, told = explain(shop, sku)
    assert [(each["channel"], each["onStock"]) for each in told] == [(None, 5), (channel["key"], 7)]
    _, told = explain(shop, sku, "--channel", channel["key"])
    assert [each["onStock"] for each in told] == [7]


def test_counters_that_are_not_the_sum_of_their_movements_fail(api: Api, shop: Shop) -> None:
    sku = a_sku(api, 5)
    (entry,) = api.get("/inventory", where=f'sku = "{sku}"')["results"]
    asyncio.run(tamper(shop, entry["id"], 6))
    try:
        code, (told,) = explain(shop, sku)
        assert (code, told["balanced"], told["onStock"]) == (1, False, 6)
        words = run_holdfast("stock", "explain", sku, "--data", str(shop.data)).stdout
        assert "do not add up" in words
    finally:
        asyncio.run(tamper(shop, entry["id"], 5))


async def tamper(shop: Shop, entry_id: str, on_stock: int) -> None:
    connection = await asyncpg.connect(shop.database_url)
    try:
        await connection.execute("UPDATE stock SET on_stock = $2 WHERE entry_id = $1", entry_id, on_stock)
    finally:
        await connection.close()


def test_what_is_not_there_is_said(shop: Shop) -> None:
    done = run_holdfast("stock", "explain", "no-such-sku", "--data", str(shop.data), "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]) == (1, "no-entry")


@pytest.mark.parametrize("lines", ["0", "501", "many"])
def test_a_page_that_is_none_is_misuse(lines: str) -> None:
    assert run_holdfast("stock", "explain", "x", "--lines", lines).returncode == 2
