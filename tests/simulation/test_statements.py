"""The simulated statements against PostgreSQL: the same steps, the same answers, the same waiting, the same rows.

A simulation that behaves unlike the database proves nothing. One session does something and keeps
its transaction open, a second one comes across it, the first one commits or rolls back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import asyncpg
import pytest
from tests.simulation.database import Server, Simulated
from tests.simulation.faults import Faults, Plan
from tests.simulation.loop import Alive
from tests.simulation.statements import STATEMENTS
from tests.simulation.tables import Tables

from holdfast.base.ids import uuid7
from holdfast.store.migrations import migrate
from holdfast.store.pool import Database
from holdfast.store.queries import columns, document_queries, queries
from holdfast.store.session import Part, Session

ROUNDS = 120
NOW = "2026-01-01T00:00:00.000Z"
KINDS = ("zone", "inventory-entry")
# Statements of the simulation that no session sends: single reads, compared on their own below.
READ_ALONE = {"find", "find_answers", "keep_answer", "read", "read_stock"}


_TABLES = {
    "own_values": "unique_value",
    "disown_values": "unique_value",
    "add_references": "reference",
    "drop_references": "reference",
    "lock_stock": "stock",
    "open_stock": "stock",
    "move_stock": "stock",
    "close_stock": "stock",
    "lock_tallies": "tally",
    "open_tallies": "tally",
    "move_tallies": "tally",
    "add_ledger": "stock_ledger",
    "add_messages": "outbox",
    "add_replies": "idempotency",
    "decide_fate": "fate",
}


class Step(NamedTuple):
    """What a session does next."""

    verb: str  # read or write
    parts: Sequence[Part]


class World(Protocol):
    """One of the two databases."""

    async def session(self) -> Session: ...

    async def settled(self, task: asyncio.Task[Any]) -> bool:
        """Whether a step came to an end; False when it waits for a lock."""
        ...


class Real:
    def __init__(self, postgres: str) -> None:
        self._database = Database(postgres)
        self._watcher: asyncpg.Connection | None = None
        self._postgres = postgres

    async def session(self) -> Session:
        return await self._database.session()

    async def settled(self, task: asyncio.Task[Any]) -> bool:
        if self._watcher is None:
            self._watcher = await asyncpg.connect(self._postgres)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while not task.done():
            if await self._watcher.fetchval(waiting):
                return False
        return True


class Imitated:
    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.server = Server(Tables({}), Faults(Plan(delay_seconds=0.0), Random(0)), loop)
        self._database = Simulated(self.server, Alive())

    async def session(self) -> Session:
        return await self._database.session()

    async def settled(self, task: asyncio.Task[Any]) -> bool:
        waited = self.server.tables.seen["waited for a lock"]
        while not task.done():
            if self.server.tables.seen["waited for a lock"] > waited:
                return False
            await asyncio.sleep(0)
        return True


class Steps:
    """Draws steps over a few keys, so that they meet."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.project = f"p-{uuid7()}"
        self._ids = sorted(uuid7() for _ in range(2))

    def begin(self) -> Step:
        """Something of everything to come across."""
        document = (1, 0, NOW, b"{}", "{}")
        parts = [
            self._document("insert", lambda key: (key, *document)),
            self._part("own_values", lambda key: ("zone", "key", key[-2:], key)),
            self._part("open_stock", lambda key: (key, 3, 0)),
            self._part("open_tallies", lambda key: (key,)),
        ]
        return Step("write", parts)

    def meet(self) -> tuple[Step, Step]:
        """Two steps, mostly on one table."""
        table = self._chance.choice((None, *_TABLES.values(), *("zone",) * 5))
        return self._step(table), self._step(table)

    def _step(self, table: str | None) -> Step:
        reading = self._chance.random() < 0.4
        drawn = [make() for make in (self._locks() if reading else self._writes())]
        parts = [part for part in drawn if table in (None, _TABLES.get(part.name, "zone"))] or drawn
        chosen = self._chance.sample(parts, min(len(parts), self._chance.choice((1, 1, 2, 3))))
        # Parts that travel together touch different tables, as the product's do: none sees what another wrote.
        single = {_TABLES.get(part.name, "zone"): part for part in chosen}
        return Step("read" if reading else "write", list(single.values()))

    def _rows(self, row: Callable[[str], tuple[Any, ...]]) -> list[list[Any]]:
        keys = sorted(self._chance.sample(self._ids, self._chance.choice((1, 2))))
        rows = [(self.project, *row(key)) for key in keys]
        return columns(rows, len(rows[0]))

    def _locks(self) -> list[Callable[[], Part]]:
        return [
            lambda: self._document("lock_to_delete", lambda key: (key,)),
            lambda: self._document("lock_to_update", lambda key: (key,)),
            lambda: self._document("hold", lambda key: (key,)),
            lambda: self._part("lock_stock", lambda key: (key,)),
            lambda: self._part("lock_tallies", lambda key: (key,)),
        ]

    def _writes(self) -> list[Callable[[], Part]]:
        number = self._chance.randrange(-3, 6)
        version = self._chance.randrange(1, 4)
        document = (version, 0, NOW, b"{}", "{}")
        one = self._ids[0]
        return [
            lambda: self._document("insert", lambda key: (key, *document)),
            lambda: self._document("update", lambda key: (key, *document)),
            lambda: self._document("delete", lambda key: (key,)),
            lambda: self._part("own_values", lambda key: ("zone", "key", key[-2:], self._chance.choice(self._ids))),
            lambda: self._part("disown_values", lambda key: ("zone", "key", key[-2:], self._chance.choice(self._ids))),
            lambda: self._part("add_references", lambda key: ("zone", key, "cart", one)),
            lambda: self._part("drop_references", lambda key: ("zone", key, "cart", one)),
            lambda: self._part("open_stock", lambda key: (key, number, 0)),
            lambda: self._part("move_stock", lambda key: (key, number, version - 2, number > 2)),
            lambda: self._part("close_stock", lambda key: (key,)),
            lambda: self._part("add_ledger", lambda key: (key, NOW, "count", number, 0, "zone", key, 1)),
            lambda: self._part("open_tallies", lambda key: (key,)),
            lambda: self._part("move_tallies", lambda key: (key, number)),
            lambda: self._part("add_messages", lambda key: ("zone", key, version, key, 1, "Told", NOW, b"{}")),
            lambda: self._part("add_replies", lambda key: ("client", key, b"f", 201, "zone", key, 1, b"{}")),
            lambda: Part("decide_fate", _SQL["decide_fate"], (self._chance.choice(self._ids), number > 0)),
        ]

    def _document(self, name: str, row: Callable[[str], tuple[Any, ...]]) -> Part:
        return Part(f"zone.{name}", document_queries("zone")[name], self._rows(row))

    def _part(self, name: str, row: Callable[[str], tuple[Any, ...]]) -> Part:
        return Part(name, _SQL[name], self._rows(row))

    def looks(self) -> list[Part]:
        """Everything these steps could have written, read back."""
        keys = columns([(self.project, key) for key in self._ids], 2)
        values = columns([(self.project, "zone", "key", key[-2:]) for key in self._ids], 4)
        targets = columns([(self.project, "zone", key) for key in self._ids], 3)
        replies = columns([(self.project, "client", key) for key in self._ids], 3)
        fates = [Part("find_fate", _SQL["find_fate"], (key,)) for key in self._ids]
        return [
            Part("zone.lock_to_update", document_queries("zone")["lock_to_update"], keys),
            Part("zone.find_present", document_queries("zone")["find_present"], keys),
            Part("lock_stock", _SQL["lock_stock"], keys),
            Part("lock_tallies", _SQL["lock_tallies"], keys),
            Part("find_ids", _SQL["find_ids"], values),
            Part("find_referrers", _SQL["find_referrers"], targets),
            Part("find_replies", _SQL["find_replies"], replies),
            *fates,
        ]


