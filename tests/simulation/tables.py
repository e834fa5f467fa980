"""What a PostgreSQL keeps, as far as the product asks it to: rows, versions, locks, and one flush.

Read committed: a statement sees what was committed when it began, and its own transaction's writes.
Row locks wait and are compatible as PostgreSQL's are; a new key waits for whoever is writing the
same one; a circle of waiting ends the one who closed it. A transaction becomes visible and durable
with its flush; what a crash meets before that is gone, during it either way.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import asyncpg

Key = tuple[Any, ...]
Place = tuple[str, Key]  # table, primary key
Row = tuple[Any, ...]

KEY_SHARE, NO_KEY_UPDATE, UPDATE = 1, 2, 3


async def no_pause() -> None:
    """Nothing comes in between."""


class Tables:
    """All committed rows, and who is at work on them."""

    def __init__(self, rows: dict[str, dict[Key, Row]]) -> None:
        self.rows = rows
        self.locks: dict[Place, dict[Transaction, int]] = {}
        self.born: dict[Place, int] = {}
        self.commits = 0
        self.told: list[dict[Place, Row | None]] = []
        self.seen: Counter[str] = Counter()
        self.positions = len(rows.get("stock_ledger", ()))
        # What may happen between two locks of one statement.
        self.pause: Callable[[], Awaitable[None]] = no_pause

    def copy(self) -> Tables:
        """The same rows for another schedule; rows themselves are never changed, only replaced."""
        return Tables({name: dict(rows) for name, rows in self.rows.items()})

    def table(self, name: str) -> dict[Key, Row]:
        found = self.rows.get(name)
        if found is None:
            found = self.rows[name] = {}
        return found


class Transaction:
    """One transaction's writes and locks."""

    __slots__ = ("_ended", "locked", "over", "snapshot", "tables", "waits_for", "writes")

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.writes: dict[Place, Row | None] = {}
        self.locked: list[Place] = []
        self.over = False
        self.snapshot = tables.commits
        self.waits_for: set[Transaction] = set()
        self._ended: list[asyncio.Future[None]] = []

    # --- reading ---------------------------------------------------------------------------

    def begin_statement(self) -> None:
        """Each statement sees what was committed until now."""
        self.snapshot = self.tables.commits

    def get(self, table: str, key: Key) -> Row | None:
        """A row as this transaction sees it now."""
        place = (table, key)
        if place in self.writes:
            return self.writes[place]
        return self.tables.table(table).get(key)

    def sees(self, table: str, key: Key) -> bool:
        """Whether the row was there when the statement began."""
        place = (table, key)
        if place in self.writes:
            return self.writes[place] is not None
        return key in self.tables.table(table) and self.tables.born.get(place, 0) <= self.snapshot

    def scan(self, table: str) -> Iterator[tuple[Key, Row]]:
        """All rows of a table, this transaction's own included."""
        own = {key: row for (name, key), row in self.writes.items() if name == table}
        for key, row in (self.tables.table(table) | own).items():
            if row is not None:
                yield key, row

    # --- writing ---------------------------------------------------------------------------

    def put(self, table: str, key: Key, row: Row | None) -> None:
        self.writes[table, key] = row

    async def insert(self, table: str, key: Key, row: Row) -> bool:
        """A new row, unless the key is taken; whoever is writing the same key is waited for."""
        place = (table, key)
        while rivals := [
            other for other in self.tables.locks.get(place, ()) if other is not self and place in other.writes
        ]:
            await self._wait(rivals)
        if self.get(table, key) is not None:
            return False
        self._take(place, UPDATE)
        self.writes[place] = row
        return True

    async def lock(self, table: str, keys: Iterable[Key], mode: int) -> list[tuple[Key, Row]]:
        """Lock the rows the statement saw, in the order given; those deleted meanwhile are passed over."""
        locked = []
        for key in [key for key in keys if self.sees(table, key)]:
            if self.locked:
                await self.tables.pause()
            await self._acquire((table, key), mode)
            row = self.get(table, key)
            if row is not None:
                locked.append((key, row))
        return locked

    async def _acquire(self, place: Place, mode: int) -> None:
        while rivals := [
            other
            for other, held in self.tables.locks.get(place, {}).items()
            if other is not self and _conflict(held, mode)
        ]:
            await self._wait(rivals)
        self._take(place, mode)

    def _take(self, place: Place, mode: int) -> None:
        if self.over:
            raise asyncpg.AdminShutdownError("terminating connection")
        holders = self.tables.locks.setdefault(place, {})
        if self not in holders:
            self.locked.append(place)
        holders[self] = max(mode, holders.get(self, 0))

    async def _wait(self, rivals: list[Transaction]) -> None:
        self.tables.seen["waited for a lock"] += 1
        self.waits_for = set(rivals)
        if self._is_in_a_circle():
            self.waits_for = set()
            self.tables.seen["deadlock"] += 1
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        waiting = asyncio.get_running_loop().create_future()
        for rival in rivals:
            rival._ended.append(waiting)
        await waiting
        self.waits_for = set()

    def _is_in_a_circle(self) -> bool:
        reached: set[Transaction] = set()
        ahead = list(self.waits_for)
        while ahead:
            other = ahead.pop()
            if other is self:
                return True
            if other not in reached:
                reached.add(other)
                ahead += other.waits_for
        return False

    # --- the end ---------------------------------------------------------------------------

    def commit(self) -> None:
        """Make the writes durable and visible, all at once."""
        tables = self.tables
        if self.writes:
            tables.commits += 1
            for place, row in self.writes.items():
                rows = tables.table(place[0])
                if row is None:
                    rows.pop(place[1], None)
                    continue
                if place[1] not in rows:
                    tables.born[place] = tables.commits
                rows[place[1]] = row
            tables.told.append(self.writes)
        self._end()

    def abort(self) -> None:
        """Forget the writes."""
        self._end()

    def _end(self) -> None:
        self.over = True
        for place in self.locked:
            holders = self.tables.locks[place]
            del holders[self]
            if not holders:
                del self.tables.locks[place]
        for waiting in self._ended:
            if not waiting.done():
                waiting.set_result(None)
        self._ended = []


def _conflict(held: int, wanted: int) -> bool:
    return UPDATE in (held, wanted) or held == wanted == NO_KEY_UPDATE
