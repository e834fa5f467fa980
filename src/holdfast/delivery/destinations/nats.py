"""NATS JetStream: an event is accepted when the stream has it, on a majority of its servers.

The stream is its owner's: it must exist and listen to the subject. Its id goes along as `Nats-Msg-Id`, so a
stream drops what it was sent twice within its `duplicate_window`. The subject may hold `{key}` and `{type}`,
which become the resource and what happened: `shop.{key}` lets consumers take their part in order.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import nats
from nats.aio.client import Client
from nats.errors import AuthorizationError, Error, MaxPayloadError, NoServersError, SecureConnFailedError
from nats.js import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from holdfast.commerce.resources.subscription.destinations import NatsDestination
from holdfast.delivery.destinations.connection import CONNECT_SECONDS, Connection, told
from holdfast.delivery.destinations.port import (
    ACCEPTED,
    Delivery,
    Misconfigured,
    Outcome,
    Refused,
    Retry,
)

BATCH_MAX = 256
PARALLEL_MAX = 1
# A stream without a leader says nothing at all. Asking again is safe: it knows an event by its id.
ANSWER_SECONDS = 2.0
PING_SECONDS = 10
# What a server says when it does not know us, or lets us do less than we need.
NOT_LET_IN = re.compile(r"authorization|authentication|permissions violation|credentials", re.IGNORECASE)
# What would divide a subject or match others.
NOT_IN_A_TOKEN = re.compile(r"[\s.*>]")


class NatsStream:
    """The port over a JetStream."""

    batch_max = BATCH_MAX
    parallel_max = PARALLEL_MAX

    def __init__(self, settings: NatsDestination) -> None:
        self._settings = settings
        self._trouble: Exception | None = None
        self._connection: Connection[Client] = Connection(self._open, Client.close)

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        self._trouble = None
        try:
            client = await self._connection.get()
        except (Error, OSError, TimeoutError) as error:
            return [self._outcome(error)] * len(deliveries)
        stream = client.jetstream(timeout=ANSWER_SECONDS)
        outcomes = await asyncio.gather(*(self._publish(stream, delivery) for delivery in deliveries))
        if client.is_closed or any(isinstance(outcome, Retry) for outcome in outcomes):
            await self._connection.drop(client)
        return outcomes

    async def close(self) -> None:
        await self._connection.close()

    async def _open(self) -> Client:
        settings = self._settings
        return await nats.connect(
            list(settings.servers),
            user=settings.user,
            password=settings.password,
            token=settings.token,
            name="holdfast",
            connect_timeout=int(CONNECT_SECONDS),
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            ping_interval=PING_SECONDS,
            max_outstanding_pings=1,
            error_cb=self._noted,
        )

    async def _noted(self, error: Exception) -> None:
        self._trouble = error

    async def _publish(self, stream: JetStreamContext, delivery: Delivery) -> Outcome:
        subject = subject_of(self._settings.subject, delivery)
        try:
            await stream.publish(subject, delivery.body, timeout=ANSWER_SECONDS, headers=headers_of(delivery))
        except MaxPayloadError as error:
            return Refused(told(error))
        except NoStreamResponseError:
            return await self._unheard(stream, subject)
        except (Error, OSError, TimeoutError) as error:
            return self._outcome(error)
        return ACCEPTED

    async def _unheard(self, stream: JetStreamContext, subject: str) -> Outcome:
        """Nobody answered for the subject: no stream listens to it, or its servers are choosing a leader."""
        try:
            name = await stream.find_stream_name_by_subject(subject)
        except NotFoundError:
            return Misconfigured(f"No stream listens to the subject '{subject}'.")
        except (Error, OSError, TimeoutError) as error:
            return self._outcome(error)
        return Retry(f"The stream '{name}' has no leader at the moment.")

    def _outcome(self, error: Exception) -> Outcome:
        # When no server is left, why the last of them let us go says more.
        cause = self._trouble if isinstance(error, NoServersError | TimeoutError) and self._trouble else error
        if isinstance(cause, AuthorizationError | SecureConnFailedError) or NOT_LET_IN.search(str(cause)):
            return Misconfigured(told(cause))
        if isinstance(cause, APIError) and cause.code is not None and 400 <= cause.code < 500:
            return Refused(told(cause))
        return Retry(told(cause))


def subject_of(pattern: str, delivery: Delivery) -> str:
    """The subject an event goes to."""
    return pattern.replace("{key}", token_of(delivery.ordering_key)).replace("{type}", token_of(delivery.subject))


def token_of(text: str) -> str:
    """A text as one token of a subject."""
    return NOT_IN_A_TOKEN.sub("_", text)


def headers_of(delivery: Delivery) -> dict[str, str]:
    return {**delivery.attributes, "Content-Type": delivery.content_type, "Nats-Msg-Id": delivery.id}


def connect(settings: NatsDestination) -> NatsStream:
    """A stream to send to."""
    return NatsStream(settings)
