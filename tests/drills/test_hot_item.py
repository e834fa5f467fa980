"""A crowd for one scarce item, through all API processes: every unit is sold once, none twice.

Buyers differ: most want one unit, some two on separate lines, some a second product with it, and
some keep theirs in the cart while their time runs out in the middle of the rush. In the suite the
crowd is small; HOLDFAST_CROWD=5000 HOLDFAST_CROWD_ROUNDS=20 makes it the real thing, on a shop with
four API processes of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
import pytest_asyncio
from tests.conftest import Shop, running_shop

from holdfast.base import clock
from holdfast.commerce.catalogue import load_resources
from holdfast.handlers.housekeeping import release_expired_reservations
from holdfast.ops.bench.load import drive
from holdfast.ops.bench.shop import Shop as Till
from holdfast.ops.bench.shop import add_item, open_shop, order_of, stock_up
from holdfast.store.store import Store

BUYERS = int(os.environ.get("HOLDFAST_CROWD", "150"))
ROUNDS = int(os.environ.get("HOLDFAST_CROWD_ROUNDS", "1"))
UNITS = BUYERS // 5
PROCESSES = 4
CONNECTIONS = 64
MINUTES = 10
RELEASES_MAX = 1_000
ADDRESS = {"country": "DE", "city": "Berlin", "firstName": "Ada", "lastName": "L", "email": "a@b.co"}


class Crowd(NamedTuple):
    """Carts that were filled: of those in the rush, and of those who come when it is over."""

    rush: list[dict[str, Any]]
    late: list[dict[str, Any]]


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest) -> Shop:
    """The shop of the session; for a real crowd one of its own."""
    if "HOLDFAST_CROWD" not in os.environ:
        return request.getfixturevalue("shop")  # type: ignore[no-any-return]
    return request.getfixturevalue("crowded_shop")  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def crowded_shop(short_folder: Path) -> Iterator[Shop]:
    with running_shop(short_folder / "crowded", "--workers", str(PROCESSES)) as running:
        yield running


@pytest.fixture
async def till(stage: Shop) -> Till:
    """A project that keeps reservations for a while, with a second product that never runs out."""
    project = stage.create_project("crowd")
    opened = open_shop(project["apiUrl"], project["projectKey"], project["clientId"], project["clientSecret"])
    await stock_up(opened, 1)
    settings = [
        {"action": "setReservationExpirationInMinutes", "reservationExpirationInMinutes": MINUTES},
        {"action": "setReleaseExpiredReservations", "releaseExpiredReservations": True},
    ]
    present = await read(opened, "")
    await opened.one("", {"version": present["version"], "actions": settings})
    await opened.make(
        "channels", [{"key": key, "roles": ["ProductDistribution"]} for key in ("front-door", "back-door")]
    )
    return opened


@pytest_asyncio.fixture
async def store(stage: Shop) -> AsyncIterator[Store]:
    """A process beside those of the shop, whose clock may run ahead."""
    load_resources()
    opened = Store(stage.database_url, epochs=stage.data / "epochs")
    await opened.open()
    yield opened
    await opened.close()


async def read(till: Till, path: str) -> dict[str, Any]:
    answer = await drive(till.url, [till.get(path)], connections=1, keep_bodies=True)
    found: dict[str, Any] = json.loads(answer.bodies[0])
    return found


# --- the crowd -----------------------------------------------------------------------------


def a_draft(mode: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return {
        "currency": "EUR",
        "country": "DE",
        "inventoryMode": mode,
        "shippingAddress": ADDRESS,
        "shippingMethod": {"typeId": "shipping-method", "key": "standard"},
        "lineItems": list(lines),
    }


def drafts(hot: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the buyers of the rush want, mixed; and the late ones, as many as there are units."""
    doors = [{"sku": hot, "distributionChannel": {"key": key}} for key in ("front-door", "back-door")]
    kinds = itertools.cycle(
        [
            a_draft("ReserveOnOrder", {"sku": hot}),
            a_draft("ReserveOnOrder", *doors),
            a_draft("ReserveOnOrder", {"sku": hot}),
            a_draft("ReserveOnOrder", {"sku": "SKU-0"}, {"sku": hot}),
            a_draft("ReserveOnOrder", {"sku": hot}),
            a_draft("ReserveOnCart", {"sku": hot}),
        ]
    )
    rush = list(itertools.islice(kinds, BUYERS - UNITS))
    return rush, [a_draft("ReserveOnOrder", {"sku": hot})] * UNITS


