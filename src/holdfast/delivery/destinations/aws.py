"""SQS, SNS and EventBridge: an event is accepted when Amazon's service says that it has stored it.

FIFO queues and topics get the resource as message group and the id for deduplication; the others keep no
order and know no id but the attribute. EventBridge has neither: its consumers go by `sequenceNumber`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import cache
from typing import Any, NamedTuple

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session
from botocore import exceptions as errors

from holdfast.commerce.resources.subscription.destinations import (
    EventBridgeDestination,
    SnsDestination,
    SqsDestination,
)
from holdfast.delivery.destinations.aws_services import BATCH_MAX, Bus, Failure, Queue, Service, Topic, calls
from holdfast.delivery.destinations.connection import ANSWER_SECONDS, CONNECT_SECONDS, Connection, told
from holdfast.delivery.destinations.port import ACCEPTED, Delivery, Misconfigured, Outcome, Refused, Retry

PARALLEL_MAX = 4
EVENT_SOURCE_DEFAULT = "holdfast"

PASSING_CODES = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "OverLimit", "Internal", "ServiceUnavailable")
REFUSED_CODES = frozenset(
    {
        "BatchRequestTooLong",
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "EmptyBatchRequest",
        "InvalidArgument",
        "InvalidMessageContents",
        "InvalidParameter",
        "InvalidParameterValue",
        "MalformedDetail",
        "NotAuthorizedForDetailTypeException",
    }
)
NO_CREDENTIALS = (
    errors.NoCredentialsError,
    errors.PartialCredentialsError,
    errors.CredentialRetrievalError,
    errors.InvalidRegionError,
    errors.NoRegionError,
    errors.ProfileNotFound,
)


@cache
def session() -> AioSession:
    """What clients are made from; it keeps the descriptions of the services, which are slow to read."""
    return get_session()


class Access(NamedTuple):
    """Where and as whom. Without a key the machine's own role is used."""

    region: str
    endpoint: str | None
    key: str | None
    secret: str | None


class Line(NamedTuple):
    """A client and what hangs it up."""

    client: Any
    stack: AsyncExitStack


class AwsDestination:
    """The port over one of the services."""

    batch_max = BATCH_MAX
    parallel_max = PARALLEL_MAX

    def __init__(self, service: Service, access: Access) -> None:
        self._service = service
        self._access = access
        self._connection: Connection[Line] = Connection(self._open, hang_up)

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        for together in calls(deliveries):
            outcomes += await self._call(together)
        return outcomes

    async def close(self) -> None:
        await self._connection.close()

    async def _open(self) -> Line:
        access = self._access
        config = AioConfig(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            max_pool_connections=PARALLEL_MAX,
            retries={"total_max_attempts": 1},
        )
        stack = AsyncExitStack()
        client = await stack.enter_async_context(
            session().create_client(
                self._service.name,
                region_name=access.region,
                endpoint_url=access.endpoint,
                aws_access_key_id=access.key,
                aws_secret_access_key=access.secret,
                config=config,
            )
        )
        return Line(client, stack)

    async def _call(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        try:
            line = await self._connection.get()
            failures = await self._service.call(line.client, self._service.request(deliveries))
        except (errors.BotoCoreError, errors.ClientError, OSError, TimeoutError, ValueError) as error:
            return [outcome_of(error)] * len(deliveries)
        return [
            outcome_of_failure(failures[number]) if number in failures else ACCEPTED
            for number in range(len(deliveries))
        ]


def outcome_of_failure(failure: Failure) -> Outcome:
    reason = f"{failure.code}: {failure.message}"
    if not failure.ours or failure.code.startswith(PASSING_CODES):
        return Retry(reason)
    return Refused(reason)


def outcome_of(error: Exception) -> Outcome:
    reason = told(error)
    if isinstance(error, NO_CREDENTIALS):
        return Misconfigured(reason)
    if isinstance(error, errors.ParamValidationError | ValueError):
        return Refused(reason)
    if not isinstance(error, errors.ClientError):
        return Retry(reason)
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
    if status >= 500 or status == 429 or code.startswith(PASSING_CODES):
        return Retry(reason)
    return Refused(reason) if code in REFUSED_CODES else Misconfigured(reason)


async def hang_up(line: Line) -> None:
    await line.stack.aclose()


def connect(settings: SqsDestination | SnsDestination | EventBridgeDestination) -> AwsDestination:
    """A queue, topic or bus to send to."""
    service: Service
    if isinstance(settings, SqsDestination):
        service, region = Queue(settings.queue_url), settings.region
    elif isinstance(settings, SnsDestination):
        service, region = Topic(settings.topic_arn), region_of(settings.topic_arn)
    else:
        service, region = Bus(bus_of(settings), settings.source or EVENT_SOURCE_DEFAULT), settings.region
    return AwsDestination(service, Access(region, settings.endpoint, settings.access_key, settings.access_secret))


def region_of(arn: str) -> str:
    """The region in `arn:partition:service:region:account:name`; without one there is no such topic."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 4 else ""


def bus_of(settings: EventBridgeDestination) -> str:
    try:
        partition = session().get_partition_for_region(settings.region)
    except errors.UnknownRegionError:
        raise ValueError(f"There is no region '{settings.region}'.") from None
    return f"arn:{partition}:events:{settings.region}:{settings.account_id}:event-bus/default"
