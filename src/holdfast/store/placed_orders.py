"""Orders as they are and as they were placed: what receipts are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from holdfast.store.bodies import unpacked
from holdfast.store.pool import Database
from holdfast.store.queries import columns, queries


class Placed(NamedTuple):
    """What is left of an order: its body now, and the message that told of it when it was placed."""

    body: bytes | None
    message: bytes | None
    deleted: bool


async def read_placed(database: Database, orders: Sequence[tuple[str, str]]) -> list[Placed]:
    """Orders by project and id, in the order they were asked for."""
    sql = queries("placed_orders")["read_placed"]
    rows = await database.fetch_keyed(sql, *columns(list(orders), 2))
    found = {row["n"]: Placed(_body(row["body"]), _body(row["message"]), row["deleted"]) for row in rows}
    return [found[number] for number in range(1, len(orders) + 1)]


def _body(stored: bytes | None) -> bytes | None:
    return None if stored is None else unpacked(stored)
