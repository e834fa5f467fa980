"""`/ops` and the doors behind it, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.conftest import Shop

from holdfast.http.operations.access import WRONG_TOKENS_MAX

PATIENCE_SECONDS = 30
PAGE = {"X-Holdfast-Page": "1"}


@pytest.fixture
def client(shop: Shop) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.api_url, timeout=30) as client:
        yield client


def token(shop: Shop) -> str:
    return (shop.data / "operator.token").read_text().strip()


def test_the_page_is_anybodys_and_holds_nothing(client: httpx.Client) -> None:
    page = client.get("/ops")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert client.get("/ops/ops.js").headers["content-type"].startswith("text/javascript")
    for path in ("/ops/nothing", "/ops/..%2fside.py", "/ops/page/ops.js"):
        assert client.get(path).status_code == 404
    assert client.post("/ops", content=b"x").status_code == 404


def whole_state(client: httpx.Client, pids: set[int]) -> dict[str, Any]:
    """How the host stands, once these processes tell of themselves and a busy machine has looked at everything."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        state: dict[str, Any] = client.get("/-/ops/state").json()
        parts = state["parts"].values()
        are_seen = all(part is None or (part["value"] is not None and not part["trouble"]) for part in parts)
        if are_seen and {each["pid"] for each in state["processes"]} >= pids:
            return state
        assert time.monotonic() < deadline, state


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Cookie": "holdfast-operator=1.2.3"}])
def test_how_the_host_stands_is_the_operators(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.get("/-/ops/state", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "invalid_token")
    assert client.get("/-/ops/session", headers=headers).json() == {"isOperator": False}


def test_who_signed_in_sees_every_process_and_part(client: httpx.Client, shop: Shop) -> None:
    signed_in = client.post("/-/ops/session", json={"token": token(shop)}, headers=PAGE)
    assert (signed_in.status_code, signed_in.content) == (204, b"")
    assert "HttpOnly" in signed_in.headers["set-cookie"]
    assert client.get("/-/ops/state").headers["cache-control"] == "no-store"
    state = whole_state(client, {*shop.pids["workers"], shop.pids["background"]})
    assert {each["process"] for each in state["processes"]} >= {"api-0", "api-1", "background"}
    assert state["parts"]["health"]["value"]["parts"]["database"]["status"] == "up"
    assert client.delete("/-/ops/session").status_code == 403
    assert client.delete("/-/ops/session", headers=PAGE).status_code == 204
    assert client.get("/-/ops/state").status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"token": 5}', b'{"token": null}', b"{}"])
def test_signing_in_with_something_else_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/-/ops/session", content=body, headers=PAGE)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "InvalidJsonInput")


def test_a_form_on_another_page_cannot_sign_anybody_in(client: httpx.Client, shop: Shop) -> None:
    answer = client.post("/-/ops/session", json={"token": token(shop)})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_token_itself_reads_it_too(client: httpx.Client, shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {token(shop)}"}
    assert client.get("/-/ops/state", headers=headers).status_code == 200
    assert client.get("/-/ops/nothing", headers=headers).status_code == 404


def test_who_guesses_is_told_to_wait(client: httpx.Client) -> None:
    # One connection: the bound is that of the process behind it.
    answers = [
        client.post("/-/ops/session", json={"token": "wrong"}, headers=PAGE) for _ in range(WRONG_TOKENS_MAX + 2)
    ]
    refused = answers[-1]
    assert (answers[0].status_code, refused.status_code) == (401, 429)
    assert refused.json()["errors"][0]["code"] == "TooManyRequests"
    assert refused.headers["retry-after"] == "6"
