"""The background worker is killed in the middle of its work, again and again: nothing is lost, and the order holds."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from tests.delivery.receiver import Receiver
from tests.delivery.sink import PATIENCE_SECONDS, subscribe, tell

from holdfast.commerce.resources.subscription.destinations import WebhookDestination
from holdfast.store.store import Store

RESOURCES, EACH = 30, 8
KILLS = 2


def start_worker(url: str, data: Path) -> subprocess.Popen[bytes]:
    settings = {"DATABASE_URL": url, "DATA": str(data), "OUTBOUND_ALLOW": "127.0.0.0/8", "LOG_LEVEL": "error"}
    environment = os.environ | {f"HOLDFAST_{name}": text for name, text in settings.items()}
    return subprocess.Popen([sys.executable, "-P", "-m", "holdfast.delivery.worker"], env=environment)


async def test_a_killed_worker_loses_nothing_and_keeps_the_order(
    store: Store, project: str, postgres: str, folder: Path
) -> None:
    chance = random.Random(11)
    async with Receiver() as receiver:
        receiver.choose = lambda: "500 Oops" if chance.random() < 0.05 else "200 OK"
        await subscribe(store, project, key="hook", destination=WebhookDestination(url=receiver.url))
        ids = await tell(store, project, RESOURCES, each=EACH)
        worker = start_worker(postgres, folder)
        try:
            for n in range(1, KILLS + 1):
                await receiver.has(n * RESOURCES * EACH // (KILLS + 2))
                worker.send_signal(signal.SIGKILL)
                worker.wait(PATIENCE_SECONDS)
                worker = start_worker(postgres, folder)
            await receiver.has_different(RESOURCES * EACH + 1)
        finally:
            worker.terminate()
            worker.wait(PATIENCE_SECONDS)
    first: defaultdict[str, list[int]] = defaultdict(list)
    seen = set()
    for got in receiver.accepted:
        body = json.loads(got.body)
        if body["notificationType"] == "Message" and body["id"] not in seen:
            assert got.headers["webhook-id"] == body["id"]
            seen.add(body["id"])
            first[body["resource"]["id"]].append(body["sequenceNumber"])
    assert first == {each: list(range(1, EACH + 1)) for each in ids}
