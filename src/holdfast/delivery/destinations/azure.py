"""Azure Service Bus and Event Grid, in the one request that each needs; their makers' clients bring AMQP along for it.

https://learn.microsoft.com/rest/api/servicebus/send-message-to-queue and
https://learn.microsoft.com/azure/event-grid/post-to-custom-topic. Service Bus gets the id against repetitions and
the resource as session, which keeps the order; Event Grid knows neither.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote_plus, urlsplit

from holdfast.commerce.resources.subscription.destinations import (
    AzureEventGridDestination,
    AzureServiceBusDestination,
)
from holdfast.delivery.destinations.connection import ANSWER_SECONDS, CONNECT_SECONDS, told
from holdfast.delivery.destinations.port import ACCEPTED, Delivery, Misconfigured, Outcome, Refused, Retry
from holdfast.outbound.client import Client
from holdfast.outbound.destination import Destination, Request, Response
from holdfast.outbound.errors import AddressRefused, OutboundError, RequestRefused

PARALLEL_MAX = 16
# What they have to say beyond the status is not read.
ANSWER_BYTES_MAX = 64 * 1024
TOKEN_SECONDS = 900
ID_CHARACTERS_MAX = 128
GRID_VERSION = "2018-01-01"
CLOUD_EVENTS = "application/cloudevents+json"
SCHEMES = {"sb": "https", "amqps": "https"}
NO_HEADER = re.compile(r"[^A-Za-z0-9_-]")

NOT_LET_IN = frozenset({401, 404, 410})
NOT_TAKEN = frozenset({400, 413})


class BadConnectionString(ValueError):
    """It lacks what a request needs."""


class Access(NamedTuple):
    """What a connection string says."""

    url: str
    key_name: str
    key: str


class ServiceBus:
    """The port over a queue or topic."""

    batch_max = 1
    parallel_max = PARALLEL_MAX

    def __init__(self, settings: AzureServiceBusDestination, client: Client) -> None:
        self._client = client
        self._problem: str | None = None
        try:
            self._access = access_of(settings.connection_string)
        except BadConnectionString as error:
            self._problem = str(error)
            return
        self._destination = destination_of("service bus", f"{self._access.url}/messages")

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        if self._problem is not None:
            return [Misconfigured(self._problem)] * len(deliveries)
        return await asyncio.gather(*map(self._post, deliveries))

    async def close(self) -> None:
        """The connections belong to the client, which others use as well."""

    async def _post(self, delivery: Delivery) -> Outcome:
        headers = [
            ("authorization", signed(self._access, int(time.time()) + TOKEN_SECONDS)),
            ("content-type", delivery.content_type),
            ("brokerproperties", json.dumps(properties_of(delivery))),
            *((NO_HEADER.sub("_", name), json.dumps(text)) for name, text in delivery.attributes.items()),
        ]
        # 403 is a full queue as well as a message too large: what is full today may have room tomorrow.
        return await post(self._client, self._destination, headers, delivery.body, NOT_LET_IN)


class EventGrid:
    """The port over a topic."""

    batch_max = 1
    parallel_max = PARALLEL_MAX

    def __init__(self, settings: AzureEventGridDestination, client: Client) -> None:
        self._client = client
        self._key = settings.access_key
        joint = "&" if urlsplit(settings.uri).query else "?"
        url = settings.uri if "api-version=" in settings.uri else f"{settings.uri}{joint}api-version={GRID_VERSION}"
        self._destination = destination_of("event grid", url)

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        return await asyncio.gather(*map(self._post, deliveries))

    async def close(self) -> None:
        """The connections belong to the client, which others use as well."""

    async def _post(self, delivery: Delivery) -> Outcome:
        is_cloud_event = delivery.content_type.startswith(CLOUD_EVENTS)
        headers = [
            ("aeg-sas-key", self._key),
            ("content-type", delivery.content_type if is_cloud_event else "application/json"),
        ]
        body = delivery.body if is_cloud_event else grid_event(delivery)
        return await post(self._client, self._destination, headers, body, NOT_LET_IN | {403})


async def post(
    client: Client, destination: Destination, headers: list[tuple[str, str]], body: bytes, not_let_in: frozenset[int]
) -> Outcome:
    """One request and what its answer means."""
    try:
        answer = await client.send(destination, Request(headers=headers, body=body))
    except (AddressRefused, RequestRefused) as error:
        return Misconfigured(told(error))
    except OutboundError as error:
        return Retry(told(error))
    return outcome_of(answer, not_let_in)


def outcome_of(answer: Response, not_let_in: frozenset[int]) -> Outcome:
    if 200 <= answer.status < 300:
        return ACCEPTED
    reason = f"The service answered {answer.status}."
    if answer.status in not_let_in:
        return Misconfigured(reason)
    if answer.status in NOT_TAKEN:
        return Refused(reason)
    after = answer.header("retry-after")
    return Retry(reason, float(after) if after is not None and after.isdecimal() else None)


def access_of(connection_string: str) -> Access:
    """A connection string taken apart: `Endpoint=sb://…;SharedAccessKeyName=…;…`. Raises BadConnectionString."""
    parts = {}
    for pair in connection_string.strip().strip(";").split(";"):
        name, equals, value = pair.partition("=")
        if equals:
            parts[name.strip().lower()] = value.strip()
    for name in ("Endpoint", "SharedAccessKeyName", "SharedAccessKey", "EntityPath"):
        if not parts.get(name.lower()):
            raise BadConnectionString(f"The connection string has no '{name}'.")
    scheme, colon, rest = parts["endpoint"].partition("://")
    if not colon:
        raise BadConnectionString("The endpoint of the connection string is no address.")
    place = f"{SCHEMES.get(scheme.lower(), scheme)}://{rest.strip('/')}/{parts['entitypath'].strip('/')}"
    return Access(place, parts["sharedaccesskeyname"], parts["sharedaccesskey"])


def signed(access: Access, until: int) -> str:
    """A shared access signature for a queue or topic, good until then."""
    resource = quote_plus(access.url)
    digest = hmac.digest(access.key.encode(), f"{resource}\n{until}".encode(), hashlib.sha256)
    signature = quote_plus(base64.b64encode(digest))
    return f"SharedAccessSignature sr={resource}&sig={signature}&se={until}&skn={access.key_name}"


def properties_of(delivery: Delivery) -> dict[str, str]:
    return {
        "MessageId": short(delivery.id),
        "SessionId": short(delivery.ordering_key),
        "Label": delivery.subject,
    }


def short(text: str) -> str:
    """A text as it may stand for a message or a session; two never become one."""
    return text if len(text) <= ID_CHARACTERS_MAX else hashlib.sha256(text.encode()).hexdigest()


def grid_event(delivery: Delivery) -> bytes:
    """A notification of the platform's own format in Event Grid's."""
    told_at = json.loads(delivery.body)
    at = told_at.get("modifiedAt") or told_at.get("createdAt") or datetime.now(UTC).isoformat()
    head = {
        "id": delivery.id,
        "eventType": delivery.subject,
        "subject": delivery.ordering_key,
        "eventTime": at,
        "dataVersion": "1",
    }
    return b"[" + json.dumps(head).encode()[:-1] + b',"data":' + delivery.body + b"}]"


def destination_of(kind: str, url: str) -> Destination:
    mark = hashlib.sha256(url.encode()).hexdigest()[:8]
    return Destination(
        f"{kind} {urlsplit(url).hostname} {mark}",
        url,
        connect_seconds=CONNECT_SECONDS,
        total_seconds=ANSWER_SECONDS,
        in_flight_max=PARALLEL_MAX,
        answer_bytes_max=ANSWER_BYTES_MAX,
    )
