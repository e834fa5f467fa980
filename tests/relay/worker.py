"""A relay in a process of its own, to be killed: `python -m tests.relay.worker DATABASE`."""

from __future__ import annotations

import asyncio
import signal
import sys

import uvloop
from tests.relay.wire import Wire

from holdfast.base import log
from holdfast.commerce.catalogue import load_resources
from holdfast.delivery.relay import Relay
from holdfast.delivery.sender import Patience
from holdfast.store.store import Store


async def work(url: str) -> None:
    load_resources()
    store = Store(url)
    await store.open()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await Relay(url, store, Patience(first_gap_seconds=0.1, longest_gap_seconds=2.0), Wire).run(stop)
    await store.close()


if __name__ == "__main__":
    log.configure("relay", "error")
    uvloop.run(work(sys.argv[1]))
