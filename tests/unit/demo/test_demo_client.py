"""The loader's few lines of HTTP: what it tries again, what it takes for done, what it reports."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from holdfast.demo import client as http_client
from holdfast.demo.client import Client, Refused, Shop
from holdfast.demo.load import create

Reply = tuple[int, dict[str, Any]] | None

DUPLICATE = (400, {"errors": [{"code": "DuplicateField", "field": "key"}]})


class Script(ThreadingHTTPServer):
    """Answers with what stands in `replies`, in order; None hangs up without an answer."""

    replies: list[Reply]
    seen: list[tuple[str, str]]


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Script

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, body.decode()))
        reply = self.server.replies.pop(0)
        if reply is None:
            self.close_connection = True
            return
        status, answer = reply
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    monkeypatch.setattr(http_client, "RETRY_PAUSE_SECONDS", 0)
    server = Script(("127.0.0.1", 0), Answer)
    server.replies, server.seen = [(200, {"access_token": "token"})], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def connect(script: Script, *replies: Reply) -> Client:
    script.replies.extend(replies)
    return Client(Shop(f"http://127.0.0.1:{script.server_address[1]}", "demo", "id", "secret"))


def test_a_busy_shop_and_a_broken_connection_are_tried_again(script: Script) -> None:
    client = connect(script, (503, {}), None, (201, {"id": "1"}))
    assert client.post("/zones", {"key": "z"}) == {"id": "1"}
    assert script.seen[1:] == [("/demo/zones", '{"key": "z"}')] * 3


def test_trying_again_ends(script: Script) -> None:
    client = connect(script, *[(503, {})] * 4)
    with pytest.raises(Refused) as refused:
        client.post("/zones", {})
    assert refused.value.status == 503
    assert script.replies == []


def test_what_is_there_already_is_left_as_it_is(script: Script) -> None:
    create(connect(script, DUPLICATE), "zones", {"key": "z"})
    assert len(script.seen) == 2


def test_any_other_refusal_is_told_with_its_body(script: Script) -> None:
    client = connect(script, (400, {"errors": [{"code": "InvalidField", "field": "name"}]}))
    with pytest.raises(Refused, match=r'POST /demo/zones answered 400: .*"field": "name"'):
        create(client, "zones", {"key": "z"})
