"""Where notifications go: the published kinds of destinations, and our own for those who run their brokers themselves.

What opens a door is named in SECRETS: it is kept beside the subscription and never shown.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.commerce.values.value import Positive, Value, empty, no

MASK = "****"
Text = Annotated[str, Meta(min_length=1, max_length=2048)]
Url = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9+.-]*://[^\s/]\S*\Z", max_length=2048)]
WebUrl = Annotated[str, Meta(pattern=r"^https?://[^\s/]\S*\Z", max_length=2048)]
# Standard Webhooks: 24 to 64 random bytes, in base64.
WebhookSecret = Annotated[
    str, Meta(pattern=r"^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")
]
WebhookSecrets = Annotated[tuple[WebhookSecret, ...], Meta(min_length=1, max_length=5)]
# Who speaks for us, in an address: `user:password@`.
_USERINFO = re.compile(r"(?<=//)[^/@]*@")


class SqsDestination(Value, tag_field="type", tag="SQS"):
    """Amazon SQS. endpoint: of a service that speaks the same, where it is not Amazon's."""

    SECRETS: ClassVar[tuple[str, ...]] = ("access_secret",)
    queue_url: WebUrl
    region: Text
    access_key: Text | None = None
    access_secret: Text | None = None
    authentication_mode: Literal["Credentials", "IAM"] | None = None
    endpoint: WebUrl | None = None


class SnsDestination(Value, tag_field="type", tag="SNS"):
    """Amazon SNS."""

    SECRETS: ClassVar[tuple[str, ...]] = ("access_secret",)
    topic_arn: Text
    access_key: Text | None = None
    access_secret: Text | None = None
    authentication_mode: Literal["Credentials", "IAM"] | None = None
    endpoint: WebUrl | None = None


class EventBridgeDestination(Value, tag_field="type", tag="EventBridge"):
    """Amazon EventBridge. Credentials are ours to name: the hosted API sends as itself."""

    SECRETS: ClassVar[tuple[str, ...]] = ("access_secret",)
    region: Text
    account_id: Text
    source: Text | None = None
    access_key: Text | None = None
    access_secret: Text | None = None
    endpoint: WebUrl | None = None


class GoogleCloudPubSubDestination(Value, tag_field="type", tag="GoogleCloudPubSub"):
    """Google Cloud Pub/Sub. credentials: the JSON of a service account; without it the machine's own are used."""

    SECRETS: ClassVar[tuple[str, ...]] = ("credentials",)
    project_id: Text
    topic: Text
    credentials: Annotated[str, Meta(max_length=16_384)] | None = None
    endpoint: Text | None = None


class AzureServiceBusDestination(Value, tag_field="type", tag="AzureServiceBus"):
    """A queue or topic of Azure Service Bus."""

    SECRETS: ClassVar[tuple[str, ...]] = ("connection_string",)
    connection_string: Text


class AzureEventGridDestination(Value, tag_field="type", tag="EventGrid"):
    """A topic of Azure Event Grid."""

    SECRETS: ClassVar[tuple[str, ...]] = ("access_key",)
    uri: WebUrl
    access_key: Text


class ConfluentCloudDestination(Value, tag_field="type", tag="ConfluentCloud"):
    """A topic of a Kafka cluster at Confluent."""

    SECRETS: ClassVar[tuple[str, ...]] = ("api_secret",)
    bootstrap_server: Text
    api_key: Text
    api_secret: Text
    acks: Literal["0", "1", "all"]
    topic: Text
    key: Text | None = None


class WebhookDestination(Value, tag_field="type", tag="Webhook"):
    """An address that gets each notification as a POST, signed as Standard Webhooks says.

    secrets: each signs, so that a receiver can change over from one to the next. Without any nothing is signed.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ("secret", "secrets")
    url: WebUrl
    secret: WebhookSecret | None = None
    secrets: WebhookSecrets | None = None


class NatsDestination(Value, tag_field="type", tag="Nats"):
    """A subject of a NATS JetStream."""

    SECRETS: ClassVar[tuple[str, ...]] = ("password", "token")
    servers: Annotated[tuple[Url, ...], Meta(min_length=1, max_length=16)]
    subject: Text
    user: Text | None = None
    password: Text | None = None
    token: Text | None = None


class RabbitMqDestination(Value, tag_field="type", tag="RabbitMQ"):
    """An exchange of RabbitMQ; without a name the default one, which routes to the queue of the routing key."""

    SECRETS: ClassVar[tuple[str, ...]] = ()
    url: Url
    exchange: Annotated[str, Meta(max_length=255)] | None = None
    routing_key: Annotated[str, Meta(max_length=255)] | None = None


class RedisStreamDestination(Value, tag_field="type", tag="RedisStream"):
    """A stream of Redis or Valkey. max_length: about how many entries it keeps."""

    SECRETS: ClassVar[tuple[str, ...]] = ("password",)
    url: Url
    stream: Text
    user: Text | None = None
    password: Text | None = None
    max_length: Positive | None = None


class KafkaDestination(Value, tag_field="type", tag="Kafka"):
    """A topic of a Kafka cluster of your own."""

    SECRETS: ClassVar[tuple[str, ...]] = ("password",)
    bootstrap_servers: tuple[Text, ...] = field(default_factory=empty)
    topic: Text
    user: Text | None = None
    password: Text | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    tls: bool = field(default_factory=no)


AnyDestination = (
    SqsDestination
    | SnsDestination
    | EventBridgeDestination
    | GoogleCloudPubSubDestination
    | AzureServiceBusDestination
    | AzureEventGridDestination
    | ConfluentCloudDestination
    | WebhookDestination
    | NatsDestination
    | RabbitMqDestination
    | RedisStreamDestination
    | KafkaDestination
)


def type_of(destination: AnyDestination) -> str:
    """The published `type` of a destination."""
    return str(destination.__struct_config__.tag)


def masked(destination: AnyDestination) -> AnyDestination:
    """The destination as it is shown: what opens a door is hidden, also inside addresses."""
    shown: dict[str, Any] = {name: _hidden(getattr(destination, name)) for name in destination.SECRETS}
    for info in msgspec.structs.fields(destination):
        value = getattr(destination, info.name)
        if info.name not in shown and isinstance(value, str) and "@" in value:
            shown[info.name] = _USERINFO.sub(f"{MASK}@", value)
        elif info.name == "servers":
            shown[info.name] = tuple(_USERINFO.sub(f"{MASK}@", each) for each in value)
    return replace(destination, **shown)


def _hidden(value: Any) -> Any:
    return tuple(MASK for _ in value) if isinstance(value, tuple) else value and MASK
