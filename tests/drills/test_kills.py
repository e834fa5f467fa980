"""`kill -9` during writes: what was acknowledged is there afterwards, once, and the shop serves within seconds.

Writers rename zones of their own, one version after the other. An acknowledged version must be there;
one whose answer never came may be there or not; nothing else may have happened.
"""

import base64
import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Shop, Start, is_running

WRITERS = 8
WRITES_BEFORE = 40
PATIENCE_SECONDS = 20.0
OTHERS = ("api", "background", "postgres")

Json = dict[str, Any]


class Api:
    """One client with one connection, which it opens anew after each failure."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.port = int(shop.api_url.rpartition(":")[2])
        self.connection = self._connect()
        self.token = self._token()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)

    def _token(self) -> str:
        pair = base64.b64encode(f"{self.shop.client_id}:{self.shop.client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", "/oauth/token", "grant_type=client_credentials", headers)
        token: str = json.loads(self.connection.getresponse().read())["access_token"]
        return token

    def send(self, method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            text = json.dumps(body) if body else None
            self.connection.request(method, f"/{self.shop.project_key}{path}", text, headers)
            response = self.connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.connection.close()
            self.connection = self._connect()
            raise ConnectionError from None


class Writer(threading.Thread):
    """Renames one zone over and over and remembers what it was told."""

    def __init__(self, shop: Shop, number: int) -> None:
        super().__init__(daemon=True)
        self.api = Api(shop)
        status, zone = self.api.send("POST", "/zones", {"name": "1", "key": f"zone-{number}", "locations": []})
        assert status == 201, zone
        self.path = f"/zones/{zone['id']}"
        self.acknowledged: list[int] = [zone["version"]]
        self.surprises: list[tuple[int, Json]] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        version = self.acknowledged[-1]
        while not self.stopping.is_set():
            try:
                version = self._rename(version)
            except ConnectionError:
                time.sleep(0.01)

    def _rename(self, version: int) -> int:
        body = {"version": version, "actions": [{"action": "changeName", "name": str(version + 1)}]}
        status, answer = self.api.send("POST", self.path, body)
        if status == 200:
            self.acknowledged.append(answer["version"])
            return int(answer["version"])
        if status == 409:
            # An answer was lost on its way: the write is there, and its version is told.
            return int(answer["errors"][0]["currentVersion"])
        if status not in (502, 503):
            self.surprises.append((status, answer))
        time.sleep(0.01)
        return version


@contextmanager
def writing(shop: Shop) -> Iterator[Sequence[Writer]]:
    """Writers at work, well under way."""
    writers = [Writer(shop, number) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    eventually(lambda: all(len(writer.acknowledged) >= WRITES_BEFORE for writer in writers), "writers are too slow")
    yield writers
    for writer in writers:
        writer.stopping.set()
    for writer in writers:
        writer.join(PATIENCE_SECONDS)


def eventually(holds: Callable[[], bool], message: str) -> float:
    """The seconds until something holds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE_SECONDS, message
        time.sleep(0.02)
    return time.monotonic() - began


def check_writes(shop: Shop, writers: Sequence[Writer]) -> None:
    """Acknowledged versions only grow, without repeats; the zone has the last one, or one whose answer was lost."""
    api = Api(shop)
    for writer in writers:
        assert writer.surprises == []
        told = writer.acknowledged
        assert all(earlier < later for earlier, later in pairwise(told)), told
        status, zone = api.send("GET", writer.path)
        assert status == 200
        assert zone["version"] >= told[-1], "an acknowledged write is gone"
        lost_answers = zone["version"] - len(told)
        assert lost_answers <= restarts_seen(told, zone["version"]), "a write happened that nobody asked for"
        assert zone["name"] == str(zone["version"]), "a version is not the write that made it"


def restarts_seen(told: list[int], last: int) -> int:
    """Gaps in what was told: each is one answer that was lost, never two writes."""
    gaps = [later - earlier for earlier, later in zip(told, [*told[1:], last], strict=True)]
    assert all(gap <= 2 for gap in gaps), gaps
    return sum(gap == 2 for gap in gaps) + (gaps[-1] == 1)


def victims(shop: Shop, names: Sequence[str]) -> list[int]:
    pids = {**shop.pids, "api": shop.pids["workers"][0]}
    return [pids[name] for name in names]


def tell(what: str, seconds: float) -> None:
    """Say how long it took, for `make drill` to show. Promises are checked, times are told."""
    print(f"\n  {what} after {seconds:.1f} s")


def all_are_writing(writers: Sequence[Writer]) -> Callable[[], bool]:
    """Whether each writer was acknowledged anew since now."""
    before = [len(writer.acknowledged) for writer in writers]
    return lambda: all(len(writer.acknowledged) > count for writer, count in zip(writers, before, strict=True))


@pytest.mark.parametrize("names", [*[(name,) for name in OTHERS], OTHERS], ids="+".join)
def test_a_killed_process_is_replaced_while_the_shop_goes_on(
    folder: Path, start: Start, names: tuple[str, ...]
) -> None:
    shop, _ = start(folder)
    with writing(shop) as writers:
        for pid in victims(shop, names):
            os.kill(pid, signal.SIGKILL)
        tell("every writer was answered", eventually(all_are_writing(writers), "the shop did not go on"))
        eventually(lambda: shop.command("status")["serving"], "the shop is not whole again")
    check_writes(shop, writers)
    roles = {process["role"] for process in shop.command("status")["processes"]}
    assert roles == {"supervisor", "postgres", "background", "api-0", "api-1"}


@pytest.mark.parametrize("names", [("supervisor",), ("supervisor", *OTHERS)], ids="+".join)
def test_after_a_killed_supervisor_the_next_start_has_every_write(
    folder: Path, start: Start, names: tuple[str, ...]
) -> None:
    shop, process = start(folder)
    with writing(shop) as writers:
        for pid in victims(shop, names):
            os.kill(pid, signal.SIGKILL)
        process.wait()
        began = time.monotonic()
        again, _ = start(folder)
        tell("the next start served", time.monotonic() - began)
    check_writes(again, writers)
    assert not any(is_running(pid) for pid in (*victims(shop, ("supervisor", *OTHERS)), *shop.pids["workers"]))


def test_killed_again_and_again_it_recovers_every_time(folder: Path, start: Start) -> None:
    shop, process = start(folder)
    for _ in range(3):
        kill_all(shop, process)
        began = time.monotonic()
        shop, process = start(folder)
        tell("the next start served", time.monotonic() - began)


def kill_all(shop: Shop, supervisor: subprocess.Popen[bytes]) -> None:
    for pid in victims(shop, ("supervisor", *OTHERS)):
        os.kill(pid, signal.SIGKILL)
    supervisor.wait()
