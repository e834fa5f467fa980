"""The statements of one batch, in the one order all processes keep: kinds by name, rows by id.

survey   lock what the batch will change and read where it stands
write    write everything the batch was allowed; tells which changes clash with what is there
explain  name the field and the owner of each clash
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import asyncpg

from holdfast.base.errors import ApiError, ConcurrentModification, DuplicateField
from holdfast.commerce.registry import REGISTRY
from holdfast.commerce.stock import GUARDED, NO_STOCK, StockLevel
from holdfast.store.batch import Ground, Row, Standing
from holdfast.store.change import Change, Drop, Note, Put
from holdfast.store.queries import COUNTED, columns, document_queries, queries

_SQL = queries("constraints")


class Clash(NamedTuple):
    """A value that already belongs to somebody: to `owner` of the same batch, else to a stored resource."""

    project: str
    kind: str
    field: str
    value: str
    id: str
    owner: str | None = None


# --- survey --------------------------------------------------------------------------------


async def survey(connection: asyncpg.Connection, changes: Sequence[Change]) -> Ground:
    """Lock the rows of a batch and learn their versions, counters and referrers."""
    updates = _rows((put.kind, change.project, put.id) for change in changes for put in change.puts if put.expected)
    drops = _rows((drop.kind, change.project, drop.id) for change in changes for drop in change.drops)
    targets = _rows((to.kind, change.project, to.id) for change in changes for put in change.puts for to in put.points)
    standings: dict[Row, Standing] = {}
    held: set[Row] = set()
    for kind in sorted({*updates, *drops, *targets}):
        sql = document_queries(kind)
        for name, rows in (("lock_to_delete", drops[kind]), ("lock_to_update", updates[kind] - drops[kind])):
            for row in await _by_key(connection, sql[name], rows):
                place = (kind, row["project"], str(row["id"]))
                standings[place] = Standing(row["version"], row["sequence_number"])
        for row in await _by_key(connection, sql["hold"], targets[kind]):
            held.add((kind, row["project"], str(row["id"])))
    referrers = await _referrers(connection, drops)
    levels = await _lock_stock(connection, changes)
    return Ground(standings, levels, dict(levels), held, referrers, {})


def _rows(places: Iterable[Row]) -> defaultdict[str, set[tuple[str, str]]]:
    grouped: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for kind, project, row_id in places:
        grouped[kind].add((project, row_id))
    return grouped


async def _by_key(connection: asyncpg.Connection, sql: str, rows: set[tuple[str, str]]) -> list[asyncpg.Record]:
    return await connection.fetch(sql, *columns(sorted(rows), 2)) if rows else []


async def _referrers(connection: asyncpg.Connection, drops: defaultdict[str, set[tuple[str, str]]]) -> dict[Row, str]:
    rows = [(project, kind, row_id) for kind, keys in drops.items() for project, row_id in sorted(keys)]
    if not rows:
        return {}
    found = await connection.fetch(_SQL["find_referrers"], *columns(rows, 3))
    return {(row["target_kind"], row["project"], str(row["target_id"])): row["source_kind"] for row in found}


async def _lock_stock(connection: asyncpg.Connection, changes: Sequence[Change]) -> dict[tuple[str, str], StockLevel]:
    entries = {(change.project, movement.entry_id) for change in changes for movement in change.stock}
    rows = await _by_key(connection, _SQL["lock_stock"], entries)
    return {(row["project"], str(row["entry_id"])): StockLevel(row["on_stock"], row["reserved"]) for row in rows}


# --- write ---------------------------------------------------------------------------------


async def write(connection: asyncpg.Connection, changes: Sequence[Change], ground: Ground) -> list[Clash]:
    """Write the accepted changes; what comes back is already taken, and the batch must roll back."""
    clashes = await _write_claims(connection, changes)
    if clashes:
        return clashes
    clashes = await _write_documents(connection, changes, ground)
    if clashes:
        return clashes
    await _write_references(connection, changes)
    await _write_stock(connection, changes, ground)
    await _write_messages(connection, changes, ground)
    return []


def _written(changes: Sequence[Change]) -> Iterator[tuple[str, Put | Drop]]:
    for change in changes:
        for put in change.puts:
            yield change.project, put
        for drop in change.drops:
            yield change.project, drop


async def _write_claims(connection: asyncpg.Connection, changes: Sequence[Change]) -> list[Clash]:
    gone = [(project, item.kind, *claim, item.id) for project, item in _written(changes) for claim in item.disclaims]
    if gone:
        await connection.execute(_SQL["disown_values"], *columns(gone, 5))
    wanted = sorted(
        (change.project, put.kind, *claim, put.id) for change in changes for put in change.puts for claim in put.claims
    )
    if not wanted:
        return []
    won = await connection.fetch(_SQL["own_values"], *columns(wanted, 5))
    owners = {(row["project"], row["kind"], row["field"], row["value"]): str(row["id"]) for row in won}
    return [Clash(*claim, owners.get(claim[:4])) for claim in wanted if owners.get(claim[:4]) != claim[4]]


async def _write_documents(connection: asyncpg.Connection, changes: Sequence[Change], ground: Ground) -> list[Clash]:
    inserts: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    updates: defaultdict[str, dict[tuple[str, str], tuple[Any, ...]]] = defaultdict(dict)
    drops: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for change in changes:
        for put in change.puts:
            row = _document_row(change.project, put, ground)
            if put.expected:
                updates[put.kind][change.project, put.id] = row
            else:
                inserts[put.kind].append(row)
        for drop in change.drops:
            drops[drop.kind].append((change.project, drop.id))
    clashes: list[Clash] = []
    for kind in sorted({*inserts, *updates, *drops}):
        sql = document_queries(kind)
        if updates[kind]:
            await connection.execute(sql["update"], *columns(list(updates[kind].values()), 7))
        if drops[kind]:
            await connection.execute(sql["delete"], *columns(sorted(drops[kind]), 2))
        clashes += await _insert(connection, kind, sorted(inserts[kind], key=lambda row: row[:2]))
    return clashes


def _document_row(project: str, put: Put, ground: Ground) -> tuple[Any, ...]:
    resource = put.resource
    sequence = ground.standings[put.kind, project, put.id].sequence_number
    return (
        project,
        put.id,
        resource.version,
        sequence,
        resource.last_modified_at,
        put.stored,
        put.query.decode(),
    )


async def _insert(connection: asyncpg.Connection, kind: str, rows: list[tuple[Any, ...]]) -> list[Clash]:
    if not rows:
        return []
    inserted = await connection.fetch(document_queries(kind)["insert"], *columns(rows, 7))
    if kind == COUNTED:
        await connection.execute(_SQL["open_stock"], *columns([row[:2] for row in rows], 2))
    there = {(row["project"], str(row["id"])) for row in inserted}
    return [Clash(row[0], kind, "id", row[1], row[1]) for row in rows if row[:2] not in there]


async def _write_references(connection: asyncpg.Connection, changes: Sequence[Change]) -> None:
    gone = [(project, *to, item.kind, item.id) for project, item in _written(changes) for to in item.unpoints]
    new = [(change.project, *to, put.kind, put.id) for change in changes for put in change.puts for to in put.points]
    for name, rows in (("drop_references", gone), ("add_references", new)):
        if rows:
            await connection.execute(_SQL[name], *columns(sorted(rows), 5))


async def _write_stock(connection: asyncpg.Connection, changes: Sequence[Change], ground: Ground) -> None:
    moved = {(change.project, movement.entry_id) for change in changes for movement in change.stock}
    lifted = {
        (change.project, movement.entry_id)
        for change in changes
        for movement in change.stock
        if movement.kind not in GUARDED
    }
    rows = []
    for entry in sorted(moved):
        was, is_now = ground.found_levels.get(entry, NO_STOCK), ground.levels[entry]
        rows.append((*entry, is_now.on_stock - was.on_stock, is_now.reserved - was.reserved, entry in lifted))
    if rows:
        await connection.execute(_SQL["move_stock"], *columns(rows, 5))
    closed = [(change.project, drop.id) for change in changes for drop in change.drops if drop.kind == COUNTED]
    if closed:
        await connection.execute(_SQL["close_stock"], *columns(closed, 2))


async def _write_messages(connection: asyncpg.Connection, changes: Sequence[Change], ground: Ground) -> None:
    rows: list[tuple[Any, ...]] = []
    for change in changes:
        for put in change.puts:
            if put.notes:
                place = (put.kind, change.project, put.id)
                last = ground.standings[place].sequence_number
                rows += _message_rows(place, put.notes, last, put.resource.version, put.resource.last_modified_at)
        for drop in change.drops:
            place = (drop.kind, change.project, drop.id)
            rows += _message_rows(place, drop.notes, ground.farewells[place], drop.expected, drop.at)
    if rows:
        await connection.execute(_SQL["add_messages"], *columns(rows, 9))


def _message_rows(place: Row, notes: Sequence[Note], last: int, version: int, at: str) -> list[tuple[Any, ...]]:
    """The outbox rows of a resource's messages, the last of them numbered `last`."""
    kind, project, resource_id = place
    return [
        (project, kind, resource_id, number, note.id, version, note.type, at, note.stored)
        for number, note in enumerate(notes, last - len(notes) + 1)
    ]


# --- explain -------------------------------------------------------------------------------


async def explain(
    connection: asyncpg.Connection, changes: Sequence[Change], clashes: Sequence[Clash]
) -> dict[int, ApiError]:
    """Why each clashing change was refused, by its position in the batch."""
    if not clashes:
        return {}
    owners = await connection.fetch(_SQL["find_ids"], *columns([clash[:4] for clash in clashes], 4))
    owner_of = {clashes[row["n"] - 1]: str(row["id"]) for row in owners}
    by_resource = {(clash.project, clash.kind, clash.id): clash for clash in reversed(clashes)}
    refused: dict[int, ApiError] = {}
    for index, change in enumerate(changes):
        for put in change.puts:
            clash = by_resource.get((change.project, put.kind, put.id))
            if clash is not None:
                refused[index] = _refusal(clash, clash.owner or owner_of.get(clash))
    return refused


def _refusal(clash: Clash, owner: str | None) -> ApiError:
    if clash.field == "id":
        return ConcurrentModification(clash.id, 0, 1)
    field = REGISTRY[clash.kind].published.get(clash.field, clash.field)
    conflicting = {"typeId": clash.kind, "id": owner} if owner else None
    return DuplicateField(field, clash.value, conflicting)
