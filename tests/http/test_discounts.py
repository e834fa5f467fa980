"""Cart discounts, discount codes and gift cards over HTTP, and crowds that want the same of them."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import Shop
from tests.http.api import Api, fresh, refusal

from holdfast.ops.bench.load import drive, request
from holdfast.ops.bench.shop import Shop as Till
from holdfast.ops.bench.shop import fill_carts, open_shop, order_of, stock_up

Json = dict[str, Any]

# HOLDFAST_CROWD=500 HOLDFAST_CROWD_ROUNDS=20 lets so many buyers try a code at once, so many times.
BUYERS = int(os.environ.get("HOLDFAST_CROWD", "60"))
ROUNDS = int(os.environ.get("HOLDFAST_CROWD_ROUNDS", "1"))
CONNECTIONS = BUYERS
PRICE = 1_999
SHIPPING = 390
ALL_LINES = {"type": "lineItems", "predicate": "1 = 1"}
_sort_orders = itertools.count(100)


def eur(cents: int) -> Json:
    return {"currencyCode": "EUR", "centAmount": cents}


def discount_draft(**more: Any) -> Json:
    return {
        "key": fresh("discount"),
        "name": {"en": "Ten percent"},
        "value": {"type": "relative", "permyriad": 1000},
        "cartPredicate": "1 = 1",
        "target": ALL_LINES,
        "sortOrder": f"0.{next(_sort_orders)}1",
        "requiresDiscountCode": True,
        **more,
    }


def a_code(api: Api, **more: Any) -> Json:
    """A code of its own for ten percent off."""
    discount = api.create("/cart-discounts", discount_draft())
    named = [{"typeId": "cart-discount", "id": discount["id"]}]
    return api.create("/discount-codes", {"code": fresh("CODE"), "cartDiscounts": named, **more})


@pytest.fixture(scope="module")
def place(shop: Shop) -> Json:
    """A project behind two API processes."""
    assert len(shop.pids["workers"]) > 1
    return shop.create_project("discounts")


@pytest.fixture(scope="module")
def till(place: Json) -> Till:
    """The stocked project, for requests by the crowd."""
    opened = open_shop(place["apiUrl"], place["projectKey"], place["clientId"], place["clientSecret"])
    asyncio.run(stock_up(opened, 2))
    return opened


@pytest.fixture(scope="module")
def api(place: Json, till: Till) -> Iterator[Api]:
    """The stocked project, for requests one by one."""
    with Api(place) as api:
        yield api


def a_cart(api: Api, **more: Any) -> Json:
    """A cart of two things, ready to be ordered."""
    return api.create(
        "/carts",
        {
            "currency": "EUR",
            "country": "DE",
            "shippingAddress": {"country": "DE"},
            "shippingMethod": {"typeId": "shipping-method", "key": "standard"},
            "lineItems": [{"sku": "SKU-0", "quantity": 2}],
            **more,
        },
    )


def order(api: Api, cart: Json) -> Any:
    return api.send("POST", "/orders", {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]})


def adding(code: Json) -> Json:
    return {"action": "addDiscountCode", "code": code["code"]}


def total(resource: Json) -> int:
    cents: int = resource["totalPrice"]["centAmount"]
    return cents


# --- one shopper ---------------------------------------------------------------------------


def test_predicates_look_behind_what_a_cart_points_at(api: Api) -> None:
    top = api.create("/categories", {"key": fresh("top"), "name": {"en": "T"}, "slug": {"en": fresh("top")}})
    below = {"parent": {"typeId": "category", "id": top["id"]}, "key": fresh("below")}
    category = api.create("/categories", {"name": {"en": "B"}, "slug": {"en": fresh("below")}, **below})
    like = api.get("/product-projections", limit=1)["results"][0]
    kind = api.create("/product-types", {"key": fresh("kind"), "name": "Kind", "description": ""})
    sku = fresh("CLASSED")
    product = {
        "name": {"en": "P"},
        "slug": {"en": fresh("classed")},
        "productType": {"typeId": "product-type", "id": kind["id"]},
        "taxCategory": like["taxCategory"],
        "categories": [{"typeId": "category", "id": category["id"]}],
        "masterVariant": {"sku": sku, "prices": [{"value": eur(1000)}]},
        "publish": True,
    }
    api.create("/products", product)
    group = api.create("/customer-groups", {"groupName": fresh("Group"), "key": fresh("group")})
    draft = {"email": f"{fresh('vip')}@example.com", "password": "a pass phrase", "lastName": "Lovelace"}
    grouped = {"customerGroup": {"typeId": "customer-group", "id": group["id"]}}
    customer = api.create("/customers", draft | grouped)["customer"]
    asked = (
        f'customer.customerGroup.key = "{group["key"]}" and customer.lastName = "Lovelace"'
        f' and lineItemExists(categories.key = "{category["key"]}" and productType.key = "{kind["key"]}")'
    )
    target = {"type": "lineItems", "predicate": f'categoriesWithAncestors.key = "{top["key"]}"'}
    discount = api.create("/cart-discounts", discount_draft(cartPredicate=asked, target=target))
    code = api.create("/discount-codes", {"code": fresh("CODE"), "cartDiscounts": [{"id": discount["id"]}]})
    lines = [{"sku": sku, "quantity": 1}, {"sku": "SKU-0", "quantity": 1}]
    cart = a_cart(api, customerId=customer["id"], lineItems=lines, discountCodes=[code["code"]])
    assert [info["state"] for info in cart["discountCodes"]] == ["MatchesCart"]
    assert [item["totalPrice"]["centAmount"] for item in cart["lineItems"]] == [900, PRICE]
    assert order(api, cart).status_code == 201
    stranger = a_cart(api, lineItems=lines, discountCodes=[code["code"]])
    assert [info["state"] for info in stranger["discountCodes"]] == ["DoesNotMatchCart"]


def test_an_automatic_discount_reaches_every_cart_until_it_is_switched_off(api: Api) -> None:
    discount = api.create("/cart-discounts", discount_draft(requiresDiscountCode=False))
    try:
        cart = a_cart(api)
        assert total(cart) == 2 * 1799 + SHIPPING
        assert order(api, cart).json()["totalPrice"] == cart["totalPrice"]
        stale = a_cart(api)
    finally:
        off = api.update("/cart-discounts", discount, {"action": "changeIsActive", "isActive": False})
    assert (off["isActive"], off["version"]) == (False, 2)
    assert total(a_cart(api)) == 2 * PRICE + SHIPPING
    refusal(order(api, stale), 400, "PriceChanged")
    assert total(api.update("/carts", stale, {"action": "recalculate"})) == 2 * PRICE + SHIPPING


def test_automatic_discounts_written_at_once_are_all_there(api: Api, till: Till) -> None:
    drafts = [
        discount_draft(requiresDiscountCode=False, value={"type": "absolute", "money": [eur(10)]}) for _ in range(8)
    ]
    requests = [till.post("cart-discounts", draft) for draft in drafts]
    result = asyncio.run(drive(till.url, requests, connections=8, keep_bodies=True))
    assert result.statuses == Counter({201: 8})
    assert total(a_cart(api)) == 2 * PRICE - 80 + SHIPPING
    made = [json.loads(body) for body in result.bodies]
    gone = [request("DELETE", till.at(f"cart-discounts/{each['id']}?version=1"), till.token) for each in made]
    assert asyncio.run(drive(till.url, gone, connections=8)).statuses == Counter({200: 8})
    assert total(a_cart(api)) == 2 * PRICE + SHIPPING


def test_a_code_goes_through_the_cart_into_the_order_and_is_counted(api: Api) -> None:
    code = a_code(api, maxApplications=2)
    cart = api.update("/carts", a_cart(api), adding(code))
    assert cart["discountCodes"] == [
        {"discountCode": {"typeId": "discount-code", "id": code["id"]}, "state": "MatchesCart"}
    ]
    first = order(api, cart)
    assert (first.status_code, total(first.json())) == (201, 2 * 1799 + SHIPPING)
    assert first.json()["discountCodes"] == cart["discountCodes"]
    assert order(api, cart).json()["id"] == first.json()["id"]
    assert api.get(f"/discount-codes/{code['id']}")["applicationVersion"] == 1
    cancel = {"action": "changeOrderState", "orderState": "Cancelled"}
    api.update("/orders", first.json(), cancel)
    assert order(api, a_cart(api, discountCodes=[code["code"]])).status_code == 201
    used_up = a_cart(api, discountCodes=[code["code"]])
    assert used_up["discountCodes"][0]["state"] == "MaxApplicationReached"
    assert refusal(order(api, used_up), 400, "DiscountCodeNonApplicable")["reason"] == "MaxApplicationReached"


def test_a_limit_per_customer_counts_each_customer_alone(api: Api) -> None:
    code = a_code(api, maxApplicationsPerCustomer=1)
    ann, bob = (
        api.create("/customers", {"email": f"{fresh('c')}@example.com", "password": "secret"})["customer"]["id"]
        for _ in range(2)
    )
    both = [a_cart(api, customerId=ann, discountCodes=[code["code"]]) for _ in range(2)]
    assert order(api, both[0]).status_code == 201
    refused = refusal(order(api, both[1]), 400, "DiscountCodeNonApplicable")
    assert (refused["discountCode"], refused["discountCodeId"]) == (code["code"], code["id"])
    assert order(api, a_cart(api, customerId=bob, discountCodes=[code["code"]])).status_code == 201


def test_a_discount_behind_a_code_cannot_be_deleted_before_it(api: Api) -> None:
    code = a_code(api)
    discount = code["cartDiscounts"][0]["id"]
    refused = api.send("DELETE", f"/cart-discounts/{discount}", parameters={"version": 1})
    refusal(refused, 400, "ReferenceExists")
    assert api.send("DELETE", f"/discount-codes/{code['id']}", parameters={"version": 1}).status_code == 200
    assert api.send("DELETE", f"/cart-discounts/{discount}", parameters={"version": 1}).status_code == 200


def test_codes_and_sort_orders_are_unique(api: Api) -> None:
    discount = api.create("/cart-discounts", discount_draft())
    again = discount_draft(sortOrder=discount["sortOrder"])
    assert refusal(api.send("POST", "/cart-discounts", again), 400, "DuplicateField")["field"] == "sortOrder"
    code = a_code(api)
    named = {"code": code["code"], "cartDiscounts": [{"typeId": "cart-discount", "id": discount["id"]}]}
    assert refusal(api.send("POST", "/discount-codes", named), 400, "DuplicateField")["field"] == "code"


BAD_DISCOUNTS: list[tuple[Json, str, str | None]] = [
    ({"sortOrder": "1"}, "InvalidJsonInput", None),
    ({"sortOrder": "0.10"}, "InvalidJsonInput", None),
    ({"sortOrder": "-0.1"}, "InvalidJsonInput", None),
    ({"value": {"type": "relative", "permyriad": 10_001}}, "InvalidJsonInput", None),
    ({"value": {"type": "fortune"}}, "InvalidJsonInput", None),
    ({"target": {"type": "pattern"}}, "InvalidJsonInput", None),
    ({"stackingMode": "Pile"}, "InvalidJsonInput", None),
    ({"cartPredicate": "1 ="}, "InvalidInput", None),
    ({"cartPredicate": "(" * 500}, "InvalidInput", None),
    ({"target": {"type": "lineItems", "predicate": "sku"}}, "InvalidInput", None),
    ({"target": None}, "RequiredField", "target"),
    ({"validFrom": "2026-02-01T00:00:00Z", "validUntil": "2026-01-01T00:00:00Z"}, "InvalidField", "validUntil"),
    ({"value": {"type": "absolute", "money": [eur(-5)]}}, "InvalidField", "value.money.centAmount"),
]


@pytest.mark.parametrize(("change", "code", "field"), BAD_DISCOUNTS)
def test_a_bad_discount_is_refused_and_changes_nothing(api: Api, change: Json, code: str, field: str | None) -> None:
    before = api.get("/cart-discounts", limit=0)["total"]
    refused = refusal(api.send("POST", "/cart-discounts", discount_draft(**change)), 400, code)
    assert refused.get("field") == field
    assert (field or next(iter(change))) in json.dumps(refused)
    assert api.get("/cart-discounts", limit=0)["total"] == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code": ""}, "InvalidJsonInput"),
        ({"cartDiscounts": []}, "InvalidJsonInput"),
        ({"maxApplications": -1}, "InvalidJsonInput"),
        ({"maxApplications": 10**19}, "InvalidJsonInput"),
        ({"maxApplicationsPerCustomer": 1.5}, "InvalidJsonInput"),
        ({"cartPredicate": "nonsense("}, "InvalidInput"),
        ({"cartDiscounts": [{"typeId": "cart-discount", "key": "none"}]}, "ReferencedResourceNotFound"),
        ({"cartDiscounts": [{"typeId": "product", "key": "thing-0"}]}, "InvalidInput"),
    ],
)
def test_a_bad_code_is_refused(api: Api, change: Json, code: str) -> None:
    discount = api.create("/cart-discounts", discount_draft())
    draft = {"code": fresh("BAD"), "cartDiscounts": [{"typeId": "cart-discount", "id": discount["id"]}]}
    refusal(api.send("POST", "/discount-codes", draft | change), 400, code)


# --- gift cards ----------------------------------------------------------------------------


def gift_card(api: Api, cents: int) -> Json:
    return api.create("/gift-cards", {"code": fresh("GIFT-CARD"), "amount": eur(cents)})


def payment_draft(card: Json, cents: int, kind: str = "Charge") -> Json:
    info = {"paymentInterface": "gift-card", "token": {"value": card["code"]}}
    return {
        "amountPlanned": eur(cents),
        "paymentMethodInfo": info,
        "transactions": [{"type": kind, "amount": eur(cents)}],
    }


def balance(api: Api, card: Json) -> int:
    cents: int = api.get(f"/gift-cards/{card['id']}")["balance"]["centAmount"]
    return cents


def test_a_gift_card_is_spent_and_refunded_to_the_cent(api: Api) -> None:
    card = gift_card(api, 1000)
    assert card["balance"]["centAmount"] == 1000
    payment = api.create("/payments", payment_draft(card, 700))
    assert payment["transactions"][0]["state"] == "Success"
    assert balance(api, card) == 300
    before = api.get("/payments", limit=0)["total"]
    refusal(api.send("POST", "/payments", payment_draft(card, 301)), 400, "InsufficientBalance")
    assert (balance(api, card), api.get("/payments", limit=0)["total"]) == (300, before)
    refund = {"action": "addTransaction", "transaction": {"type": "Refund", "amount": eur(700)}}
    sent = {"version": payment["version"], "actions": [refund]}
    assert api.send("POST", f"/payments/{payment['id']}", sent).status_code == 200
    refusal(api.send("POST", f"/payments/{payment['id']}", sent), 409, "ConcurrentModification")
    assert balance(api, card) == 1000
    (listed,) = api.get("/gift-cards", where=f'code = "{card["code"]}"')["results"]
    assert listed["balance"]["centAmount"] == 1000
    topped = api.update("/gift-cards", card, {"action": "topUp", "amount": eur(50)})
    assert (topped["version"], topped["balance"]["centAmount"]) == (2, 1050)


def test_a_gift_card_that_was_used_cannot_be_deleted(api: Api) -> None:
    card, unused = gift_card(api, 1000), gift_card(api, 1000)
    api.create("/payments", payment_draft(card, 1))
    refused = api.send("DELETE", f"/gift-cards/{card['id']}", parameters={"version": 1})
    refusal(refused, 400, "InvalidOperation")
    assert api.send("DELETE", f"/gift-cards/{unused['id']}", parameters={"version": 1}).status_code == 200


# --- crowds --------------------------------------------------------------------------------


async def coded_carts(till: Till, code: Json, count: int) -> list[Json]:
    carts = await fill_carts(till, itertools.repeat("SKU-1"), count)
    updates = [
        till.post(f"carts/{cart['id']}", {"version": cart["version"], "actions": [adding(code)]}) for cart in carts
    ]
    result = await drive(till.url, updates, connections=CONNECTIONS, keep_bodies=True)
    assert result.statuses == Counter({200: count})
    return [json.loads(body) for body in result.bodies]


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_a_single_use_code_tried_by_a_crowd_is_redeemed_once(api: Api, till: Till, _round: int) -> None:
    code = a_code(api, maxApplications=1)

    async def crowd() -> Any:
        carts = await coded_carts(till, code, BUYERS)
        # Each buyer asks twice, as one whose answer was lost would.
        requests = [order_of(till, cart) for cart in carts for _ in range(2)]
        return await drive(till.url, requests, connections=CONNECTIONS, keep_bodies=True)

    result = asyncio.run(crowd())
    assert result.statuses == Counter({201: 2, 400: 2 * BUYERS - 2})
    answers = [json.loads(body) for body in result.bodies]
    assert len({answer["id"] for answer in answers if "id" in answer}) == 1
    refusals = Counter(answer["errors"][0]["code"] for answer in answers if "errors" in answer)
    assert refusals == Counter({"DiscountCodeNonApplicable": 2 * BUYERS - 2})
    assert api.get(f"/discount-codes/{code['id']}")["applicationVersion"] == 1
    where = f'discountCodes(discountCode(id = "{code["id"]}"))'
    assert api.get("/orders", where=where)["total"] == 1


def test_a_gift_card_spent_by_a_crowd_never_gives_more_than_it_has(api: Api, till: Till) -> None:
    card = gift_card(api, 1000)
    requests = [till.post("payments", payment_draft(card, 70)) for _ in range(BUYERS)]
    result = asyncio.run(drive(till.url, requests, connections=CONNECTIONS, keep_bodies=True))
    assert result.statuses == Counter({201: 14, 400: BUYERS - 14})
    assert balance(api, card) == 1000 - 14 * 70
    codes = {json.loads(body)["errors"][0]["code"] for body in result.bodies if b'"statusCode":400' in body}
    assert codes == {"InsufficientBalance"}
