"""Which adapter serves a kind, what it is loaded with, and where nobody may make us connect."""

import subprocess
import sys
import tomllib
import typing
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.destinations.events import a_delivery, outcome_of
from tests.destinations.programs import free_ports

from holdfast.commerce.resources.subscription.destinations import (
    AnyDestination,
    AzureEventGridDestination,
    AzureServiceBusDestination,
    ConfluentCloudDestination,
    EventBridgeDestination,
    GoogleCloudPubSubDestination,
    KafkaDestination,
    NatsDestination,
    RabbitMqDestination,
    RedisStreamDestination,
    SnsDestination,
    SqsDestination,
    WebhookDestination,
    type_of,
)
from holdfast.delivery.destinations.guard import Place, addresses_of, place_of
from holdfast.delivery.destinations.kinds import ADAPTERS, NoAdapter, connect
from holdfast.delivery.destinations.port import Misconfigured, Retry
from holdfast.outbound.addresses import allowed_of
from holdfast.outbound.client import Client
from holdfast.outbound.errors import AddressRefused

CLIENT_LIBRARIES = ("aio_pika", "aiobotocore", "aiokafka", "gcloud", "nats", "redis")
INSIDE = "127.0.0.1:6379"


def settings_of_each_kind(place: str, scheme: str = "http") -> list[AnyDestination]:
    return [
        AzureEventGridDestination(uri=f"{scheme}://{place}/events", access_key="k"),
        AzureServiceBusDestination(
            connection_string=f"Endpoint={scheme}://{place};SharedAccessKeyName=n;SharedAccessKey=k;EntityPath=q"
        ),
        ConfluentCloudDestination(bootstrap_server=place, api_key="k", api_secret="s", acks="all", topic="t"),
        EventBridgeDestination(
            region="eu-west-1", account_id="1", access_key="k", access_secret="s", endpoint=f"{scheme}://{place}"
        ),
        GoogleCloudPubSubDestination(project_id="p", topic="t", endpoint=f"{scheme}://{place}"),
        KafkaDestination(bootstrap_servers=(place,), topic="t"),
        NatsDestination(servers=(f"nats://{place}",), subject="s"),
        RabbitMqDestination(url=f"amqp://{place}/"),
        RedisStreamDestination(url=f"redis://{place}/0", stream="s"),
        SnsDestination(
            topic_arn="arn:aws:sns:eu-west-1:1:t", access_key="k", access_secret="s", endpoint=f"{scheme}://{place}"
        ),
        SqsDestination(
            queue_url=f"{scheme}://{place}/q",
            region="eu-west-1",
            access_key="k",
            access_secret="s",
            endpoint=f"{scheme}://{place}",
        ),
        WebhookDestination(url=f"{scheme}://{place}/"),
    ]


@pytest.fixture
async def strict() -> AsyncIterator[Client]:
    """A client that may call the public internet alone."""
    client = Client(allowed_of(""))
    yield client
    await client.close()


def test_every_kind_is_tested_here() -> None:
    assert {type(settings) for settings in settings_of_each_kind(INSIDE)} == set(typing.get_args(AnyDestination))


@pytest.mark.parametrize(
    "settings", settings_of_each_kind(INSIDE, "https"), ids=lambda settings: type(settings).__name__
)
async def test_no_kind_connects_to_addresses_inside_that_were_not_allowed(
    strict: Client, settings: AnyDestination
) -> None:
    destination = connect(settings, strict)
    outcome = await outcome_of(destination, a_delivery(1))
    assert isinstance(outcome, Misconfigured)
    assert "not an address of the public internet" in outcome.reason
    await destination.close()


async def test_every_kind_is_tried_again_when_nobody_listens() -> None:
    client = Client(allowed_of("127.0.0.1"))
    for settings in settings_of_each_kind(f"127.0.0.1:{free_ports(1)[0]}"):
        destination = connect(settings, client)
        assert isinstance(await outcome_of(destination, a_delivery(1)), Retry), settings
        await destination.close()
    await client.close()


@pytest.mark.parametrize(
    "settings",
    [
        RedisStreamDestination(url="gopher://broker.example:6379", stream="s"),
        EventBridgeDestination(region="atlantis", account_id="1", access_key="k", access_secret="s"),
    ],
)
async def test_settings_of_no_sense_are_told_when_they_are_used(strict: Client, settings: AnyDestination) -> None:
    with pytest.raises(NoAdapter, match="cannot be made"):
        connect(settings, strict)


@pytest.mark.parametrize(
    "settings",
    [each for each in settings_of_each_kind(INSIDE) if type_of(each) in ADAPTERS],
    ids=lambda settings: type(settings).__name__,
)
async def test_the_extra_that_is_missing_is_named(
    strict: Client, monkeypatch: pytest.MonkeyPatch, settings: AnyDestination
) -> None:
    monkeypatch.setitem(sys.modules, f"holdfast.delivery.destinations.{ADAPTERS[type_of(settings)]}", None)
    with pytest.raises(NoAdapter) as missing:
        connect(settings, strict)
    extras = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    named = str(missing.value).partition("holdfast[")[2].partition("]")[0]
    assert named in extras["optional-dependencies"]


@pytest.mark.parametrize(
    "settings",
    [
        SqsDestination(queue_url="https://sqs.example/q", region="eu-west-1", authentication_mode="IAM"),
        SnsDestination(topic_arn="arn:aws:sns:eu-west-1:1:t"),
        EventBridgeDestination(region="eu-west-1", account_id="1"),
        GoogleCloudPubSubDestination(project_id="p", topic="t"),
    ],
    ids=lambda settings: type(settings).__name__,
)
async def test_nobody_borrows_the_identity_of_the_machine_unless_the_operator_lends_it(
    strict: Client, settings: AnyDestination
) -> None:
    with pytest.raises(NoAdapter, match="HOLDFAST_CLOUD_IDENTITY"):
        connect(settings, strict)
    await connect(settings, strict, own_identity=True).close()


def test_addresses_are_taken_apart() -> None:
    assert place_of("broker.example:9093") == Place("broker.example", 9093)
    assert place_of("amqps://user:pass@broker.example/vhost") == Place("broker.example", 5671)
    assert place_of("rediss://[2606:4700::1]/0") == Place("2606:4700::1", 6379)
    for text in ("unix:///run/redis.sock", "redis:///0", "nats://broker.example:port"):
        with pytest.raises(AddressRefused):
            place_of(text)
    assert addresses_of(SqsDestination(queue_url="https://sqs.eu-west-1.amazonaws.com/1/q", region="eu-west-1")) == []


def test_no_client_library_is_loaded_before_a_subscription_needs_it() -> None:
    code = "import sys, holdfast.delivery.worker; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not set(CLIENT_LIBRARIES) & set(done.stdout.split())
