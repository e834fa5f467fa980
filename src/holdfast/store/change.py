"""A change: everything one request wants committed, together or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from holdfast.base import clock
from holdfast.base.ids import uuid7
from holdfast.commerce.values.value import encode
from holdfast.store.bodies import packed
from holdfast.store.constraints import Pointer, claims_of, pointers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.commerce.messages.message import Message
    from holdfast.commerce.registry import Changed, Resource
    from holdfast.commerce.stock import StockMovement
    from holdfast.commerce.tally import Tally
    from holdfast.commerce.values.value import Stored

Claim = tuple[str, str]


class Note(NamedTuple):
    """A message on its way into the outbox, its body as stored; the committer gives its sequence number."""

    id: str
    type: str
    stored: bytes


class Put(NamedTuple):
    """A new version of a resource. `expected` is the version it replaces, 0 for a new resource.

    `stored` is the body as it goes into the table: made here, not while the transaction holds its locks.
    """

    kind: str
    id: str
    expected: int
    resource: Stored
    body: bytes
    stored: bytes
    query: bytes
    claims: Sequence[Claim]
    disclaims: Sequence[Claim]
    points: Sequence[Pointer]
    unpoints: Sequence[Pointer]
    notes: Sequence[Note]


class Drop(NamedTuple):
    """The end of a resource whose last version is `expected`."""

    kind: str
    id: str
    expected: int
    at: str
    disclaims: Sequence[Claim]
    unpoints: Sequence[Pointer]
    notes: Sequence[Note]


class Reply(NamedTuple):
    """What a request under an idempotency key is answered: a status, and the body of the change's first resource.

    stored: the body, where it is another one.
    """

    client_id: str
    key: str
    fingerprint: bytes
    status: int
    stored: bytes = b""


class Subject(NamedTuple):
    """The resource a change is about: the one it stands for in the ledger and under its key."""

    kind: str
    id: str
    version: int
    at: str


class Change(NamedTuple):
    """All writes of one request in one project."""

    project: str
    puts: Sequence[Put]
    drops: Sequence[Drop]
    stock: Sequence[StockMovement]
    tallies: Sequence[Tally] = ()
    reply: Reply | None = None

    @property
    def items(self) -> tuple[Put | Drop, ...]:
        """All the resources it writes."""
        return (*self.puts, *self.drops)

    @property
    def subject(self) -> Subject:
        """The first resource it puts, else the first it drops."""
        if self.puts:
            put = self.puts[0]
            return Subject(put.kind, put.id, put.resource.version, put.resource.last_modified_at)
        drop = self.drops[0]
        return Subject(drop.kind, drop.id, drop.expected, drop.at)


def change_of(
    project: str,
    kind: Resource[Any],
    before: Stored | None,
    changed: Changed[Any],
    *,
    delete: bool = False,
    reply: Reply | None = None,
) -> Change:
    """The change a decision asks for; with `delete` the resource goes and takes its claims along."""
    puts, drops = [], []
    if delete:
        assert before is not None
        drops.append(_drop(kind, before, changed.messages))
        if reply is not None and not reply.stored:
            reply = reply._replace(stored=packed(encode(changed.resource)))
    else:
        puts.append(_put(kind, before, changed.resource, changed.messages))
    for other in changed.others:
        if other.after is None:
            assert other.before is not None
            drops.append(_drop(other.kind, other.before, ()))
        else:
            puts.append(_put(other.kind, other.before, other.after, ()))
    return Change(project, puts, drops, changed.stock, changed.tallies, reply)


def _put(kind: Resource[Any], before: Stored | None, after: Stored, messages: Sequence[Message]) -> Put:
    body = encode(after)
    owned = set(claims_of(kind, before)) if before else set()
    wanted = claims_of(kind, after)
    held = pointers_of(kind, encode(before)) if before and kind.holds else frozenset()
    points = pointers_of(kind, body) if kind.holds else frozenset()
    return Put(
        kind.name,
        after.id,
        before.version if before else 0,
        after,
        body,
        packed(body),
        encode(kind.searchable(after)) if kind.searchable else body,
        tuple(claim for claim in wanted if claim not in owned),
        tuple(owned.difference(wanted)),
        tuple(points - held),
        tuple(held - points),
        _notes(messages, after, body),
    )


def _drop(kind: Resource[Any], before: Stored, messages: Sequence[Message]) -> Drop:
    points = pointers_of(kind, encode(before)) if kind.holds else frozenset()
    claims = claims_of(kind, before)
    return Drop(kind.name, before.id, before.version, clock.now(), claims, tuple(points), _notes(messages))


def _notes(messages: Sequence[Message], after: Stored | None = None, body: bytes = b"") -> tuple[Note, ...]:
    said = [message if after is None else _quoting(message, after, body) for message in messages]
    return tuple(Note(uuid7(), type(message).__name__, packed(encode(message))) for message in said)


def _quoting(message: Message, resource: Stored, body: bytes) -> Message:
    """The message with the body the resource was encoded to already, where it carries the whole resource."""
    whole = {name: msgspec.Raw(body) for name in message.__struct_fields__ if getattr(message, name) is resource}
    return msgspec.structs.replace(message, **whole) if whole else message
