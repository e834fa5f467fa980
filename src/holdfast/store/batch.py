"""Which changes of a batch may commit: decided in arrival order, on paper.

Each change sees the batch as its predecessors left it: versions they wrote, stock they took. It is
accepted whole or refused whole, and a refused one leaves no trace, so no change fails its
neighbours. The rows are locked while this runs, so what holds here holds at commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from holdfast.base.errors import (
    ApiError,
    ConcurrentModification,
    OutOfStock,
    ReferencedResourceNotFound,
    ReferenceExists,
    ResourceNotFound,
)
from holdfast.commerce.stock import NO_STOCK, StockLevel, moved
from holdfast.store.change import Change

Row = tuple[str, str, str]  # kind, project, id
Entry = tuple[str, str]  # project, inventory entry id


class Standing(NamedTuple):
    """Where a resource stands: its version and the last sequence number of its messages."""

    version: int
    sequence_number: int


NOWHERE = Standing(0, 0)


class Ground(NamedTuple):
    """What the batch found under lock, and what it has become as changes were accepted.

    held: existing targets of new references. referrers: a type that points at a row about to go.
    found_levels: the counters as they are in the table; `levels` as they will be. farewells: the last
    sequence numbers of resources that go.
    """

    standings: dict[Row, Standing]
    found_levels: Mapping[Entry, StockLevel]
    levels: dict[Entry, StockLevel]
    held: set[Row]
    referrers: dict[Row, str]
    farewells: dict[Row, int]


def judge(changes: Iterable[Change], ground: Ground) -> list[ApiError | None]:
    """One verdict a change: None when it may commit, else the reason it may not."""
    return [_judge(change, ground) for change in changes]


def _judge(change: Change, ground: Ground) -> ApiError | None:
    levels: dict[Entry, StockLevel] = {}
    refusal = _check_puts(change, ground) or _check_drops(change, ground) or _move_stock(change, ground, levels)
    if refusal is None:
        ground.levels.update(levels)
        _accept(change, ground)
    return refusal


def _check_puts(change: Change, ground: Ground) -> ApiError | None:
    created = {(put.kind, change.project, put.id) for put in change.puts if not put.expected}
    for put in change.puts:
        found = ground.standings.get((put.kind, change.project, put.id), NOWHERE)
        if put.expected != found.version:
            return _stale(put.id, put.expected, found.version)
        for pointer in put.points:
            target = (pointer.kind, change.project, pointer.id)
            if target not in ground.held and target not in created:
                return ReferencedResourceNotFound(pointer.kind, id=pointer.id)
    return None


def _check_drops(change: Change, ground: Ground) -> ApiError | None:
    for drop in change.drops:
        row = (drop.kind, change.project, drop.id)
        found = ground.standings.get(row, NOWHERE)
        if drop.expected != found.version:
            return _stale(drop.id, drop.expected, found.version)
        if row in ground.referrers:
            return ReferenceExists(ground.referrers[row])
    return None


def _accept(change: Change, ground: Ground) -> None:
    for put in change.puts:
        row = (put.kind, change.project, put.id)
        before = ground.standings.get(row, NOWHERE)
        ground.standings[row] = Standing(put.resource.version, before.sequence_number + len(put.notes))
        ground.held.add(row)
        for pointer in put.points:
            ground.referrers.setdefault((pointer.kind, change.project, pointer.id), put.kind)
    for drop in change.drops:
        row = (drop.kind, change.project, drop.id)
        ground.farewells[row] = ground.standings.pop(row).sequence_number + len(drop.notes)
        ground.held.discard(row)


def _stale(resource_id: str, expected: int, actual: int) -> ApiError:
    if actual == 0:
        return ResourceNotFound.by_id(resource_id)
    return ConcurrentModification(resource_id, expected, actual)


def _move_stock(change: Change, ground: Ground, levels: dict[Entry, StockLevel]) -> ApiError | None:
    short = []
    for movement in change.stock:
        entry = (change.project, movement.entry_id)
        after = moved(levels.get(entry) or ground.levels.get(entry, NO_STOCK), movement)
        if after is None:
            short.append(movement)
        else:
            levels[entry] = after
    if not short:
        return None
    return OutOfStock([movement.line_item_id for movement in short], [movement.sku for movement in short])
