"""What is sent about what happened: the published payloads, plain or wrapped as CloudEvents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from holdfast.base import clock
from holdfast.commerce.registry import REGISTRY
from holdfast.commerce.resources.subscription.shape import CloudEventsFormat, Format
from holdfast.delivery.destinations.port import Delivery
from holdfast.store.relay import Owed

# What the narrowest of the hosted queues takes, less room for what wraps it.
MESSAGE_BYTES_MAX = 240 * 1024
JSON = "application/json; charset=utf-8"
CLOUD_EVENT = "application/cloudevents+json; charset=utf-8"
# The unique values that are published as what people know a resource by.
_IDENTIFIERS = ("key", "externalId", "orderNumber", "customerNumber", "sku")
_encode = msgspec.json.encode


def delivery_of(project: str, owed: Owed, known_by: Mapping[str, str], form: Format) -> Delivery:
    """The notification as it goes out; the same at every attempt."""
    assert owed.id is not None
    assert owed.type is not None
    subject = "ResourceCreated" if owed.is_trial else owed.type
    payload = _payload(project, owed, known_by)
    content_type = JSON
    if isinstance(form, CloudEventsFormat):
        payload, content_type = _cloud_event(project, owed, payload), CLOUD_EVENT
    return Delivery(
        id=owed.id,
        ordering_key=f"{project}/{owed.kind}/{owed.resource_id}",
        subject=subject,
        body=payload,
        content_type=content_type,
        attributes={"projectKey": project, "resourceTypeId": owed.kind, "type": subject},
    )


def _payload(project: str, owed: Owed, known_by: Mapping[str, str]) -> bytes:
    head: dict[str, Any] = {
        "notificationType": "Message" if owed.body is not None else owed.type,
        "projectKey": project,
        "resource": {"typeId": owed.kind, "id": owed.resource_id},
    }
    if known := _identifiers(known_by):
        head["resourceUserProvidedIdentifiers"] = known
    moment = _moment(owed)
    if owed.body is None:
        head["version"] = owed.resource_version
        if owed.type == "ResourceUpdated":
            head["oldVersion"] = owed.old_version
        return _encode(head | {"modifiedAt": moment})
    head |= {
        "id": owed.id,
        "version": 1,
        "sequenceNumber": owed.sequence_number,
        "resourceVersion": owed.resource_version,
        "createdAt": moment,
        "lastModifiedAt": moment,
    }
    if len(owed.body) > MESSAGE_BYTES_MAX:
        left_out = {"reason": "The payload is too large for the destination.", "payloadType": owed.type}
        return _encode(head | {"type": owed.type, "payloadNotIncluded": left_out})
    # The message is a JSON object already.
    return _encode(head)[:-1] + b"," + owed.body[1:]


def _cloud_event(project: str, owed: Owed, payload: bytes) -> bytes:
    what = f"message.{owed.type}" if owed.body is not None else f"change.{owed.type}"
    address = f"/{project}/{_path(owed.kind)}/{owed.resource_id}"
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": owed.id,
        "type": f"com.commercetools.{owed.kind}.{what}",
        "source": address,
        "subject": owed.resource_id,
        "time": _moment(owed),
        "datacontenttype": "application/json",
    }
    if owed.body is not None:
        event |= {"sequence": str(owed.sequence_number), "sequencetype": "Integer"}
        event["dataref"] = f"/{project}/messages/{owed.id}"
    else:
        event["dataref"] = address
    return _encode(event | {"data": msgspec.Raw(payload)})


def _identifiers(known_by: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: known_by[name] for name in _IDENTIFIERS if name in known_by}
    slug = {field.removeprefix("slug."): value for field, value in known_by.items() if field.startswith("slug.")}
    return found | {"slug": slug} if slug else found


def _path(kind: str) -> str:
    resource = REGISTRY.get(kind)
    return resource.path if resource is not None and resource.path else kind


def _moment(owed: Owed) -> str:
    assert owed.created_at is not None
    return clock.timestamp(owed.created_at)


def trial(owed: Owed, subscription_id: str, version: int, created_at: str) -> Owed:
    """What a new subscription is tried with: that it was created, as if somebody had asked to be told."""
    return owed._replace(
        id=subscription_id, type="ResourceCreated", resource_version=version, created_at=clock.parse(created_at)
    )
