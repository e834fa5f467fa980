"""The shop that is measured: its products, stock and carts, made over the public API."""

from __future__ import annotations

import base64
import itertools
import json
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.ops.bench.load import drive, request

SETUP_CONNECTIONS = 32
PRICE_CENTS = 1_999
STOCK_OF_EACH = 1_000_000
DESCRIPTION = "A sturdy thing for every day, made to last and easy to mend. " * 12


@dataclass(frozen=True)
class Shop:
    """Where the measured shop is and how to talk to it."""

    url: str
    project: str
    token: str

    def at(self, path: str) -> str:
        return f"{self.url}/{self.project}/{path}"

    def get(self, path: str) -> bytes:
        """A GET as it goes over the wire."""
        return request("GET", self.at(path), self.token)

    def post(self, path: str, value: Any) -> bytes:
        """A POST as it goes over the wire."""
        return request("POST", self.at(path), self.token, json.dumps(value).encode())

    async def make(self, path: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        """Create resources. Raises AssertionError with the first refusal."""
        result = await drive(
            self.url, [self.post(path, value) for value in values], connections=SETUP_CONNECTIONS, keep_bodies=True
        )
        answers = [json.loads(body) for body in result.bodies]
        refused = [answer for answer in answers if "statusCode" in answer]
        assert not refused, refused[0]
        return answers

    async def one(self, path: str, value: Any) -> dict[str, Any]:
        return (await self.make(path, [value]))[0]


def open_shop(url: str, project: str, client_id: str, client_secret: str) -> Shop:
    """The shop behind an all-rights client."""
    basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    asked = urllib.request.Request(  # noqa: S310 - the address is our own server's
        f"{url}/oauth/token", data=b"grant_type=client_credentials", headers={"authorization": f"Basic {basic}"}
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - as above
        return Shop(url, project, json.load(answer)["access_token"])


async def stock_up(shop: Shop, products: int) -> list[str]:
    """Fill an empty project with products to buy; answers their ids."""
    tax = await shop.one(
        "tax-categories",
        {
            "name": "standard",
            "key": "standard",
            "rates": [{"name": "VAT", "amount": 0.19, "includedInPrice": True, "country": "DE"}],
        },
    )
    zone = await shop.one("zones", {"name": "Europe", "key": "europe", "locations": [{"country": "DE"}]})
    await shop.one("shipping-methods", _shipping_method(tax["id"], zone["id"]))
    kind = await shop.one("product-types", {"name": "thing", "key": "thing", "description": "A thing"})
    made = await shop.make("products", [_product(number, kind["id"], tax["id"]) for number in range(products)])
    await shop.make(
        "inventory", [{"sku": f"SKU-{number}", "quantityOnStock": STOCK_OF_EACH} for number in range(products)]
    )
    return [product["id"] for product in made]


async def add_item(shop: Shop, sku: str, units: int) -> None:
    """One more product in a stocked shop, of which there are `units`."""
    await shop.one(
        "products",
        {
            "productType": {"typeId": "product-type", "key": "thing"},
            "taxCategory": {"typeId": "tax-category", "key": "standard"},
            "name": {"en": sku},
            "slug": {"en": sku.lower()},
            "publish": True,
            "masterVariant": {"sku": sku, "prices": [{"value": {"currencyCode": "EUR", "centAmount": 999}}]},
        },
    )
    await shop.one("inventory", {"sku": sku, "quantityOnStock": units})


def _shipping_method(tax_id: str, zone_id: str) -> dict[str, Any]:
    rate = {"price": {"currencyCode": "EUR", "centAmount": 390}}
    return {
        "name": "standard",
        "key": "standard",
        "isDefault": True,
        "taxCategory": {"typeId": "tax-category", "id": tax_id},
        "zoneRates": [{"zone": {"typeId": "zone", "id": zone_id}, "shippingRates": [rate]}],
    }


def _product(number: int, kind_id: str, tax_id: str) -> dict[str, Any]:
    return {
        "key": f"thing-{number}",
        "productType": {"typeId": "product-type", "id": kind_id},
        "taxCategory": {"typeId": "tax-category", "id": tax_id},
        "name": {"en": f"Thing {number}", "de": f"Ding {number}"},
        "description": {"en": DESCRIPTION},
        "slug": {"en": f"thing-{number}", "de": f"ding-{number}"},
        "publish": True,
        "masterVariant": {
            "sku": f"SKU-{number}",
            "prices": [
                {"value": {"currencyCode": "EUR", "centAmount": PRICE_CENTS}},
                {"value": {"currencyCode": "USD", "centAmount": PRICE_CENTS}, "country": "US"},
            ],
            "images": [{"url": f"http://localhost/{number}.svg", "dimensions": {"w": 800, "h": 800}}],
        },
    }


async def fill_carts(shop: Shop, skus: Iterator[str], count: int) -> list[dict[str, Any]]:
    """Carts of one line each, addressed and with shipping: ready to be ordered."""
    drafts = [
        {
            "currency": "EUR",
            "country": "DE",
            "inventoryMode": "ReserveOnOrder",
            "shippingAddress": {
                "country": "DE",
                "city": "Berlin",
                "firstName": "Ada",
                "lastName": "L",
                "email": "a@b.co",
            },
            "shippingMethod": {"typeId": "shipping-method", "key": "standard"},
            "lineItems": [{"sku": sku, "quantity": 1}],
        }
        for sku in itertools.islice(skus, count)
    ]
    return await shop.make("carts", drafts)


def order_of(shop: Shop, cart: dict[str, Any]) -> bytes:
    """The request that orders a cart."""
    return shop.post("orders", {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]})
