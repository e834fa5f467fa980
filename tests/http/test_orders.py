from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.http.api import Api, fresh, refusal
from tests.http.till import a_cart, a_sku, counters, open_till, order, placed


@pytest.fixture(scope="module")
def api(shop: Any) -> Iterator[Api]:
    with Api(shop.create_project("orders")) as api:
        open_till(api)
        yield api


# --- placing -------------------------------------------------------------------------------


def test_an_order_is_read_back_as_it_was_answered(api: Api) -> None:
    cart = a_cart(api, a_sku(api), quantity=2)
    answered = placed(api, cart, orderNumber=fresh("number"))
    assert answered["totalPrice"]["centAmount"] == 2380
    assert answered["taxedPrice"]["totalTax"]["centAmount"] == 380
    assert api.get(f"/orders/{answered['id']}") == answered
    after = api.get(f"/carts/{cart['id']}")
    assert (after["cartState"], after["version"]) == ("Ordered", cart["version"] + 1)


def test_the_deprecated_way_to_name_the_cart_still_works(api: Api) -> None:
    cart = a_cart(api, a_sku(api))
    answer = api.send("POST", "/orders", {"id": cart["id"], "version": cart["version"]})
    assert answer.status_code == 201, answer.text


def test_an_order_names_its_cart_by_key_too(api: Api) -> None:
    cart = a_cart(api, a_sku(api), key=fresh("cart"))
    answer = api.send("POST", "/orders", {"cart": {"key": cart["key"]}, "version": cart["version"]})
    assert answer.status_code == 201, answer.text


def test_a_repeated_order_is_the_same_order(api: Api) -> None:
    cart = a_cart(api, a_sku(api))
    first = placed(api, cart)
    again = placed(api, cart, orderNumber=fresh("number"))
    assert again == first


def test_many_tabs_place_one_order_and_take_its_stock_once(api: Api) -> None:
    sku = a_sku(api, 10)
    cart = a_cart(api, sku, quantity=3)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: order(api, cart), range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert counters(api, sku) == (10, 7)


def test_an_ordered_cart_can_no_longer_be_changed(api: Api) -> None:
    cart = a_cart(api, a_sku(api))
    placed(api, cart)
    body = {"version": cart["version"] + 1, "actions": [{"action": "setCustomerEmail", "email": "a@example.com"}]}
    refusal(api.send("POST", f"/carts/{cart['id']}", body), 400, "InvalidOperation")


def test_a_cart_whose_order_is_deleted_stays_ordered(api: Api) -> None:
    cart = a_cart(api, a_sku(api))
    gone = placed(api, cart)
    assert api.send("DELETE", f"/orders/{gone['id']}", parameters={"version": gone["version"]}).status_code == 200
    refusal(order(api, cart | {"version": cart["version"] + 1}), 400, "InvalidOperation")


def test_a_stale_cart_version_is_a_conflict(api: Api) -> None:
    cart = a_cart(api, a_sku(api))
    api.update("/carts", cart, {"action": "setCustomerEmail", "email": "a@example.com"})
    first = refusal(order(api, cart), 409, "ConcurrentModification")
    assert first["currentVersion"] == cart["version"] + 1


def test_an_unknown_cart_is_named(api: Api) -> None:
    nowhere = "00000000-0000-7000-8000-000000000000"
    first = refusal(order(api, {"id": nowhere, "version": 1}), 400, "ReferencedResourceNotFound")
    assert (first["typeId"], first["id"]) == ("cart", nowhere)


def test_a_missing_cart_is_a_missing_field(api: Api) -> None:
    assert refusal(api.send("POST", "/orders", {"version": 1}), 400, "RequiredField")["field"] == "cart"


def test_an_order_number_belongs_to_one_order(api: Api) -> None:
    number = fresh("number")
    placed(api, a_cart(api, a_sku(api)), orderNumber=number)
    sku = a_sku(api)
    cart = a_cart(api, sku)
    first = refusal(order(api, cart, orderNumber=number), 400, "DuplicateField")
    assert (first["field"], first["duplicateValue"]) == ("orderNumber", number)
    assert counters(api, sku) == (10, 10)
    assert api.get(f"/carts/{cart['id']}")["cartState"] == "Active"


