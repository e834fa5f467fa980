"""The demo shop loads through the API, once, and sells."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from tests.conftest import Shop
from tests.http.api import Api

from holdfast.cli.main import main
from holdfast.demo.client import Shop as Address
from holdfast.demo.load import load, stages

PICTURES_URL = "http://pictures.example"


def address(project: dict[str, Any]) -> Address:
    return Address(project["apiUrl"], project["projectKey"], project["clientId"], project["clientSecret"])


@pytest.fixture(scope="module")
def demo(shop: Shop) -> Iterator[Api]:
    project = shop.create_project("demo")
    assert load(address(project), PICTURES_URL) is True
    with Api(project) as api:
        yield api


def counts(api: Api) -> dict[str, int]:
    return {path: api.get(f"/{path}", limit=0)["total"] for path in {stage.path for stage in stages(PICTURES_URL)}}


def test_everything_is_there_and_every_product_is_published(demo: Api) -> None:
    planned: dict[str, int] = {}
    for stage in stages(PICTURES_URL):
        planned[stage.path] = planned.get(stage.path, 0) + len(stage.drafts)
    built_in = demo.get("/states", where="builtIn = true", limit=0)["total"]
    assert counts(demo) == planned | {"states": planned["states"] + built_in}
    assert demo.get("/product-projections", limit=0)["total"] == planned["products"]


def test_loading_again_does_nothing(demo: Api) -> None:
    before = demo.everything()
    assert load(address(demo.project), PICTURES_URL) is False
    assert demo.everything() == before


def test_a_broken_run_is_continued(demo: Api) -> None:
    before = counts(demo)
    zone = demo.create("/zones", {"key": "mine", "name": "Not of the demo"})
    for path in ("/stores/key=us", "/customers/key=customer-10"):
        version = demo.get(path)["version"]
        assert demo.send("DELETE", path, parameters={"version": version}).status_code == 200
    assert load(address(demo.project), PICTURES_URL) is True
    demo.send("DELETE", f"/zones/{zone['id']}", parameters={"version": zone["version"]})
    assert counts(demo) == before


def checkout(api: Api, cart: dict[str, Any], address: dict[str, str]) -> dict[str, Any]:
    made = api.create("/carts", {**cart, "shippingAddress": address})
    method = api.get("/shipping-methods/matching-cart", cartId=made["id"])["results"][0]
    assert method["key"] == "standard"
    reference = {"typeId": "shipping-method", "id": method["id"]}
    return api.update("/carts", made, {"action": "setShippingMethod", "shippingMethod": reference})


def test_german_food_is_cheaper_by_the_half_dozen_and_contains_seven_percent(demo: Api) -> None:
    chocolate = demo.get(
        "/product-projections", where="categories(id = :id)", **{"var.id": category(demo, "chocolate")}
    )
    variant = chocolate["results"][0]["masterVariant"]
    german = next(price["value"] for price in variant["prices"] if price.get("country") == "DE")
    lines = [{"sku": variant["sku"], "quantity": 6}]
    cart = checkout(demo, {"currency": "EUR", "country": "DE", "lineItems": lines}, {"country": "DE"})
    (line,) = cart["lineItems"]
    assert line["totalPrice"]["centAmount"] == 6 * (german["centAmount"] * 95 // 100)
    assert line["taxRate"]["amount"] == 0.07
    assert line["taxedPrice"]["totalGross"] == line["totalPrice"]
    assert cart["shippingInfo"]["price"]["centAmount"] == 490


def test_californians_pay_sales_tax_on_top_and_nothing_for_dear_parcels(demo: Api) -> None:
    tents = demo.get("/product-projections", where="categories(id = :id)", **{"var.id": category(demo, "tents")})
    sku = tents["results"][0]["masterVariant"]["sku"]
    draft = {"currency": "USD", "country": "US", "lineItems": [{"sku": sku}]}
    cart = checkout(demo, draft, {"country": "US", "state": "CA"})
    assert cart["shippingInfo"]["price"]["centAmount"] == 0
    net = cart["lineItems"][0]["totalPrice"]["centAmount"]
    assert cart["taxedPrice"]["totalNet"]["centAmount"] == net
    assert cart["taxedPrice"]["totalTax"]["centAmount"] == round(Fraction(net * 725, 10_000))


def category(api: Api, key: str) -> str:
    return str(api.get(f"/categories/key={key}")["id"])


def test_a_demo_shop_that_sold_keeps_every_promise(shop: Shop, demo: Api, capsys: pytest.CaptureFixture[str]) -> None:
    german = {"currency": "EUR", "country": "DE", "lineItems": [{"sku": a_sku(demo, "chocolate"), "quantity": 6}]}
    cart = checkout(demo, german, {"country": "DE"})
    demo.create("/orders", {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]})
    assert main(["audit", "--project", demo.key, "--data", str(shop.data)]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.startswith("no findings in ")


def a_sku(api: Api, category_key: str) -> str:
    found = api.get("/product-projections", where="categories(id = :id)", **{"var.id": category(api, category_key)})
    return str(found["results"][0]["masterVariant"]["sku"])
