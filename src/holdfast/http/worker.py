"""An API worker process: `python -m holdfast.http.worker`, told what to do by HOLDFAST_*.

Several share one port (SO_REUSEPORT). SIGTERM stops accepting, lets the requests in flight end,
and closes the store last, so that what was acknowledged is durable and what was not is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from functools import partial
from pathlib import Path

import uvloop

from holdfast.base import log, tracing
from holdfast.base.config import Config, read_config
from holdfast.base.counts import FOLDER, counts
from holdfast.base.networks import trusted_of
from holdfast.base.receipts import read_signer
from holdfast.base.vitals import watch
from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.registry import by_path
from holdfast.handlers.catalogue import load_handlers
from holdfast.handlers.extensions import Extensions
from holdfast.handlers.oauth import OAuth
from holdfast.handlers.verify_credentials import verifier
from holdfast.http.addresses import Addresses
from holdfast.http.app import App
from holdfast.http.auth import Authenticator
from holdfast.http.health import Health, background_part, database_part
from holdfast.http.metrics import Metrics
from holdfast.http.oauth import OAuthRoutes
from holdfast.http.operations.access import Access
from holdfast.http.operations.side import Operations
from holdfast.http.operations.state import State
from holdfast.http.operator import OperatorRoutes
from holdfast.http.pages import docs, operations
from holdfast.http.rate_hosts import Hosts
from holdfast.http.rate_operator import RateRoutes
from holdfast.http.rate_page import Page
from holdfast.http.rate_settings import RateSettings
from holdfast.http.rates import Rates
from holdfast.http.routes import Router
from holdfast.http.server import Server
from holdfast.http.shelf import Shelf
from holdfast.http.sides import internal_side, metrics_side, oauth_side
from holdfast.http.telling import of_gate, of_kept, of_rates, of_store
from holdfast.outbound.addresses import allowed_of
from holdfast.outbound.client import Client
from holdfast.outbound.shared_buckets import SharedBuckets
from holdfast.outbound.shared_memory import SharedMemory
from holdfast.outbound.telling import of_outbound
from holdfast.store.store import Store
from holdfast.store.tokens import Tokens

# Objects made, then collections of the younger generation, between two collections. Values are frozen
# and in no cycle, so there is little to find; the usual 700 would look for it in the middle of each order.
GC_THRESHOLDS = (20_000, 30, 50)


async def serve(config: Config) -> None:
    """Serve the API until SIGTERM or SIGINT."""
    load_resources()
    load_handlers()
    store = Store(config.database_url, epochs=config.data_folder / "epochs")
    await store.open()
    # What start-up made lives as long as the process; looking through it for garbage is wasted.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    counts.open(config.data_folder / FOLDER, f"api-{config.worker_index}")
    client = Client(allowed_of(config.outbound_allow))
    app = build(store, config, config.data_folder / "rates", client)
    await app.rates.settings.start()
    tellers = (
        partial(of_gate, app.gate),
        partial(of_store, store),
        partial(of_kept, app.kept),
        partial(of_rates, app.rates),
        partial(of_outbound, client),
    )
    watching = asyncio.create_task(watch(counts, tellers))
    server = Server(app, config.host, config.port, drain_seconds=config.drain_seconds)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, server.stop)
    log.log.info("worker.serving", url=config.api_url, pid=os.getpid())
    try:
        await server.serve()
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(config.drain_seconds):
                await store.close()
                await client.close()
                await app.kept.close()
                await app.rates.close()
        watching.cancel()
        counts.close()
        tracing.close()
        log.log.info("worker.stopped", pid=os.getpid())


def build(store: Store, config: Config, rate_page: Path | None = None, client: Client | None = None) -> App:
    """The application of one process, which calls the outside by `client`.

    rate_page: where it shares its buckets with the others.
    """
    tokens = Tokens(store.database, store.epochs)
    oauth = OAuth(tokens, verifier(store))
    access = Access(config.operator_token_file, secure=config.api_url.startswith("https:"))
    folder = config.data_folder / FOLDER
    health = Health((database_part(store), background_part(folder)))
    metrics = metrics_side(Metrics(store, folder), (Access(config.metrics_token_file), access))
    doors = Operations(access, State(store, health, config.data_folder))
    sides = {
        "oauth": oauth_side(OAuthRoutes(oauth)),
        "docs": docs,
        "metrics": metrics,
        "ops": operations,
        "-": internal_side(health, metrics, doors, OperatorRoutes(store, oauth, access, RateRoutes(store, tokens))),
    }
    signer = read_signer(Path(config.receipt_key_file)) if config.receipt_key_file else None
    authenticator = Authenticator(tokens, store.epochs)
    rates = limiter(store, authenticator, config, Page(rate_page))
    shelf = Shelf(SharedMemory(config.redis_url), store.epochs) if config.redis_url else None
    extensions = Extensions(store, client or Client(allowed_of(config.outbound_allow)))
    return App(store, authenticator, Router(by_path()), sides, signer, extensions=extensions, rates=rates, shelf=shelf)


def limiter(store: Store, authenticator: Authenticator, config: Config, page: Page) -> Rates:
    """What limits the callers of this process. Raises BadSetting."""
    hosts = Hosts(SharedBuckets(config.redis_url), page) if config.redis_url else None
    addresses = Addresses(trusted_of(config.trusted_proxies))
    return Rates(page, authenticator, RateSettings(store), addresses, elsewhere=hosts)


def main() -> None:
    config = read_config(os.environ)
    log.configure(f"api-{config.worker_index}", config.log_level)
    tracing.configure(f"api-{config.worker_index}", os.environ)
    uvloop.run(serve(config))


if __name__ == "__main__":
    main()
