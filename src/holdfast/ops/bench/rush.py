"""Orders straight into the store: `python -m holdfast.ops.bench.rush DSN PROJECT ORDERS CLIENTS`.

What placing an order costs without HTTP, token and rules: documents are encoded, committed and
awaited as they are for a shopper. Copies of a cart that was ordered before are ordered once more, each
as itself, of items all over the shop. Prints `{"perSecond", "cpuMicroseconds"}` of this process.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import uvloop
from msgspec.structs import replace

from holdfast.base.ids import order_id, uuid7
from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.messages.order import OrderCreated
from holdfast.commerce.predicates.paging import Paging
from holdfast.commerce.registry import Changed, Other
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.inventory_entry import inventory_entries
from holdfast.commerce.resources.order.shape import Order, orders
from holdfast.commerce.stock import StockMovement
from holdfast.store.change import change_of
from holdfast.store.search import Search
from holdfast.store.store import Store

ENTRIES_MAX = 500


async def rush(dsn: str, project: str, count: int, clients: int) -> dict[str, float]:
    """Place `count` orders, `clients` at a time; the rate, and the processor time of each in this process."""
    load_resources()
    store = Store(dsn)
    await store.open()
    order = (await _some(store, project, orders.name, 1))[0]
    cart = (await _some(store, project, carts.name, 1))[0]
    entries = [entry.id for entry in await _some(store, project, inventory_entries.name, ENTRIES_MAX)]
    copies = [replace(cart, id=uuid7(), version=1, cart_state="Active") for _ in range(count)]
    await _crowd(iter(copies), clients, lambda one: store.commit(change_of(project, carts, None, Changed(one))))
    numbered = iter(enumerate(copies))
    gc.collect()
    gc.freeze()
    cpu, clock = time.process_time(), time.perf_counter()
    await _crowd(numbered, clients, lambda one: _order(store, project, one[1], order, entries[one[0] % len(entries)]))
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    await store.close()
    return {"perSecond": count / clock, "cpuMicroseconds": 1e6 * cpu / count}


async def _some(store: Store, project: str, kind: str, limit: int) -> list[Any]:
    found = await store.search(Search(kind, project, None, (), Paging(limit=limit, with_total=False)))
    return [document.resource for document in found.documents]


async def _order(store: Store, project: str, cart: Cart, like: Order, entry_id: str) -> None:
    order = replace(like, id=order_id(project, cart.id), version=1)
    ordered = replace(cart, cart_state="Ordered", version=2)
    changed = Changed(
        order,
        (OrderCreated(order=order),),
        stock=(StockMovement("reserve", entry_id, 1),),
        others=(Other(carts, cart, ordered),),
    )
    await store.commit(change_of(project, orders, None, changed))


async def _crowd(items: Iterator[Any], clients: int, do: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    async def client() -> None:
        for item in items:
            await do(item)

    await asyncio.gather(*(client() for _ in range(clients)))


def main() -> None:
    dsn, project, count, clients = sys.argv[1:]
    sys.stdout.write(json.dumps(uvloop.run(rush(dsn, project, int(count), int(clients)))))


if __name__ == "__main__":
    main()
