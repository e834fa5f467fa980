"""The operator's HTTP door to events and dead letters."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.http.api import Api, refusal

from holdfast.base.ids import uuid7

HOOK = {"type": "Webhook", "url": "http://10.0.0.1:9999/hook"}


@pytest.fixture(scope="module")
def api(shop: Any) -> Any:
    with Api(shop.create_project("events")) as api:
        yield api


@pytest.fixture(scope="module")
def door(shop: Any) -> Any:
    token = (shop.data / "operator.token").read_text().strip()
    with httpx.Client(base_url=shop.api_url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        yield client


def test_events_of_a_project_are_read_by_type_and_place(api: Api, door: httpx.Client) -> None:
    for n in range(3):
        api.create("/categories", {"name": {"en": f"C{n}"}, "slug": {"en": f"c-{n}"}})
    asked = {"project": api.key, "type": "CategoryCreated"}
    found = door.get("/-/events", params=asked).json()["results"]
    assert [each["message"]["category"]["name"]["en"] for each in found] == ["C0", "C1", "C2"]
    after = {"after": found[0]["position"], "limit": 1}
    assert door.get("/-/events", params=asked | after).json()["results"] == found[1:2]


def test_a_span_is_replayed_and_its_subscription_is_seen_to_owe_it(api: Api, door: httpx.Client) -> None:
    api.create("/subscriptions", {"key": "hook", "destination": HOOK, "messages": [{"resourceTypeId": "category"}]})
    api.create("/categories", {"name": {"en": "Owed"}, "slug": {"en": "owed"}})
    span = {"project": api.key, "subscription": "hook", "since": "2020-01-01T00:00Z", "until": "2999-01-01T00:00Z"}
    answer = door.post("/-/events/replay", json=span)
    while answer.json()["goOnAfter"] is not None:  # other projects have had events too
        answer = door.post("/-/events/replay", json=span | {"after": answer.json()["goOnAfter"]})
    assert answer.status_code == 200
    standing = next(each for each in door.get("/-/subscriptions").json()["results"] if each["projectKey"] == api.key)
    assert (standing["key"], standing["destination"], standing["delivered"]) == ("hook", "Webhook", 0)


def test_dead_letters_are_listed_and_an_unknown_one_is_not_found(api: Api, door: httpx.Client) -> None:
    assert door.get("/-/dead-letters", params={"project": api.key}).json() == {"results": []}
    assert door.post("/-/dead-letters/replay", json={"project": api.key}).json() == {"replayed": 0}
    assert door.post("/-/dead-letters/discard", json={"ids": [uuid7()]}).json() == {"discarded": 0}
    refusal(door.get(f"/-/dead-letters/{uuid7()}"), 404, "ResourceNotFound")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/-/dead-letters/replay", {}, "InvalidInput"),
        ("/-/dead-letters/discard", {"ids": ["no uuid"]}, "InvalidJsonInput"),
        ("/-/events/replay", {"project": "p", "subscription": "s", "since": "soon", "until": "later"}, "InvalidField"),
        ("/-/events/replay", {"project": "p"}, "InvalidJsonInput"),
    ],
)
def test_a_bad_command_is_refused(door: httpx.Client, path: str, body: dict[str, Any], code: str) -> None:
    refusal(door.post(path, json=body), 400, code)


def test_nobody_else_gets_in(shop: Any) -> None:
    for path in ("/-/events", "/-/dead-letters", "/-/subscriptions"):
        refusal(httpx.get(f"{shop.api_url}{path}"), 401, "invalid_token")
    refusal(httpx.get(f"{shop.api_url}/-/events", params={"limit": "many"}), 401, "invalid_token")
