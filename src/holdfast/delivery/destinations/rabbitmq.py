"""RabbitMQ: an event is accepted when the broker confirms it, on disk and in every queue it was routed to.

Exchange and queues are their owner's: they must exist. Without a routing key what happened is the key, for
topic exchanges. An event that no queue is bound for is not dropped: it comes back, and becomes a dead letter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import aio_pika
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aiormq import exceptions as errors
from pamqp.exceptions import PAMQPException

from holdfast.commerce.resources.subscription.destinations import RabbitMqDestination
from holdfast.delivery.destinations.connection import ANSWER_SECONDS, CONNECT_SECONDS, Connection, quieten, told
from holdfast.delivery.destinations.port import ACCEPTED, Delivery, Misconfigured, Outcome, Refused, Retry

BATCH_MAX = 256
# A second channel could overtake the first.
PARALLEL_MAX = 1
# A peer that is silent for twice as long is gone.
HEARTBEAT_SECONDS = 10

NOT_LET_IN = (
    errors.AuthenticationError,
    errors.ProbableAuthenticationError,
    errors.ChannelAccessRefused,
    errors.ChannelNotFoundEntity,
    errors.ConnectionNotAllowed,
    ValueError,  # an address that is none
)
TROUBLE = (errors.AMQPError, errors.ChannelInvalidStateError, PAMQPException, OSError, TimeoutError, ValueError)

quieten("aio_pika", "aiormq")


class Line(NamedTuple):
    """A connection, its one channel, and the exchange."""

    connection: AbstractConnection
    channel: AbstractChannel
    exchange: AbstractExchange


class RabbitExchange:
    """The port over an exchange."""

    batch_max = BATCH_MAX
    parallel_max = PARALLEL_MAX

    def __init__(self, settings: RabbitMqDestination) -> None:
        self._settings = settings
        self._connection: Connection[Line] = Connection(self._open, hang_up)

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        try:
            line = await self._connection.get()
        except TROUBLE as error:
            return [outcome_of(error)] * len(deliveries)
        outcomes = await asyncio.gather(*(self._publish(line, delivery) for delivery in deliveries))
        # The broker closes the channel of whoever does what it does not like.
        if line.channel.is_closed or any(isinstance(outcome, Retry) for outcome in outcomes):
            await self._connection.drop(line)
        return outcomes

    async def close(self) -> None:
        await self._connection.close()

    async def _open(self) -> Line:
        connection = await aio_pika.connect(self._settings.url, timeout=CONNECT_SECONDS, heartbeat=HEARTBEAT_SECONDS)
        try:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            name = self._settings.exchange
            exchange = await channel.get_exchange(name, ensure=True) if name else channel.default_exchange
        except BaseException:
            await connection.close()
            raise
        return Line(connection, channel, exchange)

    async def _publish(self, line: Line, delivery: Delivery) -> Outcome:
        key = self._settings.routing_key
        try:
            await line.exchange.publish(
                message_of(delivery), key or delivery.subject, mandatory=True, timeout=ANSWER_SECONDS
            )
        except errors.PublishError:
            return unrouted(key, delivery)
        except TROUBLE as error:
            return outcome_of(error)
        return ACCEPTED


def unrouted(key: str | None, delivery: Delivery) -> Outcome:
    """No queue is bound: to the key all events have, or only to what this one tells."""
    if key:
        return Misconfigured(f"No queue is bound for the routing key '{key}'.")
    return Refused(f"No queue is bound for the routing key '{delivery.subject}'.")


def message_of(delivery: Delivery) -> Message:
    return Message(
        delivery.body,
        message_id=delivery.id,
        type=delivery.subject,
        content_type=delivery.content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
        headers={**delivery.attributes, "orderingKey": delivery.ordering_key},
    )


async def hang_up(line: Line) -> None:
    await line.connection.close()


def outcome_of(error: Exception) -> Outcome:
    if isinstance(error, NOT_LET_IN):
        return Misconfigured(told(error))
    if isinstance(error, errors.ChannelPreconditionFailed):
        return Refused(told(error))
    return Retry(told(error))


def connect(settings: RabbitMqDestination) -> RabbitExchange:
    """An exchange to publish to."""
    return RabbitExchange(settings)
