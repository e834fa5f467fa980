"""A database the product can talk to: `Server` is the machine it runs on, `Simulated` what a process holds of it.

Every exchange goes over a wire that can break before, behind or in the middle of it. What a server
was told it does, whether or not the asker still lives: its work runs outside of every process.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from functools import cache
from typing import Any, TypeVar

import asyncpg
from tests.simulation.faults import HANGS, LATE, LOST_AFTER, LOST_BEFORE, SLOW, SLOW_SECONDS, Faults
from tests.simulation.loop import Alive
from tests.simulation.statements import STATEMENTS
from tests.simulation.tables import Tables, Transaction

from holdfast.commerce.registry import REGISTRY
from holdfast.store.pool import STATEMENT_TIMEOUT_SECONDS, Database
from holdfast.store.queries import BY_ID_ARRAYS, BY_VALUE_ARRAYS, document_queries, queries, table_of
from holdfast.store.session import Part, Session

T = TypeVar("T")

_TABLE = re.compile(r'FROM "(\w+)"')

# How long a server may take to notice that its client is gone.
NOTICE_SECONDS_MAX = 3.0
LATE_SECONDS_MAX = 4.0


def _lost() -> Exception:
    return asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


class Server:
    """One PostgreSQL: its tables, the wires to it, and whether it is up."""

    def __init__(self, tables: Tables, faults: Faults, loop: asyncio.AbstractEventLoop) -> None:
        self.tables = tables
        self.faults = faults
        self.loop = loop
        self.up = True
        self.broken: Exception | None = None
        self.wires: dict[Wire, None] = {}
        self._context = Context()
        if faults.plan.pauses:
            tables.pause = self._pause

    async def _pause(self) -> None:
        await asyncio.sleep(self.faults.delay())

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Do something outside of every process."""
        return self.loop.create_task(work, context=self._context.copy())

    def later(self, delay: float, do: Callable[[], None]) -> None:
        self.loop.call_later(delay, do, context=self._context)

    def crash(self, down_seconds: float) -> None:
        """Pull the plug: what was not flushed is gone, every connection is broken."""
        self.up = False
        self.tables.seen["database crashed"] += 1
        for wire in list(self.wires):
            wire.crash()
        self.later(down_seconds, self._start)

    def _start(self) -> None:
        self.up = True


