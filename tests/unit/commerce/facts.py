"""Facts for pure tests: a handful of known records, a fixed time, predictable ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from holdfast.commerce.facts import ByField, ById, Caller, Facts, Lookup, Matching, PasswordHash, Used
from holdfast.commerce.registry import Changed, Resource
from holdfast.commerce.values.value import Stored

NOW = "2026-01-31T10:00:00.000Z"
PROJECT = "shop"

R = TypeVar("R", bound=Stored)


class Known(dict[Lookup, Any]):
    """Records by id and by unique field; what is not there is known not to exist.

    Queries are known only when they ask for a whole collection or were told beforehand; tallies that
    were not told are at 0.
    """

    def __init__(
        self, answers: Mapping[tuple[str, str], Sequence[Stored]], used: Mapping[str, int] | None = None
    ) -> None:
        super().__init__()
        self._answers = answers
        self._used = used or {}

    def __missing__(self, lookup: Lookup) -> Any:
        if isinstance(lookup, PasswordHash):
            return f"hash of {lookup.password}"
        if isinstance(lookup, Used):
            return self._used.get(lookup.name, 0)
        if not isinstance(lookup, Matching):
            return None
        if (lookup.kind, lookup.predicate) in self._answers:
            return tuple(self._answers[lookup.kind, lookup.predicate])[: lookup.limit]
        if not lookup.predicate:
            return tuple(value for key, value in self.items() if isinstance(key, ById) and key.kind == lookup.kind)
        raise KeyError(lookup)


class Gathered(Facts):
    """Facts of which nothing is left to be gathered."""

    def gather(self, lookups: Iterable[Lookup]) -> None:
        """Everything is known, be it as missing."""


def facts_with(
    *records: tuple[Resource[Any], Stored],
    matching: Mapping[tuple[str, str], Sequence[Stored]] | None = None,
    store_key: str | None = None,
    customer_id: str | None = None,
    anonymous_id: str | None = None,
    scopes: Sequence[str] = ("manage_project",),
    now: str = NOW,
    used: Mapping[str, int] | None = None,
) -> Facts:
    """Facts that know `records`, for each (kind, predicate) in `matching` its answer, and what tallies have counted."""
    known = Known(matching or {}, used)
    for kind, record in records:
        known[ById(kind.name, record.id)] = record
        for field, value in kind.unique_values(record):
            known[ByField(kind.name, field, value)] = record
    caller = a_caller(customer_id, anonymous_id, scopes)
    return Gathered(caller=caller, now=now, base_id=0, known=known, store_key=store_key)


def a_caller(
    customer_id: str | None = None, anonymous_id: str | None = None, scopes: Sequence[str] = ("manage_project",)
) -> Caller:
    return Caller(
        project=PROJECT,
        client_id="test-client",
        scopes=frozenset(scopes),
        customer_id=customer_id,
        anonymous_id=anonymous_id,
    )


def create(kind: Resource[R], draft: dict[str, Any], facts: Facts | None = None, *, my: bool = False) -> Changed[R]:
    """What a draft sent as JSON becomes."""
    decoder = kind.my_drafts if my else kind.drafts
    return kind.created(decoder.decode(msgspec.json.encode(draft)), facts or facts_with())


def update(
    kind: Resource[R], before: R, *actions: dict[str, Any], facts: Facts | None = None, my: bool = False
) -> Changed[R]:
    """What update actions sent as JSON make of a resource."""
    request = kind.update_decoder(my=my).decode(msgspec.json.encode({"version": before.version, "actions": actions}))
    return kind.updated(before, request.actions, facts or facts_with())
