"""Usage tiers as operators set them."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest

from holdfast.store.rates import EPOCH_SLOT, ClientRow, RateTable, TierRow
from holdfast.store.store import Store
from holdfast.store.tokens import Client, Tokens, hashed


@pytest.fixture
def project() -> str:
    return f"p{uuid4().hex[:20]}"


async def a_client(store: Store, project: str) -> str:
    client = Client(project, f"{project}.client-0123456789", hashed("secret"), "Test", f"manage_project:{project}")
    await Tokens(store.database, store.epochs).add_client(client)
    return client.id


async def rows_of(table: RateTable, project: str) -> tuple[list[TierRow], list[ClientRow]]:
    rows = await table.read()
    return [row for row in rows.tiers if row.project == project], [
        row for row in rows.clients if row.project == project
    ]


async def test_what_is_set_is_read_and_goes_when_it_is_taken_back(store: Store, project: str) -> None:
    table, client = RateTable(store.database, store.epochs), await a_client(store, project)
    before = store.epochs.read(EPOCH_SLOT)
    await table.change(project, {"partner": (1.5, 10.0), "admin": (2.0, 20.0)}, {client: "storefront"})
    assert store.epochs.read(EPOCH_SLOT) != before
    tiers = [TierRow(project, "admin", 2.0, 20.0), TierRow(project, "partner", 1.5, 10.0)]
    assert await rows_of(table, project) == (tiers, [ClientRow(project, client, "storefront")])
    await table.change(project, {"partner": (3.0, 30.0), "admin": None}, {client: None})
    assert await rows_of(table, project) == ([TierRow(project, "partner", 3.0, 30.0)], [])


async def test_all_is_set_or_nothing(store: Store, project: str) -> None:
    table = RateTable(store.database, store.epochs)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await table.change(project, {"partner": (1.0, 10.0)}, {f"{project}.nobody-0123456789": "admin"})
    assert await rows_of(table, project) == ([], [])
