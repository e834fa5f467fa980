"""Reading by id and by unique value: strongly consistent, from the primary, many at a time.

A process remembers what it decoded. That memory never answers by itself: each read tells the
database which version is known, and gets the body only when there is a newer one. So a read is
always current, and what did not change is neither sent nor decoded again.
"""

from __future__ import annotations

from asyncio import Future
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from holdfast.commerce.registry import REGISTRY
from holdfast.commerce.values.value import Stored, encode
from holdfast.store.bodies import unpacked
from holdfast.store.coalescer import Coalescer
from holdfast.store.constraints import claim_value
from holdfast.store.pool import Database
from holdfast.store.queries import COUNTED, columns, queries, read_query

# The memory of decoded resources, by the bytes of their bodies.
MEMORY_BYTES_MAX = 32 * 1024 * 1024
OWNERS_MAX = 50_000

Place = tuple[str, str]  # project, SKU


class Named(NamedTuple):
    """A resource that is wanted by id."""

    kind: str
    project: str
    id: str


class Owned(NamedTuple):
    """A unique value whose owner is wanted."""

    kind: str
    project: str
    field: str
    value: str


class Document:
    """A resource as read: its bytes and its value, each made from the other when first asked for.

    `version` is 0 where it is known only to the body.
    """

    __slots__ = ("_body", "_resource", "kind", "version")

    def __init__(self, kind: str, version: int, body: bytes | None = None, resource: Stored | None = None) -> None:
        self.kind = kind
        self.version = version
        self._body = body
        self._resource = resource

    @property
    def resource(self) -> Any:
        if self._resource is None:
            self._resource = REGISTRY[self.kind].decode(self.body)
        return self._resource

    @property
    def body(self) -> bytes:
        if self._body is None:
            self._body = encode(self._resource)
        return self._body


class Memory:
    """Recently read documents, least recently used first to go."""

    def __init__(self) -> None:
        self._documents: OrderedDict[tuple[str, str, str], Document] = OrderedDict()
        self._bytes = 0

    def get(self, kind: str, project: str, resource_id: str) -> Document | None:
        key = (kind, project, resource_id)
        document = self._documents.get(key)
        if document is not None:
            self._documents.move_to_end(key)
        return document

    def put(self, project: str, resource_id: str, document: Document) -> None:
        key = (document.kind, project, resource_id)
        known = self._documents.pop(key, None)
        if known is not None:
            self._bytes -= len(known.body)
            if known.version > document.version:
                document = known
        self._documents[key] = document
        self._bytes += len(document.body)
        while self._bytes > MEMORY_BYTES_MAX:
            _, oldest = self._documents.popitem(last=False)
            self._bytes -= len(oldest.body)


class Reader:
    """Reads resources; concurrent reads share a statement, whatever their types."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.memory = Memory()
        self._documents: Coalescer[Named | Owned, Document | None] = Coalescer(self._load)
        self._by_sku: Coalescer[Place, list[Document]] = Coalescer(self._load_by_sku)
        # Who owned a unique value when last asked: a guess that lets the database keep the body.
        self._owners: OrderedDict[Owned, str] = OrderedDict()

    def get(self, kind: str, project: str, resource_id: str) -> Future[Document | None]:
        """The current version of a resource, None when there is none."""
        return self._documents.ask(Named(kind, project, resource_id))

    def find(self, kind: str, project: str, field: str, value: str) -> Future[Document | None]:
        """The resource that owns a unique value."""
        return self._documents.ask(Owned(kind, project, field, claim_value(value)))

    def entries(self, project: str, sku: str) -> Future[list[Document]]:
        """The inventory entries of a SKU, of all its channels, with their counters."""
        return self._by_sku.ask((project, sku))

    async def live(self, project: str, documents: Sequence[Document]) -> list[Document]:
        """Inventory entries with their counters of this moment."""
        places = [(project, document.resource.id) for document in documents]
        rows = await self._database.fetch_keyed(queries("constraints")["read_stock"], *columns(places, 2))
        levels = {str(row["entry_id"]): row for row in rows}
        return [_with_level(document, levels.get(document.resource.id)) for document in documents]

    async def _load(self, wanted: Sequence[Named | Owned]) -> Sequence[Document | None]:
        """Everything that is wanted now, by id or by value and of whatever type, with one statement."""
        groups: dict[tuple[bool, str], list[int]] = {}
        for index, one in enumerate(wanted):
            groups.setdefault((isinstance(one, Owned), one.kind), []).append(index)
        order = sorted(groups)
        known = [self._guess(one) for one in wanted]
        arrays: list[list[Any]] = []
        for group in order:
            arrays += columns([self._asked(wanted[index], known[index]) for index in groups[group]], 0)
        sql = read_query(*(tuple(kind for by_value, kind in order if by_value == which) for which in (False, True)))
        found: list[Document | None] = [None] * len(wanted)
        for row in await self._database.fetch_keyed(sql, *arrays):
            index = groups[order[row["part"]]][row["n"] - 1]
            found[index] = self._found(wanted[index], row, known[index])
        while len(self._owners) > OWNERS_MAX:
            self._owners.popitem(last=False)
        return found

    def _guess(self, one: Named | Owned) -> Document | None:
        """What we know already, if it is still so."""
        resource_id = one.id if isinstance(one, Named) else self._owners.get(one)
        return self.memory.get(one.kind, one.project, resource_id) if resource_id else None

    def _asked(self, one: Named | Owned, known: Document | None) -> tuple[Any, ...]:
        """What the statement is told: what is wanted, and what we know of it."""
        version = known.version if known else 0
        if isinstance(one, Named):
            return one.project, one.id, version
        return one.project, one.kind, one.field, one.value, self._owners[one] if known else None, version

    def _found(self, one: Named | Owned, row: Any, known: Document | None) -> Document:
        if isinstance(one, Named):
            return self._read(one.kind, one.project, one.id, row, known)
        owner = self._owners[one] = str(row["id"])
        return self._read(one.kind, one.project, owner, row, known)

    async def _load_by_sku(self, places: Sequence[Place]) -> Sequence[list[Document]]:
        found: list[list[Document]] = [[] for _ in places]
        for row in await self._database.fetch_keyed(queries("constraints")["find_entries"], *columns(list(places), 2)):
            project, entry_id = places[row["n"] - 1][0], str(row["id"])
            known = self.memory.get(COUNTED, project, entry_id)
            if known is None or known.version != row["version"]:
                known = Document(COUNTED, row["version"], unpacked(row["body"]))
                self.memory.put(project, entry_id, known)
            found[row["n"] - 1].append(_with_level(known, row))
        return found

    def _read(self, kind: str, project: str, resource_id: str, row: Any, known: Document | None) -> Document:
        document = known
        if document is None or row["body"] is not None:
            document = Document(kind, row["version"], unpacked(row["body"]))
            self.memory.put(project, resource_id, document)
        return _with_level(document, row) if kind == COUNTED else document


def _with_level(document: Document, level: Any) -> Document:
    """An inventory entry with its counters, which move without its version."""
    if level is None or level["on_stock"] is None:
        return document
    on_stock, reserved = level["on_stock"], level["reserved"]
    entry = replace(document.resource, quantity_on_stock=on_stock, available_quantity=on_stock - reserved)
    return Document(document.kind, document.version, None, entry)
