"""Receivers of the tests' own, in process, and what it takes to have something to send."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from holdfast.base import clock
from holdfast.base.ids import uuid7
from holdfast.commerce.registry import Changed, Other
from holdfast.commerce.resources.subscription.destinations import WebhookDestination
from holdfast.commerce.resources.subscription.shape import (
    ChangeSubscription,
    MessageSubscription,
    Subscription,
    SubscriptionSecret,
    secrets,
    subscriptions,
)
from holdfast.delivery.destinations.port import ACCEPTED, Delivery, Outcome
from holdfast.store.change import change_of
from holdfast.store.store import Store

PATIENCE_SECONDS = 60.0


class Sink:
    """Takes what it is sent and does with it what `behave` says: an outcome, None for accepted, or waiting."""

    def __init__(self, behave: Callable[[Delivery], Any] | None = None, *, batch: int = 100, parallel: int = 4) -> None:
        self.batch_max = batch
        self.parallel_max = parallel
        self.taken: list[Delivery] = []
        self.attempts = 0
        self.behave = behave

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        assert len({delivery.ordering_key for delivery in deliveries}) == len(deliveries)
        return [await self._take(delivery) for delivery in deliveries]

    async def _take(self, delivery: Delivery) -> Outcome:
        self.attempts += 1
        outcome = self.behave(delivery) if self.behave else None
        if asyncio.iscoroutine(outcome):
            outcome = await outcome
        if outcome is None:
            self.taken.append(delivery)
            return ACCEPTED
        assert outcome is not None
        answer: Outcome = outcome
        return answer

    async def close(self) -> None:
        await asyncio.sleep(0)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was taken, the trial of the subscription left out."""
        bodies = [json.loads(delivery.body) for delivery in self.taken]
        return [body for body in bodies if body["resource"]["typeId"] != "subscription"]

    def by_resource(self) -> dict[str, list[int]]:
        """The sequence numbers each resource arrived with, in order."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for message in self.messages:
            found[message["resource"]["id"]].append(message["sequenceNumber"])
        return dict(found)

    async def has(self, count: int) -> None:
        """Wait until so many messages have arrived."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.messages) < count:  # noqa: ASYNC110 - what is waited for is a fact, not an event of ours
                await asyncio.sleep(0.01)


async def subscribe(store: Store, project: str, kind: str = "category", *, changes: bool = False, **given: Any) -> str:
    """A subscription to a kind's messages, or changes; its key is the name sinks are found by."""
    moment = clock.now()
    place: dict[str, Any] = {"id": uuid7(), "created_at": moment, "last_modified_at": moment}
    named = WebhookDestination(url=f"http://{given.get('key', 'sink')}.example/")
    destination: Any = given.pop("destination", named)
    wanted: Any = kind
    told = ChangeSubscription(resource_type_id=wanted) if changes else MessageSubscription(resource_type_id=wanted)
    asked: dict[str, Any] = {"changes" if changes else "messages": (told,)} | given
    subscription = Subscription(destination=destination, **place, **asked)
    other = Other(secrets, None, SubscriptionSecret(destination=destination, **place))
    await store.commit(change_of(project, subscriptions, None, Changed(subscription, others=(other,))))
    return str(place["id"])


async def tell(store: Store, project: str, resources: int, each: int = 1, first: int = 1) -> list[str]:
    """Messages in the outbox: so many resources, so many of each, one after the other."""
    ids = [uuid7() for _ in range(resources)]
    await tell_of(store, project, ids, each, first)
    return ids


async def tell_of(store: Store, project: str, ids: Sequence[str], each: int, first: int = 1) -> None:
    await store.database.execute(
        "INSERT INTO outbox (project, kind, resource_id, sequence_number, id, resource_version, type, created_at, body)"
        " SELECT $1, 'category', r, n, gen_random_uuid(), n, 'CategoryCreated', now(),"
        """ convert_to('{"type":"CategoryCreated","n":' || n || '}', 'UTF8')"""
        " FROM generate_series($3::bigint, $3::bigint + $4::bigint - 1) n, unnest($2::uuid[]) r ORDER BY n",
        project,
        list(ids),
        first,
        each,
    )


async def until(true: Callable[[], Any]) -> None:
    """Wait until an awaited question is answered with yes."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await true():  # noqa: ASYNC110 - facts in a database set no event
            await asyncio.sleep(0.02)
