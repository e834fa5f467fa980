"""A database of the audit's own, so that what is planted here disturbs nobody, and a shop in front of it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest_asyncio

from holdfast.base import clock
from holdfast.base.config import Config
from holdfast.base.ids import uuid7
from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.registry import REGISTRY
from holdfast.commerce.values.value import encode
from holdfast.handlers.catalogue import load_handlers
from holdfast.handlers.oauth import OAuth
from holdfast.handlers.projects import create_project
from holdfast.handlers.verify_credentials import verifier
from holdfast.http.worker import build
from holdfast.ops.server.cluster import DATABASE
from holdfast.store.audit.check import Finding
from holdfast.store.audit.examine import examine_all
from holdfast.store.audit.reading import connect
from holdfast.store.bodies import packed, unpacked
from holdfast.store.migrations import migrate
from holdfast.store.store import Store
from holdfast.store.tokens import Tokens

RATE = {"name": "19 %", "amount": 0.19, "includedInPrice": True, "country": "DE"}
EUR = "EUR"
_an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
AN_HOUR_AGO = clock.timestamp(_an_hour_ago)
_numbers = itertools.count(1)


class Desk:
    """One project's API in this process, its database beside it."""

    def __init__(self, store: Store, api: httpx.AsyncClient, dsn: str, project: str) -> None:
        self.store = store
        self.dsn = dsn
        self.project = project
        self._api = api

    async def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        content = msgspec.json.encode(body) if body is not None else None
        return await self._api.request(method, f"/{self.project}{path}", content=content)

    async def create(self, path: str, draft: dict[str, Any]) -> dict[str, Any]:
        answer = await self.send("POST", path, draft)
        assert answer.status_code in (200, 201), answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def update(self, path: str, resource: dict[str, Any], *actions: dict[str, Any]) -> dict[str, Any]:
        return await self.create(f"{path}/{resource['id']}", {"version": resource["version"], "actions": list(actions)})

    async def get(self, path: str) -> dict[str, Any]:
        answer = await self.send("GET", path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def sql(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Do behind the API's back what it would never do."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    @staticmethod
    def number() -> int:
        return next(_numbers)

    async def age(self, *payments: dict[str, Any]) -> None:
        """Let an hour pass since anybody touched these payments, or any cart or order."""
        for payment in payments:
            await self.rewrite("payment", payment["id"], lambda body: body.update(lastModifiedAt=AN_HOUR_AGO))
        for table in ("cart", "order"):
            await self.sql(f'UPDATE "{table}" SET modified_at = $2 WHERE project = $1', self.project, _an_hour_ago)

    async def rewrite(self, kind: str, resource_id: str, change: Callable[[Any], None]) -> None:
        """Change a stored document and what queries see of it, past every rule."""
        table, kind_of = kind.replace("-", "_"), REGISTRY[kind]
        [row] = await self.sql(f'SELECT body FROM "{table}" WHERE id = $1', resource_id)
        body = msgspec.json.decode(unpacked(row["body"]))
        change(body)
        changed = msgspec.json.encode(body)
        seen = encode(kind_of.searchable(kind_of.decode(changed))) if kind_of.searchable else changed
        await self.sql(
            f'UPDATE "{table}" SET body = $2, query = $3::jsonb WHERE id = $1',
            resource_id,
            packed(changed),
            seen.decode(),
        )

    async def audit(self, *only: str) -> list[Finding]:
        """All findings of a whole pass over this project, in which everything could be looked at."""
        connection = await connect(self.dsn)
        try:
            pages = [page async for _, page in examine_all(connection, self.project, only)]
        finally:
            await connection.close()
        assert (sum(page.looked_at for page in pages) > 0, sum(page.passed_over for page in pages)) == (True, 0)
        return [finding for page in pages for finding in page.findings]

    async def names(self) -> list[str]:
        return sorted(finding.check for finding in await self.audit())

    # --- something to audit ----------------------------------------------------------------

    async def sku(self, on_stock: int = 10) -> tuple[str, dict[str, Any]]:
        """A product at 11.90 and its inventory entry."""
        sku = f"sku-{next(_numbers)}"
        await self.create(
            "/products",
            {
                "productType": {"key": "plain"},
                "name": {"en": sku},
                "slug": {"en": sku},
                "taxCategory": {"key": "normal"},
                "masterVariant": {"sku": sku, "prices": [{"value": {"currencyCode": EUR, "centAmount": 1190}}]},
                "publish": True,
            },
        )
        return sku, await self.create("/inventory", {"sku": sku, "quantityOnStock": on_stock})

    async def cart(self, sku: str, quantity: int = 2, **draft: Any) -> dict[str, Any]:
        given = {"currency": EUR, "shippingAddress": {"country": "DE"}, "inventoryMode": "ReserveOnOrder"}
        return await self.create("/carts", given | {"lineItems": [{"sku": sku, "quantity": quantity}]} | draft)

    async def order(self, cart: dict[str, Any], **draft: Any) -> dict[str, Any]:
        return await self.create(
            "/orders", {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]} | draft
        )

    async def payment(self, *transactions: tuple[str, int, str]) -> dict[str, Any]:
        """A payment with transactions given as type, minor units and state."""
        return await self.create(
            "/payments",
            {
                "amountPlanned": {"currencyCode": EUR, "centAmount": 2380},
                "transactions": [
                    {"type": kind, "amount": {"currencyCode": EUR, "centAmount": cents}, "state": state}
                    for kind, cents, state in transactions
                ],
            },
        )

    async def pay(self, cart: dict[str, Any], *payments: dict[str, Any]) -> dict[str, Any]:
        actions = [{"action": "addPayment", "payment": {"typeId": "payment", "id": each["id"]}} for each in payments]
        return await self.update("/carts", cart, *actions)


@pytest_asyncio.fixture(scope="session")
async def audit_database(postgres: str) -> str:
    """The address of a migrated database for these tests alone."""
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute("CREATE DATABASE audited")
    finally:
        await connection.close()
    dsn = postgres.replace(f"/{DATABASE}?", "/audited?")
    await migrate(dsn)
    return dsn


@pytest_asyncio.fixture
async def desk(audit_database: str) -> AsyncIterator[Desk]:
    """A fresh project with a tax category and a product type."""
    load_resources()
    load_handlers()
    store = Store(audit_database)
    await store.open()
    oauth = OAuth(Tokens(store.database, store.epochs), verifier(store))
    key = f"audited-{uuid7()[:13]}"
    client = await create_project(store, oauth, msgspec.json.encode({"key": key, "name": key, "currencies": [EUR]}))
    app = build(store, Config(database_url=audit_database))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as api:
        pair = (client.client.id, client.secret)
        token = await api.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=pair)
        api.headers["authorization"] = f"Bearer {token.json()['access_token']}"
        desk = Desk(store, api, audit_database, key)
        await desk.create("/tax-categories", {"key": "normal", "name": "normal", "rates": [RATE]})
        await desk.create("/product-types", {"key": "plain", "name": "plain", "description": ""})
        yield desk
    await store.close()
