"""Reading by id and by unique value: strongly consistent, from the primary, many at a time.

A process remembers what it decoded. That memory never answers by itself: each read tells the
database which version is known, and gets the body only when there is a newer one. So a read is
always current, and what did not change is neither sent nor decoded again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from typing import Any

from holdfast.commerce.registry import REGISTRY
from holdfast.commerce.stock import StockLevel
from holdfast.commerce.values.value import Stored
from holdfast.store.coalescer import Coalescer
from holdfast.store.constraints import claim_value
from holdfast.store.pool import Database, patiently
from holdfast.store.queries import columns, document_queries, queries

# The memory of decoded resources, by the bytes of their bodies.
MEMORY_BYTES_MAX = 48 * 1024 * 1024
_SQL = queries("constraints")

Place = tuple[str, str]  # project, id
Owned = tuple[str, str, str, str]  # project, kind, field, value


class Document:
    """A resource as read: its bytes, and the decoded value once somebody asked for it.

    `version` is 0 where it is known only to the body.
    """

    __slots__ = ("_resource", "body", "kind", "version")

    def __init__(self, kind: str, version: int, body: bytes, resource: Stored | None = None) -> None:
        self.kind = kind
        self.version = version
        self.body = body
        self._resource = resource

    @property
    def resource(self) -> Any:
        if self._resource is None:
            self._resource = REGISTRY[self.kind].decode(self.body)
        return self._resource


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
    """Reads resources of all types; concurrent reads of one type share a statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.memory = Memory()
        self._documents: dict[str, Coalescer[Place, Document | None]] = {}
        self._owners: Coalescer[Owned, str | None] = Coalescer(self._load_owners)
        self._stock: Coalescer[Place, StockLevel | None] = Coalescer(self._load_stock)

    async def get(self, kind: str, project: str, resource_id: str) -> Document | None:
        """The current version of a resource, None when there is none."""
        coalescer = self._documents.get(kind)
        if coalescer is None:
            coalescer = self._documents[kind] = Coalescer(partial(self._load_documents, kind))
        return await coalescer.ask((project, resource_id))

    async def find(self, kind: str, project: str, field: str, value: str) -> Document | None:
        """The resource that owns a unique value."""
        owner = await self._owners.ask((project, kind, field, claim_value(value)))
        return await self.get(kind, project, owner) if owner is not None else None

    async def stock(self, project: str, entry_id: str) -> StockLevel | None:
        """The live counters of an inventory entry."""
        return await self._stock.ask((project, entry_id))

    async def _load_documents(self, kind: str, places: Sequence[Place]) -> Sequence[Document | None]:
        known = [self.memory.get(kind, *place) for place in places]
        versions = [document.version if document else 0 for document in known]
        rows = await self._fetch(
            document_queries(kind)["read"],
            [project for project, _ in places],
            [row_id for _, row_id in places],
            versions,
        )
        found: list[Document | None] = [None] * len(places)
        for row in rows:
            index = row["n"] - 1
            document = known[index]
            if document is None or row["body"] is not None:
                document = Document(kind, row["version"], row["body"])
                project, row_id = places[index]
                self.memory.put(project, row_id, document)
            found[index] = document
        return found

    async def _load_owners(self, owned: Sequence[Owned]) -> Sequence[str | None]:
        found: list[str | None] = [None] * len(owned)
        for row in await self._fetch(_SQL["find_ids"], *columns(list(owned), 4)):
            found[row["n"] - 1] = str(row["id"])
        return found

    async def _load_stock(self, entries: Sequence[Place]) -> Sequence[StockLevel | None]:
        rows = await self._fetch(_SQL["read_stock"], *columns(list(entries), 2))
        levels = {(row["project"], str(row["entry_id"])): StockLevel(row["on_stock"], row["reserved"]) for row in rows}
        return [levels.get(entry) for entry in entries]

    async def _fetch(self, sql: str, *arguments: Any) -> list[Any]:
        return await patiently(partial(self._attempt, sql, arguments))

    async def _attempt(self, sql: str, arguments: tuple[Any, ...]) -> list[Any]:
        async with self._database.keyed() as connection:
            rows: list[Any] = await connection.fetch(sql, *arguments)
            return rows
