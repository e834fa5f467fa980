"""Which adapter serves which kind of destination. Its client library is loaded when a subscription first needs it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from holdfast.commerce.resources.subscription.destinations import AnyDestination, WebhookDestination, type_of
from holdfast.delivery.destinations.port import Destination
from holdfast.delivery.destinations.webhook import Webhook
from holdfast.outbound.client import Client

# By published `type`: the module of the adapter; its `connect` makes a destination of the settings.
ADAPTERS: dict[str, str] = {
    "ConfluentCloud": "kafka",
    "EventBridge": "aws",
    "GoogleCloudPubSub": "pubsub",
    "Kafka": "kafka",
    "Nats": "nats",
    "RabbitMQ": "rabbitmq",
    "RedisStream": "streams",
    "SNS": "aws",
    "SQS": "aws",
}

Factory = Callable[[Any], Destination]


class NoAdapter(LookupError):
    """A kind of destination this installation cannot serve: its client library is not there."""


def connect(settings: AnyDestination, client: Client) -> Destination:
    """The destination these settings describe; nothing is sent yet. Webhooks go through `client`. Raises NoAdapter."""
    if isinstance(settings, WebhookDestination):
        return Webhook(settings, client)
    kind = type_of(settings)
    module = ADAPTERS.get(kind)
    if module is None:
        raise NoAdapter(f"There is no adapter for destinations of type {kind}.")
    try:
        factory: Factory = importlib.import_module(f"holdfast.delivery.destinations.{module}").connect
    except ImportError as error:
        raise NoAdapter(f"Destinations of type {kind} need a client library that is not installed: {error}.") from error
    return factory(settings)
