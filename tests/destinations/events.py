"""Deliveries as the relay hands them out, and a relay in miniature."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from holdfast.delivery.destinations.port import Accepted, Delivery, Destination, Outcome, Retry

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05


def a_delivery(number: int, key: str = "order/1", **changes: Any) -> Delivery:
    body = f'{{"notificationType":"Message","sequenceNumber":{number}}}'.encode()
    delivery = Delivery(
        id=f"{key}:{number}",
        ordering_key=key,
        subject="OrderCreated",
        body=body,
        content_type="application/json",
        attributes={"projectKey": "sunrise", "resourceTypeId": "order"},
    )
    return delivery._replace(**changes)


async def until_accepted(destination: Destination, deliveries: Sequence[Delivery]) -> int:
    """Send until all are accepted, as the relay would; how often that took another attempt."""
    retried, deadline = 0, time.monotonic() + PATIENCE_SECONDS
    while deliveries:
        outcomes = await destination.send(deliveries)
        assert all(isinstance(outcome, Accepted | Retry) for outcome in outcomes), outcomes
        deliveries = [each for each, outcome in zip(deliveries, outcomes, strict=True) if isinstance(outcome, Retry)]
        if deliveries:
            assert time.monotonic() < deadline, outcomes
            retried += len(deliveries)
            await asyncio.sleep(PAUSE_SECONDS)
    return retried


async def outcome_of(destination: Destination, delivery: Delivery) -> Outcome:
    [outcome] = await destination.send([delivery])
    return outcome
