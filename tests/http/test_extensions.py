"""Extensions as a client and an extension see them: a real shop, and servers that behave as they are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import Shop
from tests.http.api import Api, fresh, refusal
from tests.http.theirs import Theirs, their_server
from tests.http.till import a_cart, a_sku, counters, open_till, order, placed
from tests.outbound.sinks import Behave, answers, dribbles, hangs, hangs_up, talks_nonsense

EVERY = ("Create", "Update")


@pytest.fixture(scope="module")
def api(shop: Shop) -> Iterator[Api]:
    with Api(shop.create_project("extensions")) as api:
        open_till(api)
        yield api


@pytest.fixture(scope="module")
def server() -> Iterator[Theirs]:
    with their_server() as server:
        yield server


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test has its own extensions."""
    yield
    if "api" in request.fixturenames:
        api = request.getfixturevalue("api")
        # The youngest first: nobody waits for it.
        for left in api.get("/extensions", limit=100, sort="createdAt desc")["results"]:
            gone = api.send("DELETE", f"/extensions/{left['id']}", parameters={"version": left["version"]})
            assert gone.status_code == 200, gone.text


def asks(server: Theirs, kind: str, *actions: str, condition: str | None = None, **more: Any) -> dict[str, Any]:
    trigger = {"resourceTypeId": kind, "actions": actions or EVERY} | ({"condition": condition} if condition else {})
    return {"key": fresh("ext"), "destination": {"type": "HTTP", "url": server.url}, "triggers": [trigger]} | more


def an_extension(api: Api, server: Theirs, kind: str, *actions: str, **more: Any) -> dict[str, Any]:
    return api.create("/extensions", asks(server, kind, *actions, **more))


def a_group(api: Api) -> dict[str, Any]:
    return api.create("/customer-groups", {"groupName": fresh("group")})


# --- what is told ----------------------------------------------------------------------------


def test_an_extension_is_told_what_is_about_to_be(api: Api, server: Theirs) -> None:
    server.behave(answers(200))
    an_extension(api, server, "customer-group")
    group = a_group(api)
    changed = api.update("/customer-groups", group, {"action": "changeName", "name": fresh("renamed")})
    created, updated = server.told
    assert created == {"action": "Create", "resource": {"typeId": "customer-group", "id": group["id"], "obj": group}}
    assert updated["action"] == "Update"
    assert updated["resource"]["obj"] == changed


def test_the_correlation_id_and_the_credentials_come_along(api: Api, server: Theirs) -> None:
    server.behave(answers(200))
    header = {"type": "AuthorizationHeader", "headerValue": "Bearer open-sesame"}
    an_extension(
        api, server, "customer-group", destination={"type": "HTTP", "url": server.url, "authentication": header}
    )
    answer = api.send("POST", "/customer-groups", {"groupName": fresh("group")})
    (asked,) = server.asked
    assert asked.headers["authorization"] == "Bearer open-sesame"
    assert asked.headers["x-correlation-id"] == answer.headers["x-correlation-id"]


def test_an_update_that_changes_nothing_asks_nobody(api: Api, server: Theirs) -> None:
    group = a_group(api)
    an_extension(api, server, "customer-group")
    server.behave(answers(500))
    same = api.update("/customer-groups", group, {"action": "changeName", "name": group["name"]})
    assert (same["version"], server.asked) == (1, [])


def test_only_what_meets_the_condition_is_asked_about(api: Api, server: Theirs) -> None:
    server.behave(answers(200))
    wanted = fresh("wanted")
    an_extension(api, server, "customer-group", condition=f'name = "{wanted}"')
    a_group(api)
    assert server.asked == []
    api.create("/customer-groups", {"groupName": wanted})
    assert len(server.asked) == 1


def test_the_old_resource_and_expanded_references_come_where_they_are_asked_for(api: Api, server: Theirs) -> None:
    server.behave(answers(200))
    group = a_group(api)
    an_extension(
        api,
        server,
        "customer",
        additionalContext={"includeOldResource": True},
        expansionPaths=["customerGroup"],
    )
    draft = {"email": f"{fresh('c')}@example.com", "password": "x", "customerGroup": {"id": group["id"]}}
    customer = api.create("/customers", draft)["customer"]
    api.update("/customers", customer, {"action": "setFirstName", "firstName": "Ada"})
    created, updated = server.told
    assert "oldResource" not in created
    assert created["resource"]["obj"]["customerGroup"]["obj"]["name"] == group["name"]
    assert "firstName" not in updated["oldResource"]["obj"]
    assert updated["resource"]["obj"]["firstName"] == "Ada"


