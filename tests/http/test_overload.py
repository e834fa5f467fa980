"""How the API says no: cheaply when it is full, by name when a deadline makes no sense, and to slow senders too."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPResponse
from typing import Any

import pytest
from tests.conftest import Shop
from tests.http.api import Api, refusal

from holdfast.base.counts import counts
from holdfast.http.admission import Gate
from holdfast.http.app import App
from holdfast.http.auth import Authenticator
from holdfast.http.bodies import BODY_SECONDS_MAX
from holdfast.http.criticality import Criticality
from holdfast.http.limits import LIMIT_MAX
from holdfast.http.routes import Router
from holdfast.store.store import Store
from holdfast.store.tokens import Tokens

PATIENCE_SECONDS = BODY_SECONDS_MAX + 10.0


@pytest.fixture
def api(project: dict[str, Any]) -> Iterator[Api]:
    with Api(project) as opened:
        yield opened


def send(api: Api, headers: dict[str, str]) -> Any:
    """Try to create a zone with these headers."""
    given = {"Authorization": f"Bearer {api.token}", **headers}
    return api._http.post(f"/{api.key}/zones", json={"name": "x", "locations": []}, headers=given)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Request-Timeout", "soon"),
        ("X-Request-Timeout", "0"),
        ("X-Request-Timeout", "-5s"),
        ("X-Request-Deadline", "tomorrow"),
        ("X-Request-Deadline", "2026-02-30T00:00:00Z"),
    ],
)
def test_a_deadline_that_makes_no_sense_is_refused_by_name_and_changes_nothing(
    api: Api, header: str, value: str
) -> None:
    error = refusal(send(api, {header: value}), 400, "InvalidField")
    assert error["field"] == header
    assert error["invalidValue"] == value
    assert api.get("/zones")["count"] == 0


def test_a_request_that_comes_after_its_deadline_changes_nothing(api: Api) -> None:
    refusal(send(api, {"X-Request-Deadline": "2020-01-01T00:00:00Z"}), 504, "DeadlineExceeded")
    refusal(send(api, {"X-Request-Deadline": "1500000000000"}), 504, "DeadlineExceeded")
    assert api.get("/zones")["count"] == 0


@pytest.mark.parametrize("value", ["5000", "5000ms", "5s", "86400s"])
def test_a_request_within_its_timeout_is_served(api: Api, value: str) -> None:
    assert send(api, {"X-Request-Timeout": value}).status_code == 201


def head(api: Api, length: int, *more: str) -> bytes:
    lines = [f"POST /{api.key}/zones HTTP/1.1", "Host: x", f"Authorization: Bearer {api.token}", *more]
    return "\r\n".join([*lines, "Content-Type: application/json", f"Content-Length: {length}", "", ""]).encode()


def answered(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """The status and the body of the answer that comes."""
    answer = HTTPResponse(connection)
    answer.begin()
    return answer.status, json.loads(answer.read())


def test_slow_senders_are_cut_off_and_keep_nobody_from_being_served(shop: Shop, api: Api) -> None:
    address = ("127.0.0.1", int(shop.api_url.rpartition(":")[2]))
    slow = [socket.create_connection(address, timeout=PATIENCE_SECONDS) for _ in range(2 * LIMIT_MAX)]
    for connection in slow:
        connection.sendall(head(api, 1_000) + b'{"name": "a letter at a')
    assert send(api, {}).status_code == 201  # all of them together hold no place
    for connection in slow:
        connection.sendall(b" time")
    status, body = answered(slow[0])
    assert status == 408
    assert slow[0].recv(1) == b""
    assert body["errors"][0]["code"] == "RequestTimeout"
    for connection in slow:
        connection.close()
    assert api.get("/zones")["count"] == 1


def test_a_deadline_ends_the_wait_for_a_body_too(shop: Shop, api: Api) -> None:
    address = ("127.0.0.1", int(shop.api_url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(head(api, 1_000, "X-Request-Timeout: 50ms") + b'{"name":')
        status, body = answered(connection)
    assert status == 504
    assert body["errors"][0]["code"] == "DeadlineExceeded"


# --- a full process ------------------------------------------------------------------------


class Full(Gate):
    def is_full(self, criticality: Criticality) -> bool:
        return criticality in set(Criticality)


def full_app() -> App:
    """An application whose every place and queue is taken."""
    store = Store("postgresql://nowhere")
    tokens = Tokens(store.database, store.epochs)
    app = App(store, Authenticator(tokens, store.epochs), Router({}), {})
    app.gate = Full(time.monotonic)
    return app


def scope(method: str, path: str) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}


class Counts:
    """What was counted lately: how many requests and refusals, without how long they took."""

    def __init__(self) -> None:
        self._seen = self._now()

    def since(self) -> dict[int, float]:
        before, self._seen = self._seen, self._now()
        return {
            n: now - before[n]
            for n, now in enumerate(self._seen)
            if float(now - before[n]).is_integer() and now > before[n]
        }

    @staticmethod
    def _now() -> list[float]:
        return list(counts.numbers)


async def call(app: App, method: str, path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    """The answer of an application that has no reason to ask for the body."""
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        raise AssertionError("a refusal does not read")

    async def note(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope(method, path), receive, note)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


async def test_a_full_process_says_so_before_it_reads_anything_and_when_to_come_back() -> None:
    app = full_app()
    waits = set()
    for _ in range(6):
        status, headers, body = await call(app, "POST", "/shop/orders")
        told = json.loads(body)
        assert status == told["statusCode"] == 503
        assert told["errors"][0]["code"] == "OverCapacity"
        assert headers[b"x-correlation-id"]
        waits.add(int(headers[b"retry-after"]))
    assert waits == {1, 2, 3}  # clients refused together come back apart


HEAD = b"POST /shop/carts HTTP/1.1\r\nHost: x\r\nX-Correlation-ID: my-cart-1\r\nContent-Length: 18\r\n\r\n"
PLAIN = HEAD + b'{"currency":"EUR"}'


class Crowded(Full):
    def is_overloaded(self) -> bool:
        return True


async def test_what_is_turned_away_unparsed_is_told_and_counted_the_same() -> None:
    app = full_app()
    counted = Counts()
    parsed = app.look(scope("POST", "/shop/carts") | {"headers": [(b"x-correlation-id", b"my-cart-1")]}).at_once
    parsed_counts = counted.since()
    assert len(parsed_counts) >= 3  # the request, its latency's bucket, its refusal
    app.gate = Crowded(time.monotonic)
    turned_away = app.turn_away(PLAIN)
    assert turned_away is not None
    assert parsed is not None
    assert parsed_counts == counted.since()
    assert [told for told in turned_away[1] if told[0] != b"retry-after"] == [
        told for told in parsed[1] if told[0] != b"retry-after"
    ]
    assert (turned_away[0], turned_away[2]) == (parsed[0], parsed[2])


@pytest.mark.parametrize(
    ("gate", "sent"),
    [
        (Full, PLAIN),
        (Crowded, PLAIN + b" "),
        (Crowded, PLAIN.replace(b"/shop/carts", b"/-/projects")),
    ],
    ids=["no overload", "not plain", "never refused"],
)
async def test_only_what_is_sure_to_be_refused_is_turned_away_unparsed(gate: type[Full], sent: bytes) -> None:
    app = full_app()
    app.gate = gate(time.monotonic)
    assert app.turn_away(sent) is None


async def test_a_full_process_still_answers_preflights() -> None:
    status, headers, _ = await call(full_app(), "OPTIONS", "/shop/orders")
    assert status == 204
    allowed = headers[b"access-control-allow-headers"].decode().split(", ")
    assert {"authorization", "content-type", "user-agent", "x-correlation-id", "x-request-timeout"} <= set(allowed)
