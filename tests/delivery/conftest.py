"""A relay of each test's own on a migrated database; its sinks are known by the host of their address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest_asyncio
from tests.delivery.sink import Sink
from tests.store.conftest import project

from holdfast.delivery.relay import Relay
from holdfast.delivery.sender import Patience
from holdfast.store.store import Store

__all__ = ["project", "relay"]


@pytest_asyncio.fixture
async def relay(postgres: str, store: Store) -> AsyncIterator[Callable[..., None]]:
    """Starts relays that send to the given sinks, by the key of the subscription; they end with the test."""
    stop = asyncio.Event()
    running: list[asyncio.Task[None]] = []

    def begin(patience_seconds: float = 3600.0, **sinks: Sink) -> None:
        def connect(settings: Any) -> Sink:
            return sinks.get((urlsplit(settings.url).hostname or "").removesuffix(".example"), Sink())

        patience = Patience(timedelta(seconds=patience_seconds), first_gap_seconds=0.02, longest_gap_seconds=0.5)
        one = Relay(postgres, store, patience, connect)
        running.append(asyncio.create_task(one.run(stop)))

    yield begin
    stop.set()
    await asyncio.gather(*running)
