"""A crowd at the till, through all API processes at once: one checkout is one order, no unit is sold twice.

`HOLDFAST_CHECKOUTS=10000` makes the retried checkouts as many as a good day's.
"""

from __future__ import annotations

import itertools
import json
import os
import random
from collections import Counter
from typing import Any

import pytest
from tests.conftest import Shop

from holdfast.ops.bench.load import drive
from holdfast.ops.bench.shop import Shop as Till
from holdfast.ops.bench.shop import add_item, fill_carts, open_shop, order_of, stock_up

CHECKOUTS = 60
TIMES_SENT = 4
BUYERS = 90
UNITS = 25
CONNECTIONS = 24
RETRIED_CHECKOUTS = int(os.environ.get("HOLDFAST_CHECKOUTS", "150"))
KEYS = 40
TIMES_KEYED = 5


@pytest.fixture
async def till(shop: Shop, project: dict[str, Any]) -> Till:
    """A project with one plentiful and one scarce product, behind two API processes."""
    assert len(shop.pids["workers"]) > 1
    opened = open_shop(project["apiUrl"], project["projectKey"], project["clientId"], project["clientSecret"])
    await stock_up(opened, 3)
    await add_item(opened, "SCARCE", UNITS)
    return opened


async def count(till: Till, path: str) -> int:
    answer = await drive(till.url, [till.get(path)], connections=1, keep_bodies=True)
    total: int = json.loads(answer.bodies[0])["total"]
    return total


async def test_a_checkout_sent_again_and_again_is_one_order(till: Till) -> None:
    carts = await fill_carts(till, itertools.cycle(["SKU-0", "SKU-1"]), CHECKOUTS)
    requests = [order_of(till, cart) for cart in carts for _ in range(TIMES_SENT)]
    random.Random(7).shuffle(requests)
    result = await drive(till.url, requests, connections=CONNECTIONS, keep_bodies=True)
    assert result.statuses == Counter({201: CHECKOUTS * TIMES_SENT})
    orders = Counter(json.loads(body)["id"] for body in result.bodies)
    assert len(orders) == CHECKOUTS
    assert set(orders.values()) == {TIMES_SENT}
    assert await count(till, "orders?limit=0") == CHECKOUTS


def keyed(request: bytes, key: str) -> bytes:
    return request.replace(b"\r\n\r\n", f"\r\nidempotency-key: {key}\r\n\r\n".encode(), 1)


async def test_retried_checkouts_are_as_many_orders_as_checkouts(till: Till) -> None:
    chance = random.Random(11)
    skus = itertools.cycle(["SKU-0", "SKU-1", "SKU-2"])
    placed: Counter[bytes] = Counter()
    sent = 0
    while len(placed) < RETRIED_CHECKOUTS:
        carts = await fill_carts(till, skus, min(500, RETRIED_CHECKOUTS - len(placed)))
        requests = [
            keyed(order_of(till, cart), f"checkout {cart['id']}") for cart in carts for _ in range(chance.randint(2, 5))
        ]
        # Copies travel close to each other, so that they are under way together.
        result = await drive(till.url, requests, connections=CONNECTIONS, keep_bodies=True)
        assert result.statuses == Counter({201: len(requests)})
        sent += len(requests)
        placed.update(result.bodies)
    assert len({json.loads(body)["id"] for body in placed}) == len(placed) == RETRIED_CHECKOUTS
    assert placed.total() == sent
    assert await count(till, "orders?limit=0") == RETRIED_CHECKOUTS
    print(f"\n  {sent} requests, {RETRIED_CHECKOUTS} orders")


async def test_a_crowd_under_one_key_gets_one_answer(till: Till) -> None:
    before = await count(till, "zones?limit=0")
    requests = [
        keyed(till.post("zones", {"name": f"zone {number}", "locations": []}), f"crowd-{number}")
        for number in range(KEYS)
        for _ in range(TIMES_KEYED)
    ]
    result = await drive(till.url, requests, connections=CONNECTIONS * 2, keep_bodies=True)
    assert result.statuses == Counter({201: KEYS * TIMES_KEYED})
    assert sorted(Counter(result.bodies).values()) == [TIMES_KEYED] * KEYS
    assert await count(till, "zones?limit=0") == before + KEYS


async def test_a_scarce_item_is_sold_to_its_last_unit_and_no_further(till: Till) -> None:
    carts = await fill_carts(till, itertools.repeat("SCARCE"), BUYERS)
    requests = [order_of(till, cart) for cart in carts]
    result = await drive(till.url, requests, connections=CONNECTIONS, keep_bodies=True)
    assert result.statuses == Counter({201: UNITS, 400: BUYERS - UNITS})
    refusals = [json.loads(body)["errors"][0]["code"] for body in result.bodies if b'"statusCode":400' in body]
    assert refusals == ["OutOfStock"] * (BUYERS - UNITS)
    assert await count(till, "orders?limit=0") == UNITS
    answer = await drive(till.url, [till.get("inventory?where=sku%3D%22SCARCE%22")], connections=1, keep_bodies=True)
    (entry,) = json.loads(answer.bodies[0])["results"]
    assert (entry["quantityOnStock"], entry["availableQuantity"]) == (UNITS, 0)
