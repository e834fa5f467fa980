"""How much a caller may ask for, as clients and operators see it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.conftest import Shop, run_holdfast
from tests.http.api import Api, refusal

from holdfast.base.config import Config
from holdfast.http.rate_tiers import ANONYMOUS, DEFAULTS
from holdfast.http.rates import Limited
from holdfast.http.worker import build
from holdfast.store.store import Store

PATIENCE_SECONDS = 30.0
# A burst of ten reads, and then as good as nothing.
FEW = ("--per-second", "0.01", "--burst", "10")


@pytest.fixture
def api(project: dict[str, Any]) -> Iterator[Api]:
    with Api(project) as opened:
        yield opened


def limits(shop: Shop, *words: str) -> dict[str, Any]:
    return shop.command("limits", *words)


def read(api: Api, token: str | None = None) -> httpx.Response:
    return api.send("GET", "/zones/00000000-0000-0000-0000-000000000000", token=token)


def until_limited(api: Api, token: str | None = None) -> httpx.Response:
    """Ask until the answer is 429: what was set counts after a moment."""
    return asked_until_limited(lambda: read(api, token))[-1]


def asked_until_limited(ask: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """All answers, the last of which is 429."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    answers = [ask()]
    while answers[-1].status_code != 429:
        assert time.monotonic() < deadline
        answers.append(ask())
    return answers


def until_served(api: Api) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while read(api).status_code == 429:
        assert time.monotonic() < deadline


def test_whoever_asks_for_too_much_is_told_when_to_come_back_and_that_is_true(shop: Shop, api: Api) -> None:
    limits(shop, "set", api.key, "admin", "--per-second", "2", "--burst", "10")
    answer = until_limited(api)
    error = refusal(answer, 429, "TooManyRequests")
    assert "try again in 1 s" in error["message"]
    assert answer.headers["retry-after"] == answer.headers["ratelimit-reset"] == "1"
    assert answer.headers["ratelimit-limit"] == "10"
    assert answer.headers["ratelimit-remaining"] == "0"
    assert answer.headers["access-control-expose-headers"] == "*"
    until_served(api)


def test_a_refused_change_changes_nothing_and_costs_no_tokens(shop: Shop, api: Api) -> None:
    limits(shop, "set", api.key, "admin", "--per-second", "0.01", "--burst", "10")
    first = until_limited(api)
    refusal(api.send("POST", "/zones", {"name": "x", "locations": []}), 429, "TooManyRequests")
    assert api.send("HEAD", "/zones").status_code == 429
    assert int(read(api).headers["ratelimit-reset"]) <= int(first.headers["ratelimit-reset"])
    limits(shop, "set", api.key, "admin", "--default")
    until_served(api)
    assert api.get("/zones")["count"] == 0


def test_kept_answers_count_too(shop: Shop, api: Api) -> None:
    zone = api.create("/zones", {"name": "x", "locations": []})
    limits(shop, "set", api.key, "admin", *FEW)
    *answers, refused = asked_until_limited(lambda: api.send("GET", f"/zones/{zone['id']}"))
    assert "cached" in {answer.headers["x-holdfast-served"] for answer in answers}
    refusal(refused, 429, "TooManyRequests")


def test_a_client_may_be_put_into_another_tier(shop: Shop, api: Api) -> None:
    limits(shop, "set", api.key, "partner", *FEW)
    facts = limits(shop, "set", api.key, "partner", "--client", api.project["clientId"])
    assert facts["clients"] == {api.project["clientId"]: "partner"}
    until_limited(api)
    assert limits(shop, "set", api.key, "partner", "--client", api.project["clientId"], "--default")["clients"] == {}
    until_served(api)


def test_each_shopper_has_a_bucket_of_his_own(shop: Shop, api: Api) -> None:
    limits(shop, "set", api.key, "storefront", *FEW)
    one, other = (session(api) for _ in range(2))
    until_limited(api, one)
    assert read(api, other).status_code != 429
    assert read(api).status_code != 429


def session(api: Api) -> str:
    basic = (api.project["clientId"], api.project["clientSecret"])
    url = f"{api.project['authUrl']}/oauth/{api.key}/anonymous/token"
    answer = httpx.post(url, data={"grant_type": "client_credentials"}, auth=basic, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def test_strangers_are_counted_by_address_and_those_who_are_known_go_on(shop: Shop, api: Api) -> None:
    assert read(api).status_code == 404  # the process at the other end of this connection knows the token now
    limits(shop, "set", api.key, "anonymous", *FEW)
    until_limited(api, "nobody.knows-this-token")
    basic = (api.project["clientId"], api.project["clientSecret"])
    answer = api._http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=basic)
    refusal(answer, 429, "TooManyRequests")
    assert read(api).status_code == 404