def test_a_changed_price_is_refused_and_leaves_the_cart_alone(api: Api) -> None:
    sku = a_sku(api)
    cart = a_cart(api, sku)
    product = api.get("/products", where=f'masterData(current(masterVariant(sku = "{sku}")))')["results"][0]
    price_id = product["masterData"]["current"]["masterVariant"]["prices"][0]["id"]
    dearer = {"value": {"currencyCode": "EUR", "centAmount": 1290}}
    api.update("/products", product, {"action": "changePrice", "priceId": price_id, "price": dearer, "staged": False})
    assert refusal(order(api, cart), 400, "PriceChanged")["lineItems"] == [cart["lineItems"][0]["id"]]
    fresh_cart = api.update("/carts", cart, {"action": "recalculate"})
    assert placed(api, fresh_cart)["totalPrice"]["centAmount"] == 1290


# --- stock ---------------------------------------------------------------------------------


def test_more_than_there_is_is_out_of_stock_and_nothing_changes(api: Api) -> None:
    plenty, scarce = a_sku(api, 10), a_sku(api, 1)
    cart = a_cart(api, plenty, scarce, quantity=2)
    first = refusal(order(api, cart), 400, "OutOfStock")
    assert first["skus"] == [scarce]
    assert first["lineItems"] == [cart["lineItems"][1]["id"]]
    assert (counters(api, plenty), counters(api, scarce)) == ((10, 10), (1, 1))


def test_what_can_be_restocked_is_sold_beyond_the_shelf(api: Api) -> None:
    sku = a_sku(api, 1, restockableInDays=3)
    placed(api, a_cart(api, sku, quantity=3))
    assert counters(api, sku) == (1, -2)


def test_tracked_stock_may_fall_below_zero(api: Api) -> None:
    sku = a_sku(api, 1)
    placed(api, a_cart(api, sku, quantity=3, inventoryMode="TrackOnly"))
    assert counters(api, sku) == (-2, -2)


def test_many_buyers_never_get_more_than_there_is(api: Api) -> None:
    sku = a_sku(api, 5)
    carts = [a_cart(api, sku) for _ in range(12)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda cart: order(api, cart), carts))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [400] * 7
    assert counters(api, sku) == (5, 0)


def test_returns_cancelling_and_deleting_give_stock_back_once(api: Api) -> None:
    sku = a_sku(api, 10)
    returned = api.create("/states", {"key": fresh("returned"), "type": "LineItemState", "roles": ["Return"]})
    bought = placed(api, a_cart(api, sku, quantity=3))
    assert counters(api, sku) == (10, 7)
    step = {
        "action": "transitionLineItemState",
        "lineItemId": bought["lineItems"][0]["id"],
        "quantity": 1,
        "fromState": bought["lineItems"][0]["state"][0]["state"],
        "toState": {"typeId": "state", "id": returned["id"]},
    }
    bought = api.update("/orders", bought, step)
    assert counters(api, sku) == (10, 8)
    bought = api.update("/orders", bought, {"action": "changeOrderState", "orderState": "Cancelled"})
    assert counters(api, sku) == (10, 10)
    api.send("DELETE", f"/orders/{bought['id']}", parameters={"version": bought["version"]})
    assert counters(api, sku) == (10, 10)


def test_a_deleted_order_gives_its_stock_back(api: Api) -> None:
    sku = a_sku(api, 10)
    bought = placed(api, a_cart(api, sku, quantity=3))
    gone = api.send("DELETE", f"/orders/{bought['id']}", parameters={"version": bought["version"]})
    assert gone.json() == bought
    assert counters(api, sku) == (10, 10)


def test_an_order_outlives_the_entry_it_took_its_stock_from(api: Api) -> None:
    sku = a_sku(api, 10)
    bought = placed(api, a_cart(api, sku, quantity=3))
    (entry,) = api.get("/inventory", where=f'sku = "{sku}"')["results"]
    api.send("DELETE", f"/inventory/{entry['id']}", parameters={"version": entry["version"]})
    api.create("/inventory", {"sku": sku, "quantityOnStock": 4})
    gone = api.send("DELETE", f"/orders/{bought['id']}", parameters={"version": bought["version"]})
    assert gone.status_code == 200, gone.text
    assert counters(api, sku) == (4, 4)


def test_an_entry_is_counted_while_orders_hold_of_it(api: Api) -> None:
    sku = a_sku(api, 10)
    placed(api, a_cart(api, sku, quantity=3))
    (entry,) = api.get("/inventory", where=f'sku = "{sku}"')["results"]
    after = api.update(
        "/inventory", entry, {"action": "addQuantity", "quantity": 5}, {"action": "removeQuantity", "quantity": 1}
    )
    assert (after["quantityOnStock"], after["availableQuantity"]) == (14, 11)
    assert counters(api, sku) == (14, 11)
    after = api.update("/inventory", after, {"action": "changeQuantity", "quantity": 1})
    assert counters(api, sku) == (1, -2)


# --- finding orders ------------------------------------------------------------------------