class Wire:
    """One connection: at most one exchange at a time, as PostgreSQL has it."""

    def __init__(self, server: Server, owner: Alive) -> None:
        self.server = server
        self.owner = owner
        self.open = True
        self.transaction: Transaction | None = None
        self._busy = False
        self._flushing = False
        self._answer: asyncio.Future[Any] | None = None
        server.wires[self] = None

    # --- the client's end ------------------------------------------------------------------

    async def exchange(
        self, what: str, work: Callable[[], Coroutine[Any, Any, T]], patience_seconds: float = STATEMENT_TIMEOUT_SECONDS
    ) -> T:
        """Send something and wait for the answer. Raises what asyncpg raises when that fails."""
        if not self.open:
            raise asyncpg.InterfaceError("connection is closed")
        server = self.server
        fault = server.faults.of_exchange()
        if fault is not None:
            server.tables.seen[f"{what}: {fault}"] += 1
        delay = server.faults.delay() + (SLOW_SECONDS if fault == SLOW else 0.0)
        self._answer = answer = server.loop.create_future()
        if fault == LATE:
            server.later(delay + server.faults.seconds(LATE_SECONDS_MAX), lambda: self._deliver(work, None))
            self.drop()
        elif fault == LOST_BEFORE:
            self.drop()
        else:
            server.later(delay, lambda: self._deliver(work, None if fault in (LOST_AFTER, HANGS) else answer))
            if fault == LOST_AFTER:
                server.later(delay * 3 + server.faults.delay(), self.drop)
        timer = server.loop.call_later(patience_seconds, self._time_out)
        try:
            result: T = await answer
        finally:
            timer.cancel()
        return result

    def drop(self) -> None:
        """The client sees the connection break; the server learns of it some time later."""
        self._fail(_lost())
        self.hang_up()

    def _time_out(self) -> None:
        self.server.tables.seen["statement timed out"] += 1
        self._fail(TimeoutError())

    def _fail(self, error: BaseException) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def hang_up(self) -> None:
        """Close from this end."""
        if self.open:
            self.open = False
            self.server.later(self.server.faults.seconds(NOTICE_SECONDS_MAX), self._notice)

    # --- the server's end ------------------------------------------------------------------

    def _deliver(self, work: Callable[[], Coroutine[Any, Any, T]], answer: asyncio.Future[T] | None) -> None:
        if self in self.server.wires:
            self.server.start(self._serve(work, answer))

    async def _serve(self, work: Callable[[], Coroutine[Any, Any, T]], answer: asyncio.Future[T] | None) -> None:
        self._busy = True
        try:
            result = await work()
        except asyncpg.PostgresError as error:
            self._abort()
            if answer is not None and not answer.done():
                answer.set_exception(error)
            return
        except Exception as error:
            self.server.broken = error
            raise
        finally:
            self._busy = False
            if not self.open:
                self._notice()
        if answer is not None and not answer.done():
            self.server.later(self.server.faults.delay(), lambda: _give(answer, result))

    async def commit(self) -> None:
        """Flush, then make visible, then answer."""
        transaction = self.transaction
        if transaction is None:
            raise asyncpg.AdminShutdownError("terminating connection")
        self._flushing = True
        await asyncio.sleep(self.server.faults.delay() * 2)
        if self._flushing:  # no crash came in between
            self._flushing = False
            transaction.commit()
            self.transaction = None

    def _notice(self) -> None:
        """The client is gone: whatever is not under way ends."""
        if not self._busy and self in self.server.wires:
            self._abort()
            del self.server.wires[self]

    def _abort(self) -> None:
        if self.transaction is not None and not self._flushing:
            self.transaction.abort()
            self.transaction = None

    def crash(self) -> None:
        self.server.wires.pop(self, None)
        if self._flushing:
            self._flushing = False
            assert self.transaction is not None
            if self.server.faults.flushed_before_the_crash():
                self.server.tables.seen["crash in a flush that was done"] += 1
                self.transaction.commit()
            else:
                self.server.tables.seen["crash in a flush that was not done"] += 1
                self.transaction.abort()
            self.transaction = None
        self._abort()
        self.open = False
        self._fail(_lost())


def _give(answer: asyncio.Future[T], result: T) -> None:
    if not answer.done():
        answer.set_result(result)


