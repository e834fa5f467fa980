"""A buyer at one API process of a shop: looks at a product and a list seen before, fills a cart, orders."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx
from tests.conftest import Shop

# What the buyer's client gives each request; in an outage nothing is to be waited for longer.
REQUEST_SECONDS = 1
PATIENCE_SECONDS = 60.0
# Connections to one process: what is done at once has one each.
SEATS = 2

PRODUCT = '/product-projections?where=slug(en%3D"shirt")&priceCurrency=EUR'
CATEGORIES = "/categories?sort=orderHint+asc"
_numbers = itertools.count(1)


class Answer(NamedTuple):
    """An answer as the buyer sees it."""

    status: int
    served: str
    code: str
    seconds: float
    body: Any

    def __str__(self) -> str:
        return f"{self.status} {self.code or self.served} · {pace(self.seconds)}"


def pace(seconds: float) -> str:
    """The class of a wait."""
    if seconds < 0.1:
        return "fast"
    return "slow" if seconds < 1.0 else "waits"


class Basket(NamedTuple):
    """A cart with something in it, and the request that orders it: the same however often it is sent."""

    cart: dict[str, Any]
    key: str

    @property
    def order(self) -> dict[str, Any]:
        return {"cart": {"typeId": "cart", "id": self.cart["id"]}, "version": self.cart["version"]}


class Visit(NamedTuple):
    """What a buyer saw. Each page is looked at twice: it changed a moment before, and after that it did not."""

    product: tuple[Answer, Answer]
    categories: tuple[Answer, Answer]
    cart: Answer
    order: Answer


class Buyer:
    """Talks to one process of a shop over connections that were open before anything breaks."""

    def __init__(self, shop: Shop, project: Mapping[str, str], *, not_at: str = "") -> None:
        self._shop = shop
        self.process = not_at
        self._key = project["projectKey"]
        self._project = project
        self._stack = AsyncExitStack()
        self._seats: list[httpx.AsyncClient] = []

    async def __aenter__(self) -> Self:
        by_process: dict[str, list[httpx.AsyncClient]] = {self.process: []}
        token, avoided = await self._token(), self.process
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.process == avoided or len(by_process[self.process]) < SEATS:
                seat = await self._stack.enter_async_context(self._client(token))
                self.process = (await seat.get("/zones")).headers["x-correlation-id"].partition("-")[0]
                by_process.setdefault(self.process, []).append(seat)
        self._seats = by_process[self.process]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _token(self) -> str:
        basic = (self._project["clientId"], self._project["clientSecret"])
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
            given = {"grant_type": "client_credentials"}
            answer = await client.post(f"{self._shop.auth_url}/oauth/token", data=given, auth=basic)
        return str(answer.json()["access_token"])

    def _client(self, token: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"{self._shop.api_url}/{self._key}",
            headers={"Authorization": f"Bearer {token}"},
            limits=httpx.Limits(max_connections=1, keepalive_expiry=PATIENCE_SECONDS),
            timeout=PATIENCE_SECONDS,
        )

    async def send(self, method: str, path: str, body: object = None, *, seat: int = 0, **headers: str) -> Answer:
        """One request; what came back, and after how long."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        begun = time.monotonic()
        answer = await self._seats[seat].request(method, path, json=body, headers=named)
        seconds = time.monotonic() - begun
        told = answer.json()
        code = str(told["errors"][0]["code"]) if answer.status_code >= 400 else ""
        return Answer(answer.status_code, answer.headers.get("x-holdfast-served", ""), code, seconds, told)

    async def good(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """A request that has to succeed; its body."""
        answer = await self.send(method, path, body)
        assert answer.status < 300, answer
        found: dict[str, Any] = answer.body
        return found

    async def open_shop(self) -> None:
        """Something to look at and to buy."""
        rate = {"name": "19 %", "amount": 0.19, "includedInPrice": True, "country": "DE"}
        await self.good("POST", "/tax-categories", {"key": "normal", "name": "normal", "rates": [rate]})
        await self.good("POST", "/product-types", {"key": "plain", "name": "plain", "description": ""})
        await self.good("POST", "/categories", {"key": "all", "name": {"en": "All"}, "slug": {"en": "all"}})
        variant = {"sku": "shirt", "prices": [{"value": {"currencyCode": "EUR", "centAmount": 1190}}]}
        product = {
            "key": "shirt",
            "productType": {"key": "plain"},
            "name": {"en": "Shirt"},
            "slug": {"en": "shirt"},
            "taxCategory": {"key": "normal"},
            "masterVariant": variant,
            "publish": True,
        }
        await self.good("POST", "/products", product)
        await self.good("POST", "/inventory", {"sku": "shirt", "quantityOnStock": 1_000})

    def cart(self, email: str | None = None) -> dict[str, Any]:
        address = {"country": "DE"}
        lines = [{"sku": "shirt", "quantity": 1}]
        cart = {"currency": "EUR", "shippingAddress": address, "inventoryMode": "ReserveOnOrder", "lineItems": lines}
        return cart | ({"customerEmail": email} if email else {})

    async def basket(self, email: str | None = None) -> Basket:
        return Basket(await self.good("POST", "/carts", self.cart(email)), f"checkout-{next(_numbers)}")

    async def order(self, basket: Basket, seat: int = 0) -> Answer:
        limit = f"{REQUEST_SECONDS}s"
        headers = {"Idempotency_Key": basket.key, "X_Request_Timeout": limit}
        return await self.send("POST", "/orders", basket.order, seat=seat, **headers)

    async def ordered(self, basket: Basket) -> Answer:
        """Order until it is done, as a client does that was told to come back."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (answer := await self.order(basket)).status != 201:
                assert answer.status >= 500, answer
                await asyncio.sleep(0.02)
        return answer

    async def orders_of(self, basket: Basket) -> int:
        found = await self.send("GET", f'/orders?where=cart(id%3D"{basket.cart["id"]}")&limit=2')
        return len(found.body["results"])

    async def look_and_change(self) -> None:
        """Look at the pages, and then something about them changes: what was seen is not current any more."""
        for path in (PRODUCT, CATEGORIES):
            await self.good("GET", path)
        name = {"en": f"Shirt {next(_numbers)}"}
        for kind, key, action in (
            ("products", "shirt", {"action": "changeName", "name": name, "staged": False}),
            ("categories", "all", {"action": "changeName", "name": name}),
        ):
            resource = await self.good("GET", f"/{kind}/key={key}")
            change = {"version": resource["version"], "actions": [action]}
            await self.good("POST", f"/{kind}/{resource['id']}", change)

    async def visit(self, basket: Basket, email: str | None = None) -> Visit:
        """Look twice at each page, then fill a cart and order another at the same time."""
        limit = f"{REQUEST_SECONDS}s"
        pages = [
            (
                await self.send("GET", path, X_Request_Timeout=limit),
                await self.send("GET", path, X_Request_Timeout=limit),
            )
            for path in (PRODUCT, CATEGORIES)
        ]
        cart, order = await asyncio.gather(
            self.send("POST", "/carts", self.cart(email), seat=1, X_Request_Timeout=limit), self.order(basket)
        )
        return Visit(pages[0], pages[1], cart, order)