def test_an_order_is_found_changed_and_deleted_by_its_number(api: Api) -> None:
    number = fresh("number/with slash")
    bought = placed(api, a_cart(api, a_sku(api)), orderNumber=number)
    path = f"/orders/order-number={number.replace('/', '%2F')}"
    assert api.get(path) == bought
    seen = api.send("HEAD", path)
    assert (seen.status_code, seen.content) == (200, b"")
    assert seen.headers["content-length"] == api.send("GET", path).headers["content-length"]
    body = {"version": 1, "actions": [{"action": "changePaymentState", "paymentState": "Paid"}]}
    paid = api.send("POST", path, body).json()
    assert (paid["paymentState"], paid["version"]) == ("Paid", 2)
    assert api.send("DELETE", path, parameters={"version": 2}).status_code == 200
    refusal(api.send("GET", path), 404, "ResourceNotFound")
    assert api.send("HEAD", path).status_code == 404


def test_an_imported_order_is_there_like_any_other(api: Api) -> None:
    sku = a_sku(api, 10)
    line = {
        "name": {"en": "Old"},
        "variant": {"sku": sku},
        "quantity": 2,
        "price": {"value": {"currencyCode": "EUR", "centAmount": 500}},
    }
    number = fresh("imported")
    draft = {
        "orderNumber": number,
        "lineItems": [line],
        "totalPrice": {"currencyCode": "EUR", "centAmount": 1000},
        "inventoryMode": "ReserveOnOrder",
    }
    answer = api.send("POST", "/orders/import", draft)
    assert answer.status_code == 201, answer.text
    assert api.get(f"/orders/order-number={number}") == answer.json()
    assert counters(api, sku) == (10, 8)
    assert refusal(api.send("POST", "/orders/import", draft), 400, "DuplicateField")["field"] == "orderNumber"


# --- shoppers and stores -------------------------------------------------------------------


def guest(api: Api) -> str:
    """A token of a new anonymous session."""
    answer = httpx.post(
        f"{api.project['authUrl']}/oauth/{api.key}/anonymous/token",
        data={"grant_type": "client_credentials"},
        auth=(api.project["clientId"], api.project["clientSecret"]),
    )
    return str(answer.json()["access_token"])


def test_a_shopper_orders_their_own_cart_and_sees_only_their_orders(api: Api) -> None:
    mine, somebody = guest(api), guest(api)
    line = {"sku": a_sku(api), "quantity": 1}
    draft = {"currency": "EUR", "shippingAddress": {"country": "DE"}, "lineItems": [line]}
    cart = api.send("POST", "/me/carts", draft, token=mine).json()
    body = {"id": cart["id"], "version": cart["version"]}
    refusal(api.send("POST", "/me/orders", body, token=somebody), 400, "ReferencedResourceNotFound")
    bought = api.send("POST", "/me/orders", body, token=mine)
    assert bought.status_code == 201, bought.text
    assert api.send("POST", "/me/orders", body, token=mine).json() == bought.json()
    assert api.send("GET", f"/me/orders/{bought.json()['id']}", token=mine).status_code == 200
    refusal(api.send("GET", f"/me/orders/{bought.json()['id']}", token=somebody), 404, "ResourceNotFound")
    assert api.send("GET", "/me/orders", token=mine).json()["count"] == 1
    assert api.send("GET", "/me/orders", token=somebody).json()["count"] == 0


def test_a_store_orders_its_own_carts_only(api: Api) -> None:
    here, there = (api.create("/stores", {"key": fresh("store")})["key"] for _ in range(2))
    cart = a_cart(api, a_sku(api), path=f"/in-store/key={here}")
    refusal(order(api, cart, f"/in-store/key={there}"), 400, "ReferencedResourceNotFound")
    number = fresh("number")
    bought = order(api, cart, f"/in-store/key={here}", orderNumber=number)
    assert bought.status_code == 201, bought.text
    assert bought.json()["store"] == {"typeId": "store", "key": here}
    assert api.get(f"/in-store/key={here}/orders/order-number={number}") == bought.json()
    refusal(api.send("GET", f"/in-store/key={there}/orders/order-number={number}"), 404, "ResourceNotFound")


def test_an_order_is_answered_with_its_references_expanded(api: Api) -> None:
    cart = a_cart(api, a_sku(api))
    body = {"cart": {"id": cart["id"]}, "version": cart["version"]}
    answer = api.send("POST", "/orders", body, parameters={"expand": "lineItems[*].state[*].state"})
    (line,) = answer.json()["lineItems"]
    assert line["state"][0]["state"]["obj"]["key"] == "Initial"
