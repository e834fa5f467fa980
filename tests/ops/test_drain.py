"""A shop that is told to stop ends what it has begun: requests in flight are answered, then it stops."""

from __future__ import annotations

import base64
import json
import signal
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import STOP_SECONDS, Shop, start_shop, wait_for_shop

PATIENCE_SECONDS = 10.0


def token_of(shop: Shop) -> str:
    pair = base64.b64encode(f"{shop.client_id}:{shop.client_secret}".encode()).decode()
    asked = urllib.request.Request(
        f"{shop.auth_url}/oauth/token",
        data=b"grant_type=client_credentials",
        headers={"Authorization": f"Basic {pair}"},
    )
    with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:
        return str(json.load(answer)["access_token"])


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_request_in_flight_is_answered_before_the_shop_stops(folder: Path) -> None:
    process = start_shop(folder)
    shop = wait_for_shop(folder, process)
    port = int(shop.api_url.rpartition(":")[2])
    body = json.dumps({"name": "last words", "key": "last-words", "locations": []}).encode()
    head = (
        f"POST /{shop.project_key}/zones HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token_of(shop)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(head + body[:10])
        process.send_signal(signal.SIGTERM)
        until(lambda: refuses(port))
        connection.sendall(body[10:])
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 201"), answer
    assert process.wait(STOP_SECONDS) == 0
    zone: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert zone["key"] == "last-words"
