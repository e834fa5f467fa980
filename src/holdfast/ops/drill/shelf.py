"""What the shop really holds: read from its database past all of its own code, a page at a time.

These statements are the drill's own on purpose. A verdict that asked the store's statements would
believe what they believe.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg
import msgspec

from holdfast.ops.drill.checkout import digest_of
from holdfast.store.bodies import unpacked

CONNECT_SECONDS_MAX = 10.0
STATEMENT_SECONDS_MAX = 120.0
ORDERS_A_PAGE = 2_000
EXAMPLES_MAX = 20
FIRST_ID = "00000000-0000-0000-0000-000000000000"

ORDERS = """
SELECT id, version, body FROM "order" WHERE project = $1 AND id > $2 ORDER BY id LIMIT $3
"""
PRESENT = """
SELECT id::text FROM "order" WHERE project = $1 AND id = ANY($2::uuid[])
"""
ORDERED_CARTS = """
SELECT id::text FROM cart WHERE project = $1 AND id = ANY($2::uuid[]) AND query->>'cartState' = 'Ordered'
"""
LEVELS = """
SELECT e.query->>'sku' AS sku, s.on_stock, s.reserved
  FROM stock s
  JOIN inventory_entry e ON e.project = s.project AND e.id = s.entry_id
 WHERE s.project = $1
"""
LEDGER_GAPS = """
SELECT s.entry_id::text, s.on_stock, s.reserved, l.on_stock AS ledger_on_stock, l.reserved AS ledger_reserved
  FROM stock s
  LEFT JOIN (SELECT entry_id, sum(on_stock) AS on_stock, sum(reserved) AS reserved
               FROM stock_ledger WHERE project = $1 GROUP BY entry_id) l ON l.entry_id = s.entry_id
 WHERE s.project = $1 AND (s.on_stock, s.reserved) IS DISTINCT FROM (l.on_stock::bigint, l.reserved::bigint)
 LIMIT $2
"""
# Messages are numbered without gaps, and the first one of an order says that it was created, once.
MESSAGE_GAPS = """
SELECT coalesce(o.id, m.resource_id)::text
  FROM (SELECT id FROM "order" WHERE project = $1) o
  FULL JOIN (SELECT resource_id, count(*) AS count, max(sequence_number) AS last,
                    count(*) FILTER (WHERE type = 'OrderCreated' AND sequence_number = 1) AS created
               FROM outbox WHERE project = $1 AND kind = 'order' GROUP BY resource_id) m ON m.resource_id = o.id
 WHERE o.id IS NULL OR m.resource_id IS NULL OR m.count <> m.last OR m.created <> 1
 LIMIT $2
"""


class LineFacts(msgspec.Struct, rename="camel"):
    """Of a line, what was sold."""

    quantity: int
    variant: dict[str, Any]


class CartReference(msgspec.Struct):
    id: str


class OrderFacts(msgspec.Struct, rename="camel"):
    """Of an order, what the verdict compares."""

    cart: CartReference
    line_items: list[LineFacts]


class Held(NamedTuple):
    """An order as the shop holds it; the digest is of the body it serves."""

    order_id: str
    cart_id: str
    version: int
    digest: str
    lines: str
    sold: tuple[tuple[str, int], ...]


_facts = msgspec.json.Decoder(OrderFacts)


class Shelf:
    """One project's holdings, over one read-only connection."""

    def __init__(self, connection: asyncpg.Connection, project: str) -> None:
        self._connection = connection
        self._project = project

    async def orders(self) -> AsyncIterator[list[Held]]:
        """All orders, in pages."""
        last: Any = FIRST_ID
        while rows := await self._connection.fetch(ORDERS, self._project, last, ORDERS_A_PAGE):
            last = rows[-1]["id"]
            yield [held(row) for row in rows]

    async def present(self, order_ids: Sequence[str]) -> set[str]:
        """Of these orders, those that are there."""
        return {row["id"] for row in await self._connection.fetch(PRESENT, self._project, order_ids)}

    async def ordered_carts(self, cart_ids: Sequence[str]) -> set[str]:
        """Of these carts, those that say they were ordered."""
        return {row["id"] for row in await self._connection.fetch(ORDERED_CARTS, self._project, cart_ids)}

    async def levels(self) -> dict[str, tuple[int, int]]:
        """On stock and reserved, by SKU."""
        rows = await self._connection.fetch(LEVELS, self._project)
        return {row["sku"]: (row["on_stock"], row["reserved"]) for row in rows}

    async def ledger_gaps(self) -> list[str]:
        """Counters that are not the sum of their movements."""
        return [f"stock {tuple(row)}" for row in await self._connection.fetch(LEDGER_GAPS, self._project, EXAMPLES_MAX)]

    async def message_gaps(self) -> list[str]:
        """Orders whose messages are missing, too many, or not numbered 1, 2, 3."""
        return [row[0] for row in await self._connection.fetch(MESSAGE_GAPS, self._project, EXAMPLES_MAX)]


def held(row: asyncpg.Record) -> Held:
    body = unpacked(row["body"])
    facts = _facts.decode(body)
    sold = tuple((line.variant["sku"], line.quantity) for line in facts.line_items)
    lines = ",".join(f"{sku}×{quantity}" for sku, quantity in sold)
    return Held(str(row["id"]), facts.cart.id, row["version"], digest_of(body), lines, sold)


@asynccontextmanager
async def opened(dsn: str, project: str) -> AsyncIterator[Shelf]:
    """The shelf of a project; nothing can be written through it."""
    connection = await asyncpg.connect(
        dsn,
        timeout=CONNECT_SECONDS_MAX,
        command_timeout=STATEMENT_SECONDS_MAX,
        server_settings={"default_transaction_read_only": "on", "application_name": "holdfast drill"},
    )
    try:
        yield Shelf(connection, project)
    finally:
        await connection.close(timeout=CONNECT_SECONDS_MAX)
