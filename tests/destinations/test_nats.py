"""NATS JetStream, on the real server: a cluster of three, one of which is killed."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import nats
import pytest
from msgspec.structs import replace
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from tests.destinations.events import a_delivery, outcome_of, until_accepted
from tests.destinations.programs import PATIENCE_SECONDS, Program, free_ports, installed

from holdfast.commerce.resources.subscription.destinations import NatsDestination
from holdfast.delivery.destinations import nats as adapter
from holdfast.delivery.destinations.nats import NatsStream, connect
from holdfast.delivery.destinations.port import ACCEPTED, Misconfigured, Refused, Retry

T = TypeVar("T")

NODES = 3
KEYS, ROUNDS, KILL_AT = 8, 40, 15
USER, READER, PASSWORD = "relay", "reader", "kept-secret"


@dataclass
class Cluster:
    nodes: list[Program]

    @property
    def servers(self) -> tuple[str, ...]:
        return tuple(f"nats://127.0.0.1:{node.port}" for node in self.nodes)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("nats")
    ports, routes = free_ports(NODES), free_ports(NODES)
    nodes = []
    for number in range(NODES):
        place = folder / f"n{number}"
        place.mkdir()
        (place / "server.json").write_text(json.dumps(configuration(number, ports, routes, place)))
        nodes.append(Program([installed("nats-server"), "-c", "server.json"], place, ports[number]))
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            node.wait()
        yield Cluster(nodes)
    finally:
        for node in nodes:
            node.kill()


def configuration(number: int, ports: list[int], routes: list[int], place: Path) -> dict[str, object]:
    silenced = {"user": READER, "password": PASSWORD, "permissions": {"publish": {"deny": [">"]}}}
    return {
        "server_name": f"n{number}",
        "listen": f"127.0.0.1:{ports[number]}",
        "jetstream": {"store_dir": str(place / "js"), "sync_interval": "always"},
        "authorization": {"users": [{"user": USER, "password": PASSWORD}, silenced]},
        "cluster": {
            "name": "three",
            "listen": f"127.0.0.1:{routes[number]}",
            "routes": [f"nats://127.0.0.1:{route}" for route in routes],
        },
    }


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Client]:
    client = await nats.connect(list(cluster.servers), user=USER, password=PASSWORD, max_reconnect_attempts=-1)
    yield client
    await client.close()


@pytest.fixture
async def stream(client: Client, name: str) -> JetStreamContext:
    """A stream on all three that listens to `NAME.>`."""
    context = client.jetstream(timeout=1)
    await patiently(lambda: context.add_stream(StreamConfig(name=name, subjects=[f"{name}.>"], num_replicas=NODES)))
    return context


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """What a call answers, once the servers have found each other and a leader."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await call()
            except Error:
                await asyncio.sleep(0.05)


def settings(cluster: Cluster, subject: str, password: str = PASSWORD) -> NatsDestination:
    return NatsDestination(servers=cluster.servers, subject=subject, user=USER, password=password)


@pytest.fixture
async def destination(cluster: Cluster, name: str) -> AsyncIterator[NatsStream]:
    destination = connect(settings(cluster, f"{name}.{{key}}.{{type}}"))
    yield destination
    await destination.close()


async def stored(stream: JetStreamContext, name: str, count: int) -> list[Msg]:
    subscription = await patiently(lambda: stream.subscribe(f"{name}.>", ordered_consumer=True))
    return [await subscription.next_msg(timeout=PATIENCE_SECONDS) for _ in range(count)]


async def test_an_event_arrives_with_its_body_and_headers(
    stream: JetStreamContext, destination: NatsStream, name: str
) -> None:
    delivery = a_delivery(1, "order/7.a")
    await until_accepted(destination, [delivery])
    [message] = await stored(stream, name, 1)
    assert message.subject == f"{name}.order/7_a.OrderCreated"
    assert message.data == delivery.body
    assert message.headers == {
        "Content-Type": "application/json",
        "Nats-Msg-Id": delivery.id,
        "projectKey": "sunrise",
        "resourceTypeId": "order",
    }


async def test_a_repetition_is_stored_once(stream: JetStreamContext, destination: NatsStream, name: str) -> None:
    for _ in range(3):
        await until_accepted(destination, [a_delivery(1)])
    assert (await patiently(lambda: stream.stream_info(name))).state.messages == 1


async def test_a_subject_no_stream_listens_to_is_a_matter_of_configuration(cluster: Cluster) -> None:
    destination = connect(settings(cluster, "nobody.listens"))
    assert await outcome_of(destination, a_delivery(1)) == Misconfigured(
        "No stream listens to the subject 'nobody.listens'."
    )
    await destination.close()


async def test_a_wrong_password_is_a_matter_of_configuration_and_is_not_told(cluster: Cluster, name: str) -> None:
    destination = connect(settings(cluster, name, password="not-this-one"))
    outcome = await outcome_of(destination, a_delivery(1))
    assert isinstance(outcome, Misconfigured)
    assert "not-this-one" not in outcome.reason
    await destination.close()


async def test_a_user_who_may_not_publish_is_a_matter_of_configuration(
    cluster: Cluster, stream: JetStreamContext, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "ANSWER_SECONDS", 0.3)  # the server says so, but not in answer to the event
    given = settings(cluster, f"{name}.a")
    destination = connect(replace(given, user=READER))
    assert isinstance(await outcome_of(destination, a_delivery(1)), Misconfigured)
    await destination.close()


async def test_an_event_larger_than_the_server_takes_is_refused(
    stream: JetStreamContext, destination: NatsStream
) -> None:
    assert isinstance(await outcome_of(destination, a_delivery(1, body=b"x" * 2_000_000)), Refused)
    assert await outcome_of(destination, a_delivery(2)) == ACCEPTED


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    destination = connect(NatsDestination(servers=(f"nats://127.0.0.1:{free_ports(1)[0]}",), subject="any"))
    assert isinstance(await outcome_of(destination, a_delivery(1)), Retry)
    await destination.close()


async def test_nothing_is_lost_twice_or_out_of_order_when_a_server_is_killed(
    cluster: Cluster, client: Client, stream: JetStreamContext, destination: NatsStream, name: str
) -> None:
    victim = None
    for number in range(ROUNDS):
        if number == KILL_AT:
            leader = (await stream.stream_info(name)).cluster
            assert leader is not None
            victim = cluster.nodes[int(str(leader.leader).removeprefix("n"))]
            victim.kill()
        await until_accepted(destination, [a_delivery(number, f"order/{key}") for key in range(KEYS)])
    messages = await stored(stream, name, KEYS * ROUNDS)
    assert (await patiently(lambda: stream.stream_info(name))).state.messages == KEYS * ROUNDS
    told: dict[str, list[int]] = {}
    for message in messages:
        told.setdefault(message.subject, []).append(json.loads(message.data)["sequenceNumber"])
    assert list(told.values()) == [list(range(ROUNDS))] * KEYS
    assert victim is not None
    victim.start()
    victim.wait()
