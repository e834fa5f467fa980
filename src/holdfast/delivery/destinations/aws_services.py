"""What the services of Amazon are told, and how each says what it did not take."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from holdfast.delivery.destinations.port import Delivery

# What one call of any of the three takes.
BATCH_MAX = 10
CALL_BYTES_MAX = 256 * 1024
# What an entry weighs beside its body and attributes, more or less.
ENTRY_BYTES = 1024
# Attributes a message of SQS may have.
ATTRIBUTES_MAX = 10
# What a message group and a deduplication id may be.
SHORT = re.compile(r"[!-~]{1,128}")


class Failure(NamedTuple):
    """What a service has against one entry of a call."""

    code: str
    message: str
    ours: bool = True


class Service(Protocol):
    """One of the three: how it is called, and what it says of each entry."""

    @property
    def name(self) -> str: ...

    def request(self, deliveries: Sequence[Delivery]) -> dict[str, Any]: ...

    async def call(self, client: Any, request: Mapping[str, Any]) -> Mapping[int, Failure]: ...


class Queue(NamedTuple):
    """SQS."""

    url: str

    @property
    def name(self) -> str:
        return "sqs"

    def request(self, deliveries: Sequence[Delivery]) -> dict[str, Any]:
        fifo = self.url.endswith(".fifo")
        entries = [
            {"MessageBody": delivery.body.decode(), **message_parts(number, delivery, fifo=fifo)}
            for number, delivery in enumerate(deliveries)
        ]
        return {"QueueUrl": self.url, "Entries": entries}

    async def call(self, client: Any, request: Mapping[str, Any]) -> Mapping[int, Failure]:
        return failed(await client.send_message_batch(**request))


class Topic(NamedTuple):
    """SNS."""

    arn: str

    @property
    def name(self) -> str:
        return "sns"

    def request(self, deliveries: Sequence[Delivery]) -> dict[str, Any]:
        fifo = self.arn.endswith(".fifo")
        entries = [
            {"Message": delivery.body.decode(), **message_parts(number, delivery, fifo=fifo)}
            for number, delivery in enumerate(deliveries)
        ]
        return {"TopicArn": self.arn, "PublishBatchRequestEntries": entries}

    async def call(self, client: Any, request: Mapping[str, Any]) -> Mapping[int, Failure]:
        return failed(await client.publish_batch(**request))


class Bus(NamedTuple):
    """EventBridge: the default bus of an account. The body is the detail, what happened its type."""

    arn: str
    source: str

    @property
    def name(self) -> str:
        return "events"

    def request(self, deliveries: Sequence[Delivery]) -> dict[str, Any]:
        entries = [
            {
                "EventBusName": self.arn,
                "Source": self.source,
                "DetailType": delivery.subject,
                "Detail": delivery.body.decode(),
            }
            for delivery in deliveries
        ]
        return {"Entries": entries}

    async def call(self, client: Any, request: Mapping[str, Any]) -> Mapping[int, Failure]:
        answer = await client.put_events(**request)
        return {
            number: Failure(entry["ErrorCode"], entry.get("ErrorMessage", ""))
            for number, entry in enumerate(answer["Entries"])
            if "ErrorCode" in entry
        }


def calls(deliveries: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """As few calls as their limits allow; what is too large even alone goes alone, to be refused alone."""
    together: list[Delivery] = []
    size = 0
    for delivery in deliveries:
        weight = (
            len(delivery.body) + sum(len(name) + len(text) for name, text in delivery.attributes.items()) + ENTRY_BYTES
        )
        if together and (size + weight > CALL_BYTES_MAX or len(together) == BATCH_MAX):
            yield together
            together, size = [], 0
        together.append(delivery)
        size += weight
    if together:
        yield together


def message_parts(number: int, delivery: Delivery, *, fifo: bool) -> dict[str, Any]:
    """What entries for SQS and SNS have in common."""
    named = {"id": delivery.id, "type": delivery.subject, **delivery.attributes}
    attributes = {
        name: {"DataType": "String", "StringValue": text} for name, text in list(named.items())[:ATTRIBUTES_MAX] if text
    }
    parts: dict[str, Any] = {"Id": str(number), "MessageAttributes": attributes}
    if fifo:
        parts["MessageGroupId"] = short(delivery.ordering_key)
        parts["MessageDeduplicationId"] = short(delivery.id)
    return parts


def failed(answer: Mapping[str, Any]) -> dict[int, Failure]:
    """What was not taken of a batch, by its place."""
    return {
        int(entry["Id"]): Failure(entry["Code"], entry.get("Message", ""), entry.get("SenderFault", True))
        for entry in answer.get("Failed", ())
    }


def short(text: str) -> str:
    """A text as it may stand for a group or an id; two never become one."""
    return text if SHORT.fullmatch(text) else hashlib.sha256(text.encode()).hexdigest()
