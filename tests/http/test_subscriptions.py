from __future__ import annotations

from typing import Any

import pytest
from tests.http.api import Api, fresh, refusal

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK = {"type": "Webhook", "url": "http://127.0.0.1:9/hook", "secret": SECRET}
QUEUE = {"type": "SQS", "queueUrl": "https://queue.example/1/q", "region": "eu-1", "accessSecret": "open sesame"}
ORDERS = [{"resourceTypeId": "order", "types": ["OrderCreated"]}]


@pytest.fixture(scope="module")
def api(shop: Any) -> Any:
    with Api(shop.create_project("subscriptions")) as api:
        yield api


def a_subscription(api: Api, **draft: Any) -> dict[str, Any]:
    return api.create("/subscriptions", {"key": fresh("sub"), "destination": QUEUE, "messages": ORDERS} | draft)


def test_a_subscription_is_read_as_it_was_asked_for(api: Api) -> None:
    made = a_subscription(api, key="as-asked")
    read = api.get("/subscriptions/key=as-asked")
    assert (read["id"], read["version"], read["format"]) == (made["id"], 1, {"type": "Platform"})
    assert (read["messages"], read["changes"], read["events"]) == (ORDERS, [], [])
    assert read["status"] in ("Healthy", "TemporaryError", "ConfigurationError")


def test_what_opens_a_door_is_never_shown(api: Api) -> None:
    made = a_subscription(api, destination=HOOK)
    other = {"type": "RabbitMQ", "url": "amqp://me:hidden@queue.example/"}
    changed = api.update("/subscriptions", made, {"action": "changeDestination", "destination": other})
    gone = api.send("DELETE", f"/subscriptions/{made['id']}", parameters={"version": changed["version"]}).json()
    shown = [made["destination"], changed["destination"], gone["destination"]]
    assert shown[0] == HOOK | {"secret": "****"}
    assert shown[1] == shown[2] == {"type": "RabbitMQ", "url": "amqp://****@queue.example/"}


def test_another_secret_is_another_version(api: Api) -> None:
    made = a_subscription(api)
    renewed = QUEUE | {"accessSecret": "another one"}
    changed = api.update("/subscriptions", made, {"action": "changeDestination", "destination": renewed})
    assert (changed["version"], changed["destination"]) == (2, made["destination"])


@pytest.mark.parametrize(
    ("action", "field", "after"),
    [
        ({"action": "setKey", "key": "renamed"}, "key", "renamed"),
        (
            {"action": "setMessages", "messages": [{"resourceTypeId": "payment"}]},
            "messages",
            [{"resourceTypeId": "payment", "types": []}],
        ),
        ({"action": "setChanges"}, "changes", []),
        ({"action": "setEvents"}, "events", []),
    ],
)
def test_what_is_told_can_be_changed(api: Api, action: dict[str, Any], field: str, after: Any) -> None:
    changed = api.update("/subscriptions", a_subscription(api), action)
    assert changed[field] == after


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        ({"destination": {"type": "Pigeon"}}, "destination"),
        ({"destination": {"type": "SQS", "region": "eu-1"}}, "queueUrl"),
        ({"destination": HOOK | {"url": "ftp://somewhere.example"}}, "url"),
        ({"destination": HOOK | {"secret": "too short"}}, "secret"),
        ({"messages": [{"resourceTypeId": "unicorn"}]}, "resourceTypeId"),
        ({"changes": [{"resourceTypeId": "unicorn"}]}, "resourceTypeId"),
        ({"format": {"type": "CloudEvents", "cloudEventsVersion": "0.1"}}, "cloudEventsVersion"),
    ],
)
def test_a_bad_draft_is_refused_by_field(api: Api, draft: dict[str, Any], field: str) -> None:
    before = api.get("/subscriptions")["total"]
    answer = api.send("POST", "/subscriptions", {"destination": QUEUE, "messages": ORDERS} | draft)
    error = refusal(answer, 400, "InvalidJsonInput")
    assert field in error["detailedErrorMessage"]
    assert api.get("/subscriptions")["total"] == before


def test_a_subscription_to_nothing_is_refused(api: Api) -> None:
    refusal(api.send("POST", "/subscriptions", {"destination": QUEUE}), 400, "InvalidInput")
    made = a_subscription(api)
    emptied = {"version": 1, "actions": [{"action": "setMessages"}]}
    refusal(api.send("POST", f"/subscriptions/{made['id']}", emptied), 400, "InvalidInput")
    assert api.get(f"/subscriptions/{made['id']}")["messages"] == ORDERS


@pytest.mark.parametrize(
    "asked", [{"changes": [{"resourceTypeId": "cart"}]}, {"events": [{"resourceTypeId": "checkout"}]}]
)
def test_what_nobody_would_be_told_of_is_refused(api: Api, asked: dict[str, Any]) -> None:
    answer = api.send("POST", "/subscriptions", {"destination": QUEUE, "messages": ORDERS} | asked)
    assert refusal(answer, 400, "InvalidField")["field"] == next(iter(asked))


def test_a_project_has_at_most_fifty(shop: Any) -> None:
    with Api(shop.create_project("fifty")) as api:
        for _ in range(50):
            a_subscription(api)
        answer = api.send("POST", "/subscriptions", {"destination": QUEUE, "messages": ORDERS})
        refusal(answer, 400, "MaxResourceLimitExceeded")
        assert api.get("/subscriptions")["total"] == 50


def test_only_who_may_see_subscriptions_does(api: Api) -> None:
    token = api.fetch_token(f"view_products:{api.key}")
    refusal(api.send("GET", "/subscriptions", token=token), 403, "insufficient_scope")
