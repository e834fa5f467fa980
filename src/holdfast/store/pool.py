"""Connections to PostgreSQL, and what to do when one breaks.

Statements by key have their plan fixed once and are forbidden to walk whole tables or hash them:
each joins a short list of keys to an index, and the planner cannot know how short. Queries, whose
best plan depends on what is asked for, are planned each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from weakref import WeakSet

import asyncpg

from holdfast.base.errors import BadGateway, QueryTimedOut
from holdfast.base.log import log
from holdfast.store.session import CLOSE_SECONDS, Session

T = TypeVar("T")

CONNECT_TIMEOUT_SECONDS = 2.0
STATEMENT_TIMEOUT_SECONDS = 10.0
# A read by key takes milliseconds. After this its connection leads nowhere, and there is time to ask on another.
KEYED_TIMEOUT_SECONDS = 3.0
# The server ends a query before we lose patience with the connection.
QUERY_TIMEOUT_SECONDS = 8
# Between the statements of a transaction there is only our own thinking.
IDLE_IN_TRANSACTION_SECONDS = 15
# How long a request is held while the database restarts or fails over, before it gets a 502.
OUTAGE_PATIENCE_SECONDS = 8.0
RETRY_FIRST_SECONDS = 0.05
RETRY_LONGEST_SECONDS = 0.5

CONNECTION_LOST = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What asyncpg says when a connection broke between two statements and it has not noticed yet.
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,
)

_KEYED = {
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # What a dead or stopped process left open gives its locks back, and cannot commit any more.
    "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
    "application_name": "holdfast",
}
_AD_HOC = {
    "jit": "off",
    "plan_cache_mode": "force_custom_plan",
    "statement_timeout": f"{QUERY_TIMEOUT_SECONDS}s",
    "application_name": "holdfast query",
}


class Database:
    """One PostgreSQL: `keyed` connections for statements by key, `ad_hoc` ones for queries."""

    def __init__(self, dsn: str, *, keyed: int = 3, ad_hoc: int = 4) -> None:
        self._dsn = dsn
        self._keyed: asyncio.LifoQueue[asyncpg.Connection | None] = asyncio.LifoQueue()
        for _ in range(keyed):
            self._keyed.put_nowait(None)
        self._keyed_size = keyed
        self._ad_hoc_size = ad_hoc
        self._pool: asyncpg.Pool | None = None
        self._sessions: WeakSet[Session] = WeakSet()

    @property
    def keyed_in_use(self) -> int:
        """Connections for statements by key that answer somebody now."""
        return self._keyed_size - self._keyed.qsize()

    @property
    def keyed_spare(self) -> int:
        return self._keyed.qsize()

    async def open(self) -> None:
        """Connect the pool for queries; keyed connections open when first used."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=1,
            max_size=self._ad_hoc_size,
            command_timeout=STATEMENT_TIMEOUT_SECONDS,
            timeout=CONNECT_TIMEOUT_SECONDS,
            server_settings=_AD_HOC,
            max_inactive_connection_lifetime=60,
        )

    async def close(self) -> None:
        """Disconnect, politely as long as the server listens."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                while not self._keyed.empty():
                    connection = self._keyed.get_nowait()
                    if connection is not None:
                        await connection.close()
                if self._pool is not None:
                    await self._pool.close()
        except TimeoutError:
            # What was being closed hung up by itself.
            self._drop_idle()
            if self._pool is not None:
                self._pool.terminate()

    async def fetch_keyed(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows of one statement by key; safe to repeat, so it waits through a short outage."""
        return await patiently(lambda: self.fetch_keyed_once(sql, arguments))

    async def fetch_keyed_once(self, sql: str, arguments: Sequence[Any]) -> list[asyncpg.Record]:
        """Rows of one statement by key, tried once; a broken connection is thrown away."""
        connection = await self._keyed.get()
        try:
            if connection is None or connection.is_closed():
                connection = None
                connection = await self.connect()
            return await connection.fetch(sql, *arguments, timeout=KEYED_TIMEOUT_SECONDS)
        except CONNECTION_LOST as lost:
            if connection is not None:
                connection.terminate()
            connection = None
            if isinstance(lost, TimeoutError):
                await self._distrust_idle()
            raise
        finally:
            self._keyed.put_nowait(connection)

    async def _distrust_idle(self) -> None:
        """A connection led nowhere: so may the others, and each would cost its users the same wait."""
        if self._pool is not None:
            await self._pool.expire_connections()
        for session in tuple(self._sessions):
            session.distrust()
        self._drop_idle()

    def _drop_idle(self) -> None:
        idle = [self._keyed.get_nowait() for _ in range(self._keyed.qsize())]
        for connection in idle:
            if connection is not None:
                connection.terminate()
            self._keyed.put_nowait(None)

    async def connect(self) -> asyncpg.Connection:
        """A new connection with the settings for statements by key."""
        return await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=STATEMENT_TIMEOUT_SECONDS,
            server_settings=_KEYED,
            statement_cache_size=1000,
        )

    async def probe(self) -> None:
        """Whether the database takes connections, tried once. Raises what connecting raises."""
        connection = await self.connect()
        await connection.close()

    async def session(self) -> Session:
        """A new connection for transactions."""
        session = Session(await self.connect())
        self._sessions.add(session)
        return session

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """Rows of one statement; safe to repeat, so it waits through a short outage."""
        return await patiently(lambda: self._ask(lambda pool: pool.fetch(sql, *args)))

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """The first row of one statement that is safe to repeat."""
        return await patiently(lambda: self._ask(lambda pool: pool.fetchrow(sql, *args)))

    async def execute(self, sql: str, *args: Any) -> str:
        """Run one statement that is safe to repeat."""
        return await patiently(lambda: self._ask(lambda pool: pool.execute(sql, *args)))

    async def _ask(self, ask: Callable[[asyncpg.Pool], Awaitable[T]]) -> T:
        try:
            return await ask(self._open_pool())
        except TimeoutError:
            await self._distrust_idle()
            raise

    def _open_pool(self) -> asyncpg.Pool:
        assert self._pool is not None, "open() comes first"
        return self._pool


async def patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """Repeat what is safe to repeat until the database is back, with growing pauses.

    Raises BadGateway after OUTAGE_PATIENCE_SECONDS, QueryTimedOut when a query ran out of time.
    """
    loop = asyncio.get_running_loop()
    give_up = loop.time() + OUTAGE_PATIENCE_SECONDS
    pause = RETRY_FIRST_SECONDS
    while True:
        try:
            return await attempt()
        except asyncpg.QueryCanceledError as error:
            raise QueryTimedOut from error
        except CONNECTION_LOST as error:
            if loop.time() + pause > give_up:
                log.error("database.unreachable", reason=str(error) or type(error).__name__)
                raise BadGateway from error
        await asyncio.sleep(pause)
        pause = min(pause * 2, RETRY_LONGEST_SECONDS)
