"""A connection for transactions that sends many statements as one.

A batch of changes touches a dozen tables, and each trip to the database costs the event loop more
than the statement behind it. So the statements of one step travel together, as the common table
expressions of a single one; PostgreSQL runs them in the order they are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import asyncpg

from holdfast.store.queries import shifted

# Batches differ in which tables they touch, so there are a few dozen texts; more are made again.
TEXTS_MAX = 512
# How long a server is given to part with us.
CLOSE_SECONDS = 2.0


class Part(NamedTuple):
    """One statement of a step: its name, its text with `$1…`, and its arguments."""

    name: str
    sql: str
    arguments: Sequence[Any]


class Session:
    """One transaction after the other on one connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def begin(self) -> None:
        await self._connection.execute("BEGIN")

    async def commit(self) -> None:
        await self._connection.execute("COMMIT")

    async def rollback(self) -> None:
        await self._connection.execute("ROLLBACK")

    async def read(self, parts: Sequence[Part]) -> list[list[asyncpg.Record]]:
        """The rows of each part; all parts of a step return the same columns."""
        found: list[list[asyncpg.Record]] = [[] for _ in parts]
        for row in await self._run(_read_together, parts):
            found[row["part"]].append(row)
        return found

    async def write(self, parts: Sequence[Part]) -> list[int]:
        """How many rows each part wrote; each ends in `RETURNING 1`, and none sees what another wrote."""
        rows = await self._run(_write_together, parts)
        return list(rows[0]) if rows else []

    async def _run(self, together: Any, parts: Sequence[Part]) -> list[asyncpg.Record]:
        if not parts:
            return []
        text = together(tuple((part.sql, len(part.arguments)) for part in parts))
        return await self._connection.fetch(text, *[argument for part in parts for argument in part.arguments])

    def is_closed(self) -> bool:
        return self._connection.is_closed()

    async def close(self) -> None:
        """Part politely, as long as the server listens."""
        with suppress(TimeoutError):
            await self._connection.close(timeout=CLOSE_SECONDS)

    def distrust(self) -> None:
        """Hang up, unless a transaction is under way: that waits for its answers as long as any."""
        if not self.is_closed() and not self._connection.is_in_transaction():
            self.terminate()

    def terminate(self) -> None:
        """Hang up; the server rolls back what was open."""
        self._connection.terminate()


@lru_cache(TEXTS_MAX)
def _read_together(parts: tuple[tuple[str, int], ...]) -> str:
    rows = "\nUNION ALL\n".join(f"SELECT {n} AS part, p{n}.* FROM p{n}" for n in range(len(parts)))  # noqa: S608 - numbers
    return f"WITH {_expressions(parts)}\n{rows}"


@lru_cache(TEXTS_MAX)
def _write_together(parts: tuple[tuple[str, int], ...]) -> str:
    counts = ", ".join(f"(SELECT count(*) FROM p{n})" for n in range(len(parts)))  # noqa: S608 - numbers
    return f"WITH {_expressions(parts)}\nSELECT {counts}"


def _expressions(parts: tuple[tuple[str, int], ...]) -> str:
    expressions = []
    taken = 0
    for n, (sql, count) in enumerate(parts):
        expressions.append(f"p{n} AS (\n{shifted(sql, taken)}\n)")
        taken += count
    return ", ".join(expressions)