# --- what it may add -------------------------------------------------------------------------


def test_an_order_is_placed_with_what_an_extension_adds(api: Api, server: Theirs) -> None:
    sku = a_sku(api)
    cart = a_cart(api, sku)
    an_extension(api, server, "order", "Create")
    server.adds({"action": "setOrderNumber", "orderNumber": (number := fresh("number"))})
    made = placed(api, cart)
    assert (made["orderNumber"], made["version"]) == (number, 1)
    assert api.get(f"/orders/{made['id']}") == made
    assert api.get(f"/orders/order-number={number}")["id"] == made["id"]
    assert counters(api, sku) == (10, 9)


def test_an_order_that_is_there_already_asks_nobody_again(api: Api, server: Theirs) -> None:
    cart = a_cart(api, a_sku(api))
    an_extension(api, server, "order")
    server.behave(answers(200))
    first = placed(api, cart)
    again = placed(api, cart)
    assert again == first
    assert len(server.asked) == 1


def test_under_an_idempotency_key_an_extension_is_asked_once(api: Api, server: Theirs) -> None:
    cart = a_cart(api, a_sku(api))
    an_extension(api, server, "order")
    server.adds({"action": "setOrderNumber", "orderNumber": fresh("number")})
    body = {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]}
    first, again = (api.send("POST", "/orders", body, key="the same") for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(server.asked) == 1


def test_a_cart_is_reckoned_through_with_what_an_extension_adds(api: Api, server: Theirs) -> None:
    an_extension(api, server, "cart")
    sku = a_sku(api)
    server.adds({"action": "addLineItem", "sku": sku, "quantity": 2})
    cart = a_cart(api)
    assert (cart["version"], cart["totalPrice"]["centAmount"]) == (1, 2 * 1190)
    server.adds({"action": "addLineItem", "sku": sku, "quantity": 1})
    changed = api.update("/carts", cart, {"action": "setCustomerEmail", "email": "a@example.com"})
    assert (changed["version"], changed["totalPrice"]["centAmount"]) == (3, 3 * 1190)


def test_a_new_customer_is_told_of_as_the_extension_made_them(api: Api, server: Theirs) -> None:
    an_extension(api, server, "customer", "Create")
    server.adds({"action": "setCustomerNumber", "customerNumber": (number := fresh("number"))})
    made = api.create("/customers", {"email": f"{fresh('c')}@example.com", "password": "x"})["customer"]
    assert (made["customerNumber"], made["version"]) == (number, 1)


def test_who_waits_for_another_sees_what_that_one_added(api: Api, server: Theirs) -> None:
    server.behave(answers(200))
    with their_server() as first_server:
        first_server.adds({"action": "setKey", "key": (key := fresh("key"))})
        first = an_extension(api, first_server, "customer-group")
        an_extension(api, server, "customer-group", dependencies=[{"typeId": "extension", "id": first["id"]}])
        a_group(api)
        assert "key" not in first_server.told[0]["resource"]["obj"]
        assert server.told[0]["resource"]["obj"]["key"] == key


# --- when it says no, or nonsense ------------------------------------------------------------

NO = {
    "errors": [
        {"code": "InvalidInput", "message": "Not on Sundays.", "localizedMessage": {"de": "Nicht am Sonntag."}},
        {"code": "InvalidField", "message": "And not this one.", "extensionExtraInfo": {"field": "name"}},
    ]
}


@pytest.mark.parametrize("fallback", ["FailClosed", "FailOpen"])
def test_a_refusal_reaches_the_client_in_the_extensions_words(api: Api, server: Theirs, fallback: str) -> None:
    before = api.get("/customer-groups")["total"]
    made = an_extension(api, server, "customer-group", fallback=fallback)
    server.behave(answers(400, json.dumps(NO).encode()))
    answer = api.send("POST", "/customer-groups", {"groupName": fresh("group")})
    first = refusal(answer, 400, "InvalidInput")
    assert first == NO["errors"][0] | {"errorByExtension": {"id": made["id"], "key": made["key"]}}
    assert answer.json()["errors"][1]["extensionExtraInfo"] == {"field": "name"}
    assert api.get("/customer-groups")["total"] == before


BAD: dict[str, tuple[Behave, int, str]] = {
    "error 500": (answers(500, b"oops"), 502, "ExtensionBadResponse"),
    "garbage": (answers(200, b"<html>"), 502, "ExtensionBadResponse"),
    "not an object": (answers(200, b"[1]"), 502, "ExtensionBadResponse"),
    "unknown action": (answers(200, b'{"actions":[{"action":"fly"}]}'), 502, "ExtensionBadResponse"),
    "400 without errors": (answers(400, b"{}"), 502, "ExtensionBadResponse"),
    "redirect inside": (answers(302, b"", "Location: http://169.254.169.254/"), 502, "ExtensionBadResponse"),
    "huge": (answers(200, b" " * (1024 * 1024 + 1)), 502, "ExtensionBadResponse"),
    "hanging up": (hangs_up, 502, "ExtensionBadResponse"),
    "not HTTP": (talks_nonsense, 502, "ExtensionBadResponse"),
    "hanging": (hangs, 504, "ExtensionNoResponse"),
    "dribbling": (dribbles, 504, "ExtensionNoResponse"),
    "impossible action": (
        answers(200, b'{"actions":[{"action":"setCustomField","name":"x","value":1}]}'),
        400,
        "ExtensionUpdateActionsFailed",
    ),
}


@pytest.mark.parametrize("how", BAD)
def test_without_a_good_answer_nothing_is_changed_unless_it_was_declared_so(api: Api, server: Theirs, how: str) -> None:
    behave, status, code = BAD[how]
    server.behave(behave)
    made = an_extension(api, server, "customer-group", timeoutInMs=200)
    name = fresh("group")
    first = refusal(api.send("POST", "/customer-groups", {"groupName": name}), status, code)
    told = first if status != 400 else first["extensionErrors"][0]
    assert (told["extensionId"], told["extensionKey"]) == (made["id"], made["key"])
    assert api.get("/customer-groups", where=f'name = "{name}"')["count"] == 0
    api.update("/extensions", made, {"action": "setFallback", "fallback": "FailOpen"})
    assert api.create("/customer-groups", {"groupName": name})["version"] == 1


@pytest.mark.parametrize("url", ["https://169.254.169.254/latest/", "https://10.0.0.1/"])
def test_an_extension_at_an_address_of_ours_is_not_called(api: Api, server: Theirs, url: str) -> None:
    an_extension(api, server, "customer-group", destination={"type": "HTTP", "url": url})
    answer = api.send("POST", "/customer-groups", {"groupName": fresh("group")})
    assert "not an address of the public internet" in json.dumps(refusal(answer, 504, "ExtensionNoResponse"))


def test_an_extension_that_keeps_failing_is_not_asked_for_a_while(api: Api, server: Theirs) -> None:
    server.behave(answers(500))
    an_extension(api, server, "customer-group", fallback="FailOpen")
    for _ in range(20):
        a_group(api)
    assert 5 <= len(server.asked) < 20


def test_a_request_ends_with_its_own_deadline_whatever_an_extension_does(api: Api, server: Theirs) -> None:
    server.behave(hangs)
    an_extension(api, server, "customer-group", timeoutInMs=10_000)
    headers = {"Authorization": f"Bearer {api.token}", "X-Request-Timeout": "300ms"}
    answer = api._http.post(f"/{api.key}/customer-groups", json={"groupName": fresh("group")}, headers=headers)
    refusal(answer, 504, "DeadlineExceeded")


def test_an_order_waits_for_an_extension_without_holding_stock(api: Api, server: Theirs) -> None:
    """Somebody else buys the last piece while an extension thinks; then it is gone, and says so."""
    sku = a_sku(api, on_stock=1)
    slow, quick = a_cart(api, sku), a_cart(api, sku, country="DE")
    an_extension(api, server, "order", condition="country is not defined")

    def buy_meanwhile() -> None:
        assert placed(api, quick)["id"]

    server.behave(_after(buy_meanwhile))
    refusal(order(api, slow), 400, "OutOfStock")
    assert counters(api, sku) == (1, 0)


def _after(action: Any) -> Behave:
    """Says yes, after something else has happened."""

    async def behave(sink: Any, asked: Any, writer: Any) -> None:
        await asyncio.to_thread(action)
        await answers(200)(sink, asked, writer)

    return behave


# --- the resource ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (
            {"destination": {"type": "AWSLambda", "arn": "a", "accessKey": "b", "accessSecret": "c"}},
            400,
            "InvalidField",
        ),
        ({"destination": {"type": "GoogleCloudFunction", "url": "https://f.example"}}, 400, "InvalidField"),
        ({"destination": {"type": "HTTP", "url": "ftp://files.example"}}, 400, "InvalidJsonInput"),
        ({"destination": {"type": "HTTP", "url": "https://user:pw@shop.example"}}, 400, "InvalidJsonInput"),
        ({"triggers": []}, 400, "InvalidJsonInput"),
        ({"triggers": [{"resourceTypeId": "zone", "actions": ["Create"]}]}, 400, "InvalidField"),
        ({"triggers": [{"resourceTypeId": "cart", "actions": ["Delete"]}]}, 400, "InvalidJsonInput"),
        (
            {"triggers": [{"resourceTypeId": "cart", "actions": ["Create"], "condition": "colour = 1"}]},
            400,
            "InvalidInput",
        ),
        ({"timeoutInMs": 10_001}, 400, "InvalidJsonInput"),
        ({"timeoutInMs": 0}, 400, "InvalidJsonInput"),
        ({"fallback": "FailSafe"}, 400, "InvalidJsonInput"),
        ({"expansionPaths": ["a", "b", "c", "d"]}, 400, "InvalidJsonInput"),
        ({"dependencies": [{"typeId": "extension", "key": "nobody"}]}, 400, "MissingDependency"),
    ],
)
def test_an_extension_that_cannot_work_is_refused(
    api: Api, server: Theirs, change: dict[str, Any], status: int, code: str
) -> None:
    refusal(api.send("POST", "/extensions", asks(server, "cart") | change), status, code)
    assert api.get("/extensions")["total"] == 0