async def test_health_and_pages_are_never_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    app = build(Store("postgresql://nowhere"), Config(database_url="postgresql://nowhere"))
    monkeypatch.setattr(app.rates, "spend", lambda *_: Limited(DEFAULTS[ANONYMOUS], 0.0, 1.0))
    paths = ("/-/live", "/docs", "/shop/zones")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop.test") as client:
        assert [(await client.get(path)).status_code for path in paths] == [200, 200, 429]


def test_the_processes_of_a_host_share_one_bucket(shop: Shop, api: Api) -> None:
    assert len(shop.pids["workers"]) > 1
    limits(shop, "set", api.key, "admin", "--per-second", "0.01", "--burst", "200")
    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(status for part in pool.map(lambda _: hammer(shop, api), range(8)) for status in part)
    # Each process may have served some before it knew; all that came after it shared the 200.
    assert 150 <= statuses[404] < 400, statuses
    assert statuses[429] == 8


def hammer(shop: Shop, api: Api) -> list[int]:
    """Ask over a connection of one's own, which one process serves, until there is nothing left."""
    found = []
    with httpx.Client(base_url=shop.api_url, headers={"Authorization": f"Bearer {api.token}"}) as client:
        while 429 not in found:
            found.append(client.get(f"/{api.key}/zones/00000000-0000-0000-0000-000000000000").status_code)
            assert len(found) < 5_000
    return found


# --- the operator --------------------------------------------------------------------------


def test_limits_are_shown_with_what_was_set(shop: Shop, project: dict[str, Any]) -> None:
    key = project["projectKey"]
    assert all(tier["default"] for tier in limits(shop, "show", key)["tiers"].values())
    shown = limits(shop, "set", key, "partner", "--per-second", "7.5", "--burst", "50")
    assert shown["tiers"]["partner"] == {"perSecond": 7.5, "burst": 50, "default": False}
    assert limits(shop, "show", key) == shown
    text = run_holdfast("limits", "show", key, "--data", str(shop.data)).stdout
    assert "7.5" in next(line for line in text.splitlines() if line.startswith("partner"))
    assert limits(shop, "set", key, "partner", "--default")["tiers"]["partner"]["default"]


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ({"tiers": {"gold": {"perSecond": 1, "burst": 10}}}, "InvalidField", "gold"),
        ({"tiers": {"admin": {"perSecond": 0, "burst": 10}}}, "InvalidJsonInput", "perSecond"),
        ({"tiers": {"admin": {"perSecond": 1, "burst": 1}}}, "InvalidJsonInput", "burst"),
        ({"tiers": {"admin": {"perSecond": 0.0001, "burst": 100}}}, "InvalidField", "tiers.admin.burst"),
        ({"tiers": {"admin": {"burst": 10}}}, "InvalidJsonInput", "perSecond"),
        ({"clients": {"shop.nobody": "admin"}}, "InvalidField", "shop.nobody"),
        ({"clients": {"shop.nobody": "gold"}}, "InvalidField", "gold"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name_and_sets_nothing(
    shop: Shop, project: dict[str, Any], body: dict[str, Any], code: str, told: str
) -> None:
    key = project["projectKey"]
    before = limits(shop, "show", key)
    sound = {"partner": {"perSecond": 1, "burst": 9}}
    answer = operate(shop, key, body | {"tiers": sound | body.get("tiers", {})})
    refusal(answer, 400, code)
    assert told in answer.text
    assert limits(shop, "show", key) == before


def operate(shop: Shop, key: str, body: dict[str, Any]) -> httpx.Response:
    token = (shop.data / "operator.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{shop.api_url}/-/projects/{key}/limits", json=body, headers=headers)


def test_limits_are_the_operators_alone_and_of_projects_that_exist(shop: Shop, api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    assert httpx.get(f"{shop.api_url}/-/projects/{api.key}/limits", headers=headers).status_code == 401
    done = run_holdfast("limits", "show", "nobody-has-this", "--data", str(shop.data))
    assert done.returncode == 1
    assert "nobody-has-this" in done.stderr


def test_a_command_that_does_not_say_what_to_set_is_misused(shop: Shop, api: Api) -> None:
    done = run_holdfast("limits", "set", api.key, "admin", "--burst", "10", "--data", str(shop.data))
    assert done.returncode == 2
