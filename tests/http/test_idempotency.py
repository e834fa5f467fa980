"""A request sent again under its `Idempotency-Key` gets the first answer, and changes nothing more."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from tests.conftest import Shop
from tests.http.api import Api, fresh, refusal

from holdfast.base.receipts import order_in, read_signer, totals_of

RATE = {"name": "19 %", "amount": 0.19, "includedInPrice": True, "country": "DE"}
REPLAYED = "idempotency-replayed"
RECEIPT = "holdfast-receipt"

Json = dict[str, Any]


@pytest.fixture(scope="module")
def api(shop: Shop) -> Iterator[Api]:
    with Api(shop.create_project("keyed")) as api:
        api.create("/tax-categories", {"key": "normal", "name": "normal", "rates": [RATE]})
        yield api


def a_zone(name: str = "Z") -> Json:
    return {"name": name, "locations": []}


def a_cart(api: Api) -> Json:
    """A cart that can be ordered."""
    item = {
        "name": {"en": "Thing"},
        "quantity": 2,
        "money": {"currencyCode": "EUR", "centAmount": 1190},
        "slug": "thing",
        "taxCategory": {"key": "normal"},
    }
    return api.create("/carts", {"currency": "EUR", "shippingAddress": {"country": "DE"}, "customLineItems": [item]})


def order_of(cart: Json) -> Json:
    return {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]}


def total(api: Api, path: str) -> int:
    count: int = api.get(path, limit=0)["total"]
    return count


def same_answer(first: httpx.Response, again: httpx.Response) -> None:
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"


def looked_up(api: Api, key: str, **how: Any) -> httpx.Response:
    return api.send("GET", f"/idempotency-keys/{quote(key, safe='')}", **how)


# --- sent again ----------------------------------------------------------------------------


def test_a_creation_sent_again_is_one_resource_and_one_answer(api: Api) -> None:
    key, before = fresh("key"), total(api, "/zones")
    first, again = (api.send("POST", "/zones", a_zone(), key=key) for _ in range(2))
    assert first.status_code == 201
    same_answer(first, again)
    assert total(api, "/zones") == before + 1


def test_what_was_answered_stays_the_answer_when_the_resource_moves_on(api: Api) -> None:
    key = fresh("key")
    first = api.send("POST", "/zones", a_zone(), key=key)
    zone = first.json()
    api.update("/zones", zone, {"action": "changeName", "name": "moved on"})
    same_answer(first, api.send("POST", "/zones", a_zone(), key=key))


def test_an_update_sent_again_does_not_meet_its_own_version(api: Api) -> None:
    zone, key = api.create("/zones", a_zone()), fresh("key")
    body = {"version": zone["version"], "actions": [{"action": "changeName", "name": "new"}]}
    first, again = (api.send("POST", f"/zones/{zone['id']}", body, key=key) for _ in range(2))
    assert (first.status_code, first.json()["name"]) == (200, "new")
    same_answer(first, again)
    assert api.get(f"/zones/{zone['id']}")["version"] == zone["version"] + 1


def test_a_deletion_sent_again_tells_what_was_deleted(api: Api) -> None:
    zone, key = api.create("/zones", a_zone()), fresh("key")
    seen = {"version": zone["version"]}
    first, again = (api.send("DELETE", f"/zones/{zone['id']}", parameters=seen, key=key) for _ in range(2))
    assert (first.status_code, first.json()["id"]) == (200, zone["id"])
    same_answer(first, again)


def test_an_update_that_changed_nothing_is_answered_the_same_too(api: Api) -> None:
    zone, key = api.create("/zones", a_zone("same")), fresh("key")
    body = {"version": zone["version"], "actions": [{"action": "changeName", "name": "same"}]}
    first = api.send("POST", f"/zones/{zone['id']}", body, key=key)
    assert first.json()["version"] == zone["version"]
    api.update("/zones", zone, {"action": "changeName", "name": "other"})
    same_answer(first, api.send("POST", f"/zones/{zone['id']}", body, key=key))


def test_an_answer_nobody_read_is_told_to_who_asks_again(api: Api) -> None:
    key, before = fresh("key"), total(api, "/zones")
    parts = urlsplit(api.project["apiUrl"])
    lost = http.client.HTTPConnection(parts.hostname or "", parts.port or 80)
    headers = {"Authorization": f"Bearer {api.token}", "Idempotency-Key": key}
    body = json.dumps(a_zone()).encode()
    lost.request("POST", f"/{api.key}/zones", body, headers)
    lost.close()
    again = api.send("POST", "/zones", raw=body, key=key)
    assert again.status_code == 201
    assert total(api, "/zones") == before + 1
    assert looked_up(api, key).json()["body"] == again.json()


def test_expanded_references_are_answered_the_same_and_as_they_were_about_to_be(api: Api) -> None:
    cart, key = a_cart(api), fresh("key")
    asked = {"expand": "cart"}
    first, again = (api.send("POST", "/orders", order_of(cart), parameters=asked, key=key) for _ in range(2))
    assert first.status_code == 201
    expanded = first.json()["cart"]["obj"]
    assert (expanded["cartState"], expanded["version"]) == ("Ordered", cart["version"] + 1)
    same_answer(first, again)


def test_a_read_pays_no_attention_to_a_key(api: Api) -> None:
    zone, key = api.create("/zones", a_zone()), fresh("key")
    assert api.send("GET", f"/zones/{zone['id']}", key=key).status_code == 200
    refusal(looked_up(api, key), 404, "ResourceNotFound")


# --- refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"], ids=["empty", "long", "not ASCII", "control"])
def test_a_key_that_cannot_be_one_is_refused_by_name(api: Api, key: str) -> None:
    before = total(api, "/zones")
    told = refusal(api.send("POST", "/zones", a_zone(), key=key), 400, "InvalidField")
    assert told["field"] == "Idempotency-Key"
    assert total(api, "/zones") == before


@pytest.mark.parametrize("key", ["!", "x" * 255, "two words", "/a=b?c#%2F~"])
def test_any_printable_key_will_do(api: Api, key: str) -> None:
    first, again = (api.send("POST", "/zones", a_zone(), key=key) for _ in range(2))
    assert first.status_code == 201
    same_answer(first, again)
    assert looked_up(api, key).json()["key"] == key


def test_another_request_under_a_used_key_is_refused_and_changes_nothing(api: Api) -> None:
    key = fresh("key")
    zone = api.send("POST", "/zones", a_zone(), key=key).json()
    before = api.everything()
    path, version = f"/zones/{zone['id']}", {"version": zone["version"]}
    for answer in (
        api.send("POST", "/zones", a_zone("other"), key=key),
        api.send("POST", "/zones", a_zone(), key=key, parameters={"expand": "x"}),
        api.send("POST", "/tax-categories", a_zone(), key=key),
        api.send("DELETE", path, parameters=version, key=key),
    ):
        told = refusal(answer, 422, "IdempotencyKeyReuse")
        assert told["field"] == "Idempotency-Key"
    assert api.everything() == before


def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    key = fresh("key")
    for _ in range(2):
        refusal(api.send("POST", "/zones", {"name": 1}, key=key), 400, "InvalidJsonInput")
    refusal(looked_up(api, key), 404, "ResourceNotFound")
    assert api.send("POST", "/zones", a_zone(), key=key).status_code == 201


def test_a_refusal_that_no_longer_holds_is_not_repeated(api: Api) -> None:
    taken, key = fresh("zone"), fresh("key")
    owner = api.create("/zones", a_zone() | {"key": taken})
    draft = a_zone() | {"key": taken}
    refusal(api.send("POST", "/zones", draft, key=key), 400, "DuplicateField")
    api.send("DELETE", f"/zones/{owner['id']}", parameters={"version": 1})
    assert api.send("POST", "/zones", draft, key=key).status_code == 201


# --- whose key it is -----------------------------------------------------------------------


def another_client(shop: Shop, api: Api) -> Api:
    made = shop.command("client", "create", "--project", api.key, "--scope", "manage_project")
    return Api({**api.project, "clientId": made["clientId"], "clientSecret": made["clientSecret"]})


def test_clients_do_not_know_each_others_keys(shop: Shop, api: Api) -> None:
    key, before = fresh("key"), total(api, "/zones")
    with another_client(shop, api) as other:
        mine, theirs = (one.send("POST", "/zones", a_zone(), key=key) for one in (api, other))
        assert (mine.status_code, theirs.status_code) == (201, 201)
        assert looked_up(api, key).json()["body"] == mine.json()
        assert looked_up(other, key).json()["body"] == theirs.json()
    assert total(api, "/zones") == before + 2


def anonymous_token(api: Api) -> str:
    answer = httpx.post(
        f"{api.project['authUrl']}/oauth/{api.key}/anonymous/token",
        data={"grant_type": "client_credentials"},
        auth=(api.project["clientId"], api.project["clientSecret"]),
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def test_shoppers_of_one_client_do_not_know_each_others_keys(api: Api) -> None:
    key, draft = fresh("key"), {"currency": "EUR"}
    one, other = anonymous_token(api), anonymous_token(api)
    mine, theirs = (api.send("POST", "/me/carts", draft, key=key, token=token) for token in (one, other))
    assert mine.json()["id"] != theirs.json()["id"]
    same_answer(mine, api.send("POST", "/me/carts", draft, key=key, token=one))
    assert looked_up(api, key, token=other).json()["body"] == theirs.json()
    refusal(looked_up(api, key), 404, "ResourceNotFound")


# --- customers -----------------------------------------------------------------------------


def a_customer() -> Json:
    return {"email": f"{fresh('c')}@example.com", "password": "secret"}


def test_signing_up_again_under_the_key_is_one_customer(api: Api) -> None:
    draft, key = a_customer(), fresh("key")
    first, again = (api.send("POST", "/customers", draft, key=key) for _ in range(2))
    assert (first.status_code, set(first.json())) == (201, {"customer"})
    same_answer(first, again)


def test_signing_in_again_under_the_key_takes_the_cart_along_once(api: Api) -> None:
    draft, key = a_customer(), fresh("key")
    api.create("/customers", draft)
    cart = a_cart(api)
    body = draft | {"anonymousCart": {"typeId": "cart", "id": cart["id"]}}
    first, again = (api.send("POST", "/login", body, key=key) for _ in range(2))
    assert (first.status_code, first.json()["cart"]["id"]) == (200, cart["id"])
    same_answer(first, again)
    assert api.get(f"/carts/{cart['id']}")["version"] == first.json()["cart"]["version"]


def test_a_sign_in_under_the_key_needs_todays_password(api: Api) -> None:
    draft, key = a_customer(), fresh("key")
    customer = api.create("/customers", draft)["customer"]
    assert api.send("POST", "/login", draft, key=key).status_code == 200
    same_answer(api.send("POST", "/login", draft), api.send("POST", "/login", draft, key=key))
    change = {"id": customer["id"], "version": 1, "currentPassword": "secret", "newPassword": "other"}
    api.create("/customers/password", change)
    refusal(api.send("POST", "/login", draft, key=key), 400, "InvalidCredentials")


def test_changing_a_password_again_under_the_key_does_not_miss_the_old_one(api: Api) -> None:
    customer, key = api.create("/customers", a_customer())["customer"], fresh("key")
    change = {"id": customer["id"], "version": 1, "currentPassword": "secret", "newPassword": "other"}
    first, again = (api.send("POST", "/customers/password", change, key=key) for _ in range(2))
    assert first.status_code == 200
    same_answer(first, again)


def test_a_password_reset_again_under_the_key_does_not_miss_its_token(api: Api) -> None:
    draft, key = a_customer(), fresh("key")
    api.create("/customers", draft)
    token = api.create("/customers/password-token", {"email": draft["email"]})["value"]
    reset = {"tokenValue": token, "newPassword": "other"}
    first, again = (api.send("POST", "/customers/password/reset", reset, key=key) for _ in range(2))
    assert first.status_code == 200
    same_answer(first, again)


def test_a_secret_is_never_kept_so_each_request_makes_a_new_one(api: Api) -> None:
    draft, key = a_customer(), fresh("key")
    api.create("/customers", draft)
    first, again = (
        api.send("POST", "/customers/password-token", {"email": draft["email"]}, key=key).json() for _ in range(2)
    )
    assert first["value"] != again["value"]
    refusal(looked_up(api, key), 404, "ResourceNotFound")


# --- orders, receipts, questions -----------------------------------------------------------


def checked_receipt(shop: Shop, api: Api, receipt: str, order: Json) -> None:
    found = read_signer(shop.data / "receipt.key").verifier.read(receipt)
    assert (found.project, found.order_id, found.version) == (api.key, order["id"], order["version"])
    assert found.totals == totals_of(order_in(json.dumps(order).encode()))


def test_every_acknowledgement_of_an_order_carries_its_receipt(shop: Shop, api: Api) -> None:
    cart, key = a_cart(api), fresh("key")
    sent = [api.send("POST", "/orders", order_of(cart), key=given) for given in (key, key, fresh("key"), None)]
    assert [answer.status_code for answer in sent] == [201] * 4
    assert [REPLAYED in answer.headers for answer in sent] == [False, True, False, False]
    assert len({answer.content for answer in sent}) == 1
    for answer in sent:
        checked_receipt(shop, api, answer.headers[RECEIPT], answer.json())


def test_an_imported_order_has_a_receipt_and_what_is_no_order_has_none(shop: Shop, api: Api) -> None:
    money = {"currencyCode": "EUR", "centAmount": 100}
    item = {"name": {"en": "Thing"}, "quantity": 1, "money": money, "slug": "thing", "taxCategory": {"key": "normal"}}
    draft = {"orderNumber": fresh("n"), "totalPrice": money, "customLineItems": [item]}
    answer = api.send("POST", "/orders/import", draft)
    checked_receipt(shop, api, answer.headers[RECEIPT], answer.json())
    order = answer.json()
    update = {"version": order["version"], "actions": [{"action": "changeOrderState", "orderState": "Complete"}]}
    assert RECEIPT not in api.send("POST", f"/orders/{order['id']}", update).headers
    assert RECEIPT not in api.send("POST", "/zones", a_zone()).headers


def test_the_key_tells_what_became_of_an_order(shop: Shop, api: Api) -> None:
    cart, key = a_cart(api), fresh("key")
    answer = api.send("POST", "/orders", order_of(cart), key=key)
    told = looked_up(api, key).json()
    assert (told["key"], told["status"], told["body"]) == (key, 201, answer.json())
    assert told["createdAt"].endswith("Z")
    checked_receipt(shop, api, told["receipt"], answer.json())
    assert "receipt" not in looked_up(api, sent_zone(api)).json()


def sent_zone(api: Api) -> str:
    key = fresh("key")
    assert api.send("POST", "/zones", a_zone(), key=key).status_code == 201
    return key


def test_a_key_that_has_not_committed_is_not_there_and_says_when_that_is_final(api: Api) -> None:
    told = refusal(looked_up(api, fresh("key")), 404, "ResourceNotFound")
    assert told["retryAfterSeconds"] == 180


def test_whether_a_key_has_committed_can_be_asked_with_head(api: Api) -> None:
    answer = api.send("HEAD", f"/idempotency-keys/{sent_zone(api)}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert api.send("HEAD", f"/idempotency-keys/{fresh('key')}").status_code == 404


def test_the_answer_under_a_key_needs_a_token(api: Api) -> None:
    refusal(looked_up(api, sent_zone(api), token=""), 401, "invalid_token")
