"""The shop every schedule starts from: made once, through the API itself, then copied."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any, NamedTuple

from tests.simulation.database import Server
from tests.simulation.faults import Faults, Plan
from tests.simulation.loop import SeededLoop
from tests.simulation.processes import PROJECT, ApiProcess
from tests.simulation.seeded import NATURE
from tests.simulation.tables import Tables

from holdfast.commerce.facts import Caller
from holdfast.commerce.resources.project import ProjectDraft, projects
from holdfast.handlers.projects import founded
from holdfast.handlers.work import Work
from holdfast.store.bodies import unpacked
from holdfast.store.epochs import Epochs
from holdfast.store.reader import Document

HOT, WIDE, TRACKED = "HOT", "WIDE", "TRACKED"
UNITS = {HOT: 2, WIDE: 12, TRACKED: 2}
_ADDRESS = {"country": "DE", "city": "Berlin"}
# What the carts hold; several of one kind so that shoppers can meet at the shelf.
_CARTS = (
    ({HOT: 1, WIDE: 2}, "ReserveOnOrder"),
    ({HOT: 1}, "ReserveOnOrder"),
    ({WIDE: 3, HOT: 2}, "ReserveOnOrder"),
    ({HOT: 2}, "ReserveOnOrder"),
    ({HOT: 1}, "ReserveOnOrder"),
    ({TRACKED: 2}, "TrackOnly"),
)


class Prepared(NamedTuple):
    """Tables to copy, what processes may remember of them, and what is in them by name."""

    tables: Tables
    known: dict[str, Document]
    carts: tuple[str, ...]
    entries: dict[str, str]
    zone: str


@cache
def prepared() -> Prepared:
    """The shop; needs `seeded`."""
    loop = SeededLoop(Random(0))
    NATURE.begin(loop, Random(0))
    server = Server(Tables({}), Faults(Plan(), Random(0)), loop)
    process = ApiProcess(server, Epochs(None), {})
    loop.run(_found(process))
    carts, entries, zone = loop.run(_furnish(process))
    tables = server.tables.copy()
    known = {
        key[1]: Document(kind, row[0], unpacked(row[3]))
        for kind, rows in tables.rows.items()
        if kind in ("cart", "product", "inventory-entry", "project", "zone")
        for key, row in rows.items()
    }
    for document in known.values():
        assert document.resource  # decoded once, for all schedules
    return Prepared(tables, known, carts, entries, zone)


async def _found(process: ApiProcess) -> None:
    """The project, as an operator makes it: without a client, whom tokens need and nobody here asks for."""
    work = Work(process.store, Caller(PROJECT, "operator", frozenset()))
    changed = await work.decide(lambda facts: founded(ProjectDraft(key=PROJECT, name="Shop"), facts))
    await work.commit(projects, None, changed)


async def _furnish(process: ApiProcess) -> tuple[tuple[str, ...], dict[str, str], str]:
    kind = await _made(process, "product-types", {"name": "thing", "key": "thing", "description": "A thing"})
    entries = {}
    for sku, units in UNITS.items():
        await _made(process, "products", _product(sku, kind["id"]))
        entries[sku] = (await _made(process, "inventory", {"sku": sku, "quantityOnStock": units}))["id"]
    carts = [await _made(process, "carts", _cart(lines, mode)) for lines, mode in _CARTS]
    zone = await _made(process, "zones", {"name": "0", "key": "zone", "locations": [{"country": "DE"}]})
    return tuple(cart["id"] for cart in carts), entries, zone["id"]


async def _made(process: ApiProcess, path: str, draft: dict[str, Any]) -> Any:
    answer = await process.call("POST", path, draft)
    assert answer.status == 201, answer.raw
    return answer.body


def _product(sku: str, kind: str) -> dict[str, Any]:
    return {
        "productType": {"typeId": "product-type", "id": kind},
        "name": {"en": sku},
        "slug": {"en": sku.lower()},
        "publish": True,
        "masterVariant": {"sku": sku, "prices": [{"value": {"currencyCode": "EUR", "centAmount": 500}}]},
    }


def _cart(lines: dict[str, int], mode: str) -> dict[str, Any]:
    return {
        "currency": "EUR",
        "taxMode": "Disabled",
        "inventoryMode": mode,
        "shippingAddress": _ADDRESS,
        "lineItems": [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()],
    }
