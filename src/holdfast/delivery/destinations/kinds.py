"""Which adapter serves which kind of destination. Its client library is loaded when a subscription first needs it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from holdfast.commerce.resources.subscription.destinations import (
    AnyDestination,
    AzureEventGridDestination,
    AzureServiceBusDestination,
    EventBridgeDestination,
    GoogleCloudPubSubDestination,
    SnsDestination,
    SqsDestination,
    WebhookDestination,
    type_of,
)
from holdfast.delivery.destinations.azure import EventGrid, ServiceBus
from holdfast.delivery.destinations.connection import told
from holdfast.delivery.destinations.guard import Guarded, addresses_of
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

# The extra that brings what a module imports, where it is not called like the module.
EXTRAS = {"pubsub": "google", "streams": "valkey"}

Factory = Callable[[Any], Destination]


class NoAdapter(LookupError):
    """A destination this installation cannot serve: its client library is not there, or the settings are senseless."""


def connect(settings: AnyDestination, client: Client, *, own_identity: bool = False) -> Destination:
    """The destination these settings describe; nothing is sent yet. Raises NoAdapter.

    What is HTTP goes through `client`, and where that may not call, nobody else connects to. own_identity: whether
    settings without credentials may use this machine's, which are not the project's to lend.
    """
    if not own_identity and _names_nobody(settings):
        raise NoAdapter("There are no credentials, and HOLDFAST_CLOUD_IDENTITY does not lend this machine's own.")
    match settings:
        case WebhookDestination():
            return Webhook(settings, client)
        case AzureServiceBusDestination():
            return ServiceBus(settings, client)
        case AzureEventGridDestination():
            return EventGrid(settings, client)
    kind = type_of(settings)
    module = ADAPTERS.get(kind)
    if module is None:
        raise NoAdapter(f"There is no adapter for destinations of type {kind}.")
    try:
        factory: Factory = importlib.import_module(f"holdfast.delivery.destinations.{module}").connect
    except ImportError as error:
        extra = f"pip install 'holdfast[{EXTRAS.get(module, module)}]'"
        raise NoAdapter(f"Destinations of type {kind} need a client that is not installed: {extra}.") from error
    try:
        destination = factory(settings)
    except ValueError as error:
        raise NoAdapter(f"A destination of type {kind} cannot be made of these settings: {told(error)}") from error
    return Guarded(destination, addresses_of(settings), client.allowed)


def _names_nobody(settings: AnyDestination) -> bool:
    """Whether a client library would look for credentials on this machine."""
    match settings:
        case SqsDestination() | SnsDestination() | EventBridgeDestination():
            return settings.access_key is None
        case GoogleCloudPubSubDestination():
            return settings.credentials is None and settings.endpoint is None
    return False
