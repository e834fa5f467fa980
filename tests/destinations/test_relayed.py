"""From the outbox through the relay into a broker that is killed on the way."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from tests.delivery.sink import subscribe, tell
from tests.destinations.programs import PATIENCE_SECONDS, Program, valkey_server

from holdfast.base.ids import uuid7
from holdfast.commerce.resources.subscription.destinations import RedisStreamDestination
from holdfast.delivery.destinations.kinds import connect
from holdfast.delivery.relay import Relay
from holdfast.delivery.sender import Patience
from holdfast.outbound.addresses import allowed_of
from holdfast.outbound.client import Client
from holdfast.store.store import Store

RESOURCES, EACH = 20, 30


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with valkey_server(tmp_path_factory.mktemp("valkey"), "--appendonly", "yes", "--appendfsync", "always") as program:
        yield program


@pytest.fixture
async def relay(postgres: str, store: Store) -> AsyncIterator[None]:
    client, stop = Client(allowed_of("127.0.0.1")), asyncio.Event()
    patience = Patience(timedelta(hours=1), first_gap_seconds=0.02, longest_gap_seconds=0.5)
    one = Relay(postgres, store, patience, lambda settings: connect(settings, client))
    running = asyncio.create_task(one.run(stop))
    yield
    stop.set()
    await running
    await client.close()


async def told(client: Redis, stream: str) -> dict[str, list[int]]:
    """The sequence numbers each resource arrived with, repetitions left out by the id."""
    found: Any = await client.xrange(stream)
    numbers: dict[str, list[int]] = {}
    seen = set()
    for _, fields in found:
        body = json.loads(fields[b"body"])
        if body["notificationType"] == "Message" and fields[b"id"] not in seen:
            seen.add(fields[b"id"])
            numbers.setdefault(body["resource"]["id"], []).append(body["sequenceNumber"])
    return numbers


async def until(client: Redis, stream: str, count: int) -> dict[str, list[int]]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                numbers = await told(client, stream)
            except (RedisError, OSError):
                numbers = {}
            if sum(map(len, numbers.values())) >= count:
                return numbers
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("relay")
async def test_everything_reaches_a_broker_that_was_killed_in_order(store: Store, valkey: Program, name: str) -> None:
    project = f"project-{uuid7()}"
    destination = RedisStreamDestination(url=f"redis://127.0.0.1:{valkey.port}", stream=name)
    await subscribe(store, project, destination=destination)
    client = Redis(port=valkey.port)
    first = await tell(store, project, RESOURCES, each=EACH)
    await until(client, name, 10)
    valkey.kill()
    second = await tell(store, project, RESOURCES, each=EACH)
    valkey.start()
    numbers = await until(client, name, 2 * RESOURCES * EACH)
    assert numbers == {each: list(range(1, EACH + 1)) for each in (*first, *second)}
    await client.aclose()
