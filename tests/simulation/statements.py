"""The product's named statements, each as what it does to tables.

`tests/simulation/test_statements.py` runs these and the SQL on the same inputs and compares.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
from tests.simulation.model import Level
from tests.simulation.tables import KEY_SHARE, NO_KEY_UPDATE, UPDATE, Key, Row, Transaction

from holdfast.store.queries import COUNTED

Columns = Sequence[Any]
Answer = list[dict[str, Any]]
Statement = Callable[[Transaction, str, Columns], Awaitable[Answer]]

_WRITTEN = {"?column?": 1}
STATEMENTS: dict[str, Statement] = {}


def statement(function: Statement) -> Statement:
    STATEMENTS[function.__name__] = function
    return function


def _rows(columns: Columns) -> list[Row]:
    return list(zip(*columns, strict=True))


def _keys(columns: Columns) -> list[Key]:
    return sorted(set(_rows(columns)))


# --- locking -------------------------------------------------------------------------------


@statement
async def lock_to_update(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    return _standings(await transaction.lock(kind, _keys(columns), NO_KEY_UPDATE))


@statement
async def lock_to_delete(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    return _standings(await transaction.lock(kind, _keys(columns), UPDATE))


@statement
async def hold(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    return [_found(key, 0, 0) for key, _ in await transaction.lock(kind, _keys(columns), KEY_SHARE)]


@statement
async def lock_stock(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    rows = await transaction.lock("stock", _keys(columns), NO_KEY_UPDATE)
    return [_found(key, row[0], row[1]) for key, row in rows]


@statement
async def lock_tallies(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    rows = await transaction.lock("tally", _keys(columns), NO_KEY_UPDATE)
    return [_found(key, row[0], 0) for key, row in rows]


def _standings(rows: list[tuple[Key, Row]]) -> Answer:
    return [_found(key, row[0], row[1]) for key, row in rows]


def _found(key: Key, first: int, second: int) -> dict[str, Any]:
    return {"project": key[0], "id": key[1], "first": first, "second": second}


# --- documents -----------------------------------------------------------------------------


@statement
async def insert(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    return [_WRITTEN for row in _rows(columns) if await transaction.insert(kind, row[:2], row[2:])]


@statement
async def update(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    rows = {row[:2]: row[2:] for row in _rows(columns)}
    for key, _ in (locked := await transaction.lock(kind, rows, NO_KEY_UPDATE)):
        transaction.put(kind, key, rows[key])
    return [_WRITTEN] * len(locked)


@statement
async def delete(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    return await _delete(transaction, kind, _rows(columns))


async def _delete(transaction: Transaction, table: str, keys: list[Key]) -> Answer:
    locked = await transaction.lock(table, dict.fromkeys(keys), UPDATE)
    for key, _ in locked:
        transaction.put(table, key, None)
    return [_WRITTEN] * len(locked)


@statement
async def find_present(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    return [{"project": key[0], "id": key[1]} for key in _rows(columns) if transaction.get(kind, key)]


# --- values and references -----------------------------------------------------------------


@statement
async def own_values(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    rows = sorted(_rows(columns))
    return [_WRITTEN for row in rows if await transaction.insert("unique_value", row[:4], row[4:])]


@statement
async def disown_values(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    gone = [row[:4] for row in _rows(columns) if transaction.get("unique_value", row[:4]) == row[4:]]
    return await _delete(transaction, "unique_value", gone)


@statement
async def find_ids(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    owners = [(number, transaction.get("unique_value", row)) for number, row in enumerate(_rows(columns), 1)]
    return [{"n": number, "id": owner[0]} for number, owner in owners if owner]


@statement
async def add_references(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    return [_WRITTEN for row in _rows(columns) if await transaction.insert("reference", row, ())]


@statement
async def drop_references(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    return await _delete(transaction, "reference", _rows(columns))


@statement
async def find_referrers(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    wanted = set(_rows(columns))
    found = {
        (*key[:3], key[3]) for key, _ in transaction.scan("reference") if key[:3] in wanted and key[1:3] != key[3:5]
    }
    names = ("project", "target_kind", "target_id", "source_kind")
    return [dict(zip(names, row, strict=True)) for row in sorted(found)]


# --- stock ---------------------------------------------------------------------------------


@statement
async def move_stock(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    moves = {row[:2]: row[2:] for row in _rows(columns)}
    return await _change(transaction, "stock", list(moves), lambda key, row: _moved(row, moves[key]))


def _moved(row: Row, move: Row) -> Row:
    level = Level(row[0] + move[0], row[1] + move[1])
    unguarded = (row[2] or move[2]) and level.available < 0
    if level.reserved < 0 or (level.available < 0 and not unguarded):
        raise asyncpg.CheckViolationError('new row for relation "stock" violates check constraint')
    return (*level, unguarded)


async def _change(transaction: Transaction, table: str, keys: Sequence[Key], new: Callable[[Key, Row], Row]) -> Answer:
    """Update row by row; PostgreSQL checks the new row before it waits for the old one, and again after."""
    written = []
    for key in keys:
        seen = transaction.get(table, key)
        if seen is not None and transaction.sees(table, key):
            new(key, seen)
            for _, row in await transaction.lock(table, (key,), NO_KEY_UPDATE):
                transaction.put(table, key, new(key, row))
                written.append(_WRITTEN)
    return written


@statement
async def open_stock(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    written = []
    for project, entry_id, on_stock, reserved in _rows(columns):
        if reserved < 0:
            raise asyncpg.CheckViolationError('new row for relation "stock" violates check constraint')
        row = (on_stock, reserved, on_stock - reserved < 0)
        if await transaction.insert("stock", (project, entry_id), row):
            written.append(_WRITTEN)
    return written


@statement
async def close_stock(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    return await _delete(transaction, "stock", _rows(columns))


@statement
async def add_ledger(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    rows = _rows(columns)
    for row in rows:
        # The position is drawn when the row is made, as an identity column's is.
        transaction.tables.positions += 1
        await transaction.insert("stock_ledger", (*row[:2], transaction.tables.positions), row[2:])
    return [_WRITTEN] * len(rows)


@statement
async def read_stock(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    found = [(key, transaction.get("stock", key)) for key in _rows(columns)]
    return [
        {"project": key[0], "entry_id": key[1], "on_stock": row[0], "reserved": row[1]} for key, row in found if row
    ]


# --- counters, messages, keys, fate --------------------------------------------------------


@statement
async def open_tallies(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    return [_WRITTEN for key in sorted(_rows(columns)) if await transaction.insert("tally", key, (0,))]


@statement
async def move_tallies(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    used = {row[:2]: row[2:] for row in _rows(columns)}
    return await _change(transaction, "tally", list(used), lambda key, _: _counted(used[key]))


def _counted(row: Row) -> Row:
    if row[0] < 0:
        raise asyncpg.CheckViolationError('new row for relation "tally" violates check constraint')
    return row


@statement
async def add_messages(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    rows = _rows(columns)
    for row in rows:
        if not await transaction.insert("outbox", row[:4], row[4:]):
            raise asyncpg.UniqueViolationError('duplicate key value violates unique constraint "outbox_pkey"')
    return [_WRITTEN] * len(rows)


@statement
async def add_replies(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    rows = sorted(_rows(columns))
    return [_WRITTEN for row in rows if await transaction.insert("idempotency", row[:3], row[3:])]


@statement
async def find_replies(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    names = ("project", "client_id", "key")
    return [dict(zip(names, key, strict=True)) for key in _rows(columns) if transaction.get("idempotency", key)]


@statement
async def find_answers(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    names = ("fingerprint", "status", "kind", "resource_id", "version", "body")
    rows = [(number, transaction.get("idempotency", key)) for number, key in enumerate(_rows(columns), 1)]
    return [{"n": number, "created_at": None, **dict(zip(names, row, strict=True))} for number, row in rows if row]


@statement
async def keep_answer(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    return [_WRITTEN] if await transaction.insert("idempotency", tuple(columns[:3]), tuple(columns[3:])) else []


@statement
async def decide_fate(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    written = await transaction.insert("fate", (columns[0],), (columns[1],))
    if not columns[1]:
        row = transaction.get("fate", (columns[0],))
        assert row is not None
        became = "committed" if row[0] else "never to commit" if written else "asked again"
        transaction.tables.seen[f"settled: {became}"] += 1
    return [_WRITTEN] if written else []


@statement
async def find_fate(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    row = transaction.get("fate", (columns[0],))
    return [{"committed": row[0]}] if row else []


# --- reading by key ------------------------------------------------------------------------


@statement
async def read(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    found = []
    for number, (project, resource_id, version) in enumerate(_rows(columns), 1):
        row = transaction.get(kind, (project, resource_id))
        if row is not None:
            body = None if row[0] == version else row[3]
            level = _level(transaction, kind, (project, resource_id))
            found.append({"n": number, "id": None, "version": row[0], "body": body, **level})
    return found


@statement
async def find(transaction: Transaction, kind: str, columns: Columns) -> Answer:
    found = []
    for number, (project, claimed, field, value, guess, version) in enumerate(_rows(columns), 1):
        owner = transaction.get("unique_value", (project, claimed, field, value))
        row = transaction.get(kind, (project, owner[0])) if owner else None
        if owner is not None and row is not None:
            body = None if (owner[0], row[0]) == (guess, version) else row[3]
            level = _level(transaction, kind, (project, owner[0]))
            found.append({"n": number, "id": owner[0], "version": row[0], "body": body, **level})
    return found


def _level(transaction: Transaction, kind: str, key: Key) -> dict[str, Any]:
    row = transaction.get("stock", key) if kind == COUNTED else None
    return {"on_stock": row[0] if row else None, "reserved": row[1] if row else None}
