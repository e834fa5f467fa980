"""`kill -9` between commit and answer: a retry under the same key gets the first answer, and nothing happens twice."""

import http.client
import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import Shop, Start
from tests.http.api import Api

RETRIERS = 8
KILLS_MAX = 40
PATIENCE_SECONDS = 30.0


class Retrier(threading.Thread):
    """Creates zones, each under a key of its own and sent again until it is answered."""

    def __init__(self, shop: Shop, token: str, number: int) -> None:
        super().__init__(daemon=True)
        self.shop, self.token, self.number = shop, token, number
        self.created: dict[str, dict[str, Any]] = {}
        self.lost = self.replayed_after_loss = 0
        self.surprises: list[tuple[int, bytes]] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        for count in itertools.count():
            if self.stopping.is_set():
                return
            self._create(f"{self.number}/{count}")

    def _create(self, key: str) -> None:
        lost = False
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                status, replayed, body = self._send(key)
            except (OSError, http.client.HTTPException):
                self.lost += 1
                lost = True
                time.sleep(0.01)
                continue
            if status == 201:
                self.created[key] = json.loads(body)
                self.replayed_after_loss += lost and replayed
                return
            if status not in (502, 503):
                self.surprises.append((status, body))
                return
        self.surprises.append((0, b"never answered"))

    def _send(self, key: str) -> tuple[int, bool, bytes]:
        """Send over a connection of its own, so that a retry may meet another process."""
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(self.shop.api_url).port or 80, timeout=20)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
            text = json.dumps({"name": key, "locations": []})
            connection.request("POST", f"/{self.shop.project_key}/zones", text, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("idempotency-replayed") == "true", answer.read()
        finally:
            connection.close()


@contextmanager
def retrying(shop: Shop, token: str) -> Iterator[list[Retrier]]:
    retriers = [Retrier(shop, token, number) for number in range(RETRIERS)]
    for retrier in retriers:
        retrier.start()
    yield retriers
    for retrier in retriers:
        retrier.stopping.set()
    for retrier in retriers:
        retrier.join(PATIENCE_SECONDS * 2)


def workers(shop: Shop) -> list[int]:
    processes = shop.command("status")["processes"]
    return [process["pid"] for process in processes if process["role"].startswith("api-")]


def kill_until_an_answer_was_lost_after_its_commit(shop: Shop, retriers: list[Retrier]) -> int:
    for kill in range(1, KILLS_MAX + 1):
        for pid in workers(shop):
            os.kill(pid, signal.SIGKILL)
        made = sum(len(retrier.created) for retrier in retriers)
        until = time.monotonic() + PATIENCE_SECONDS
        while sum(len(retrier.created) for retrier in retriers) < made + RETRIERS * 4:
            assert time.monotonic() < until, "the shop did not go on"
            time.sleep(0.01)
        if any(retrier.replayed_after_loss for retrier in retriers):
            return kill
    raise AssertionError(f"in {KILLS_MAX} kills no answer was lost after its commit")


def test_a_retry_after_a_killed_worker_gets_the_first_answer(folder: Path, start: Start) -> None:
    shop, _ = start(folder)
    project = {
        "apiUrl": shop.api_url,
        "authUrl": shop.auth_url,
        "projectKey": shop.project_key,
        "clientId": shop.client_id,
        "clientSecret": shop.client_secret,
    }
    with Api(project) as api:
        with retrying(shop, api.token) as retriers:
            kills = kill_until_an_answer_was_lost_after_its_commit(shop, retriers)
        assert [surprise for retrier in retriers for surprise in retrier.surprises] == []
        created = {key: zone for retrier in retriers for key, zone in retrier.created.items()}
        lost = sum(retrier.lost for retrier in retriers)
        print(f"\n  {kills} kills, {lost} answers lost, {len(created)} zones")
        assert api.get("/zones", limit=0)["total"] == len(created)
        for key, zone in created.items():
            assert api.get(f"/zones/{zone['id']}")["name"] == key
