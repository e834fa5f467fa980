"""Carts over HTTP: shoppers, stores, copies, merging and the shipping methods a cart is offered."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.http.api import Api, fresh, refusal

DE = {"country": "DE"}


@pytest.fixture(scope="module")
def api(shop: Any) -> Any:
    with Api(shop.create_project("carts")) as api:
        stock_the_shelves(api)
        yield api


def stock_the_shelves(api: Api) -> None:
    """A shirt at 11.90 € and shipping at 4.90 € within Germany, 19 % included; a store; two methods."""
    rate = {"name": "19%", "amount": 0.19, "includedInPrice": True, "country": "DE"}
    api.create("/tax-categories", {"key": "normal", "name": "normal", "rates": [rate]})
    api.create("/product-types", {"key": "plain", "name": "plain", "description": ""})
    api.create("/zones", {"key": "de", "name": "Germany", "locations": [DE]})
    api.create("/stores", {"key": "boutique", "name": {"en": "Boutique"}})
    for sku, cents in (("shirt", 1190), ("book", 1070)):
        variant = {"sku": sku, "prices": [{"value": {"currencyCode": "EUR", "centAmount": cents}}]}
        draft = {"key": sku, "name": {"en": sku}, "slug": {"en": sku}, "masterVariant": variant, "publish": True}
        api.create("/products", draft | {"productType": {"key": "plain"}, "taxCategory": {"key": "normal"}})
    for key, cents, default in (("express", 1290, False), ("standard", 490, True)):
        rates = [{"price": {"currencyCode": "EUR", "centAmount": cents}}]
        draft = {"key": key, "name": key, "isDefault": default, "taxCategory": {"key": "normal"}}
        api.create("/shipping-methods", draft | {"zoneRates": [{"zone": {"key": "de"}, "shippingRates": rates}]})


def a_cart(api: Api, path: str = "/carts", *, token: str | None = None, **draft: Any) -> dict[str, Any]:
    answer = api.send("POST", path, {"currency": "EUR", **draft}, token=token)
    assert answer.status_code == 201, answer.text
    cart: dict[str, Any] = answer.json()
    return cart


def line(sku: str, quantity: int = 1) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity}


def quantities(cart: dict[str, Any]) -> dict[str, int]:
    return {item["variant"]["sku"]: item["quantity"] for item in cart["lineItems"]}


def guest(api: Api) -> str:
    """A token of a new anonymous session that may do nothing but shop."""
    scope = f"manage_my_orders:{api.key} manage_my_profile:{api.key}"
    answer = httpx.post(
        f"{api.project['authUrl']}/oauth/{api.key}/anonymous/token",
        data={"grant_type": "client_credentials", "scope": scope},
        auth=(api.project["clientId"], api.project["clientSecret"]),
    )
    return str(answer.json()["access_token"])


def a_customer(api: Api) -> str:
    draft = {"email": f"{fresh('ann')}@example.com", "password": "a pass phrase"}
    return str(api.create("/customers", draft)["customer"]["id"])


# --- the everyday cart ---------------------------------------------------------------------


def test_a_cart_is_filled_addressed_shipped_and_read_back(api: Api) -> None:
    cart = a_cart(api, lineItems=[line("shirt")])
    cart = api.update("/carts", cart, {"action": "addLineItem", **line("book", 2)})
    cart = api.update("/carts", cart, {"action": "setShippingAddress", "address": DE})
    offered = api.get("/shipping-methods/matching-cart", cartId=cart["id"])["results"]
    assert [method["key"] for method in offered] == ["standard", "express"]
    chosen = {"typeId": "shipping-method", "id": offered[0]["id"]}
    cart = api.update("/carts", cart, {"action": "setShippingMethod", "shippingMethod": chosen})
    assert cart["totalPrice"]["centAmount"] == 1190 + 2140 + 490
    assert cart["taxedPrice"]["totalGross"]["centAmount"] == 3820
    # 1000 + 1798.32 + 411.76, each rounded on its own
    assert cart["taxedPrice"]["totalNet"]["centAmount"] == 1000 + 1798 + 412
    assert api.get(f"/carts/{cart['id']}") == cart
    assert cart["version"] == 4


def test_hundreds_of_lines_are_added_in_one_request(api: Api) -> None:
    actions = [{"action": "addLineItem", **line(sku)} for sku in ("shirt", "book") * 250]
    cart = api.update("/carts", a_cart(api), *actions)
    assert quantities(cart) == {"shirt": 250, "book": 250}
    unknown = [{"action": "addLineItem", "sku": f"none-{number}"} for number in range(500)]
    body = {"version": cart["version"], "actions": unknown}
    refusal(api.send("POST", f"/carts/{cart['id']}", body), 400, "InvalidField")


def test_an_empty_form_sends_nulls(api: Api) -> None:
    cart = a_cart(
        api, lineItems=[{**line("shirt"), "quantity": None, "custom": None}], discountCodes=None, taxMode=None
    )
    cart = api.update(
        "/carts", cart, {"action": "addLineItem", "sku": "book", "quantity": None, "shippingDetails": None}
    )
    assert quantities(cart) == {"shirt": 1, "book": 1}


def test_carts_are_found_by_what_they_hold(api: Api) -> None:
    cart = a_cart(api, lineItems=[line("book", 77)])
    found = api.get("/carts", where='lineItems(variant(sku = "book") and quantity = 77)')["results"]
    assert [known["id"] for known in found] == [cart["id"]]


@pytest.mark.parametrize("expand", ["lineItems[*].productType", "shippingInfo.taxCategory"])
def test_references_in_carts_expand(api: Api, expand: str) -> None:
    cart = a_cart(api, lineItems=[line("shirt")], shippingAddress=DE, shippingMethod={"key": "standard"})
    read = api.get(f"/carts/{cart['id']}", expand=expand)
    reference = read["lineItems"][0]["productType"] if "Type" in expand else read["shippingInfo"]["taxCategory"]
    assert reference["obj"]["id"] == reference["id"]


# --- shoppers ------------------------------------------------------------------------------


def test_the_active_cart_is_the_one_changed_last(api: Api) -> None:
    token = guest(api)
    refusal(api.send("GET", "/me/active-cart", token=token), 404, "ResourceNotFound")
    assert api.send("HEAD", "/me/active-cart", token=token).status_code == 404
    first, second = (a_cart(api, "/me/carts", token=token) for _ in range(2))
    assert api.send("GET", "/me/active-cart", token=token).json()["id"] == second["id"]
    change = {"version": 1, "actions": [{"action": "addLineItem", **line("shirt")}]}
    assert api.send("POST", f"/me/carts/{first['id']}", change, token=token).status_code == 200
    assert api.send("GET", "/me/active-cart", token=token).json()["id"] == first["id"]
    assert api.send("HEAD", "/me/active-cart", token=token).status_code == 200
    refusal(api.send("GET", "/me/active-cart", token=guest(api)), 404, "ResourceNotFound")


def test_a_cart_an_agent_made_for_a_customer_is_not_the_one_they_shop_with(api: Api) -> None:
    customer = a_customer(api)
    own = a_cart(api, customerId=customer)
    a_cart(api, customerId=customer, origin="Merchant")
    assert api.get(f"/carts/customer-id={customer}")["id"] == own["id"]


def test_a_shopper_can_neither_see_nor_change_nor_copy_somebody_elses_cart(api: Api) -> None:
    token = guest(api)
    cart = a_cart(api, "/me/carts", token=token, lineItems=[line("shirt")])
    other = guest(api)
    path = f"/me/carts/{cart['id']}"
    refusal(api.send("GET", path, token=other), 404, "ResourceNotFound")
    refusal(api.send("POST", path, {"version": 1, "actions": []}, token=other), 404, "ResourceNotFound")
    copy = {"reference": {"typeId": "cart", "id": cart["id"]}}
    refusal(api.send("POST", "/me/carts/replicate", copy, token=other), 400, "ReferencedResourceNotFound")
    assert api.send("POST", "/me/carts/replicate", copy, token=token).status_code == 201


def test_a_shopper_cannot_set_a_price(api: Api) -> None:
    token = guest(api)
    price = {"currencyCode": "EUR", "centAmount": 1}
    cart = a_cart(api, "/me/carts", token=token, lineItems=[line("shirt") | {"externalPrice": price}])
    add = {"action": "addLineItem", **line("book"), "externalPrice": price}
    cart = api.send("POST", f"/me/carts/{cart['id']}", {"version": 1, "actions": [add]}, token=token).json()
    assert cart["totalPrice"]["centAmount"] == 1190 + 1070
    forced = {"action": "setLineItemPrice", "lineItemId": cart["lineItems"][0]["id"], "externalPrice": price}
    answer = api.send("POST", f"/me/carts/{cart['id']}", {"version": 2, "actions": [forced]}, token=token)
    refusal(answer, 400, "InvalidJsonInput")


# --- customers -----------------------------------------------------------------------------


def test_the_cart_of_a_customer_is_found_by_the_customer(api: Api) -> None:
    customer = a_customer(api)
    path = f"/carts/customer-id={customer}"
    refusal(api.send("GET", path), 404, "ResourceNotFound")
    cart = a_cart(api, customerId=customer)
    assert api.get(path) == cart


def test_a_guests_cart_is_merged_into_the_customers(api: Api) -> None:
    customer = a_customer(api)
    own = a_cart(api, customerId=customer, lineItems=[line("shirt", 2)])
    guests = a_cart(api, anonymousId=fresh("guest"), lineItems=[line("shirt", 3), line("book")])
    draft = {"anonymousCart": {"typeId": "cart", "id": guests["id"]}}
    merged = api.create(f"/carts/customer-id={customer}/merge", draft)
    assert merged["id"] == own["id"]
    assert quantities(merged) == {"shirt": 3, "book": 1}
    assert merged["totalPrice"]["centAmount"] == 3 * 1190 + 1070
    assert api.get(f"/carts/{guests['id']}")["cartState"] == "Merged"
    assert api.get(f"/carts/customer-id={customer}") == merged
    change = {"version": 2, "actions": [{"action": "addLineItem", **line("book")}]}
    refusal(api.send("POST", f"/carts/{guests['id']}", change), 400, "InvalidOperation")


def test_a_merge_names_a_cart_or_a_session(api: Api) -> None:
    path = f"/carts/customer-id={a_customer(api)}/merge"
    refusal(api.send("POST", path, {}), 400, "InvalidInput")
    refusal(api.send("POST", path, {"anonymousId": "nobody"}), 404, "ResourceNotFound")
    missing = {"anonymousCart": {"typeId": "cart", "id": "00000000-0000-4000-8000-000000000000"}}
    refusal(api.send("POST", path, missing), 400, "ReferencedResourceNotFound")
    nobody = "/carts/customer-id=00000000-0000-4000-8000-000000000000/merge"
    refusal(api.send("POST", nobody, {"anonymousId": "nobody"}), 404, "ResourceNotFound")


# --- copies --------------------------------------------------------------------------------


def test_carts_and_orders_can_be_copied(api: Api) -> None:
    cart = a_cart(api, lineItems=[line("shirt", 2)], shippingAddress=DE, shippingMethod={"key": "standard"})
    copy = api.create("/carts/replicate", {"reference": {"typeId": "cart", "id": cart["id"]}, "key": fresh("copy")})
    assert copy["id"] != cart["id"]
    assert (copy["version"], copy["totalPrice"], copy["cartState"]) == (1, cart["totalPrice"], "Active")
    order = api.create("/orders", {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]})
    again = api.create("/carts/replicate", {"reference": {"typeId": "order", "id": order["id"]}})
    assert (again["totalPrice"], again["taxedPrice"]) == (order["totalPrice"], order["taxedPrice"])
    assert quantities(again) == {"shirt": 2}


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ({"typeId": "cart", "id": "00000000-0000-4000-8000-000000000000"}, "ReferencedResourceNotFound"),
        ({"typeId": "order", "id": "nobody"}, "ReferencedResourceNotFound"),
        ({"typeId": "product", "key": "shirt"}, "ReferencedResourceNotFound"),
        ({}, "InvalidInput"),
    ],
)
def test_what_is_not_there_cannot_be_copied(api: Api, reference: dict[str, str], code: str) -> None:
    refusal(api.send("POST", "/carts/replicate", {"reference": reference}), 400, code)


# --- stores --------------------------------------------------------------------------------


def test_carts_of_a_store_are_seen_in_that_store(api: Api) -> None:
    inside = "/in-store/key=boutique"
    cart = a_cart(api, f"{inside}/carts", lineItems=[line("shirt")], shippingAddress=DE)
    assert cart["store"] == {"typeId": "store", "key": "boutique"}
    assert api.get(f"{inside}/carts/{cart['id']}") == cart
    offered = api.get(f"{inside}/shipping-methods/matching-cart", cartId=cart["id"])
    assert offered["count"] == 2
    outside = a_cart(api, shippingAddress=DE)
    refusal(api.send("GET", f"{inside}/carts/{outside['id']}"), 404, "ResourceNotFound")
    path = f"{inside}/shipping-methods/matching-cart"
    refusal(api.send("GET", path, parameters={"cartId": outside["id"]}), 404, "ResourceNotFound")


# --- shipping methods ----------------------------------------------------------------------


def test_matching_rates_are_marked(api: Api) -> None:
    cart = a_cart(api, lineItems=[line("shirt")], shippingAddress=DE)
    page = api.get("/shipping-methods/matching-cart", cartId=cart["id"], expand="zoneRates[*].zone")
    assert (page["count"], page["total"], page["offset"]) == (2, 2, 0)
    (served,) = page["results"][0]["zoneRates"]
    assert served["shippingRates"][0]["isMatching"] is True
    assert served["zone"]["obj"]["key"] == "de"


@pytest.mark.parametrize(
    ("path", "parameters", "count"),
    [
        ("matching-location", {"country": "DE"}, 2),
        ("matching-location", {"country": "DE", "state": "Berlin", "currency": "EUR"}, 2),
        ("matching-location", {"country": "DE", "currency": "USD"}, 0),
        ("matching-location", {"country": "FR"}, 0),
    ],
)
def test_places_are_offered_methods(api: Api, path: str, parameters: dict[str, str], count: int) -> None:
    assert api.get(f"/shipping-methods/{path}", **parameters)["count"] == count


def test_shoppers_are_offered_methods_for_their_own_carts(api: Api) -> None:
    token, stranger = guest(api), guest(api)
    cart = a_cart(api, "/me/carts", token=token, lineItems=[line("shirt")], shippingAddress=DE)
    asked = {"cartId": cart["id"]}
    answer = api.send("GET", "/shipping-methods/matching-cart", token=token, parameters=asked)
    assert [method["key"] for method in answer.json()["results"]] == ["standard", "express"]
    refused = api.send("GET", "/shipping-methods/matching-cart", token=stranger, parameters=asked)
    refusal(refused, 404, "ResourceNotFound")


def test_a_cart_without_an_address_can_ask_for_a_place(api: Api) -> None:
    cart = a_cart(api, lineItems=[line("shirt")])
    asked = {"cartId": cart["id"]}
    refusal(api.send("GET", "/shipping-methods/matching-cart", parameters=asked), 400, "InvalidOperation")
    assert api.get("/shipping-methods/matching-cart-location", **asked, country="DE")["count"] == 2


@pytest.mark.parametrize(
    ("path", "parameters", "status", "code"),
    [
        ("matching-cart", {}, 400, "InvalidInput"),
        ("matching-cart", {"cartId": "nobody"}, 404, "ResourceNotFound"),
        ("matching-location", {}, 400, "InvalidInput"),
        ("matching-location", {"country": "Germany"}, 400, "InvalidInput"),
        ("matching-location", {"country": "DE", "currency": "euro"}, 400, "InvalidInput"),
        ("matching-cart-location", {"country": "DE"}, 400, "InvalidInput"),
    ],
)
def test_what_is_asked_must_make_sense(api: Api, path: str, parameters: dict[str, str], status: int, code: str) -> None:
    refusal(api.send("GET", f"/shipping-methods/{path}", parameters=parameters), status, code)
