"""The work on one request: what it knows so far, and the one way it reads, decides and commits."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from holdfast.base import clock
from holdfast.base.errors import InvalidInput, ResourceNotFound
from holdfast.base.ids import is_uuid, uuid7
from holdfast.commerce.facts import (
    ByField,
    ById,
    Caller,
    Facts,
    Lookup,
    Matching,
    MissingFacts,
    PasswordHash,
    lookup_of,
)
from holdfast.commerce.predicates.binding import bind
from holdfast.commerce.predicates.paging import Paging, sort_keys
from holdfast.commerce.predicates.parser import parse
from holdfast.commerce.registry import REGISTRY, Changed, Resource
from holdfast.commerce.values.reference import KeyReference, Reference, ResourceIdentifier
from holdfast.commerce.values.value import Stored, encode
from holdfast.handlers.decode import decode
from holdfast.handlers.passwords import hash_password
from holdfast.store.change import change_of
from holdfast.store.reader import Document
from holdfast.store.search import Search
from holdfast.store.store import Store

R = TypeVar("R", bound=Stored)
T = TypeVar("T")

# Times a decision may ask for more. The deepest chain in the rules is about a dozen long; an update
# of many actions may go through one for each.
ROUNDS_MAX = 256
# Ids of one request share this many low bits for counting.
_COUNTER_BITS = 20


class Work:
    """One request: its caller, its time, its ids, and the records it has gathered."""

    __slots__ = ("_asked", "_base_id", "_committed", "_known", "caller", "now", "store", "store_key")

    def __init__(self, store: Store, caller: Caller, store_key: str | None = None) -> None:
        self.store = store
        self.caller = caller
        self.store_key = store_key
        self.now = clock.now()
        self._base_id = int(uuid7().replace("-", ""), 16) >> _COUNTER_BITS << _COUNTER_BITS
        self._known: dict[Lookup, Any] = {}
        self._asked: list[ById | ByField] = []
        self._committed: tuple[Stored | None, bytes] = (None, b"")

    # --- reading ---------------------------------------------------------------------------

    async def document(self, kind: Resource[Any], resource_id: str) -> Document | None:
        """A resource as stored, None when there is none; remembered for decisions of this request."""
        document = await self.store.get(kind.name, self.caller.project, resource_id) if is_uuid(resource_id) else None
        self._learn(ById(kind.name, resource_id), document)
        return document

    async def document_by(self, kind: Resource[Any], field: str, value: str) -> Document | None:
        """The resource that owns a unique value, as stored."""
        document = await self.store.find(kind.name, self.caller.project, field, value)
        self._learn(ByField(kind.name, field, value), document)
        return document

    async def document_at(self, kind: Resource[Any], lookup: ById | ByField) -> Document | None:
        """The resource a look-up names, as stored."""
        if isinstance(lookup, ById):
            return await self.document(kind, lookup.id)
        return await self.document_by(kind, lookup.field, lookup.value)

    def _learn(self, lookup: ById | ByField, document: Document | None) -> None:
        resource = self._known[lookup] = document.resource if document else None
        if resource is not None and isinstance(lookup, ByField):
            self._known[ById(lookup.kind, resource.id)] = resource

    async def get(self, kind: Resource[R], target: str | Reference | KeyReference | ResourceIdentifier) -> R:
        """The resource a URL or identifier names. Raises ResourceNotFound (404)."""
        lookup = lookup_of(kind.name, target)
        document = await self.document_at(kind, lookup)
        if document is None:
            if isinstance(lookup, ById):
                raise ResourceNotFound.by_id(lookup.id)
            raise ResourceNotFound.by_key(lookup.value)
        found: R = document.resource
        return found

    async def find_by(self, kind: Resource[R], field: str, value: str) -> R | None:
        """The resource that owns a unique value, or None."""
        document = await self.document_by(kind, field, value)
        return document.resource if document else None

    # --- deciding --------------------------------------------------------------------------

    async def decide(
        self, decision: Callable[[Facts], T], *, like: str = "", hints: Sequence[ById | ByField] = ()
    ) -> T:
        """Run a pure decision, gathering the records it asks for, until it has them all.

        like: the resource this decision is about. What the last committed decision about it asked
        for is read ahead, all at once; as are `hints`. A wrong guess costs a read, nothing else.
        Raises InvalidInput for a request that keeps asking.
        """
        ahead = [*self.store.foresight.get(like), *hints]
        if ahead:
            await self._gather([lookup for lookup in ahead if lookup not in self._known])
        hinted = frozenset(hints)
        self._asked = [lookup for lookup in ahead if lookup not in hinted]
        for _ in range(ROUNDS_MAX):
            facts = Facts(
                caller=self.caller,
                now=self.now,
                base_id=self._base_id,
                known=self._known,
                store_key=self.store_key,
            )
            try:
                return decision(facts)
            except MissingFacts as missing:
                await self._gather(missing.lookups)
                self._asked += [lookup for lookup in missing.lookups if isinstance(lookup, ById | ByField)]
        raise InvalidInput("The request needs too many other resources, one after another; split it up.")

    async def _gather(self, lookups: Iterable[Lookup]) -> None:
        """Load records, those by id or unique value with one trip for all."""
        promised: list[tuple[ById | ByField, Future[Document | None]]] = []
        project = self.caller.project
        for lookup in lookups:
            if isinstance(lookup, ByField):
                promised.append((lookup, self.store.find(lookup.kind, project, lookup.field, lookup.value)))
            elif not isinstance(lookup, ById):
                await self._load(lookup)
            elif is_uuid(lookup.id):
                promised.append((lookup, self.store.get(lookup.kind, project, lookup.id)))
            else:
                self._known[lookup] = None
        for lookup, future in promised:
            self._learn(lookup, await future)

    async def _load(self, lookup: Matching | PasswordHash) -> None:
        if isinstance(lookup, PasswordHash):
            self._known[lookup] = await hash_password(lookup.password)
            return
        kind = REGISTRY[lookup.kind]
        predicate = (
            bind(parse(lookup.predicate), kind.query_shape, extra=kind.query_fields) if lookup.predicate else None
        )
        sort = sort_keys([lookup.sort], kind.query_shape) if lookup.sort else ()
        paging = Paging(limit=lookup.limit, with_total=False)
        found = await self.store.search(Search(kind.name, self.caller.project, predicate, sort, paging))
        self._known[lookup] = tuple(document.resource for document in found.documents)

    # --- committing ------------------------------------------------------------------------

    async def commit(self, kind: Resource[R], before: R | None, changed: Changed[R], *, delete: bool = False) -> R:
        """Commit a decision: resource, others, stock and messages together, or not at all.

        An update that changed nothing commits nothing. Raises what Committer.submit raises.
        """
        if changed.resource is not before or changed.others or changed.stock or delete:
            change = change_of(self.caller.project, kind, before, changed, delete=delete)
            await self.store.commit(change)
            self._known.clear()
            if not delete:
                self._committed = changed.resource, change.puts[0].body
            if self._asked:
                self.store.foresight.remember(changed.resource.id, self._asked)
        return changed.resource

    def body_of(self, resource: Stored) -> bytes:
        """A resource as JSON; what this request has committed was encoded for that already."""
        committed, body = self._committed
        return body if resource is committed else encode(resource)

    def decode(self, decoder: msgspec.json.Decoder[T], body: bytes) -> T:
        """A request body as a value. Raises InvalidJsonInput with the path of what is wrong."""
        return decode(decoder, body)
