"""Streams on a real Valkey, which is killed and comes back with what it had on disk."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from redis.asyncio import Redis
from tests.destinations.events import a_delivery, outcome_of, until_accepted
from tests.destinations.programs import Program, valkey_server

from holdfast.commerce.resources.subscription.destinations import RedisStreamDestination
from holdfast.delivery.destinations import streams
from holdfast.delivery.destinations.port import ACCEPTED, Misconfigured, Retry
from holdfast.delivery.destinations.streams import ValkeyStream, connect

PASSWORD = "kept-secret"


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    words = ("--requirepass", PASSWORD, "--appendonly", "yes", "--appendfsync", "always", "--save", "")
    with valkey_server(tmp_path_factory.mktemp("valkey"), *words) as program:
        yield program


def settings(valkey: Program, name: str, **changes: object) -> RedisStreamDestination:
    given = {"url": f"redis://127.0.0.1:{valkey.port}/0", "stream": name, "password": PASSWORD}
    return RedisStreamDestination(**{**given, **changes})  # type: ignore[arg-type]  # the struct checks them


@pytest.fixture
async def destination(valkey: Program, name: str) -> AsyncIterator[ValkeyStream]:
    destination = connect(settings(valkey, name))
    yield destination
    await destination.close()


@pytest.fixture
async def client(valkey: Program) -> AsyncIterator[Redis]:
    client = Redis(port=valkey.port, password=PASSWORD)
    yield client
    await client.aclose()


async def entries(client: Redis, name: str) -> list[dict[str, bytes]]:
    """The fields of what lies in a stream."""
    found: Any = await client.xrange(name)
    return [{field.decode(): value for field, value in fields.items()} for _, fields in found]


async def test_an_event_arrives_with_its_body_and_attributes(
    destination: ValkeyStream, client: Redis, name: str
) -> None:
    delivery = a_delivery(1)
    assert await outcome_of(destination, delivery) == ACCEPTED
    assert await entries(client, name) == [
        {
            "id": b"order/1:1",
            "key": b"order/1",
            "type": b"OrderCreated",
            "contentType": b"application/json",
            "body": delivery.body,
            "projectKey": b"sunrise",
            "resourceTypeId": b"order",
        }
    ]


async def test_nothing_is_lost_or_out_of_order_when_the_server_is_killed(
    valkey: Program, destination: ValkeyStream, client: Redis, name: str
) -> None:
    for number in range(10):
        assert await outcome_of(destination, a_delivery(number)) == ACCEPTED
    valkey.kill()
    assert isinstance(await outcome_of(destination, a_delivery(10)), Retry)
    valkey.start()
    for number in range(10, 20):
        await until_accepted(destination, [a_delivery(number)])
    found = [fields["id"] for fields in await entries(client, name)]
    assert found == [f"order/1:{number}".encode() for number in range(20)]


async def test_a_stream_keeps_about_as_much_as_it_may(valkey: Program, client: Redis, name: str) -> None:
    destination = connect(settings(valkey, name, max_length=100))
    for start in range(0, 1_000, 250):
        await until_accepted(
            destination, [a_delivery(number, f"order/{number}") for number in range(start, start + 250)]
        )
    # A server drops whole nodes of a hundred entries.
    assert 100 <= await client.xlen(name) <= 200
    await destination.close()


async def test_a_wrong_password_is_a_matter_of_configuration_and_is_not_told(valkey: Program, name: str) -> None:
    destination = connect(settings(valkey, name, password="not-this-one"))
    outcome = await outcome_of(destination, a_delivery(1))
    assert isinstance(outcome, Misconfigured)
    assert "not-this-one" not in outcome.reason
    await destination.close()


async def test_a_key_that_is_no_stream_is_a_matter_of_configuration(
    destination: ValkeyStream, client: Redis, name: str
) -> None:
    await client.set(name, "taken")
    assert isinstance(await outcome_of(destination, a_delivery(1)), Misconfigured)


async def test_a_full_server_is_tried_again(destination: ValkeyStream, client: Redis, name: str) -> None:
    await client.config_set("maxmemory", "1")
    try:
        assert isinstance(await outcome_of(destination, a_delivery(1)), Retry)
    finally:
        await client.config_set("maxmemory", "0")
    assert await outcome_of(destination, a_delivery(1)) == ACCEPTED


async def test_a_server_that_hangs_is_tried_again_and_answers_are_not_mixed_up(
    valkey: Program, client: Redis, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "ANSWER_SECONDS", 0.2)
    await client.set(f"{name}-taken", "no stream")
    destination = connect(settings(valkey, name))
    assert await outcome_of(destination, a_delivery(1)) == ACCEPTED
    valkey.pause()
    assert isinstance(await outcome_of(destination, a_delivery(2)), Retry)
    valkey.resume()
    await until_accepted(destination, [a_delivery(2)])
    destination._stream = f"{name}-taken"
    assert isinstance(await outcome_of(destination, a_delivery(3)), Misconfigured)
    assert (await entries(client, name))[-1]["id"] == b"order/1:2"
    await destination.close()
