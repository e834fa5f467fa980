"""Reservations in carts through the API, and time ending them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from msgspec.structs import replace
from tests.conftest import Shop
from tests.http.api import Api, fresh, refusal
from tests.http.till import a_cart, a_sku, counters, ledger, open_till, order, placed

from holdfast.base import clock
from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.values.value import encode
from holdfast.handlers.housekeeping import delete_expired_carts, release_expired_reservations
from holdfast.store.bodies import packed, unpacked
from holdfast.store.store import Store

MINUTES = 20
SHOPPERS = 12
WORKER_SECONDS = 60


@pytest.fixture(scope="module")
def api(shop: Shop) -> Iterator[Api]:
    with Api(shop.create_project("reserving")) as api:
        open_till(api)
        reserve_for(api, MINUTES, release=True)
        yield api


def reserve_for(api: Api, minutes: int, *, release: bool) -> None:
    body = {
        "version": api.get("")["version"],
        "actions": [
            {"action": "setReservationExpirationInMinutes", "reservationExpirationInMinutes": minutes},
            {"action": "setReleaseExpiredReservations", "releaseExpiredReservations": release},
        ],
    }
    assert api.send("POST", "", body).status_code == 200


@pytest_asyncio.fixture
async def store(shop: Shop) -> AsyncIterator[Store]:
    """A process beside those of the shop."""
    load_resources()
    opened = Store(shop.database_url, epochs=shop.data / "epochs")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Puts our clock, not that of the shop, so many minutes ahead."""

    def ahead(minutes: int) -> None:
        monkeypatch.setattr(clock, "now", lambda: clock.timestamp(datetime.now(UTC) + timedelta(minutes=minutes)))

    return ahead


def reserving(api: Api, *skus: str, quantity: int = 1, **draft: Any) -> dict[str, Any]:
    return a_cart(api, *skus, quantity=quantity, inventoryMode="ReserveOnCart", **draft)


def change(api: Api, cart: dict[str, Any], quantity: int) -> Any:
    action = {"action": "changeLineItemQuantity", "lineItemId": cart["lineItems"][0]["id"], "quantity": quantity}
    return api.send("POST", f"/carts/{cart['id']}", {"version": cart["version"], "actions": [action]})


def now(api: Api, cart: dict[str, Any]) -> dict[str, Any]:
    return api.get(f"/carts/{cart['id']}")


# --- shopping ------------------------------------------------------------------------------


def test_a_line_keeps_its_units_from_others_until_it_goes(api: Api) -> None:
    sku = a_sku(api, 5)
    cart = reserving(api, sku, quantity=3)
    assert counters(api, sku) == (5, 2)
    assert cart["lineItems"][0]["reservation"]["typeId"] == "reservation"
    assert cart["reservedUntil"] > cart["createdAt"]
    cart = change(api, cart, 4).json()
    assert counters(api, sku) == (5, 1)
    cart = change(api, cart, 0).json()
    assert counters(api, sku) == (5, 5)
    assert "reservedUntil" not in cart


def test_a_cart_that_asks_for_more_than_there_is_is_refused_whole(api: Api) -> None:
    sku, plenty = a_sku(api, 2), a_sku(api)
    draft = {
        "currency": "EUR",
        "inventoryMode": "ReserveOnCart",
        "lineItems": [{"sku": plenty}, {"sku": sku, "quantity": 3}],
    }
    assert refusal(api.send("POST", "/carts", draft), 400, "OutOfStock")["skus"] == [sku]
    cart = reserving(api, sku, quantity=2)
    assert refusal(change(api, cart, 3), 400, "OutOfStock")["lineItems"] == [cart["lineItems"][0]["id"]]
    assert now(api, cart) == cart
    assert (counters(api, sku), counters(api, plenty)) == ((2, 0), (10, 10))


def test_the_last_unit_goes_to_the_shopper_who_reserved_it(api: Api) -> None:
    sku = a_sku(api, 1)
    mine, other = reserving(api, sku), a_cart(api, sku)
    refusal(order(api, other), 400, "OutOfStock")
    bought = placed(api, mine)
    assert placed(api, mine) == bought
    assert counters(api, sku) == (1, 0)
    assert [line[0] for line in ledger(api, sku)] == ["count", "reserve", "adopt"]
    assert "stockReserved" not in now(api, mine)
    api.update("/orders", bought, {"action": "changeOrderState", "orderState": "Cancelled"})
    assert counters(api, sku) == (1, 1)


def test_many_shoppers_never_reserve_more_than_there_is(api: Api) -> None:
    sku = a_sku(api, 5)
    empty = [reserving(api) for _ in range(SHOPPERS)]

    def add(cart: dict[str, Any]) -> int:
        body = {"version": cart["version"], "actions": [{"action": "addLineItem", "sku": sku}]}
        return api.send("POST", f"/carts/{cart['id']}", body).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(add, empty)) == [200] * 5 + [400] * (SHOPPERS - 5)
    assert counters(api, sku) == (5, 0)


