"""What an extension is: where it is called, about what, and what happens when it does not answer."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.commerce.registry import Resource
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Key, Stored, Value, empty, no

# Published bounds.
EXTENSIONS_MAX = 25
TIMEOUT_MILLISECONDS_MAX = 10_000
TIMEOUT_MILLISECONDS = 2_000
EXPANSION_PATHS_MAX = 3
TRIGGERS_MAX = 50
MASK = "****"

Url = Annotated[str, Meta(pattern=r"^https?://[^\s/?#@]+([/?][!-~]*)?\Z", max_length=2_048)]
HeaderValue = Annotated[str, Meta(pattern=r"^[!-~]([ -~]*[!-~])?\Z", max_length=8_000)]
Timeout = Annotated[int, Meta(ge=1, le=TIMEOUT_MILLISECONDS_MAX)]
Paths = Annotated[tuple[str, ...], Meta(max_length=EXPANSION_PATHS_MAX)]
TriggerAction = Literal["Create", "Update"]
Fallback = Literal["FailClosed", "FailOpen"]


class AuthorizationHeader(Value, tag_field="type", tag="AuthorizationHeader"):
    """Sent as `Authorization`, scheme included."""

    header_value: HeaderValue


class AzureFunctions(Value, tag_field="type", tag="AzureFunctions"):
    """Sent as `x-functions-key`."""

    key: HeaderValue


Authentication = AuthorizationHeader | AzureFunctions


class HttpDestination(Value, tag_field="type", tag="HTTP"):
    url: Url
    authentication: Authentication | None = None


class AwsLambdaDestination(Value, tag_field="type", tag="AWSLambda"):
    """Known, and refused: give the function an HTTP address."""

    arn: str
    access_key: str
    access_secret: str


class GoogleCloudFunctionDestination(Value, tag_field="type", tag="GoogleCloudFunction"):
    """Known, and refused: the hosted service calls it under an identity of its own; use HTTP with a header."""

    url: str


AnyDestination = HttpDestination | AwsLambdaDestination | GoogleCloudFunctionDestination


class Trigger(Value):
    """condition: a query predicate on the resource as it would be."""

    resource_type_id: str
    actions: Annotated[tuple[TriggerAction, ...], Meta(min_length=1, max_length=2)]
    condition: Annotated[str, Meta(max_length=10_000)] | None = None


Triggers = Annotated[tuple[Trigger, ...], Meta(min_length=1, max_length=TRIGGERS_MAX)]


class AdditionalContext(Value):
    """include_old_resource: whether an update brings the resource as it was, too."""

    include_old_resource: bool = field(default_factory=no)


class ExtensionDraft(Value):
    """fallback is our own: what happens without an answer, `FailClosed` as published, `FailOpen` to go on."""

    key: Key | None = None
    destination: AnyDestination
    triggers: Triggers
    timeout_in_ms: Timeout | None = None
    dependencies: tuple[ResourceIdentifier, ...] = ()
    expansion_paths: Paths = ()
    additional_context: AdditionalContext | None = None
    fallback: Fallback = "FailClosed"


def _closed() -> Fallback:
    return "FailClosed"


class Extension(Stored):
    key: str | None = None
    destination: AnyDestination
    triggers: tuple[Trigger, ...] = field(default_factory=empty)
    timeout_in_ms: int | None = None
    dependencies: tuple[Reference, ...] = ()
    expansion_paths: tuple[str, ...] = ()
    additional_context: AdditionalContext | None = None
    fallback: Fallback = field(default_factory=_closed)


class ExtensionSecret(Stored):
    """The destination with what opens it. Never published: it lies beside its extension, by the same id."""

    destination: AnyDestination


def _nothing(_: ExtensionSecret) -> dict[str, str]:
    return {}


def masked(destination: AnyDestination) -> AnyDestination:
    """The destination as it is shown."""
    match destination:
        case HttpDestination(authentication=AuthorizationHeader() as header):
            return replace(destination, authentication=replace(header, header_value=MASK))
        case HttpDestination(authentication=AzureFunctions() as function):
            return replace(destination, authentication=replace(function, key=MASK))
        case _:
            return destination


extensions = Resource(
    "extension",
    path="extensions",
    shape=Extension,
    draft=ExtensionDraft,
    scope="extensions",
    holds=("extension",),
    ad_hoc=False,
)
secrets = Resource("extension-secret", path=None, shape=ExtensionSecret, searchable=_nothing)
