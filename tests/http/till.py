"""A shop with something to buy: products with counted stock, carts, orders."""

from __future__ import annotations

from typing import Any

import httpx
from tests.http.api import Api, fresh

RATE = {"name": "19 %", "amount": 0.19, "includedInPrice": True, "country": "DE"}


def open_till(api: Api) -> None:
    """What every product of these needs, once a project."""
    api.create("/tax-categories", {"key": "normal", "name": "normal", "rates": [RATE]})
    api.create("/product-types", {"key": "plain", "name": "plain", "description": ""})


def a_sku(api: Api, on_stock: int = 10, **entry: Any) -> str:
    """A product at 11.90, its stock counted."""
    sku = fresh("sku")
    variant = {"sku": sku, "prices": [{"value": {"currencyCode": "EUR", "centAmount": 1190}}]}
    api.create(
        "/products",
        {
            "productType": {"key": "plain"},
            "name": {"en": sku},
            "slug": {"en": sku},
            "taxCategory": {"key": "normal"},
            "masterVariant": variant,
            "publish": True,
        },
    )
    api.create("/inventory", {"sku": sku, "quantityOnStock": on_stock} | entry)
    return sku


def a_cart(api: Api, *skus: str, quantity: int = 1, path: str = "", **draft: Any) -> dict[str, Any]:
    lines = [{"sku": sku, "quantity": quantity} for sku in skus]
    given = {"currency": "EUR", "shippingAddress": {"country": "DE"}, "inventoryMode": "ReserveOnOrder"}
    return api.create(f"{path}/carts", given | {"lineItems": lines} | draft)


def order(api: Api, cart: dict[str, Any], path: str = "", **draft: Any) -> httpx.Response:
    body = {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]} | draft
    return api.send("POST", f"{path}/orders", body)


def placed(api: Api, cart: dict[str, Any], **draft: Any) -> dict[str, Any]:
    answer = order(api, cart, **draft)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def counters(api: Api, sku: str) -> tuple[int, int]:
    """Quantity on stock, and what of it is available."""
    (entry,) = api.get("/inventory", where=f'sku = "{sku}"')["results"]
    return entry["quantityOnStock"], entry["availableQuantity"]


def ledger(api: Api, sku: str) -> list[tuple[str, int, int, str]]:
    """How the counters of a SKU came to be: movements, what they did, and for which type of resource."""
    (entry,) = api.get("/inventory", where=f'sku = "{sku}"')["results"]
    lines = api.get(f"/inventory/{entry['id']}/ledger", limit=500)["results"]
    return [(line["movement"], line["onStock"], line["reserved"], line["reference"]["typeId"]) for line in lines]
