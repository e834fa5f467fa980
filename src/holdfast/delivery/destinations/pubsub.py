"""Google Cloud Pub/Sub: an event is accepted when the topic has given it an id.

The resource is the ordering key: subscriptions with ordering get its events in the order they were accepted.
Of credentials only those of a service account are taken: others may name files and addresses for us to read.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import aiohttp
from gcloud.aio.auth import Token
from gcloud.aio.pubsub import PublisherClient, PubsubMessage
from gcloud.aio.pubsub.publisher_client import SCOPES
from jwt.exceptions import PyJWTError

from holdfast.commerce.resources.subscription.destinations import GoogleCloudPubSubDestination
from holdfast.delivery.destinations.connection import ANSWER_SECONDS, CONNECT_SECONDS, Connection, quieten, told
from holdfast.delivery.destinations.port import ACCEPTED, Delivery, Misconfigured, Outcome, Refused, Retry

BATCH_MAX = 100
PARALLEL_MAX = 4
TOKEN_ADDRESS = "https://oauth2.googleapis.com/token"  # noqa: S105 - where tokens are given out
KIND_OF_CREDENTIALS = "service_account"
TAKEN_FROM_CREDENTIALS = ("client_email", "private_key", "private_key_id", "project_id")

quieten("gcloud")


class BadCredentials(ValueError):
    """What stands in the settings is not the key of a service account."""


class PromptToken(Token):
    """Gives up after one attempt: the relay repeats, and knows for how long."""

    async def acquire_access_token(self, timeout: int = int(ANSWER_SECONDS)) -> None:  # type: ignore[override]  # noqa: ASYNC109 - the library's
        await Token.acquire_access_token.__wrapped__(self, timeout)


class Line(NamedTuple):
    """A client, what lets it in, and its connections."""

    publisher: PublisherClient
    token: Token | None
    session: aiohttp.ClientSession


class PubSubTopic:
    """The port over a topic."""

    batch_max = BATCH_MAX
    parallel_max = PARALLEL_MAX

    def __init__(self, settings: GoogleCloudPubSubDestination) -> None:
        self._settings = settings
        self._topic = PublisherClient.topic_path(settings.project_id, settings.topic)
        self._connection: Connection[Line] = Connection(self._open, hang_up)

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        outcome = await self._publish(deliveries)
        if isinstance(outcome, Refused) and len(deliveries) > 1:
            return [await self._publish([delivery]) for delivery in deliveries]
        return [outcome] * len(deliveries)

    async def close(self) -> None:
        await self._connection.close()

    async def _publish(self, deliveries: Sequence[Delivery]) -> Outcome:
        """Publish all in one request, which takes or leaves them together."""
        try:
            line = await self._connection.get()
            if line.token is not None:
                await line.token.get()
        except (aiohttp.ClientError, BadCredentials, PyJWTError, ValueError, OSError, TimeoutError) as error:
            return let_in(error)
        try:
            messages = [message_of(delivery) for delivery in deliveries]
            await line.publisher.publish(self._topic, messages, timeout=int(ANSWER_SECONDS))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return outcome_of(error)
        return ACCEPTED

    async def _open(self) -> Line:
        settings = self._settings
        times = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
        is_emulator = settings.endpoint is not None and settings.credentials is None
        service = None if settings.credentials is None else key_of(settings.credentials, settings.endpoint)
        # The library's types know the session of its twin without asyncio.
        session: Any = aiohttp.ClientSession(timeout=times, connector=aiohttp.TCPConnector(limit=PARALLEL_MAX))
        token = None if is_emulator else PromptToken(service_file=service, session=session, scopes=SCOPES)
        root = f"{settings.endpoint.rstrip('/')}/v1" if settings.endpoint else None
        publisher = PublisherClient(session=session, token=token, api_root=root, api_is_dev=is_emulator)
        return Line(publisher, token, session)


def key_of(credentials: str, endpoint: str | None) -> io.StringIO:
    """The key of a service account, and nothing else that credentials can ask for. Raises BadCredentials."""
    try:
        given = json.loads(credentials)
    except ValueError:
        raise BadCredentials("The credentials are not JSON.") from None
    if not isinstance(given, dict) or given.get("type") != KIND_OF_CREDENTIALS:
        raise BadCredentials(f"Credentials are the JSON of a key of type '{KIND_OF_CREDENTIALS}'.")
    if missing := [name for name in ("client_email", "private_key") if not isinstance(given.get(name), str)]:
        raise BadCredentials(f"The credentials have no '{missing[0]}'.")
    kept = {name: given[name] for name in TAKEN_FROM_CREDENTIALS if name in given}
    address = f"{endpoint.rstrip('/')}/token" if endpoint else TOKEN_ADDRESS
    return io.StringIO(json.dumps({**kept, "type": KIND_OF_CREDENTIALS, "token_uri": address}))


def message_of(delivery: Delivery) -> PubsubMessage:
    message = PubsubMessage(delivery.body, ordering_key=delivery.ordering_key)
    message.attributes = {
        **delivery.attributes,
        "id": delivery.id,
        "type": delivery.subject,
        "contentType": delivery.content_type,
    }
    return message


async def hang_up(line: Line) -> None:
    acquiring = line.token and line.token.acquiring
    if acquiring:
        acquiring.cancel()
        await asyncio.wait({acquiring})
    await line.session.close()


def let_in(error: Exception) -> Outcome:
    """What it means that there is no token: whoever refuses us one will go on to."""
    if isinstance(error, BadCredentials | PyJWTError | ValueError):
        return Misconfigured(told(error))
    if isinstance(error, aiohttp.ClientResponseError) and 400 <= error.status < 500 and error.status != 429:
        return Misconfigured(f"No token: {error.status}")
    return Retry(told(error))


def outcome_of(error: Exception) -> Outcome:
    if not isinstance(error, aiohttp.ClientResponseError):
        return Retry(told(error))
    reason = f"{error.status}: {told(error)}"
    if error.status in (401, 403, 404):
        return Misconfigured(reason)
    return Refused(reason) if error.status in (400, 413) else Retry(reason)


def connect(settings: GoogleCloudPubSubDestination) -> PubSubTopic:
    """A topic to publish to."""
    return PubSubTopic(settings)