_SQL = queries("constraints")


async def outcome(session: Session, step: Step) -> Any:
    """What a step comes to: rows, counts, or the name of an error."""
    try:
        if step.verb == "write":
            return await session.write(step.parts)
        # One part at a time: as in the product, parts that travel together have the same columns.
        return [await session.read([part]) for part in step.parts]
    except asyncpg.PostgresError as error:
        return type(error).__name__


def plain(found: Any) -> Any:
    """Rows as sorted dicts of texts and numbers."""
    if isinstance(found, list):
        listed = [plain(one) for one in found]
        return sorted(listed, key=repr) if listed and isinstance(listed[0], dict) else listed
    if isinstance(found, dict | asyncpg.Record):
        return {name: _plain_value(value) for name, value in dict(found).items() if name != "part"}
    return found


def _plain_value(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


async def ended(session: Session, *, commit: bool) -> None:
    await (session.commit() if commit else session.rollback())


async def meeting(world: World, first: Session, second: Session, seed: int) -> list[Any]:
    """Two transactions that come across each other, several times; all they saw."""
    chance = Random(seed)
    steps = Steps(chance)
    seen: list[Any] = [steps.project]
    await first.write(steps.begin().parts)
    for _ in range(3):
        await first.begin()
        await second.begin()
        one, other = steps.meet()
        before = plain(await outcome(first, one))
        later = asyncio.create_task(outcome(second, other))
        went_on = await world.settled(later)
        commit = chance.random() < 0.7 and not isinstance(before, str)
        await ended(first, commit=commit)
        after = plain(await later)
        await ended(second, commit=not isinstance(after, str))
        seen.append((before, "went on" if went_on else "waited", commit, after))
    await first.begin()
    seen += [plain(await first.read([part])) for part in steps.looks()]
    await first.rollback()
    return seen


async def test_the_simulated_statements_do_what_postgresql_does(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate(postgres)
    worlds = [(world, await world.session(), await world.session()) for world in (Real(postgres), Imitated())]
    ids = Random(1)
    waited = 0
    for seed in range(ROUNDS):
        name = f"{ids.getrandbits(96):024x}"
        seen = []
        for world in worlds:
            numbered(monkeypatch, name)
            seen.append(await meeting(*world, seed))
        assert seen[1] == seen[0], f"seed {seed}"
        waited += repr(seen[0]).count("'waited'")
    assert waited > ROUNDS / 4, "transactions hardly met"
    for _, first, second in worlds:
        await first.close()
        await second.close()


def numbered(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let ids be the same in both worlds, and new for every seed."""
    numbers = iter(range(1, 100))
    monkeypatch.setattr(
        f"{__name__}.uuid7", lambda: f"{name[:8]}-{name[8:12]}-7{name[12:15]}-8{name[15:18]}-{next(numbers):012x}"
    )


def test_every_statement_of_a_session_is_compared() -> None:
    chance = Random(0)
    steps = Steps(chance)
    drawn = {part.name.rpartition(".")[2] for _ in range(300) for step in steps.meet() for part in step.parts}
    drawn |= {part.name.rpartition(".")[2] for part in steps.looks()}
    assert set(STATEMENTS) - READ_ALONE <= drawn
