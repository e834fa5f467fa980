"""The work on one request: what it knows so far, and the one way it reads, decides and commits."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from holdfast.base import clock, tracing
from holdfast.base.errors import InvalidInput, ResourceNotFound
from holdfast.base.ids import is_uuid, uuid7
from holdfast.base.receipts import Signer
from holdfast.commerce.facts import (
    ByField,
    ById,
    Caller,
    Facts,
    Lookup,
    Matching,
    MissingFacts,
    PasswordHash,
    Used,
    lookup_of,
)
from holdfast.commerce.predicates.binding import bind
from holdfast.commerce.predicates.paging import Paging, sort_keys
from holdfast.commerce.predicates.parser import parse
from holdfast.commerce.registry import REGISTRY, Changed, Resource
from holdfast.commerce.values.reference import KeyReference, Reference, ResourceIdentifier
from holdfast.commerce.values.value import Stored, encode
from holdfast.handlers.decode import decode
from holdfast.handlers.endpoints import Answer
from holdfast.handlers.passwords import hash_password
from holdfast.store.bodies import packed
from holdfast.store.change import Change, Reply, change_of
from holdfast.store.idempotency import RequestKey
from holdfast.store.reader import Document
from holdfast.store.search import Search
from holdfast.store.store import Store

if TYPE_CHECKING:
    from holdfast.handlers.extensions import Extensions

R = TypeVar("R", bound=Stored)
T = TypeVar("T")

# Times a decision may ask for more. The deepest chain in the rules is about a dozen long; an update
# of many actions may go through one for each.
ROUNDS_MAX = 256
# Ids of one request share this many low bits for counting.
_COUNTER_BITS = 20


class Work:
    """One request: its caller, its time, its ids, and the records it has gathered.

    key: the idempotency key it came with. signer: what its receipts are signed with. extensions: who is
    asked before a change is made; None for changes of our own.
    """

    __slots__ = (
        "_asked",
        "_base_id",
        "_committed",
        "_known",
        "_pending",
        "caller",
        "extensions",
        "key",
        "now",
        "signer",
        "store",
        "store_key",
    )

    def __init__(
        self,
        store: Store,
        caller: Caller,
        store_key: str | None = None,
        *,
        key: RequestKey | None = None,
        signer: Signer | None = None,
        extensions: Extensions | None = None,
    ) -> None:
        self.store = store
        self.caller = caller
        self.store_key = store_key
        self.key = key
        self.signer = signer
        self.extensions = extensions
        self.now = clock.now()
        self._base_id = int(uuid7().replace("-", ""), 16) >> _COUNTER_BITS << _COUNTER_BITS
        self._known: dict[Lookup, Any] = {}
        self._asked: list[ById | ByField] = []
        self._committed: tuple[Stored | None, bytes] = (None, b"")
        self._pending: Mapping[ById, bytes] = {}

    def afresh(self) -> Work:
        """The same request begun again, knowing nothing yet."""
        return Work(
            self.store,
            self.caller,
            self.store_key,
            key=self.key,
            signer=self.signer,
            extensions=self.extensions,
        )

    # --- reading ---------------------------------------------------------------------------

    async def document(self, kind: Resource[Any], resource_id: str, *, ahead: bool = False) -> Document | None:
        """A resource as stored, None when there is none; remembered for decisions of this request.

        ahead: read in the same trip what the last decision about it asked for.
        """
        if not is_uuid(resource_id):
            self._known[ById(kind.name, resource_id)] = None
            return None
        future = self.store.get(kind.name, self.caller.project, resource_id)
        if ahead:
            await self._gather(self.store.foresight.get(resource_id))
        document = await future
        self._learn(ById(kind.name, resource_id), document)
        return document

    async def document_by(self, kind: Resource[Any], field: str, value: str) -> Document | None:
        """The resource that owns a unique value, as stored."""
        document = await self.store.find(kind.name, self.caller.project, field, value)
        self._learn(ByField(kind.name, field, value), document)
        return document

    async def document_at(self, kind: Resource[Any], lookup: ById | ByField, *, ahead: bool = False) -> Document | None:
        """The resource a look-up names, as stored."""
        if isinstance(lookup, ById):
            return await self.document(kind, lookup.id, ahead=ahead)
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
                with tracing.span("decide"):
                    return decision(facts)
            except MissingFacts as missing:
                await self._gather(missing.lookups)
                self._asked += [lookup for lookup in missing.lookups if isinstance(lookup, ById | ByField)]
        raise InvalidInput("The request needs too many other resources, one after another; split it up.")

    async def _gather(self, lookups: Iterable[Lookup]) -> None:
        with tracing.span("gather"):
            await self._read(lookups)

    async def _read(self, lookups: Iterable[Lookup]) -> None:
        """Load records, those by id or unique value with one trip for all."""
        promised: list[tuple[ById | ByField, Future[Document | None]]] = []
        counts: list[tuple[Used, Future[int]]] = []
        project = self.caller.project
        for lookup in lookups:
            if isinstance(lookup, ByField):
                promised.append((lookup, self.store.find(lookup.kind, project, lookup.field, lookup.value)))
            elif isinstance(lookup, Used):
                counts.append((lookup, self.store.used(project, lookup.name)))
            elif not isinstance(lookup, ById):
                await self._load(lookup)
            elif is_uuid(lookup.id):
                promised.append((lookup, self.store.get(lookup.kind, project, lookup.id)))
            else:
                self._known[lookup] = None
        for lookup, future in promised:
            self._learn(lookup, await future)
        for counted, count in counts:
            self._known[counted] = await count

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
        if _changes(before, changed, delete=delete):
            await self._submit(change_of(self.caller.project, kind, before, changed, delete=delete), changed.resource)
        return changed.resource

    async def answer(
        self,
        kind: Resource[R],
        before: R | None,
        changed: Changed[R],
        show: Callable[[R], Awaitable[bytes]],
        *,
        delete: bool = False,
        created: bool = False,
    ) -> Answer:
        """Commit a decision and answer with it, the way `show` renders it.

        Under an idempotency key the answer is rendered first, from what is about to be, and commits
        together with the change: whoever asks again gets these very bytes.
        """
        if self.key is None or not _changes(before, changed, delete=delete):
            return Answer(await show(await self.commit(kind, before, changed, delete=delete)), created)
        change = change_of(self.caller.project, kind, before, changed, delete=delete)
        self._pending = {ById(put.kind, put.id): put.body for put in change.puts}
        body = await show(changed.resource)
        self._pending = {}  # whoever is refused may show somebody else's change, not what his own would have been
        stored = b"" if not delete and body == change.puts[0].body else packed(body)
        reply = Reply(self.key.place.owner, self.key.place.key, self.key.fingerprint, 201 if created else 200, stored)
        await self._submit(change._replace(reply=reply), changed.resource)
        return Answer(body, created, kept=True)

    async def _submit(self, change: Change, resource: Stored) -> None:
        await self.store.commit(change)
        self._known.clear()
        if change.puts and change.puts[0].resource is resource:
            self._committed = resource, change.puts[0].body
        if self._asked:
            self.store.foresight.remember(resource.id, self._asked)

    def body_of(self, resource: Stored) -> bytes:
        """A resource as JSON; what this request has committed was encoded for that already."""
        committed, body = self._committed
        return body if resource is committed else encode(resource)

    async def body_at(self, kind: Resource[Any], resource_id: str) -> bytes | None:
        """A resource as JSON, as it will be once this request has committed; None when there is none."""
        pending = self._pending.get(ById(kind.name, resource_id))
        if pending is not None:
            return pending
        document = await self.document(kind, resource_id)
        return document.body if document else None

    def decode(self, decoder: msgspec.json.Decoder[T], body: bytes) -> T:
        """A request body as a value. Raises InvalidJsonInput with the path of what is wrong."""
        return decode(decoder, body, absent_nulls=True)


def _changes(before: Stored | None, changed: Changed[Any], *, delete: bool) -> bool:
    return delete or changed.resource is not before or bool(changed.others or changed.stock or changed.tallies)
