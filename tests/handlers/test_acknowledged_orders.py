"""Orders from carts and from elsewhere, and what is told of them under a key."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders import cart as shop_of
from tests.unit.commerce.builders.cart import DE, eur, sku

from holdfast.base import clock
from holdfast.base.errors import (
    ConcurrentModification,
    InvalidOperation,
    OutOfStock,
    ReferencedResourceNotFound,
    RequiredField,
    ResourceNotFound,
)
from holdfast.base.ids import order_id, uuid7
from holdfast.base.receipts import Signer, order_in, order_told, totals_of
from holdfast.commerce.facts import Caller
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.inventory_entry import InventoryEntry, inventory_entries
from holdfast.commerce.resources.order.shape import orders
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.value import encode
from holdfast.handlers.endpoints import Answer, Request
from holdfast.handlers.idempotency_keys import read
from holdfast.handlers.import_order import import_order
from holdfast.handlers.once import place_of
from holdfast.handlers.place_order import place, place_mine
from holdfast.handlers.work import Work
from holdfast.store.change import change_of
from holdfast.store.idempotency import RequestKey
from holdfast.store.placed_orders import Placed, read_placed
from holdfast.store.store import Store

SIGNER = Signer(bytes(range(32)))
WRAP = {"name": {"en": "Wrap"}, "slug": "wrap", "money": eur(250), "quantity": 2}


class Till:
    """A shop's store, and the requests that come to it."""

    def __init__(self, store: Store, project: str) -> None:
        self.store = store
        self.project = project

    def work(self, *, key: str | None = None, signer: Signer | None = SIGNER, **shopper: Any) -> Work:
        caller = Caller(self.project, "client", frozenset({f"manage_project:{self.project}"}), **shopper)
        return Work(self.store, caller, key=RequestKey(place_of(key, caller), b"asked") if key else None, signer=signer)

    async def keep(self, kind: Any, resource: Any, **side: Any) -> Any:
        await self.store.commit(change_of(self.project, kind, None, Changed(resource, **side)))
        return resource

    async def a_cart(self, *lines: dict[str, Any], **more: Any) -> Cart:
        draft = {"taxMode": "Disabled", "shippingAddress": DE, "lineItems": list(lines)} | more
        draft |= {} if lines else {"customLineItems": [WRAP]}
        cart: Cart = await self.keep(carts, replace(shop_of.a_cart(**draft), id=uuid7()))
        return cart

    async def place(self, cart: Cart, **how: Any) -> Answer:
        return await place(self.work(**how), self.asking(cart))

    def asking(self, cart: Cart) -> Request:
        return Request(json.dumps({"cart": {"id": cart.id}, "version": cart.version}).encode())


@pytest.fixture
def till(store: Store, project: str) -> Till:
    return Till(store, project)


