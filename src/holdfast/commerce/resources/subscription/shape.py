"""The shapes of subscriptions: what is told, in which form, and how the destination fares."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.commerce.registry import Counted, Resource
from holdfast.commerce.resources.subscription.destinations import AnyDestination
from holdfast.commerce.values.value import Key, Stored, Value, empty

# Entries of one list of a draft; there are fewer types than that.
ENTRIES_MAX = 100
TYPES_MAX = 500

MessageKind = Literal[
    "approval-flow", "approval-rule", "associate-role", "business-unit", "category", "customer",
    "customer-email-token", "customer-group", "customer-password-token", "inventory-entry", "order", "payment",
    "product", "product-selection", "product-tailoring", "quote", "quote-request", "review", "shopping-list",
    "staged-quote", "standalone-price", "store", "variant",
]  # fmt: skip
ChangeKind = Literal[
    "approval-flow", "approval-rule", "associate-role", "attribute-group", "business-unit", "cart", "cart-discount",
    "category", "channel", "customer", "customer-email-token", "customer-group", "customer-password-token",
    "discount-code", "discount-group", "extension", "inventory-entry", "key-value-document", "order", "order-edit",
    "payment", "product", "product-discount", "product-selection", "product-tailoring", "product-type", "quote",
    "quote-request", "recurrence-policy", "recurring-order", "review", "shipping-method", "shopping-list",
    "staged-quote", "standalone-price", "state", "store", "subscription", "tax-category", "type", "variant", "zone",
]  # fmt: skip
Status = Literal[
    "Healthy", "TemporaryError", "ConfigurationError", "ConfigurationErrorDeliveryStopped", "ManuallySuspended"
]
# How a destination fares is counted beside the subscription: it changes without a new version.
STATUSES: tuple[Status, ...] = ("Healthy", "TemporaryError", "ConfigurationError")
TypeName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,128}\Z")]
TypeNames = Annotated[tuple[TypeName, ...], Meta(max_length=TYPES_MAX)]


class MessageSubscription(Value):
    """Messages of a resource type; without types all of them."""

    resource_type_id: MessageKind
    types: TypeNames = field(default_factory=empty)


class ChangeSubscription(Value):
    """Creation, update and deletion of resources of a type."""

    resource_type_id: ChangeKind


class EventSubscription(Value):
    """Events of the import and checkout services, which this server has none of yet."""

    resource_type_id: Literal["checkout", "import-api"]
    types: TypeNames = field(default_factory=empty)


MessageList = Annotated[tuple[MessageSubscription, ...], Meta(max_length=ENTRIES_MAX)]
ChangeList = Annotated[tuple[ChangeSubscription, ...], Meta(max_length=ENTRIES_MAX)]
EventList = Annotated[tuple[EventSubscription, ...], Meta(max_length=ENTRIES_MAX)]


class PlatformFormat(Value, tag_field="type", tag="Platform"):
    """Notifications in the form of the API itself."""


class CloudEventsFormat(Value, tag_field="type", tag="CloudEvents"):
    """Notifications wrapped as the CloudEvents specification says."""

    cloud_events_version: Literal["1.0"]


Format = PlatformFormat | CloudEventsFormat


def _healthy() -> Status:
    return "Healthy"


class SubscriptionDraft(Value):
    key: Key | None = None
    destination: AnyDestination
    messages: MessageList | None = None
    changes: ChangeList | None = None
    events: EventList | None = None
    format: Format = field(default_factory=PlatformFormat)


class Subscription(Stored):
    key: str | None = None
    destination: AnyDestination
    messages: tuple[MessageSubscription, ...] = field(default_factory=empty)
    changes: tuple[ChangeSubscription, ...] = field(default_factory=empty)
    events: tuple[EventSubscription, ...] = field(default_factory=empty)
    format: Format = field(default_factory=PlatformFormat)
    status: Status = field(default_factory=_healthy)


class SubscriptionSecret(Stored):
    """The destination with what opens its doors. Never published: it lies beside its subscription, by the same id."""

    destination: AnyDestination


def tally_of(subscription: Subscription) -> str:
    """The tally that holds the index of its status."""
    return f"subscription-status/{subscription.id}"


def _with_status(subscription: Subscription, index: int) -> Subscription:
    return replace(subscription, status=STATUSES[index])


def _nothing(_: SubscriptionSecret) -> dict[str, str]:
    return {}


subscriptions = Resource(
    "subscription",
    path="subscriptions",
    shape=Subscription,
    draft=SubscriptionDraft,
    counted=Counted(tally_of, _with_status),
)
secrets = Resource("subscription-secret", path=None, shape=SubscriptionSecret, searchable=_nothing)