class SimulatedSession(Session):
    """A session of the product whose statements are ours."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._begun = False

    async def begin(self) -> None:
        await self._wire.exchange("begin", self._begin)
        self._begun = True

    async def _begin(self) -> None:
        self._wire.transaction = Transaction(self._wire.server.tables)

    async def commit(self) -> None:
        await self._wire.exchange("commit", self._wire.commit)
        self._begun = False

    async def rollback(self) -> None:
        await self._wire.exchange("rollback", self._roll_back)
        self._begun = False

    async def _roll_back(self) -> None:
        self._wire._abort()

    async def read(self, parts: Sequence[Part]) -> list[list[Any]]:
        if not parts:
            return []
        return await self._wire.exchange("survey", lambda: self._together(parts))

    async def write(self, parts: Sequence[Part]) -> list[int]:
        if not parts:
            return []
        return [len(rows) for rows in await self._wire.exchange(_kind_of(parts), lambda: self._together(parts))]

    async def _together(self, parts: Sequence[Part]) -> list[list[Any]]:
        """All parts as one statement; outside a transaction it is one of its own."""
        wire = self._wire
        alone = wire.transaction is None
        if alone:
            wire.transaction = Transaction(wire.server.tables)
        transaction = wire.transaction
        assert transaction is not None
        transaction.begin_statement()
        answers = []
        for part in parts:
            kind, _, name = part.name.rpartition(".")
            answers.append(await STATEMENTS[name](transaction, kind, part.arguments))
        if alone:
            await wire.commit()
        return answers

    def is_closed(self) -> bool:
        return not self._wire.open

    async def close(self) -> None:
        self._wire.hang_up()

    def distrust(self) -> None:
        if not self.is_closed() and not self._begun:
            self._wire.drop()

    def terminate(self) -> None:
        if self._wire.owner.running:
            self._wire.hang_up()


def _kind_of(parts: Sequence[Part]) -> str:
    return "settling" if [part.name for part in parts] == ["decide_fate"] else "write"


class SimulatedConnection:
    """A connection for single statements by key."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def fetch(self, sql: str, *arguments: Any, timeout: float) -> list[Any]:  # noqa: ASYNC109 - as asyncpg has it
        return await self._wire.exchange("read", lambda: self._run(sql, arguments), timeout)

    async def _run(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        transaction = Transaction(self._wire.server.tables)
        found: list[Any] = []
        taken = 0
        for number, (kind, name, width) in enumerate(named(sql)):
            columns = arguments[taken : taken + width] if width else arguments
            taken += width
            found += [{**row, "part": number} for row in await STATEMENTS[name](transaction, kind, columns)]
        return found

    def is_closed(self) -> bool:
        return not self._wire.open

    async def close(self) -> None:
        self._wire.hang_up()

    def terminate(self) -> None:
        if self._wire.owner.running:
            self._wire.hang_up()


@cache
def named(sql: str) -> tuple[tuple[str, str, int], ...]:
    """The statements that travel as one: of each the type, the name and how many arguments are its own (0: all)."""
    for room in ("constraints", "idempotency"):
        for name, text in queries(room).items():
            if text == sql:
                return (("", name, 0),)
    for kind in REGISTRY:
        for name, text in document_queries(kind).items():
            if text == sql:
                return ((kind, name, 0),)
    tables = {table_of(kind): kind for kind in REGISTRY}
    return tuple(_read_part(part, tables) for part in sql.split("\nUNION ALL\n"))


def _read_part(sql: str, tables: dict[str, str]) -> tuple[str, str, int]:
    kind = next(kind for table, kind in tables.items() if f"JOIN {table} d" in sql)
    return (kind, "find", BY_VALUE_ARRAYS) if "unique_value" in sql else (kind, "read", BY_ID_ARRAYS)


class SimulatedPool:
    """Connections for everything else; each statement takes one of its own."""

    def __init__(self, database: Simulated) -> None:
        self._database = database

    async def fetchrow(self, sql: str, *_arguments: Any) -> Any:
        wire = await self._database.wire()
        try:
            return await wire.exchange("search", lambda: self._search(wire, sql))
        finally:
            wire.hang_up()

    async def _search(self, wire: Wire, sql: str) -> Any:
        """A query over a type of which there is nothing: predicates are not simulated."""
        (table,) = set(_TABLE.findall(sql))
        rows = wire.server.tables.rows.get(table.replace("_", "-"))
        if rows:
            raise NotImplementedError(f"The simulation answers statements by key only: {sql}")
        return {"bodies": [], "total": 0, "found": False}

    async def execute(self, sql: str, *arguments: Any) -> str:
        session = SimulatedSession(await self._database.wire())
        try:
            (count,) = await session.write([Part(named(sql)[0][1], sql, arguments)])
        finally:
            session.terminate()
        return f"DONE {count}"


class Simulated(Database):
    """The product's database, on wires to a simulated server."""

    def __init__(self, server: Server, owner: Alive) -> None:
        super().__init__("simulated")
        self._server = server
        self._owner = owner

    async def open(self) -> None:
        """Nothing to open: every connection is made when it is needed."""

    async def session(self) -> Session:
        session = SimulatedSession(await self.wire())
        self._sessions.add(session)
        return session

    async def connect(self) -> Any:
        return SimulatedConnection(await self.wire())

    async def wire(self) -> Wire:
        """A new connection. Raises OSError while the server is down."""
        await asyncio.sleep(self._server.faults.delay())
        if not self._server.up:
            raise ConnectionRefusedError("the database is down")
        return Wire(self._server, self._owner)

    def _open_pool(self) -> Any:
        return SimulatedPool(self)
