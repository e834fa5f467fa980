"""Reading the stock ledger: the movements behind the counters of an inventory entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from holdfast.base import clock
from holdfast.commerce.stock import StockLevel
from holdfast.store.pool import Database
from holdfast.store.queries import queries

PLACES_MAX = 100
# Before all positions there are: the end of the ledger.
END = 2**63 - 1


class Place(NamedTuple):
    """An inventory entry, and the key of its supply channel if it has one."""

    project: str
    entry_id: str
    channel: str | None


class Line(NamedTuple):
    """A movement: what it added to the counters, what they came to, and for the sake of what."""

    position: int
    at: str
    movement: str
    change: StockLevel
    after: StockLevel
    reference_kind: str
    reference_id: str
    reference_version: int


class Account(NamedTuple):
    """What the ledger says of an entry, beside its counters, as of one moment.

    movements: how many there are in all; `lines` are some of them, newest last.
    """

    counters: StockLevel
    total: StockLevel
    movements: int
    lines: Sequence[Line]

    @property
    def balanced(self) -> bool:
        """Whether the counters are the sum of all movements."""
        return self.counters == self.total


async def places_of(database: Database, sku: str, project: str | None, channel: str | None) -> list[Place]:
    """The entries of a SKU, at most PLACES_MAX of them."""
    rows = await database.fetch(queries("ledger")["find_places"], sku, project, channel, PLACES_MAX)
    return [Place(row["project"], row["id"], row["channel"]) for row in rows]


async def account_of(database: Database, project: str, entry_id: str, limit: int, before: int = END) -> Account:
    """The last `limit` lines of an entry's ledger before a position; entries nobody ever counted have none."""
    rows = await database.fetch(queries("ledger")["read_account"], project, entry_id, before, limit)
    first = rows[0]
    return Account(
        StockLevel(first["counted_on_stock"], first["counted_reserved"]),
        StockLevel(first["sum_on_stock"], first["sum_reserved"]),
        first["lines"],
        _lines([row for row in rows if row["position"] is not None], first),
    )


def _lines(rows: Sequence[Any], first: Any) -> list[Line]:
    """The lines of a page; what the counters came to is reckoned from its end backwards."""
    level = StockLevel(first["page_on_stock"], first["page_reserved"])
    lines = []
    for row in reversed(rows):
        change = StockLevel(row["on_stock"], row["reserved"])
        lines.append(
            Line(
                row["position"],
                clock.timestamp(row["at"]),
                row["movement"],
                change,
                level,
                row["reference_kind"],
                row["reference_id"],
                row["reference_version"],
            )
        )
        level = StockLevel(level.on_stock - change.on_stock, level.reserved - change.reserved)
    return lines[::-1]
