"""Carts in bulk, for campaigns of a million orders: copies of carts that shoppers made, each under an id of its own.

Filling a cart costs the shop as much as ordering it, and it is the order that is drilled. So a few carts are made
over the API, and copied in the database, many in one statement; what is asked of the shop then is the order alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from holdfast.base.ids import uuid7
from holdfast.ops.drill.checkout import Kept, Line
from holdfast.store.bodies import packed, unpacked

COPIES_A_BATCH = 400
COPIES_READY = 2_000
PAUSE_SECONDS = 0.05
CONNECT_SECONDS_MAX = 5.0
STATEMENT_SECONDS_MAX = 20.0

READ = 'SELECT id::text, created_at, body, query::text FROM "cart" WHERE project = $1 AND id = ANY($2::uuid[])'
COPY = """
INSERT INTO "cart" (project, id, version, created_at, modified_at, body, query)
SELECT $1, id, $2, $3, $3, body, query::jsonb FROM unnest($4::uuid[], $5::bytea[], $6::text[]) AS copy (id, body, query)
"""


class Filled(NamedTuple):
    """A cart ready to be ordered."""

    cart: Kept
    lines: list[Line]


class Supply:
    """Keeps copies of some carts ready, for as long as its task runs."""

    def __init__(self, dsn: str, project: str, originals: Sequence[Filled]) -> None:
        self._dsn = dsn
        self._project = project
        self._originals = originals
        self._ready: list[Filled] = []

    def take(self) -> Filled | None:
        """A cart nobody else has; None when there is none at the moment."""
        return self._ready.pop() if self._ready else None

    async def run(self) -> None:
        """Copy until cancelled; what was not surely written is not handed out."""
        while True:
            try:
                await self._copy_on()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(PAUSE_SECONDS)

    async def _copy_on(self) -> None:
        connection = await asyncpg.connect(
            self._dsn, timeout=CONNECT_SECONDS_MAX, command_timeout=STATEMENT_SECONDS_MAX
        )
        try:
            rows = await connection.fetch(READ, self._project, [original.cart.id for original in self._originals])
            stored = {row["id"]: row for row in rows}
            while True:
                for original in self._originals:
                    await self._copy(connection, original, stored[original.cart.id])
        finally:
            connection.terminate()

    async def _copy(self, connection: asyncpg.Connection, original: Filled, stored: asyncpg.Record) -> None:
        # Shoppers take without telling; looking now and then is enough.
        while len(self._ready) > COPIES_READY - COPIES_A_BATCH:  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_SECONDS)
        ids = [uuid7() for _ in range(COPIES_A_BATCH)]
        old, body = original.cart.id.encode(), unpacked(stored["body"])
        bodies = [packed(body.replace(old, id.encode())) for id in ids]
        queries = [stored["query"].replace(original.cart.id, id) for id in ids]
        version = original.cart.version
        await connection.execute(COPY, self._project, version, stored["created_at"], ids, bodies, queries)
        self._ready += [Filled(Kept(id, version), original.lines) for id in ids]
