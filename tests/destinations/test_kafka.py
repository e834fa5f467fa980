"""Kafka, on the cluster its C library carries for tests: real sockets and the real protocol, topics in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from aiokafka import AIOKafkaConsumer
from tests.destinations.events import a_delivery, outcome_of, until_accepted
from tests.destinations.kafka_cluster import TOO_LARGE, TOPIC_NOT_ALLOWED, UNKNOWN_TOPIC, KafkaCluster
from tests.destinations.kafka_doorkeeper import doorkeeper

from holdfast.commerce.resources.subscription.destinations import ConfluentCloudDestination, KafkaDestination
from holdfast.delivery.destinations import kafka
from holdfast.delivery.destinations.kafka import KafkaTopic, connect
from holdfast.delivery.destinations.port import ACCEPTED, Misconfigured, Refused, Retry

KEYS, ROUNDS, DOWN_AT = 4, 12, 5
PARTITIONS = 3
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaCluster]:
    with KafkaCluster() as cluster:
        yield cluster


@pytest.fixture
def topic(cluster: KafkaCluster, name: str) -> str:
    cluster.create(name, PARTITIONS)
    return name


@pytest.fixture
async def destination(cluster: KafkaCluster, topic: str) -> AsyncIterator[KafkaTopic]:
    destination = connect(KafkaDestination(bootstrap_servers=cluster.servers, topic=topic))
    yield destination
    await destination.close()


async def records(cluster: KafkaCluster, topic: str, count: int) -> list[tuple[int, bytes, bytes, dict[str, bytes]]]:
    """Partition, key, value and headers of what lies in a topic."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=list(cluster.servers), auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()
    return [(each.partition, each.key, each.value, dict(each.headers)) for each in found]


async def test_an_event_arrives_with_its_body_key_and_headers(
    cluster: KafkaCluster, topic: str, destination: KafkaTopic
) -> None:
    delivery = a_delivery(1)
    assert await outcome_of(destination, delivery) == ACCEPTED
    [(_, key, value, headers)] = await records(cluster, topic, 1)
    assert (key, value) == (b"order/1", delivery.body)
    assert headers == {
        "content-type": b"application/json",
        "id": b"order/1:1",
        "type": b"OrderCreated",
        "projectKey": b"sunrise",
        "resourceTypeId": b"order",
    }


async def test_nothing_is_lost_or_out_of_order_when_the_brokers_go_down(
    cluster: KafkaCluster, topic: str, destination: KafkaTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "ANSWER_SECONDS", 1.0)
    for number in range(ROUNDS):
        if number == DOWN_AT:
            cluster.down()
            assert isinstance(await outcome_of(destination, a_delivery(number, "order/0")), Retry)
            cluster.up()
        await until_accepted(destination, [a_delivery(number, f"order/{key}") for key in range(KEYS)])
    told: dict[bytes, list[bytes]] = {}
    for _, key, _, headers in await records(cluster, topic, KEYS * ROUNDS):
        told.setdefault(key, []).append(headers["id"])
    assert told == {
        f"order/{key}".encode(): [f"order/{key}:{number}".encode() for number in range(ROUNDS)] for key in range(KEYS)
    }


async def test_a_resource_keeps_to_one_partition(cluster: KafkaCluster, topic: str, destination: KafkaTopic) -> None:
    for number in range(3):
        await until_accepted(destination, [a_delivery(number, f"order/{key}") for key in range(16)])
    places: dict[bytes, set[int]] = {}
    for partition, key, *_ in await records(cluster, topic, 48):
        places.setdefault(key, set()).add(partition)
    assert all(len(partitions) == 1 for partitions in places.values())
    assert len(set.union(*places.values())) == PARTITIONS


@pytest.mark.parametrize("error", [UNKNOWN_TOPIC, TOPIC_NOT_ALLOWED])
async def test_a_topic_that_is_gone_or_shut_is_a_matter_of_configuration(
    cluster: KafkaCluster, name: str, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "REQUEST_SECONDS", 0.2)
    cluster.create(name, 1)
    cluster.refuse(name, error)
    destination = connect(KafkaDestination(bootstrap_servers=cluster.servers, topic=name))
    assert isinstance(await outcome_of(destination, a_delivery(1)), Misconfigured)
    await destination.close()


async def test_an_event_larger_than_a_broker_takes_is_refused(cluster: KafkaCluster, destination: KafkaTopic) -> None:
    assert isinstance(await outcome_of(destination, a_delivery(1, body=b"x" * 2_000_000)), Refused)
    cluster.refuse_next_produce(TOO_LARGE)
    assert isinstance(await outcome_of(destination, a_delivery(2)), Refused)
    assert await outcome_of(destination, a_delivery(3)) == ACCEPTED


async def test_a_wrong_password_is_a_matter_of_configuration_and_is_not_told() -> None:
    async with doorkeeper() as port:
        destination = connect(
            KafkaDestination(bootstrap_servers=(f"127.0.0.1:{port}",), topic="any", user="relay", password="wrong-one")
        )
        outcome = await outcome_of(destination, a_delivery(1))
        await destination.close()
    assert isinstance(outcome, Misconfigured)
    assert "wrong-one" not in outcome.reason


def test_confluent_is_spoken_to_encrypted_with_the_key_that_was_given() -> None:
    settings = ConfluentCloudDestination(
        bootstrap_server="pkc-1.eu.confluent.cloud:9092", api_key="K", api_secret="S", acks="1", topic="t", key="all"
    )
    destination = connect(settings)
    assert destination._access.servers == ["pkc-1.eu.confluent.cloud:9092"]
    assert destination._access.options["security_protocol"] == "SASL_SSL"
    assert destination._access.options["sasl_mechanism"] == "PLAIN"
    assert destination._key == "all"
