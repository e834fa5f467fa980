"""Webhooks: each notification a POST, signed as Standard Webhooks says (https://www.standardwebhooks.com).

A receiver checks `webhook-signature` over `webhook-id.webhook-timestamp.body`, and drops what it has seen
by `webhook-id`. 2xx accepts, 410 refuses for good, anything else is tried again.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
import zlib
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from holdfast.commerce.resources.subscription.destinations import WebhookDestination
from holdfast.delivery.destinations.port import ACCEPTED, Delivery, Misconfigured, Outcome, Refused, Retry
from holdfast.outbound.client import Client
from holdfast.outbound.destination import Destination, Request, Response
from holdfast.outbound.errors import AddressRefused, OutboundError, RequestRefused

PARALLEL_MAX = 16
ANSWER_SECONDS_MAX = 10.0
# What a receiver has to say beyond its status is not read.
ANSWER_BYTES_MAX = 64 * 1024
_SECRET_PREFIX = "whsec_"  # noqa: S105 - how secrets begin
_GONE = 410


class Webhook:
    """One address. A breaker, a bound on calls under way and the address guard come with the client."""

    batch_max = 1
    parallel_max = PARALLEL_MAX

    def __init__(self, settings: WebhookDestination, client: Client) -> None:
        self._keys = [_key(secret) for secret in (settings.secret, *(settings.secrets or ())) if secret]
        self._client = client
        # Addresses may hold secrets: the name tells them apart without saying them.
        name = f"webhook {urlsplit(settings.url).hostname} {zlib.crc32(settings.url.encode()):08x}"
        self._destination = Destination(
            name,
            settings.url,
            total_seconds=ANSWER_SECONDS_MAX,
            in_flight_max=PARALLEL_MAX,
            answer_bytes_max=ANSWER_BYTES_MAX,
        )

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        return await asyncio.gather(*map(self._post, deliveries))

    async def close(self) -> None:
        """The connections belong to the client, which others use as well."""

    async def _post(self, delivery: Delivery) -> Outcome:
        request = Request(headers=self._headers(delivery, int(time.time())), body=delivery.body)
        try:
            return _outcome(await self._client.send(self._destination, request))
        except (AddressRefused, RequestRefused) as refused:
            return Misconfigured(str(refused))
        except OutboundError as error:
            return Retry(f"{type(error).__name__}: {error}")

    def _headers(self, delivery: Delivery, timestamp: int) -> list[tuple[str, str]]:
        headers = [
            ("content-type", delivery.content_type),
            ("webhook-id", delivery.id),
            ("webhook-timestamp", str(timestamp)),
        ]
        if self._keys:
            signatures = " ".join(signature(key, delivery.id, timestamp, delivery.body) for key in self._keys)
            headers.append(("webhook-signature", signatures))
        return headers


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a message, as Standard Webhooks writes it."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_SECRET_PREFIX))


def _outcome(response: Response) -> Outcome:
    if 200 <= response.status < 300:
        return ACCEPTED
    reason = f"The receiver answered {response.status}."
    if response.status == _GONE:
        return Refused(reason)
    return Retry(reason, _seconds(response.header("retry-after")))


def _seconds(text: str | None) -> float | None:
    """What Retry-After asks for: seconds, or the time until a date."""
    if text is None:
        return None
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