def body(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(answer.value)
    return found


# --- from a cart ---------------------------------------------------------------------------


async def test_a_cart_becomes_an_order_with_a_receipt(till: Till) -> None:
    cart = await till.a_cart()
    answer = await till.place(cart)
    assert (answer.created, body(answer)["id"]) == (True, order_id(till.project, cart.id))
    assert answer.receipt is not None
    receipt = SIGNER.verifier.read(answer.receipt)
    assert (receipt.project, receipt.order_id, receipt.version) == (till.project, body(answer)["id"], 1)


async def test_an_order_is_found_as_it_is_and_as_it_was_told_of(till: Till) -> None:
    first, second = [await till.place(await till.a_cart()) for _ in range(2)]
    document = await till.store.get(orders.name, till.project, body(second)["id"])
    assert document is not None
    gone = Changed(document.resource)
    await till.store.commit(change_of(till.project, orders, document.resource, gone, delete=True))
    wanted = [(till.project, id) for id in (body(second)["id"], uuid7(), body(first)["id"])]
    deleted, unknown, present = await read_placed(till.store.database, wanted)
    assert (deleted.body, unknown, present.body) == (None, Placed(None, None, deleted=False), first.value)
    told = [totals_of(order_told(each.message)) for each in (deleted, present) if each.message is not None]
    assert told == [totals_of(order_in(each.value)) for each in (second, first)]


async def test_a_shop_without_a_key_for_receipts_sells_all_the_same(till: Till) -> None:
    answer = await till.place(await till.a_cart(), signer=None)
    assert (answer.created, answer.receipt) == (True, None)


async def test_the_same_cart_again_is_the_same_order_whatever_version_is_named(till: Till) -> None:
    cart = await till.a_cart()
    first = await till.place(cart)
    for version in (cart.version, cart.version + 1, 99):
        again = await till.place(replace(cart, version=version))
        assert (again.value, again.created) == (first.value, True)
        assert again.receipt is not None


async def test_two_tabs_at_once_get_one_order(till: Till) -> None:
    cart = await till.a_cart()
    first, second = await asyncio.gather(till.place(cart), till.place(cart))
    assert body(first) == body(second)
    assert (first.created, second.created) == (True, True)


async def test_who_is_overtaken_is_shown_what_was_committed_not_what_he_would_have(till: Till) -> None:
    cart = await till.a_cart()
    asked = till.asking(cart)._replace(parameters={"expand": ("cart",)})
    tabs = [till.work(key=name, external_user_id=name) for name in ("first", "second")]
    first, second = await asyncio.gather(*(place(work, asked) for work in tabs))
    document = await till.store.get(carts.name, till.project, cart.id)
    assert document is not None
    assert body(first)["cart"]["obj"] == body(second)["cart"]["obj"] == msgspec.json.decode(document.body)


async def test_a_cart_that_changed_meanwhile_is_a_conflict(till: Till) -> None:
    cart = await till.a_cart()
    newer = replace(cart, version=2, locale="de")
    await till.store.commit(change_of(till.project, carts, cart, Changed(newer)))
    with pytest.raises(ConcurrentModification):
        await till.place(cart)
    assert (await till.place(newer)).created


async def test_a_refused_order_leaves_the_cart_and_the_stock_alone(till: Till) -> None:
    moment = clock.now()
    entry = InventoryEntry(id=uuid7(), version=1, created_at=moment, last_modified_at=moment, sku="shirt")
    await till.keep(inventory_entries, entry, stock=(StockMovement("receive", entry.id, 1),))
    cart = await till.a_cart(sku("shirt", 2), inventoryMode="ReserveOnOrder")
    frozen = replace(cart, version=2, cart_state="Frozen")
    await till.store.commit(change_of(till.project, carts, cart, Changed(frozen)))
    with pytest.raises(OutOfStock):
        await till.place(frozen)
    document = await till.store.get(carts.name, till.project, cart.id)
    assert document is not None
    assert document.resource == frozen


async def test_a_cart_that_is_ordered_but_has_no_order_is_refused(till: Till) -> None:
    cart = await till.a_cart()
    answer = await till.place(cart)
    document = await till.store.get(orders.name, till.project, body(answer)["id"])
    assert document is not None
    await till.store.commit(change_of(till.project, orders, document.resource, Changed(document.resource), delete=True))
    with pytest.raises(InvalidOperation):
        await till.place(replace(cart, version=2))


async def test_an_order_names_its_cart_one_way_or_the_other(till: Till) -> None:
    cart = await till.a_cart()
    draft = {"id": cart.id, "version": cart.version}
    assert (await place(till.work(), Request(json.dumps(draft).encode()))).created
    with pytest.raises(RequiredField):
        await place(till.work(), Request(b'{"version": 1}'))
    with pytest.raises(ReferencedResourceNotFound):
        await till.place(replace(cart, id=uuid7()))


async def test_shoppers_order_their_own_carts_only(till: Till) -> None:
    mine = await till.a_cart(anonymousId="guest")
    request = Request(json.dumps({"id": mine.id, "version": mine.version}).encode(), me=True)
    with pytest.raises(ReferencedResourceNotFound):
        await place_mine(till.work(anonymous_id="somebody"), request)
    assert body(await place_mine(till.work(anonymous_id="guest"), request))["anonymousId"] == "guest"


# --- from elsewhere ------------------------------------------------------------------------


async def test_an_imported_order_is_acknowledged_too(till: Till) -> None:
    draft = {"totalPrice": eur(500), "orderNumber": "A1", "customLineItems": [WRAP]}
    answer = await import_order(till.work(), Request(json.dumps(draft).encode()))
    assert answer.receipt is not None
    assert SIGNER.verifier.read(answer.receipt).order_number == "A1"
    document = await till.store.find(orders.name, till.project, "orderNumber", "A1")
    assert document is not None
    assert (answer.created, document.body) == (True, answer.value)


# --- asked for by its key ------------------------------------------------------------------


async def test_a_key_tells_its_order_with_a_receipt(till: Till) -> None:
    answer = await till.place(await till.a_cart(), key="mine")
    told = await read(till.work(), Request(path_values=("mine",)))
    assert (told.value.status, bytes(told.value.body)) == (201, answer.value)
    assert SIGNER.verifier.read(told.value.receipt).order_id == body(answer)["id"]


async def test_a_key_of_anything_else_has_no_receipt(till: Till) -> None:
    work = till.work(key="other")
    cart = await till.a_cart()
    assert work.key is not None
    newer = Changed(replace(cart, version=2))

    async def shown(resource: Cart) -> bytes:
        return encode(resource)

    answer = await work.answer(carts, cart, newer, shown)
    told = await read(till.work(), Request(path_values=("other",)))
    assert (told.value.status, bytes(told.value.body), told.value.receipt) == (200, answer.value, None)


async def test_a_key_that_has_not_committed_is_not_there(till: Till) -> None:
    with pytest.raises(ResourceNotFound) as absent:
        await read(till.work(), Request(path_values=("nobody",)))
    assert absent.value.fields["retryAfterSeconds"] == 180
