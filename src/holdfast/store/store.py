"""The store as the handlers see it: read, search, commit."""

from __future__ import annotations

from asyncio import Future
from pathlib import Path
from typing import NamedTuple

from holdfast.base.errors import ConcurrentModification
from holdfast.store.change import Change
from holdfast.store.committer import Committer
from holdfast.store.epochs import Epochs
from holdfast.store.foresight import Foresight
from holdfast.store.idempotency import Idempotency
from holdfast.store.pool import Database
from holdfast.store.queries import COUNTED
from holdfast.store.reader import Document, Reader
from holdfast.store.search import Found, Search, exists, search
from holdfast.store.tallies import Tallies


class Standing(NamedTuple):
    """How busy a store is: connections for statements by key, and changes that wait for a batch."""

    in_use: int
    spare: int
    waiting: int


class Store:
    """One process's view of the database; `open` before use, `close` after the last request."""

    def __init__(self, dsn: str, *, epochs: Path | None = None) -> None:
        self.database = Database(dsn)
        self.epochs = Epochs(epochs)
        self.foresight = Foresight()
        self.idempotency = Idempotency(self.database)
        self._reader = Reader(self.database)
        self._tallies = Tallies(self.database)
        self._committer = Committer(self.database, self._committed)

    @property
    def standing(self) -> Standing:
        return Standing(self.database.keyed_in_use, self.database.keyed_spare, self._committer.waiting)

    async def open(self) -> None:
        await self.database.open()

    async def close(self) -> None:
        await self._committer.close()
        await self.database.close()

    def get(self, kind: str, project: str, resource_id: str) -> Future[Document | None]:
        """The current version of a resource."""
        return self._reader.get(kind, project, resource_id)

    def find(self, kind: str, project: str, field: str, value: str) -> Future[Document | None]:
        """The resource that owns a unique value."""
        return self._reader.find(kind, project, field, value)

    def entries(self, project: str, sku: str) -> Future[list[Document]]:
        """The inventory entries of a SKU, of all its channels."""
        return self._reader.entries(project, sku)

    async def search(self, wanted: Search) -> Found:
        """The resources a query asks for, and how many there are in all."""
        found = await search(self.database, wanted)
        if wanted.kind != COUNTED or not found.documents:
            return found
        return Found(await self._reader.live(wanted.project, found.documents), found.total)

    async def exists(self, wanted: Search) -> bool:
        """Whether any resource matches a query."""
        return await exists(self.database, wanted)

    def used(self, project: str, name: str) -> Future[int]:
        """How far a tally has counted."""
        return self._tallies.used(project, name)

    async def commit(self, change: Change) -> None:
        """Make a change durable; see Committer.submit for what it raises.

        Somebody whose change was overtaken reads again. If the process that overtook him died before it could
        say so, what is kept here would answer him with what he knows already.
        """
        try:
            await self._committer.submit(change)
        except ConcurrentModification:
            self._outdate(change)
            raise

    def _committed(self, change: Change) -> None:
        """Runs after a commit and before its answer: what we remember and what others kept is out of date."""
        for put in change.puts:
            document = Document(put.kind, put.resource.version, put.body, put.resource)
            self._reader.memory.put(change.project, put.id, document)
        self._outdate(change)

    def _outdate(self, change: Change) -> None:
        """Let nobody answer from what he kept of these kinds."""
        for kind in {item.kind for item in change.items}:
            self.epochs.bump(self.epochs.slot(change.project, kind))
