"""Kept answers: as fresh as the last acknowledged change, and nobody's who may not read them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.http.api import Api, fresh

ROUNDS = 30


@pytest.fixture
def api(project: dict[str, Any]) -> Any:
    with Api(project) as opened:
        yield opened


def read(project: dict[str, Any], token: str, path: str) -> httpx.Response:
    """A GET on a connection of its own, so that any API process may answer it."""
    url = f"{project['apiUrl']}/{project['projectKey']}/{path}"
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"})


def test_a_read_after_an_acknowledged_change_shows_it_whoever_answers(api: Api, project: dict[str, Any]) -> None:
    zone = api.create("/zones", {"name": "0", "key": fresh("zone"), "locations": []})
    for number in range(1, ROUNDS):
        for _ in range(3):  # both processes keep the answer
            read(project, api.token, f"zones/{zone['id']}")
        zone = api.update("/zones", zone, {"action": "changeName", "name": str(number)})
        for _ in range(4):
            assert read(project, api.token, f"zones/{zone['id']}").json()["name"] == str(number)


def test_a_query_shows_a_new_resource_at_once(api: Api, project: dict[str, Any]) -> None:
    for number in range(1, ROUNDS):
        api.create("/zones", {"name": "z", "key": fresh("zone"), "locations": []})
        assert read(project, api.token, "zones?limit=1").json()["total"] == number


def test_a_deleted_resource_is_gone_at_once(api: Api, project: dict[str, Any]) -> None:
    zone = api.create("/zones", {"name": "z", "locations": []})
    for _ in range(4):
        assert read(project, api.token, f"zones/{zone['id']}").status_code == 200
    assert api.send("DELETE", f"/zones/{zone['id']}?version=1").status_code == 200
    for _ in range(4):
        assert read(project, api.token, f"zones/{zone['id']}").status_code == 404


def test_a_kept_answer_is_not_for_tokens_without_the_right(api: Api, project: dict[str, Any]) -> None:
    api.create("/zones", {"name": "z", "locations": []})
    narrow = api.fetch_token(f"view_products:{project['projectKey']}")
    for _ in range(4):
        assert read(project, api.token, "zones").status_code == 200
        assert read(project, narrow, "zones").status_code == 403


def test_a_kept_answer_is_not_for_other_projects(api: Api, project: dict[str, Any], shop: Any) -> None:
    other = shop.command("project", "create", fresh("other"))
    with Api(project | other) as stranger:
        for _ in range(4):
            assert read(project, api.token, "zones").status_code == 200
            refused = read(project, stranger.token, "zones")
            assert refused.status_code == 403
            assert refused.json()["errors"][0]["code"] == "insufficient_scope"


def test_a_kept_answer_ends_with_its_token(api: Api, project: dict[str, Any]) -> None:
    token = api.fetch_token()
    for _ in range(4):
        assert read(project, token, "zones").status_code == 200
    basic = (project["clientId"], project["clientSecret"])
    httpx.post(f"{project['authUrl']}/oauth/token/revoke", data={"token": token}, auth=basic).raise_for_status()
    for _ in range(4):
        assert read(project, token, "zones").status_code == 401
