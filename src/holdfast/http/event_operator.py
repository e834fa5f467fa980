"""The operator's commands about events: `/-/subscriptions`, `/-/dead-letters…`, `/-/events…`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta, field

from holdfast.base import clock
from holdfast.base.errors import InvalidField, InvalidInput, ResourceNotFound
from holdfast.base.ids import is_uuid
from holdfast.commerce.resources.subscription.shape import STATUSES
from holdfast.commerce.values.value import Value, no
from holdfast.handlers.decode import decode
from holdfast.store import dead_letters
from holdfast.store.dead_letters import BATCH_MAX, Choice, DeadLetter
from holdfast.store.events import PAGE_MAX, Event, Span, events, replay_span, subscription_id
from holdfast.store.pool import Database
from holdfast.store.relay import Standing
from holdfast.store.standing import backlog, standings
from holdfast.store.store import Store

Uuid = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]


class ChoiceDraft(Value):
    """Which dead letters are meant; `all` says that every one is."""

    project: str | None = None
    subscription: str | None = None
    ids: Annotated[tuple[Uuid, ...], Meta(max_length=BATCH_MAX)] | None = None
    all: bool = field(default_factory=no)


class SpanDraft(Value):
    """Which messages a subscription shall get again. after: where an earlier call ended."""

    project: str
    subscription: str
    since: str
    until: str
    after: Annotated[int, Meta(ge=0)] = 0


_choices = msgspec.json.Decoder(ChoiceDraft)
_spans = msgspec.json.Decoder(SpanDraft)


class EventRoutes:
    """Answers with a status and a value to encode."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _database(self) -> Database:
        return self._store.database

    async def answer(self, method: str, parts: Sequence[str], query: str, body: bytes) -> tuple[int, Any] | None:
        """Answer a request below `/-/`; None for one that is somebody else's."""
        given = _parameters(query)
        match (method, list(parts)):
            case ("GET", ["subscriptions"]):
                return 200, await self._standings()
            case ("GET", ["dead-letters"]):
                return 200, await self._letters(given)
            case ("GET", ["dead-letters", letter_id]):
                return 200, await self._letter(letter_id)
            case ("POST", ["dead-letters", "replay"]):
                return 200, {"replayed": await dead_letters.replay(self._database, _choice(body))}
            case ("POST", ["dead-letters", "discard"]):
                return 200, {"discarded": await dead_letters.discard(self._database, _choice(body))}
            case ("GET", ["events"]):
                return 200, await self._events(given)
            case ("POST", ["events", "replay"]):
                return 200, await self._replay(body)
        return None

    async def _standings(self) -> dict[str, Any]:
        waiting = await backlog(self._database)
        return {
            "undealt": waiting.undealt,
            "oldestUndealtSeconds": waiting.oldest_seconds,
            "results": [standing_facts(each) for each in await standings(self._database)],
        }

    async def _letters(self, given: Mapping[str, str]) -> dict[str, Any]:
        after = await self._found(given["after"]) if "after" in given else None
        chosen = Choice(given.get("project"), given.get("subscription"))
        found = await dead_letters.letters(self._database, chosen, after)
        return {"results": [letter_facts(each) for each in found]}

    async def _letter(self, letter_id: str) -> dict[str, Any]:
        return letter_facts(await self._found(letter_id))

    async def _found(self, letter_id: str) -> DeadLetter:
        found = await dead_letters.letter(self._database, letter_id) if is_uuid(letter_id) else None
        if found is None:
            raise ResourceNotFound.by_id(letter_id)
        return found

    async def _events(self, given: Mapping[str, str]) -> dict[str, Any]:
        types = given["type"].split(",") if "type" in given else None
        after, limit = _number(given, "after"), _number(given, "limit")
        found = await events(self._database, given.get("project"), types, after, limit or PAGE_MAX)
        return {"results": [event_facts(each) for each in found]}

    async def _replay(self, body: bytes) -> dict[str, Any]:
        asked = decode(_spans, body)
        span = Span(asked.project, _moment("since", asked.since), _moment("until", asked.until))
        found = await subscription_id(self._database, asked.project, asked.subscription)
        if found is None:
            raise ResourceNotFound.by_key(asked.subscription)
        replayed = await replay_span(self._database, found, span, asked.after)
        return {"replayed": replayed.owed, "goOnAfter": replayed.go_on_after}


def _parameters(query: str) -> dict[str, str]:
    given = {name: values[0] for name, values in parse_qs(query).items()}
    for name, text in given.items():
        if "\0" in text:
            raise InvalidInput(f"Malformed parameter: {name[:100]}: a character that no text has.")
    return given


def _choice(body: bytes) -> Choice:
    draft = decode(_choices, body)
    if not (draft.all or draft.project or draft.subscription or draft.ids):
        raise InvalidInput("Say which dead letters: 'ids', 'subscription', 'project', or 'all': true.")
    return Choice(draft.project, draft.subscription, draft.ids)


def _moment(field: str, text: str) -> datetime:
    try:
        return clock.parse(clock.timestamp(clock.parse(text)))
    except (ValueError, OverflowError):
        raise InvalidField(field, text) from None


def _number(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise InvalidInput(f"Malformed parameter: {name}: a whole number is required.")
    return int(text)


def letter_facts(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter as JSON."""
    facts = {
        "id": letter.id,
        "projectKey": letter.project,
        "subscription": {"id": letter.subscription_id, "key": letter.subscription_key},
        "resource": {"typeId": letter.kind, "id": letter.resource_id},
        "messageId": letter.message_id,
        "type": letter.type,
        "sequenceNumber": letter.sequence_number,
        "createdAt": clock.timestamp(letter.created_at),
        "reason": letter.reason,
        "attempts": letter.attempts,
        "firstFailedAt": clock.timestamp(letter.first_failed_at),
        "givenUpAt": clock.timestamp(letter.buried_at),
    }
    return facts | {"message": msgspec.Raw(letter.body)} if letter.body is not None else facts


def event_facts(event: Event) -> dict[str, Any]:
    """A message as JSON."""
    return {
        "position": event.position,
        "projectKey": event.project,
        "id": event.id,
        "resource": {"typeId": event.kind, "id": event.resource_id},
        "sequenceNumber": event.sequence_number,
        "resourceVersion": event.resource_version,
        "type": event.type,
        "createdAt": clock.timestamp(event.created_at),
        "message": msgspec.Raw(event.body),
    }


def standing_facts(standing: Standing) -> dict[str, Any]:
    """How a subscription fares, as JSON."""
    return {
        "projectKey": standing.project,
        "id": standing.id,
        "key": standing.key,
        "destination": standing.destination,
        "status": STATUSES[standing.status],
        "owed": standing.owed,
        "lagSeconds": standing.lag_seconds,
        "held": standing.held,
        "deadLetters": standing.dead,
        "delivered": standing.delivered,
        "failed": standing.failed,
        "givenUp": standing.buried,
        "lastAcceptedAt": clock.timestamp(standing.last_accepted_at) if standing.last_accepted_at else None,
        "lastFailedAt": clock.timestamp(standing.last_failed_at) if standing.last_failed_at else None,
        "lastReason": standing.last_reason,
    }