def test_stock_taken_away_does_not_take_away_what_is_reserved(api: Api) -> None:
    sku = a_sku(api, 3)
    cart = reserving(api, sku, quantity=3)
    (entry,) = api.get("/inventory", where=f'sku = "{sku}"')["results"]
    api.update("/inventory", entry, {"action": "removeQuantity", "quantity": 2})
    placed(api, cart)
    assert counters(api, sku) == (1, -2)


def test_a_deleted_cart_gives_back_what_it_reserved(api: Api) -> None:
    sku = a_sku(api, 5)
    cart = reserving(api, sku, quantity=3)
    for _ in range(2):
        api.send("DELETE", f"/carts/{cart['id']}", parameters={"version": cart["version"]})
    assert counters(api, sku) == (5, 5)


def test_a_shopper_who_signs_in_keeps_what_the_guest_reserved(api: Api) -> None:
    mug, pot = a_sku(api, 2), a_sku(api, 1)
    email = f"{fresh('ann')}@example.com"
    customer = api.create("/customers", {"email": email, "password": "secret"})["customer"]
    reserving(api, mug, customerId=customer["id"])
    guest = reserving(api, mug, pot)
    before = counters(api, mug), counters(api, pot)
    assert before == ((2, 0), (1, 0))
    signed_in = api.create("/login", {"email": email, "password": "secret", "anonymousCart": {"id": guest["id"]}})
    assert (counters(api, mug), counters(api, pot)) == ((2, 1), (1, 0))
    assert [line["variant"]["sku"] for line in signed_in["cart"]["lineItems"]] == [mug, pot]
    placed(api, signed_in["cart"] | {"version": now(api, signed_in["cart"])["version"]})
    assert (counters(api, mug), counters(api, pot)) == ((2, 1), (1, 0))


@pytest.mark.parametrize("minutes", [0, -1, 2**31, 1.5, "20", None])
def test_a_time_that_is_none_is_refused_and_changes_nothing(api: Api, minutes: Any) -> None:
    cart = reserving(api)
    (entry,) = api.get("/inventory", where=f'sku = "{a_sku(api)}"')["results"]
    action = {"action": "setReservationExpirationInMinutes", "reservationExpirationInMinutes": minutes}
    for path, resource in (("/carts", cart), ("/inventory", entry)):
        if minutes is None and path == "/inventory":
            continue
        body = {"version": resource["version"], "actions": [action]}
        answer = api.send("POST", f"{path}/{resource['id']}", body)
        detail = refusal(answer, 400, "InvalidJsonInput")["detailedErrorMessage"]
        assert "$.actions[0]" in detail
        assert "reservationExpirationInMinutes" in detail
        assert api.get(f"{path}/{resource['id']}") == resource


@pytest.mark.parametrize(("quantity", "code"), [(1, "LineItemQuantityBelowLimit"), (5, "LineItemQuantityAboveLimit")])
def test_quantities_keep_to_the_limits_of_the_entry(api: Api, quantity: int, code: str) -> None:
    sku = a_sku(api, 10, minCartQuantity=2, maxCartQuantity=4)
    draft = {"currency": "EUR", "lineItems": [{"sku": sku, "quantity": quantity}]}
    assert refusal(api.send("POST", "/carts", draft), 400, code)["quantity"] == quantity
    cart = a_cart(api, sku, quantity=3)
    assert refusal(change(api, cart, quantity), 400, code)["lineItem"] == cart["lineItems"][0]["id"]
    assert now(api, cart) == cart


# --- time ----------------------------------------------------------------------------------


async def test_time_ends_reservations_once(api: Api, store: Store, later: Callable[[int], None]) -> None:
    sku = a_sku(api, 5)
    cart = reserving(api, sku, quantity=3)
    later(MINUTES - 1)
    await release_expired_reservations(store)
    assert counters(api, sku) == (5, 2)
    later(MINUTES + 1)
    await release_expired_reservations(store)
    after = now(api, cart)
    assert (after["version"], after["lastModifiedAt"]) == (cart["version"] + 1, cart["lastModifiedAt"])
    assert "reservation" not in after["lineItems"][0]
    assert await release_expired_reservations(store) == 0
    assert counters(api, sku) == (5, 5)
    placed(api, after)
    assert counters(api, sku) == (5, 2)


async def test_what_expired_may_be_sold_to_somebody_else(api: Api, store: Store, later: Callable[[int], None]) -> None:
    sku = a_sku(api, 1)
    mine, other = reserving(api, sku), a_cart(api, sku)
    later(MINUTES + 1)
    await release_expired_reservations(store)
    placed(api, other)
    refusal(order(api, now(api, mine)), 400, "OutOfStock")
    assert counters(api, sku) == (1, 0)


