"""PostgreSQL is stopped: what was seen before can still be looked at, says that it is stale, and nothing is sold.

When PostgreSQL comes back, each process asks it once for what many want to know.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Shop, Start
from tests.drills.cluster import Cluster, running_cluster
from tests.http.api import Api

from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.registry import by_path
from holdfast.handlers.catalogue import load_handlers
from holdfast.handlers.oauth import OAuth
from holdfast.handlers.projects import create_project
from holdfast.handlers.verify_credentials import verifier
from holdfast.http.app import App
from holdfast.http.auth import Authenticator
from holdfast.http.routes import Router
from holdfast.store.migrations import migrate
from holdfast.store.store import Store
from holdfast.store.tokens import Tokens

# The long proof: HOLDFAST_AWAY_SECONDS=60 HOLDFAST_AWAY_READERS=8 pytest -s tests/drills/test_database_away.py
AWAY_SECONDS = float(os.environ.get("HOLDFAST_AWAY_SECONDS", "0"))
READERS_EACH = int(os.environ.get("HOLDFAST_AWAY_READERS", "1"))
PATIENCE_SECONDS = 60.0
READS_AWAY = 40
WORKERS = 2
# For each answer, in one process; all of them together find a place in its queue.
ASKERS = 18


class Reader:
    """One connection to one API process, kept as long as the process lives."""

    def __init__(self, shop: Shop, api: Api) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", int(shop.api_url.rpartition(":")[2]), timeout=PATIENCE_SECONDS
        )
        self._headers = {"Authorization": f"Bearer {api.token}"}
        self._key = api.key
        self.process = self.get("/zones")[1]["x-correlation-id"].partition("-")[0]

    def get(self, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        names = {name.replace("_", "-"): text for name, text in headers.items()}
        self._connection.request("GET", f"/{self._key}{path}", headers=self._headers | names)
        answer = self._connection.getresponse()
        return answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def cluster(folder: Path) -> Iterator[Cluster]:
    with running_cluster(folder / "database") as cluster:
        yield cluster


@pytest.fixture
def shop(folder: Path, start: Start, cluster: Cluster) -> Shop:
    return start(folder / "shop", "--database", cluster.url)[0]


def one_reader_for_each_process(shop: Shop, api: Api) -> list[Reader]:
    readers: dict[str, Reader] = {}

    def found() -> bool:
        reader = Reader(shop, api)
        if readers.setdefault(reader.process, reader) is not reader:
            reader.close()
        return len(readers) == WORKERS

    eventually(found)
    return list(readers.values())


def furnished(api: Api) -> list[str]:
    """A shop with one of everything; the paths its visitors know."""
    kind = api.create("/product-types", {"key": "shirt", "name": "Shirt", "description": ""})
    tax = api.create("/tax-categories", {"key": "usual", "name": "Usual", "rates": []})
    zone = api.create("/zones", {"key": "eu", "name": "EU", "locations": [{"country": "DE"}]})
    category = api.create("/categories", {"key": "all", "name": {"en": "All"}, "slug": {"en": "all"}})
    rate = {"zone": {"typeId": "zone", "id": zone["id"]}, "shippingRates": []}
    method = {
        "key": "post",
        "name": "Post",
        "taxCategory": {"typeId": "tax-category", "id": tax["id"]},
        "zoneRates": [rate],
        "isDefault": False,
    }
    post = api.create("/shipping-methods", method)
    state = api.create("/states", {"key": "new", "type": "ProductState"})
    custom = {"key": "extra", "name": {"en": "Extra"}, "resourceTypeIds": ["category"], "fieldDefinitions": []}
    extra = api.create("/types", custom)
    api.create("/channels", {"key": "berlin"})
    api.create("/stores", {"key": "berlin", "name": {"en": "Berlin"}})
    draft = {
        "key": "blue",
        "productType": {"typeId": "product-type", "id": kind["id"]},
        "name": {"en": "Blue"},
        "slug": {"en": "blue"},
        "categories": [{"typeId": "category", "id": category["id"]}],
        "masterVariant": {"sku": "blue-1", "prices": [{"value": {"currencyCode": "EUR", "centAmount": 100}}]},
        "publish": True,
    }
    product = api.create("/products", draft)
    api.create("/inventory", {"sku": "blue-1", "quantityOnStock": 3})
    slug = "/product-projections?where=slug(en%3D%22blue%22)&priceCurrency=EUR"
    return [
        "",
        f"/products/{product['id']}",
        f"/product-projections/{product['id']}",
        "/product-projections/key=blue",
        f"/product-projections/{product['id']}?expand=categories%5B*%5D",
        "/in-store/key=berlin/product-projections/key=blue",
        "/product-projections?limit=5",
        slug,
        f"/categories/{category['id']}",
        "/categories?sort=orderHint+asc",
        f"/product-types/{kind['id']}",
        f"/tax-categories/{tax['id']}",
        f"/shipping-methods/{post['id']}",
        "/shipping-methods/matching-location?country=DE",
        f"/states/{state['id']}",
        f"/types/{extra['id']}",
        "/channels/key=berlin",
        "/stores/key=berlin",
    ]


def overtake_all(api: Api) -> None:
    """Change one of each kind, so that nothing that is kept is known to be current."""
    for path, change in (
        ("product-types", {"action": "changeDescription", "description": "x"}),
        ("tax-categories", {"action": "changeName", "name": "x"}),
        ("zones", {"action": "changeName", "name": "x"}),
        ("categories", {"action": "changeName", "name": {"en": "x"}}),
        ("shipping-methods", {"action": "changeName", "name": "x"}),
        ("states", {"action": "setName", "name": {"en": "x"}}),
        ("types", {"action": "changeName", "name": {"en": "x"}}),
        ("channels", {"action": "changeName", "name": {"en": "x"}}),
        ("stores", {"action": "setName", "name": {"en": "x"}}),
        ("products", {"action": "setKey", "key": "blue", "staged": False}),
        ("products", {"action": "changeName", "name": {"en": "x"}, "staged": False}),
    ):
        for found in api.get(f"/{path}", where='key != "Initial"', limit=1)["results"]:
            api.update(f"/{path}", found, change)
    api.send("POST", "", {"version": api.get("")["version"], "actions": [{"action": "changeName", "name": "x"}]})


def read_over_and_over(reader: Reader, paths: Sequence[str], times: int) -> Counter[tuple[int, str]]:
    seen: Counter[tuple[int, str]] = Counter()
    for number in range(times):
        status, headers, _ = reader.get(paths[number % len(paths)])
        seen[status, headers.get("x-holdfast-served", "")] += 1
    return seen


def test_browsing_goes_on_while_the_database_is_stopped(shop: Shop, cluster: Cluster) -> None:
    with Api(shop.create_project()) as api:
        paths = furnished(api)
        cart = api.create("/carts", {"currency": "EUR"})
        readers = one_reader_for_each_process(shop, api)
        before = {path: reader.get(path)[2] for path in paths for reader in readers}
        overtake_all(api)
        cluster.stop()

        for reader in readers:
            for path in paths:
                status, headers, body = reader.get(path)
                assert (status, headers["x-holdfast-served"]) == (200, "stale"), (path, body)
                assert headers["warning"].startswith("110 ")
                assert int(headers["age"]) >= 0
                assert body == before[path]
                assert reader.get(path, If_None_Match=headers["etag"])[0] == 304
            status, headers, body = reader.get(f"/carts/{cart['id']}", X_Request_Timeout="300ms")
            assert status in (502, 503, 504), body
            assert reader.get("/zones/key=unseen", X_Request_Timeout="300ms")[0] in (502, 503, 504)
            assert read_over_and_over(reader, paths, READS_AWAY) == {(200, "stale"): READS_AWAY}

        cluster.start()
        for reader in readers:
            eventually(lambda reader=reader: reader.get(paths[1])[1].get("x-holdfast-served") != "stale")  # type: ignore[misc]
            assert json.loads(reader.get("/product-projections/key=blue")[2])["name"] == {"en": "x"}
            reader.close()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def test_readers_go_on_reading_through_a_stop_and_a_start(shop: Shop, cluster: Cluster) -> None:
    with Api(shop.create_project()) as api:
        paths = furnished(api)
        readers = [reader for _ in range(READERS_EACH) for reader in one_reader_for_each_process(shop, api)]
        seen: list[Counter[tuple[int, str]]] = []
        ending = threading.Event()

        def read(reader: Reader) -> None:
            while not ending.is_set():
                seen.append(read_over_and_over(reader, paths, len(paths)))

        for reader in readers:
            read_over_and_over(reader, paths, len(paths))
        threads = [threading.Thread(target=read, args=(reader,)) for reader in readers]
        for thread in threads:
            thread.start()
        cluster.stop()
        eventually(lambda: any((200, "stale") in counted for counted in seen))
        ending.wait(AWAY_SECONDS)
        done = len(seen)
        cluster.start()
        last = len(readers)
        eventually(lambda: len(seen) > done + 2 * last and not any((200, "stale") in one for one in seen[-last:]))
        ending.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
    total = sum(seen, Counter())
    print(f"answered while it was away and when it was back: {dict(total)}")
    assert {status for status, _ in total} == {200}, total


# --- in one process ------------------------------------------------------------------------


class Shopper:
    """Calls the application of this process, and counts what that asks the database."""

    def __init__(self, app: App, token: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self._app = app
        self._authorization = f"Bearer {token}".encode()
        self.statements = 0
        for name in ("fetch_keyed_once", "fetch", "fetchrow"):
            monkeypatch.setattr(store.database, name, self._counted(getattr(store.database, name)))

    def _counted(self, statement: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def counted(*arguments: Any) -> Any:
            self.statements += 1
            return await statement(*arguments)

        return counted

    async def send(self, method: str, path: str, body: object = None) -> tuple[int, dict[bytes, bytes], Any]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

        async def note(message: dict[str, Any]) -> None:
            sent.append(message)

        path, _, query = path.partition("?")
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
        headers = [(b"authorization", self._authorization)]
        await asyncio.create_task(self._app({**scope, "headers": headers}, receive, note))
        return sent[0]["status"], dict(sent[0]["headers"]), json.loads(sent[1]["body"])

    async def crowd(self, paths: Sequence[str]) -> Counter[tuple[int, bytes]]:
        """Everybody asks for everything at once."""
        replies = await asyncio.gather(*(self.send("GET", path) for path in paths for _ in range(ASKERS)))
        return Counter((status, headers.get(b"x-holdfast-served", b"")) for status, headers, _ in replies)


@pytest.fixture
async def shopper(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shopper]:
    load_resources()
    load_handlers()
    await migrate(cluster.url)
    store = Store(cluster.url)
    await store.open()
    tokens = Tokens(store.database, store.epochs)
    oauth = OAuth(tokens, verifier(store))
    made = await create_project(store, oauth, b'{"key":"crowd"}')
    token = (await oauth.client_credentials(made.client, None))["access_token"]
    app = App(store, Authenticator(tokens, store.epochs), Router(by_path()), {})
    yield Shopper(app, token, store, monkeypatch)
    await store.close()


async def test_on_its_return_the_database_is_asked_once_for_each_answer(cluster: Cluster, shopper: Shopper) -> None:
    zones = [(await shopper.send("POST", "/crowd/zones", {"name": f"{n}", "locations": []}))[2] for n in range(8)]
    paths = [f"/crowd/zones/{zone['id']}" for zone in zones] + [f"/crowd/zones?limit={n + 1}" for n in range(4)]
    everybody = ASKERS * len(paths)
    await shopper.crowd(paths)
    change = {"version": 1, "actions": [{"action": "changeName", "name": "x"}]}
    assert (await shopper.send("POST", paths[0], change))[0] == 200  # nothing that is kept is current any more

    await asyncio.to_thread(cluster.stop)
    for _ in range(3):
        assert await shopper.crowd(paths) == {(200, b"stale"): everybody}
    await asyncio.to_thread(cluster.start)
    await back(shopper)

    before = shopper.statements
    seen = await shopper.crowd(paths)
    assert {status for status, _ in seen} == {200}
    assert (200, b"stale") not in seen
    assert shopper.statements - before <= len(paths)
    assert shopper._app.kept.figures.stale == 3 * everybody


async def back(shopper: Shopper) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while shopper._app.kept.figures.outage_seconds:  # noqa: ASYNC110 - what is waited for happens in PostgreSQL
            await asyncio.sleep(0.02)
