"""Which changes of a batch may commit: decided in arrival order, on paper.

Each change sees the batch as its predecessors left it: versions they wrote, stock they took, values
they claimed. It is accepted whole or refused whole, and a refused one leaves no trace, so no change
fails its neighbours. The rows are locked while this runs, so what holds here holds at commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from holdfast.base.errors import (
    ApiError,
    ConcurrentModification,
    IdempotencyKeyTaken,
    OutOfStock,
    ReferencedResourceNotFound,
    ReferenceExists,
    ResourceNotFound,
)
from holdfast.commerce.stock import NO_STOCK, StockLevel, moved
from holdfast.commerce.tally import counted
from holdfast.store.change import Change, Note, Subject
from holdfast.store.constraints import duplicate

Row = tuple[str, str, str]  # kind, project, id
Entry = tuple[str, str]  # project, inventory entry id
Counter = tuple[str, str]  # project, tally name
Claim = tuple[str, str, str, str]  # project, kind, field, value
Key = tuple[str, str, str]  # project, client id, idempotency key


class Standing(NamedTuple):
    """Where a resource stands: its version and the last sequence number of its messages."""

    version: int
    sequence_number: int


NOWHERE = Standing(0, 0)


class Told(NamedTuple):
    """The messages a change says of a resource, the last of them numbered `last`."""

    row: Row
    notes: Sequence[Note]
    last: int
    version: int
    at: str


class Moved(NamedTuple):
    """One line of the stock ledger: what a movement did to the counters, and what for."""

    entry: Entry
    movement: str
    on_stock: int
    reserved: int
    subject: Subject


@dataclass(slots=True)
class Ground:
    """What the batch found under lock, and what it has become as changes were accepted.

    held: existing targets of new references. referrers: a type that points at a row about to go.
    found_levels, found_tallies: the counters as they are in the tables; `levels` and `tallies` as
    they will be. claims: values the batch has claimed, with their owners. keys: idempotency keys it
    has used. ledger: how the levels moved. told: what is said, numbered.
    """

    standings: dict[Row, Standing]
    found_levels: dict[Entry, StockLevel]
    held: set[Row]
    referrers: dict[Row, str]
    found_tallies: dict[Counter, int] = field(default_factory=dict)
    levels: dict[Entry, StockLevel] = field(default_factory=dict)
    tallies: dict[Counter, int] = field(default_factory=dict)
    claims: dict[Claim, str] = field(default_factory=dict)
    keys: set[Key] = field(default_factory=set)
    ledger: list[Moved] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    def level(self, entry: Entry) -> StockLevel:
        return self.levels.get(entry) or self.found_levels.get(entry, NO_STOCK)


def judge(changes: Iterable[Change], ground: Ground) -> list[ApiError | None]:
    """One verdict a change: None when it may commit, else the reason it may not."""
    return [_judge(change, ground) for change in changes]


def _judge(change: Change, ground: Ground) -> ApiError | None:
    levels: dict[Entry, StockLevel] = {}
    ledger: list[Moved] = []
    tallies: dict[Counter, int] = {}
    refusal = (
        _check_key(change, ground)
        or _check_puts(change, ground)
        or _check_drops(change, ground)
        or _check_claims(change, ground)
        or _move_stock(change, ground, levels, ledger)
        or _count(change, ground, tallies)
    )
    if refusal is None:
        ground.levels.update(levels)
        ground.ledger += ledger
        ground.tallies.update(tallies)
        _accept(change, ground)
    return refusal


def _check_key(change: Change, ground: Ground) -> ApiError | None:
    if change.reply is not None and key_of(change) in ground.keys:
        return IdempotencyKeyTaken(change.reply.key)
    return None


def key_of(change: Change) -> Key:
    """The idempotency key of a keyed change."""
    assert change.reply is not None
    return change.project, change.reply.client_id, change.reply.key


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


def _check_claims(change: Change, ground: Ground) -> ApiError | None:
    """Whether a predecessor, or another part of this change, claims the same value."""
    mine: dict[Claim, str] = {}
    for claim, owner in claims_of(change):
        holder = mine.setdefault(claim, ground.claims.get(claim, owner))
        if holder != owner:
            return duplicate(claim[1], claim[2], claim[3], holder)
    return None


def claims_of(change: Change) -> Iterator[tuple[Claim, str]]:
    """The values a change claims, each with the resource that is to own it."""
    for put in change.puts:
        for field_name, value in put.claims:
            yield (change.project, put.kind, field_name, value), put.id


def _accept(change: Change, ground: Ground) -> None:
    if change.reply is not None:
        ground.keys.add(key_of(change))
    for item in change.items:
        for field_name, value in item.disclaims:
            claim = (change.project, item.kind, field_name, value)
            if ground.claims.get(claim) == item.id:  # an heir may have claimed it already
                del ground.claims[claim]
    ground.claims.update(claims_of(change))
    for put in change.puts:
        row = (put.kind, change.project, put.id)
        before = ground.standings.get(row, NOWHERE)
        version, last = put.resource.version, before.sequence_number + len(put.notes)
        ground.standings[row] = Standing(version, last)
        if put.notes:
            ground.told.append(Told(row, put.notes, last, version, put.resource.last_modified_at))
        ground.held.add(row)
        for pointer in put.points:
            ground.referrers.setdefault((pointer.kind, change.project, pointer.id), put.kind)
    for drop in change.drops:
        row = (drop.kind, change.project, drop.id)
        last = ground.standings.pop(row).sequence_number + len(drop.notes)
        if drop.notes:
            ground.told.append(Told(row, drop.notes, last, drop.expected, drop.at))
        ground.held.discard(row)


def _stale(resource_id: str, expected: int, actual: int) -> ApiError:
    if actual == 0:
        return ResourceNotFound.by_id(resource_id)
    return ConcurrentModification(resource_id, expected, actual)


def _move_stock(
    change: Change, ground: Ground, levels: dict[Entry, StockLevel], ledger: list[Moved]
) -> ApiError | None:
    if not change.stock:
        return None
    short = []
    subject = change.subject
    for movement in change.stock:
        entry = (change.project, movement.entry_id)
        before = levels.get(entry) or ground.level(entry)
        after = moved(before, movement)
        if after is None:
            short.append(movement)
        else:
            levels[entry] = after
            delta = (after.on_stock - before.on_stock, after.reserved - before.reserved)
            ledger.append(Moved(entry, movement.kind, *delta, subject._replace(at=movement.at or subject.at)))
    if not short:
        return None
    return OutOfStock([movement.line_item_id for movement in short], [movement.sku for movement in short])


def _count(change: Change, ground: Ground, tallies: dict[Counter, int]) -> ApiError | None:
    for tally in change.tallies:
        counter = (change.project, tally.name)
        used = tallies.get(counter, ground.tallies.get(counter, ground.found_tallies.get(counter, 0)))
        after = counted(used, tally)
        if after is None:
            return tally.refusal
        tallies[counter] = after
    return None
