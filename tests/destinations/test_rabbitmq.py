"""RabbitMQ, on Debian's server, which is killed and comes back with what it had on disk."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue, FieldValue
from tests.debian import have
from tests.destinations.events import a_delivery, outcome_of, until_accepted
from tests.destinations.programs import Program, free_ports

from holdfast.commerce.resources.subscription.destinations import RabbitMqDestination
from holdfast.delivery.destinations import connection, rabbitmq
from holdfast.delivery.destinations.port import ACCEPTED, Misconfigured, Refused, Retry
from holdfast.delivery.destinations.rabbitmq import RabbitExchange, connect

SERVERS = Path("/usr/lib/rabbitmq/lib")


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    have("rabbitmq-server", "rabbitmq-server")
    folder = tmp_path_factory.mktemp("rabbitmq")
    port, peers, names = free_ports(3)
    # Erlang's register of names, which a server would otherwise start for itself and leave behind.
    epmd = Program(["epmd", "-port", str(names), "-address", "127.0.0.1"], folder / "names", names)
    [server] = SERVERS.glob("rabbitmq_server-*/sbin/rabbitmq-server")
    broker = Program([str(server)], folder, port, environment(folder, port, peers, names))
    try:
        epmd.start()
        epmd.wait()
        broker.start()
        broker.wait()
        yield broker
    finally:
        broker.kill()
        epmd.kill()


def environment(folder: Path, port: int, peers: int, names: int) -> dict[str, str]:
    """A server of its own that touches nothing of one the machine may have."""
    cookie = folder / ".erlang.cookie"
    cookie.write_text("not-a-secret-here")
    cookie.chmod(0o400)
    (folder / "plugins").write_text("[].\n")
    (folder / "rabbit.conf").write_text(f"listeners.tcp.local = 127.0.0.1:{port}\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "holdfast@localhost",
        "RABBITMQ_DIST_PORT": str(peers),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbit.conf"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }


def url(rabbit: Program, password: str = "guest") -> str:
    return f"amqp://guest:{password}@127.0.0.1:{rabbit.port}/"


@pytest.fixture
async def channel(rabbit: Program) -> AsyncIterator[AbstractChannel]:
    connection = await aio_pika.connect(url(rabbit))
    yield await connection.channel()
    await connection.close()


@pytest.fixture
async def queue(channel: AbstractChannel, name: str) -> AbstractQueue:
    return await channel.declare_queue(name, durable=True)


@pytest.fixture
async def destination(rabbit: Program, name: str) -> AsyncIterator[RabbitExchange]:
    destination = connect(RabbitMqDestination(url=url(rabbit), routing_key=name))
    yield destination
    await destination.close()


async def received(queue: AbstractQueue, count: int) -> list[AbstractIncomingMessage]:
    return [await queue.get(no_ack=True, timeout=30) for _ in range(count)]


async def test_an_event_arrives_with_its_body_and_headers(queue: AbstractQueue, destination: RabbitExchange) -> None:
    delivery = a_delivery(1)
    assert await outcome_of(destination, delivery) == ACCEPTED
    [message] = await received(queue, 1)
    assert message.body == delivery.body
    assert (message.message_id, message.type, message.content_type) == (delivery.id, "OrderCreated", "application/json")
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert message.headers == {"projectKey": "sunrise", "resourceTypeId": "order", "orderingKey": "order/1"}


async def test_a_wrong_password_is_a_matter_of_configuration_and_is_not_told(rabbit: Program, name: str) -> None:
    destination = connect(RabbitMqDestination(url=url(rabbit, "not-this-one"), routing_key=name))
    outcome = await outcome_of(destination, a_delivery(1))
    assert isinstance(outcome, Misconfigured)
    assert "not-this-one" not in outcome.reason
    await destination.close()


async def test_a_queue_or_exchange_that_is_not_there_is_a_matter_of_configuration(rabbit: Program, name: str) -> None:
    for settings in ({"routing_key": name}, {"exchange": name}):
        destination = connect(RabbitMqDestination(url=url(rabbit), **settings))
        assert isinstance(await outcome_of(destination, a_delivery(1)), Misconfigured)
        await destination.close()


async def test_what_happened_is_the_routing_key_and_what_nobody_is_bound_for_is_not_dropped(
    rabbit: Program, channel: AbstractChannel, queue: AbstractQueue, name: str
) -> None:
    exchange = await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)
    await queue.bind(exchange, "OrderCreated")
    destination = connect(RabbitMqDestination(url=url(rabbit), exchange=name))
    assert await outcome_of(destination, a_delivery(1)) == ACCEPTED
    unheard = await outcome_of(destination, a_delivery(2, subject="PaymentCreated"))
    assert unheard == Refused("No queue is bound for the routing key 'PaymentCreated'.")
    [message] = await received(queue, 1)
    assert message.routing_key == "OrderCreated"
    await destination.close()


async def test_a_full_queue_is_tried_again(rabbit: Program, channel: AbstractChannel, name: str) -> None:
    full: dict[str, FieldValue] = {"x-max-length": 1, "x-overflow": "reject-publish"}
    queue = await channel.declare_queue(name, durable=True, arguments=full)
    destination = connect(RabbitMqDestination(url=url(rabbit), routing_key=name))
    assert await outcome_of(destination, a_delivery(1)) == ACCEPTED
    assert isinstance(await outcome_of(destination, a_delivery(2)), Retry)
    await received(queue, 1)
    assert await until_accepted(destination, [a_delivery(2)]) == 0
    await destination.close()


async def test_a_server_that_hangs_is_tried_again(
    rabbit: Program, queue: AbstractQueue, destination: RabbitExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.1)
    assert await outcome_of(destination, a_delivery(1)) == ACCEPTED
    rabbit.pause()
    assert isinstance(await outcome_of(destination, a_delivery(2)), Retry)
    rabbit.resume()
    await until_accepted(destination, [a_delivery(2)])
    # The one that was sent while it hung may have arrived as well: the same id says so.
    found = [message.message_id for message in await received(queue, 2)]
    assert found == ["order/1:1", "order/1:2"]


async def test_nothing_is_lost_or_out_of_order_when_the_server_is_killed(
    rabbit: Program, queue: AbstractQueue, destination: RabbitExchange
) -> None:
    for number in range(10):
        assert await outcome_of(destination, a_delivery(number)) == ACCEPTED
    rabbit.kill()
    assert isinstance(await outcome_of(destination, a_delivery(10)), Retry)
    rabbit.start()
    for number in range(10, 20):
        await until_accepted(destination, [a_delivery(number)])
    connection = await aio_pika.connect(url(rabbit))
    survivor = await (await connection.channel()).get_queue(queue.name)
    found = [message.message_id for message in await received(survivor, 20)]
    assert found == [f"order/1:{number}" for number in range(20)]
    await connection.close()