async def test_the_clock_and_the_shopper_never_both_give_back(
    api: Api, store: Store, later: Callable[[int], None]
) -> None:
    """All at once: carts are ordered, changed and deleted while their time ends; each unit comes back at most once."""
    sku = a_sku(api, 100)
    carts = [reserving(api, sku, quantity=2) for _ in range(SHOPPERS)]
    later(MINUTES + 1)

    def act(numbered: tuple[int, dict[str, Any]]) -> None:
        number, cart = numbered
        if number % 3 == 0:
            order(api, cart)
        elif number % 3 == 1:
            change(api, cart, 5)
        else:
            api.send("DELETE", f"/carts/{cart['id']}", parameters={"version": cart["version"]})

    with ThreadPoolExecutor(6) as threads:
        acts = [asyncio.wrap_future(threads.submit(act, each)) for each in enumerate(carts)]
        await asyncio.gather(release_expired_reservations(store), *acts)
        await release_expired_reservations(store)
    held = sum(held["quantity"] for cart in everything(api, "/carts", sku) for held in cart.get("stockReserved", ()))
    held += sum(held["quantity"] for bought in everything(api, "/orders", sku) for held in bought["stockHeld"])
    assert counters(api, sku) == (100, 100 - held)


def everything(api: Api, path: str, sku: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(path, where=f'lineItems(variant(sku="{sku}"))', limit=500)["results"]
    return found


async def test_the_background_worker_watches_the_time(api: Api, shop: Shop) -> None:
    sku = a_sku(api, 5)
    cart = reserving(api, sku, quantity=3)
    await backdate(shop, cart["id"])
    deadline = time.monotonic() + WORKER_SECONDS
    while counters(api, sku) != (5, 5):
        assert time.monotonic() < deadline, now(api, cart)
        await asyncio.sleep(0.1)
    assert [line[:3] for line in ledger(api, sku)] == [("count", 5, 0), ("reserve", 0, 3), ("release", 0, -3)]


async def backdate(shop: Shop, cart_id: str) -> None:
    """Make the reservations of a cart look as if their time had been over for long."""
    past = "2020-01-01T00:00:00.000Z"
    connection = await asyncpg.connect(shop.database_url)
    try:
        cart: Cart = carts.decode(unpacked(await connection.fetchval("SELECT body FROM cart WHERE id = $1", cart_id)))
        ended = tuple(replace(each, expires_at=past) for each in cart.stock_reserved)
        body = packed(encode(replace(cart, stock_reserved=ended, reserved_until=past)))
        change = (
            "UPDATE cart SET body = $2, query = jsonb_set(query, '{reservedUntil}', to_jsonb($3::text)) WHERE id = $1"
        )
        await connection.execute(change, cart_id, body, past)
    finally:
        await connection.close()


async def test_a_cart_nobody_can_read_keeps_no_other_waiting(
    api: Api, shop: Shop, store: Store, later: Callable[[int], None]
) -> None:
    sku = a_sku(api, 5)
    broken, sound = reserving(api, sku), reserving(api, sku)
    body = await spoil(shop, broken["id"], b"no cart")
    later(MINUTES + 1)
    await release_expired_reservations(store)
    assert counters(api, sku) == (5, 4)
    assert "reservedUntil" not in now(api, sound)
    await spoil(shop, broken["id"], body)
    assert now(api, broken)["reservedUntil"]


async def spoil(shop: Shop, cart_id: str, body: bytes) -> bytes:
    """Put something else in the place of a cart's body; answers what was there."""
    connection = await asyncpg.connect(shop.database_url)
    try:
        before: bytes = await connection.fetchval("SELECT body FROM cart WHERE id = $1", cart_id)
        await connection.execute("UPDATE cart SET body = $2 WHERE id = $1", cart_id, body)
    finally:
        await connection.close()
    return before


async def test_a_shop_that_keeps_what_expired_frees_it_with_the_cart(
    shop: Shop, store: Store, later: Callable[[int], None]
) -> None:
    with Api(shop.create_project("keeping")) as api:
        open_till(api)
        reserve_for(api, MINUTES, release=False)
        sku = a_sku(api, 5)
        cart = reserving(api, sku, quantity=3)
        later(MINUTES + 1)
        await release_expired_reservations(store)
        assert counters(api, sku) == (5, 2)
        await age(shop, cart["id"])
        await delete_expired_carts(store)
        assert api.send("GET", f"/carts/{cart['id']}").status_code == 404
        assert counters(api, sku) == (5, 5)


async def test_carts_in_use_and_ordered_ones_are_not_deleted(api: Api, shop: Shop, store: Store) -> None:
    sku = a_sku(api, 5)
    young, sold = reserving(api, sku), reserving(api, sku)
    placed(api, sold)
    await age(shop, sold["id"])
    await delete_expired_carts(store)
    assert now(api, young) == young
    assert now(api, sold)["cartState"] == "Ordered"
    assert counters(api, sku) == (5, 3)


async def age(shop: Shop, cart_id: str) -> None:
    """Make a cart look as if nobody had touched it for a year."""
    connection = await asyncpg.connect(shop.database_url)
    try:
        await connection.execute("UPDATE cart SET modified_at = now() - interval '1 year' WHERE id = $1", cart_id)
    finally:
        await connection.close()
