"""Keeps brokers that others name from being addresses inside the shop's network, as the outbound client does for HTTP.

Whoever may write subscriptions chooses where we connect to. Here the names are looked up before a client of
the broker does the same, and a cluster may send that client on to servers of its own: this guards against
mistakes and the curious, not against a name server that answers differently each time. Where that matters, a
firewall decides.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from holdfast.commerce.resources.subscription.destinations import (
    AnyDestination,
    ConfluentCloudDestination,
    EventBridgeDestination,
    GoogleCloudPubSubDestination,
    KafkaDestination,
    NatsDestination,
    RabbitMqDestination,
    RedisStreamDestination,
    SnsDestination,
    SqsDestination,
)
from holdfast.delivery.destinations.connection import CONNECT_SECONDS, told
from holdfast.delivery.destinations.port import Delivery, Destination, Misconfigured, Outcome, Retry
from holdfast.outbound.addresses import Allowed, check
from holdfast.outbound.errors import AddressRefused

# An address that was good is good for so long.
CHECKED_SECONDS = 30.0
USUAL_PORTS = {"nats": 4222, "tls": 4222, "amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379, "": 9092}
USUAL_PORTS |= {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Place(NamedTuple):
    """Where a client will connect to."""

    host: str
    port: int


class Guarded:
    """A destination whose addresses are looked at first."""

    def __init__(self, destination: Destination, addresses: Sequence[str], allowed: Allowed) -> None:
        self._destination = destination
        self._addresses = addresses
        self._allowed = allowed
        self._checked_at: float | None = None

    @property
    def batch_max(self) -> int:
        return self._destination.batch_max

    @property
    def parallel_max(self) -> int:
        return self._destination.parallel_max

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        now = asyncio.get_running_loop().time()
        if self._checked_at is None or now - self._checked_at > CHECKED_SECONDS:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._check()
            except AddressRefused as error:
                return [Misconfigured(told(error))] * len(deliveries)
            except (OSError, TimeoutError) as error:
                return [Retry(told(error))] * len(deliveries)
            self._checked_at = now
        return await self._destination.send(deliveries)

    async def close(self) -> None:
        await self._destination.close()

    async def _check(self) -> None:
        """Look all of them up. Raises AddressRefused, OSError for a name without an address."""
        for place in map(place_of, self._addresses):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
            check(place.host, place.port, [str(entry[4][0]) for entry in found], self._allowed, plain=False)


def place_of(address: str) -> Place:
    """The host and port in `scheme://user@host:port/…` or `host:port`. Raises AddressRefused without a host."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        port = parts.port or USUAL_PORTS.get(parts.scheme.lower())
    except ValueError:
        raise AddressRefused("This is not an address.") from None
    if not parts.hostname or port is None:
        raise AddressRefused("An address names a host that is reached over the network.")
    return Place(parts.hostname, port)


def addresses_of(settings: AnyDestination) -> Sequence[str]:
    """The addresses that settings name for a client of their own; none where the cloud's are used."""
    match settings:
        case NatsDestination():
            return settings.servers
        case KafkaDestination():
            return settings.bootstrap_servers
        case ConfluentCloudDestination():
            return [settings.bootstrap_server]
        case RabbitMqDestination() | RedisStreamDestination():
            return [settings.url]
        case SqsDestination() | SnsDestination() | EventBridgeDestination() | GoogleCloudPubSubDestination():
            return [settings.endpoint] if settings.endpoint else []
        case _:
            return []
