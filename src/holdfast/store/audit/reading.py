"""How the audit reads: a connection of its own, one snapshot a page, and no statement without an end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from holdfast.store.pool import CONNECT_TIMEOUT_SECONDS
from holdfast.store.queries import queries, table_of

# The longest of them looks at all orders of a project.
STATEMENT_SECONDS_MAX = 60
# Rows held at a time of a statement that is read row by row.
ROWS_AHEAD = 500
_SETTINGS = {
    # What is written here is how far the audit has come and what it saw; lost, it is seen again.
    "synchronous_commit": "off",
    "jit": "off",
    "plan_cache_mode": "force_custom_plan",
    "max_parallel_workers_per_gather": "0",
    # A page is the next so many keys of an index. After a crash the statistics are gone; what is then taken for a
    # handful of rows is the rest of the table, and fetching and sorting that for each page takes the square of time.
    "enable_bitmapscan": "off",
    "enable_sort": "off",
    "statement_timeout": f"{STATEMENT_SECONDS_MAX}s",
    "idle_in_transaction_session_timeout": f"{2 * STATEMENT_SECONDS_MAX}s",
    # Whoever hangs up does not want the answer any more.
    "client_connection_check_interval": "2s",
    "application_name": "holdfast audit",
}
FIRST_ID = "00000000-0000-0000-0000-000000000000"


class Reading:
    """One project in one snapshot."""

    __slots__ = ("_connection", "project")

    def __init__(self, connection: asyncpg.Connection, project: str) -> None:
        self._connection = connection
        self.project = project

    async def rows(self, name: str, *arguments: Any, kind: str | None = None) -> list[asyncpg.Record]:
        """The rows of a statement of `audit.sql`, of a resource type's table where it needs one."""
        return await self._connection.fetch(statement(name, kind), self.project, *arguments)

    async def each(self, name: str, *arguments: Any) -> AsyncIterator[asyncpg.Record]:
        """The rows of a statement one after the other: there may be more than fit into memory."""
        async for row in self._connection.cursor(statement(name), self.project, *arguments, prefetch=ROWS_AHEAD):
            yield row

    async def ids(self, name: str, *arguments: Any, kind: str | None = None) -> set[str]:
        return {row["id"] for row in await self.rows(name, *arguments, kind=kind)}

    async def present(self, kind: str, ids: Sequence[str]) -> set[str]:
        """Which of these resources are there."""
        return await self.ids("present", list(ids), kind=kind) if ids else set()


def statement(name: str, kind: str | None = None) -> str:
    """A statement of `audit.sql`."""
    sql = queries("audit")[name]
    return sql.replace("{table}", table_of(kind)) if kind is not None else sql


async def connect(dsn: str) -> asyncpg.Connection:
    """A connection for the audit."""
    return await asyncpg.connect(
        dsn,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=2 * STATEMENT_SECONDS_MAX,
        server_settings=_SETTINGS,
        statement_cache_size=200,
    )


@asynccontextmanager
async def snapshot(connection: asyncpg.Connection, project: str) -> AsyncIterator[Reading]:
    """A reading in which nothing changes."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield Reading(connection, project)


async def projects(connection: asyncpg.Connection) -> list[str]:
    """The keys of all projects, in order."""
    return [row["project"] for row in await connection.fetch(statement("projects"))]
