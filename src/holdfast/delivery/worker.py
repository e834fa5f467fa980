"""The background worker process: `python -m holdfast.delivery.worker`, told what to do by HOLDFAST_*.

It tells others what was committed, and does chores at their pace, until SIGTERM. A chore that fails is
logged and tried again next time: nothing a shopper does depends on it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import uvloop

from holdfast.base import log, tracing
from holdfast.base.config import Config, read_config
from holdfast.base.counts import FOLDER, counts
from holdfast.base.vitals import watch
from holdfast.commerce.catalogue import load_resources
from holdfast.delivery.auditing import Auditor, recent_lane, whole_lane
from holdfast.delivery.destinations.kinds import connect
from holdfast.delivery.objectives import Objectives
from holdfast.delivery.relay import Relay
from holdfast.delivery.sender import Patience
from holdfast.handlers.housekeeping import delete_expired_carts, release_expired_reservations
from holdfast.outbound.addresses import allowed_of
from holdfast.outbound.client import Client
from holdfast.store.audit.findings import purge
from holdfast.store.housekeeping import analyze_grown, purge_fates
from holdfast.store.idempotency import purge_answers
from holdfast.store.store import Store
from holdfast.store.tokens import Tokens

# A chore that found a full batch goes on at once, this many times before others get a turn.
BATCHES_MAX = 100


class Chore(NamedTuple):
    """Something to clear away: `run` does a batch and answers how much it was."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[int]]


async def work(config: Config) -> None:
    """Do all chores until SIGTERM or SIGINT."""
    load_resources()
    store = Store(config.database_url, epochs=config.data_folder / "epochs")
    await store.open()
    tokens = Tokens(store.database, store.epochs)
    auditors = {lane.name: Auditor(config.database_url, lane) for lane in (whole_lane(), recent_lane())}
    chores = [
        Chore("tokens.purge", 60.0, tokens.purge),
        Chore("answers.purge", 600.0, lambda: purge_answers(store.database)),
        Chore("fates.purge", 600.0, lambda: purge_fates(store.database)),
        Chore("tables.analyze", 2.0, lambda: analyze_grown(store.database)),
        Chore("carts.expire", 300.0, lambda: delete_expired_carts(store)),
        Chore("reservations.release", 5.0, lambda: release_expired_reservations(store)),
        Chore("findings.purge", 3600.0, lambda: purge(store.database)),
        Chore("slo.sample", 5.0, Objectives(store.database, config.data_folder).sample),
        *(Chore(f"audit.{lane}", 1.0, auditor.slice) for lane, auditor in auditors.items()),
    ]
    counts.open(config.data_folder / FOLDER, "background")
    watching = asyncio.create_task(watch(counts))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    tasks = [asyncio.create_task(_repeat(chore, stop)) for chore in chores]
    client = Client(allowed_of(config.outbound_allow))
    connecting = partial(connect, client=client, own_identity=config.cloud_identity)
    patience = Patience(timedelta(hours=config.retry_hours))
    relay = Relay(config.database_url, store, patience, connecting)
    tasks.append(asyncio.create_task(relay.run(stop)))
    await stop.wait()
    for auditor in auditors.values():
        auditor.stop()
    await asyncio.gather(*tasks)
    await client.close()
    watching.cancel()
    counts.close()
    tracing.close()
    await store.close()


async def _repeat(chore: Chore, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await _clear(chore)
        except Exception:  # noqa: BLE001 - logged, and tried again
            log.log.exception("chore.failed", chore=chore.name)
        try:
            await asyncio.wait_for(stop.wait(), chore.every_seconds)
        except TimeoutError:
            continue


async def _clear(chore: Chore) -> None:
    done = 0
    for _ in range(BATCHES_MAX):
        batch = await chore.run()
        done += batch
        if not batch:
            break
    if done:
        log.log.info("chore.done", chore=chore.name, count=done)


def main() -> None:
    config = read_config(os.environ)
    log.configure("background", config.log_level)
    tracing.configure("background", os.environ)
    uvloop.run(work(config))


if __name__ == "__main__":
    main()
