"""Kafka, your own or Confluent's: an event is accepted when all replicas in sync have it.

The record's key is the resource, so that one partition holds what happened to it, in order. The producer is
idempotent; what a crash of ours repeats is known by the header `id`. Fewer acknowledgements than "all" can be
asked for where the published API says so, and are answered with more: an accepted event must not get lost.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, errors
from aiokafka.conn import create_conn

from holdfast.commerce.resources.subscription.destinations import ConfluentCloudDestination, KafkaDestination
from holdfast.delivery.destinations.connection import ANSWER_SECONDS, CONNECT_SECONDS, Connection, quieten, told
from holdfast.delivery.destinations.guard import place_of
from holdfast.delivery.destinations.port import ACCEPTED, Delivery, Misconfigured, Outcome, Refused, Retry

BATCH_MAX = 256
# A second batch would overtake the first when a broker fails.
PARALLEL_MAX = 1
# For one request, and until a topic that nobody knows is said to be unknown.
REQUEST_SECONDS = 5.0
RECORD_BYTES_MAX = 1024 * 1024

NOT_LET_IN = (
    errors.AuthenticationFailedError,
    errors.AuthenticationMethodNotSupported,
    errors.ClusterAuthorizationFailedError,
    errors.IllegalSaslStateError,
    errors.InvalidTopicError,
    errors.SaslAuthenticationFailed,
    errors.TopicAuthorizationFailedError,
    errors.UnknownTopicOrPartitionError,
    errors.UnsupportedSaslMechanismError,
)
NOT_TAKEN = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError, errors.InvalidTimestampError)

quieten("aiokafka")


class Access(NamedTuple):
    """A cluster and how it lets us in, in the words of the client."""

    servers: list[str]
    options: dict[str, Any]


class KafkaTopic:
    """The port over a topic. key: of all records; without one it is the resource."""

    batch_max = BATCH_MAX
    parallel_max = PARALLEL_MAX

    def __init__(self, access: Access, topic: str, key: str | None = None) -> None:
        self._access = access
        self._topic = topic
        self._key = key
        self._connection: Connection[AIOKafkaProducer] = Connection(self._open, abandon)

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        try:
            producer = await self._connection.get()
        except (errors.KafkaError, OSError, TimeoutError) as error:
            return [outcome_of(error)] * len(deliveries)
        outcomes = await asyncio.gather(*(self._produce(producer, delivery) for delivery in deliveries))
        if any(isinstance(outcome, Retry) for outcome in outcomes):
            await self._connection.drop(producer)
        return outcomes

    async def close(self) -> None:
        await self._connection.close()

    async def _open(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._access.servers,
            client_id="holdfast",
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=int(REQUEST_SECONDS * 1000),
            max_request_size=RECORD_BYTES_MAX,
            **self._access.options,
        )
        try:
            await producer.start()
        except errors.KafkaConnectionError:
            await producer.stop()
            await self._see_why()
            raise
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _see_why(self) -> None:
        """Raise what the first server has against us, which the producer keeps to itself."""
        place = place_of(self._access.servers[0])
        connection = await create_conn(
            place.host, place.port, request_timeout_ms=int(CONNECT_SECONDS * 1000), **self._access.options
        )
        connection.close()

    async def _produce(self, producer: AIOKafkaProducer, delivery: Delivery) -> Outcome:
        key = delivery.ordering_key if self._key is None else self._key
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await producer.send_and_wait(
                    self._topic, value=delivery.body, key=key.encode(), headers=headers_of(delivery)
                )
        except (errors.KafkaError, OSError, TimeoutError) as error:
            return outcome_of(error)
        return ACCEPTED


async def abandon(producer: AIOKafkaProducer) -> None:
    """Hang up without sending what is left: it would come after what came later. The relay sends it again."""
    await producer._sender.close()  # noqa: SLF001 - `stop` alone flushes first
    await producer.stop()


def outcome_of(error: Exception) -> Outcome:
    if isinstance(error, NOT_LET_IN):
        return Misconfigured(told(error))
    return Refused(told(error)) if isinstance(error, NOT_TAKEN) else Retry(told(error))


def headers_of(delivery: Delivery) -> list[tuple[str, bytes]]:
    named = {**delivery.attributes, "content-type": delivery.content_type, "id": delivery.id, "type": delivery.subject}
    return [(name, text.encode()) for name, text in named.items()]


def connect(settings: KafkaDestination | ConfluentCloudDestination) -> KafkaTopic:
    """A topic to send to."""
    if isinstance(settings, ConfluentCloudDestination):
        options = let_in(settings.api_key, settings.api_secret, "PLAIN", tls=True)
        return KafkaTopic(Access([settings.bootstrap_server], options), settings.topic, settings.key)
    options = let_in(settings.user, settings.password, settings.mechanism or "PLAIN", tls=settings.tls)
    return KafkaTopic(Access(list(settings.bootstrap_servers), options), settings.topic)


def let_in(user: str | None, password: str | None, mechanism: str, *, tls: bool) -> dict[str, Any]:
    """How a cluster knows us, in the words of the client."""
    options: dict[str, Any] = {"security_protocol": ("SASL_" if user else "") + ("SSL" if tls else "PLAINTEXT")}
    if tls:
        options["ssl_context"] = ssl.create_default_context()
    if user:
        options |= {
            "sasl_mechanism": mechanism,
            "sasl_plain_username": user,
            "sasl_plain_password": password or "",
        }
    return options
