"""Streams of Valkey and Redis: an event is accepted when the server has added it, as durably as it is told to keep.

A stream is one order for all. It keeps its latest entries, about `maxLength` of them: whoever reads more slowly
than that loses the oldest. An entry that was added twice is known by its field `id`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis.exceptions as errors
from redis.asyncio import Redis
from redis.asyncio.retry import Retry as Repetition
from redis.backoff import NoBackoff

from holdfast.commerce.resources.subscription.destinations import RedisStreamDestination
from holdfast.delivery.destinations.connection import ANSWER_SECONDS, CONNECT_SECONDS, told
from holdfast.delivery.destinations.port import ACCEPTED, Delivery, Misconfigured, Outcome, Refused, Retry

BATCH_MAX = 256
# A second connection could overtake the first.
PARALLEL_MAX = 1
STREAM_LENGTH_MAX_DEFAULT = 1_000_000

NOT_LET_IN = (
    errors.AuthenticationError,
    errors.AuthenticationWrongNumberOfArgsError,
    errors.AuthorizationError,
    errors.NoPermissionError,
)
# Errors of a server that will do it again: full, loading, failing over.
PASSING = (
    errors.OutOfMemoryError,
    errors.ReadOnlyError,
    errors.BusyLoadingError,
    errors.ClusterDownError,
    errors.TryAgainError,
    errors.MovedError,
)
# Beginnings of errors that redis-py has no names for.
PASSING_WORDS = ("MISCONF", "NOREPLICAS", "MASTERDOWN", "BUSY", "UNBLOCKED")
NOT_A_STREAM = "WRONGTYPE"


class ValkeyStream:
    """The port over one stream."""

    batch_max = BATCH_MAX
    parallel_max = PARALLEL_MAX

    def __init__(self, settings: RedisStreamDestination) -> None:
        self._stream = settings.stream
        self._length_max = settings.max_length or STREAM_LENGTH_MAX_DEFAULT
        self._client = client_of(settings)

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        pipeline = self._client.pipeline(transaction=False)
        for delivery in deliveries:
            pipeline.xadd(self._stream, fields_of(delivery), maxlen=self._length_max, approximate=True)
        try:
            answers = await pipeline.execute(raise_on_error=False)
        except (errors.RedisError, OSError, TimeoutError) as error:
            return [outcome_of(error)] * len(deliveries)
        return [outcome_of(answer) if isinstance(answer, Exception) else ACCEPTED for answer in answers]

    async def close(self) -> None:
        await self._client.aclose()


def client_of(settings: RedisStreamDestination) -> Redis:
    """A client with one connection that neither repeats nor waits by itself: the relay does."""
    options: dict[str, Any] = {"username": settings.user, "password": settings.password}
    return Redis.from_url(
        settings.url,
        **{name: value for name, value in options.items() if value is not None},
        client_name="holdfast",
        max_connections=PARALLEL_MAX + 1,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Repetition(NoBackoff(), 0),
    )


def fields_of(delivery: Delivery) -> dict[Any, Any]:
    return {
        **delivery.attributes,
        "id": delivery.id,
        "key": delivery.ordering_key,
        "type": delivery.subject,
        "contentType": delivery.content_type,
        "body": delivery.body,
    }


def outcome_of(error: Exception) -> Outcome:
    reason = told(error)
    if isinstance(error, NOT_LET_IN) or str(error).startswith(NOT_A_STREAM):
        return Misconfigured(reason)
    if isinstance(error, PASSING) or str(error).startswith(PASSING_WORDS):
        return Retry(reason)
    return Refused(reason) if isinstance(error, errors.ResponseError | errors.DataError) else Retry(reason)


def connect(settings: RedisStreamDestination) -> ValkeyStream:
    """A stream to add to."""
    return ValkeyStream(settings)