def test_credentials_are_never_shown(api: Api, server: Theirs) -> None:
    def behind(value: str) -> dict[str, Any]:
        key = {"type": "AzureFunctions", "key": value}
        return {"type": "HTTP", "url": server.url, "authentication": key}

    made = an_extension(api, server, "customer-group", destination=behind("first-key"))
    changed = api.update("/extensions", made, {"action": "changeDestination", "destination": behind("second-key")})
    assert made["destination"] == changed["destination"] == behind("****")
    assert (changed["version"], api.get("/extensions")["results"]) == (2, [changed])
    server.behave(answers(200))
    a_group(api)
    assert server.asked[0].headers["x-functions-key"] == "second-key"


def test_a_project_has_at_most_25(api: Api, server: Theirs) -> None:
    for _ in range(25):
        an_extension(api, server, "payment")
    refusal(api.send("POST", "/extensions", asks(server, "payment")), 400, "MaxResourceLimitExceeded")


def test_chains_neither_close_nor_grow_without_end(api: Api, server: Theirs) -> None:
    def after(*others: dict[str, Any]) -> list[dict[str, str]]:
        return [{"typeId": "extension", "id": other["id"]} for other in others]

    first = an_extension(api, server, "cart")
    second = an_extension(api, server, "cart", dependencies=after(first))
    third = an_extension(api, server, "cart", dependencies=after(second))
    refusal(
        api.send("POST", "/extensions", asks(server, "cart", dependencies=after(third))), 400, "ExtensionChainTooDeep"
    )
    closing = {"version": 1, "actions": [{"action": "setDependencies", "dependencies": after(third)}]}
    refusal(api.send("POST", f"/extensions/{first['id']}", closing), 400, "CircularDependency")
    gone = api.send("DELETE", f"/extensions/{first['id']}", parameters={"version": 1})
    refusal(gone, 400, "ExtensionDependencyExists")