async def a_crowd(till: Till, hot: str) -> Crowd:
    rush, late = drafts(hot)
    return Crowd(await till.make("carts", rush), await till.make("carts", late))


async def send(till: Till, carts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order all carts at once; the answers as they came."""
    requests = [order_of(till, cart) for cart in carts]
    answered = await drive(till.url, requests, connections=CONNECTIONS, keep_bodies=True)
    return [json.loads(body) for body in answered.bodies]


async def release_all(store: Store) -> None:
    """What the background worker does, until nothing is left to do."""
    for _ in range(RELEASES_MAX):
        if not await release_expired_reservations(store):
            return


async def still_open(till: Till, carts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The carts that were changed under the buyer's hands, as they are now."""
    found = await drive(
        till.url, [till.get(f"carts/{cart['id']}") for cart in carts], connections=CONNECTIONS, keep_bodies=True
    )
    return [cart for cart in map(json.loads, found.bodies) if cart["cartState"] == "Active"]


def units(answers: Sequence[dict[str, Any]], hot: str) -> int:
    """The units of the item in what was sold."""
    lines = (line for answer in answers for line in answer.get("lineItems", ()))
    return sum(line["quantity"] for line in lines if line["variant"]["sku"] == hot)


# --- the sale ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_every_unit_is_sold_once_and_none_twice(
    till: Till, store: Store, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    hot = f"HOT-{seed}"
    await add_item(till, hot, UNITS)
    crowd = await a_crowd(till, hot)
    reserved = sum(1 for cart in crowd.rush if cart["inventoryMode"] == "ReserveOnCart")
    (entry,) = (await read(till, f"inventory?where=sku%3D%22{hot}%22"))["results"]
    assert entry["availableQuantity"] == UNITS - reserved

    random.Random(seed).shuffle(crowd.rush)
    monkeypatch.setattr(clock, "now", lambda: clock.timestamp(datetime.now(UTC) + timedelta(minutes=MINUTES + 1)))
    answers, _ = await asyncio.gather(send(till, crowd.rush), release_all(store))
    overtaken = await still_open(till, [cart for cart in crowd.rush if cart["inventoryMode"] == "ReserveOnCart"])
    answers += await send(till, overtaken)
    await release_all(store)
    answers += await send(till, crowd.late)

    codes = Counter(answer["errors"][0]["code"] for answer in answers if "errors" in answer)
    assert codes.keys() <= {"OutOfStock", "ConcurrentModification"}
    assert codes["ConcurrentModification"] <= reserved
    assert units(answers, hot) == UNITS
    await check_books(till, hot, entry["id"], answers)


async def check_books(till: Till, hot: str, entry_id: str, answers: Sequence[dict[str, Any]]) -> None:
    """Counters, ledger, orders and carts agree that all units are sold."""
    account = await read(till, f"inventory/{entry_id}/ledger?limit=0")
    assert account["balanced"]
    assert (account["quantityOnStock"], account["availableQuantity"]) == (UNITS, 0)
    sold = [answer for answer in answers if "stockHeld" in answer]
    held = sum(held["quantity"] for order in sold for held in order["stockHeld"] if held["entryId"] == entry_id)
    assert held == UNITS
    assert len({order["id"] for order in sold}) == len(sold)
    keeping = await read(till, f"carts?limit=0&where={quote('reservedUntil is defined')}")
    assert keeping["total"] == 0
