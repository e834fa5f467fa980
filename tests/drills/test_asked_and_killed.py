"""`kill -9` while an extension is asked: nothing was changed, and whoever asks again gets one order."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
from tests.conftest import Start
from tests.http.api import Api
from tests.http.theirs import their_server
from tests.http.till import a_cart, a_sku, counters, open_till, order
from tests.outbound.sinks import answers, hangs

PATIENCE_SECONDS = 30.0


def test_a_process_that_dies_while_an_extension_is_asked_has_changed_nothing(folder: Path, start: Start) -> None:
    shop, _ = start(folder, "--workers", "1")
    with their_server() as server, Api(shop.create_project()) as api:
        open_till(api)
        sku = a_sku(api, on_stock=1)
        cart = a_cart(api, sku)
        trigger = {"resourceTypeId": "order", "actions": ["Create"]}
        draft = {"destination": {"type": "HTTP", "url": server.url}, "triggers": [trigger], "timeoutInMs": 10_000}
        api.create("/extensions", draft)
        server.behave(hangs)
        buyer = threading.Thread(target=_try_to_buy, args=(api, cart), daemon=True)
        buyer.start()
        server.until_asked()
        os.kill(shop.pids["workers"][0], signal.SIGKILL)
        buyer.join(PATIENCE_SECONDS)
        server.behave(answers(200))
        with _back(api.project) as again:
            assert again.get("/orders")["total"] == 0
            assert counters(again, sku) == (1, 1)
            assert order(again, cart).status_code == 201
            assert counters(again, sku) == (1, 0)
        assert len(server.asked) == 1


def _try_to_buy(api: Api, cart: dict[str, object]) -> None:
    with suppress(httpx.HTTPError):
        order(api, cart)


def _back(project: dict[str, str]) -> Api:
    """The API, once the supervisor has started it again."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return Api(project)
        except httpx.TransportError:
            assert time.monotonic() < until, "the process was not started again"
            time.sleep(0.05)
