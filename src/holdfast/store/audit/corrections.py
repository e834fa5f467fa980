"""Corrections of what lies beside the resources: each one transaction, guarded by what it finds then.

Resources themselves are only ever changed by the committer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from holdfast.commerce.registry import REGISTRY
from holdfast.store.audit.check import Finding
from holdfast.store.audit.documents import read
from holdfast.store.audit.reading import Reading
from holdfast.store.audit.stock import reserved_in_carts
from holdfast.store.constraints import claims_of


@asynccontextmanager
async def _correcting(connection: asyncpg.Connection, project: str) -> AsyncIterator[Reading]:
    """A transaction that is durable when it returns, unlike the notes an audit takes."""
    async with connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = on")
        yield Reading(connection, project)


async def claim_values(connection: asyncpg.Connection, finding: Finding) -> str | None:
    """Give a resource the unique values it has by right, as far as nobody owns them."""
    async with _correcting(connection, finding.project) as reading:
        documents, _ = await read(reading, finding.kind, [finding.subject])
        claimed = []
        for document in documents:
            for field, value in claims_of(REGISTRY[finding.kind], document.resource):
                arguments = (finding.kind, document.id, field, value, document.version)
                if await reading.rows("own_missing_value", *arguments, kind=finding.kind):
                    claimed.append(f"{field} = {value}")
    return f"claimed {', '.join(claimed)}" if claimed else None


async def release_value(connection: asyncpg.Connection, finding: Finding) -> str | None:
    """Release a unique value whose owner is not there."""
    async with _correcting(connection, finding.project) as reading:
        kind, field, value = finding.place
        for row in await reading.rows("values_at", [kind], [field], [value]):
            if await reading.rows("disown_orphan_value", kind, field, value, row["id"], kind=kind):
                return f"released {field} = {value}"
    return None


async def correct_stock(connection: asyncpg.Connection, finding: Finding) -> str | None:
    """Set an entry's counters: on stock as the ledger says, reserved as live orders and carts hold it.

    The row is locked, as every order of it would lock it: nothing moves while this is added up.
    """
    entry = finding.subject
    async with _correcting(connection, finding.project) as reading:
        locked = await reading.rows("lock_stock_entry", entry)
        if not locked:
            return None
        [row] = await reading.rows("stock_and_ledger", [entry])
        [held] = await reading.rows("held_of_entry", entry)
        reserved = held["held"] + dict(await reserved_in_carts(reading)).get(entry, 0)
        on_stock = row["ledger_on_stock"]
        if row["on_stock"] == on_stock and row["reserved"] == row["ledger_reserved"] == reserved:
            return None
        await reading.rows("correct_stock", entry, on_stock, reserved)
        await reading.rows("correct_ledger", entry, 0, reserved - row["ledger_reserved"])
    return (
        f"on stock {row['on_stock']} → {on_stock}, reserved {row['reserved']} → {reserved},"
        f" in the ledger {row['ledger_reserved']} → {reserved}"
    )
