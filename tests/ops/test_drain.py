"""A shop that is told to stop ends what it has begun: requests in flight are answered, then it stops."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import STOP_SECONDS, start_shop, wait_for_shop

from holdfast.ops.bench.shop import open_shop

PATIENCE_SECONDS = 10.0


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
    token = open_shop(shop.api_url, shop.project_key, shop.client_id, shop.client_secret).token
    body = json.dumps({"name": "last words", "key": "last-words", "locations": []}).encode()
    head = (
        f"POST /{shop.project_key}/zones HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
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
