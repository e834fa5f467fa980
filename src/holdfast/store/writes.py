"""The statements of one batch, in the one order all processes keep: kinds by name, rows by id.

survey   lock what the batch will change and read where it stands
write    write everything the batch was allowed; tells which parts met something that is there already
explain  name the change behind each clash, and the owner of what it wanted
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from holdfast.base.errors import ApiError, ConcurrentModification, IdempotencyKeyTaken
from holdfast.commerce.stock import GUARDED, NO_STOCK, StockLevel
from holdfast.store.batch import Claim, Entry, Ground, Key, Moved, Row, Standing, claims_of, key_of
from holdfast.store.change import Change, Put, Subject
from holdfast.store.constraints import duplicate
from holdfast.store.queries import COUNTED, columns, document_queries, queries
from holdfast.store.session import Part, Session

_SQL = queries("constraints")

Places = defaultdict[str, set[tuple[str, str]]]


class Missed(NamedTuple):
    """What kept a batch from being written: the parts that wrote fewer rows than they were given."""

    values: bool = False
    replies: bool = False
    kinds: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.values or self.replies or bool(self.kinds)


# --- survey --------------------------------------------------------------------------------


async def survey(session: Session, changes: Sequence[Change]) -> Ground:
    """Lock the rows of a batch and learn their versions, counters and referrers."""
    updates = _grouped((put.kind, change.project, put.id) for change in changes for put in change.puts if put.expected)
    drops = _grouped((drop.kind, change.project, drop.id) for change in changes for drop in change.drops)
    targets = _grouped(
        (to.kind, change.project, to.id) for change in changes for put in change.puts for to in put.points
    )
    locks = []
    for kind in sorted({*updates, *drops, *targets}):
        sql = document_queries(kind)
        locks += _keyed(kind, "lock_to_delete", sql, drops[kind])
        locks += _keyed(kind, "lock_to_update", sql, updates[kind] - drops[kind])
        locks += _keyed(kind, "hold", sql, targets[kind])
    counters = {(change.project, tally.name) for change in changes for tally in change.tallies}
    if counters:
        await session.write([_part("open_tallies", sorted(counters))])
    locks += _keyed("", "lock_stock", _SQL, _entries(changes, drops))
    locks += _keyed("", "lock_tallies", _SQL, counters)
    found = await session.read([lock.part for lock in locks])
    ground = Ground({}, {}, set(), await _referrers(session, drops))
    for lock, rows in zip(locks, found, strict=True):
        _learn(ground, lock, rows)
    return ground


class Lock(NamedTuple):
    """A part of the survey, and the kind whose rows it locks."""

    kind: str
    part: Part


def _keyed(kind: str, name: str, sql: dict[str, str], rows: set[tuple[str, str]]) -> list[Lock]:
    if not rows:
        return []
    return [Lock(kind, Part(f"{kind}.{name}" if kind else name, sql[name], columns(sorted(rows), 2)))]


def _entries(changes: Sequence[Change], drops: Places) -> set[Entry]:
    return {(change.project, movement.entry_id) for change in changes for movement in change.stock} | drops[COUNTED]


def _learn(ground: Ground, lock: Lock, rows: Sequence[Any]) -> None:
    name = lock.part.name.rpartition(".")[2]
    for row in rows:
        place = (row["project"], row["id"])
        if name == "hold":
            ground.held.add((lock.kind, *place))
        elif name == "lock_stock":
            ground.found_levels[place] = StockLevel(row["first"], row["second"])
        elif name == "lock_tallies":
            ground.found_tallies[place] = row["first"]
        else:
            ground.standings[lock.kind, *place] = Standing(row["first"], row["second"])


def _grouped(places: Iterable[Row]) -> Places:
    grouped: Places = defaultdict(set)
    for kind, project, row_id in places:
        grouped[kind].add((project, row_id))
    return grouped


async def _referrers(session: Session, drops: Places) -> dict[Row, str]:
    rows = [(project, kind, row_id) for kind, keys in drops.items() for project, row_id in sorted(keys)]
    if not rows:
        return {}
    (found,) = await session.read([_part("find_referrers", rows)])
    return {(row["target_kind"], row["project"], str(row["target_id"])): row["source_kind"] for row in found}


def _part(name: str, rows: list[Any]) -> Part:
    """A part for rows of which there is at least one."""
    return Part(name, _SQL[name], columns(rows, len(rows[0])))


# --- write ---------------------------------------------------------------------------------


async def write(session: Session, changes: Sequence[Change], ground: Ground, fate: str) -> Missed:
    """Write the accepted changes and mark the batch; whatever was missed, the batch must roll back.

    What goes goes first: the values it gives up may be claimed anew in the same batch.
    """
    await session.write(_endings(changes))
    claims = sorted(ground.claims.items())
    replies = sorted(_reply_rows(changes))
    inserts = _inserts(changes, ground)
    parts = [
        *_some("own_values", [(*claim, owner) for claim, owner in claims]),
        *_updates(changes, ground),
        *(_document_part(kind, "insert", rows) for kind, rows in inserts.items()),
        *_some("add_references", sorted(_references(changes))),
        *_stock_parts(changes, ground),
        *_some("move_tallies", [(*counter, used) for counter, used in sorted(ground.tallies.items())]),
        *_some("add_messages", list(_messages(ground))),
        *_some("add_replies", replies),
        Part("decide_fate", _SQL["decide_fate"], (fate, True)),
    ]
    written = dict(zip((part.name for part in parts), await session.write(parts), strict=True))
    return Missed(
        values=written.get("own_values", 0) < len(claims),
        replies=written.get("add_replies", 0) < len(replies),
        kinds=frozenset(kind for kind, rows in inserts.items() if written[f"{kind}.insert"] < len(rows)),
    )


def _some(name: str, rows: list[Any]) -> list[Part]:
    return [_part(name, rows)] if rows else []


def _document_part(kind: str, name: str, rows: list[tuple[Any, ...]]) -> Part:
    return Part(f"{kind}.{name}", document_queries(kind)[name], columns(rows, len(rows[0])))


def _endings(changes: Sequence[Change]) -> list[Part]:
    """Values and references that are given up, resources and counters that go."""
    items = [(change.project, item) for change in changes for item in change.items]
    values = [(project, item.kind, *claim, item.id) for project, item in items for claim in item.disclaims]
    references = [(project, *to, item.kind, item.id) for project, item in items for to in item.unpoints]
    drops = _grouped((drop.kind, change.project, drop.id) for change in changes for drop in change.drops)
    return [
        *_some("disown_values", values),
        *_some("drop_references", sorted(references)),
        *(_document_part(kind, "delete", sorted(drops[kind])) for kind in sorted(drops)),
        *_some("close_stock", sorted(drops[COUNTED])),
    ]


def _updates(changes: Sequence[Change], ground: Ground) -> list[Part]:
    """The last version of each resource the batch changes."""
    rows: defaultdict[str, dict[tuple[str, str], tuple[Any, ...]]] = defaultdict(dict)
    for project, put in _puts(changes):
        if put.expected:
            rows[put.kind][project, put.id] = _document_row(project, put, ground)
    return [_document_part(kind, "update", list(rows[kind].values())) for kind in sorted(rows)]


def _inserts(changes: Sequence[Change], ground: Ground) -> dict[str, list[tuple[Any, ...]]]:
    rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for project, put in _puts(changes):
        if not put.expected:
            rows[put.kind].append(_document_row(project, put, ground))
    return {kind: sorted(rows[kind], key=lambda row: row[:2]) for kind in sorted(rows)}


def _puts(changes: Sequence[Change]) -> Iterator[tuple[str, Put]]:
    return ((change.project, put) for change in changes for put in change.puts)


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


def _references(changes: Sequence[Change]) -> Iterator[tuple[str, ...]]:
    return ((project, *to, put.kind, put.id) for project, put in _puts(changes) for to in put.points)


def _stock_parts(changes: Sequence[Change], ground: Ground) -> list[Part]:
    """Counters moved, opened and closed, with every movement in the ledger."""
    opened = {(project, put.id) for project, put in _puts(changes) if put.kind == COUNTED and not put.expected}
    lifted = {
        (change.project, movement.entry_id)
        for change in changes
        for movement in change.stock
        if movement.kind not in GUARDED
    }
    moved = []
    for entry in sorted(ground.levels.keys() & ground.found_levels.keys()):
        was, is_now = ground.found_levels[entry], ground.levels[entry]
        moved.append((*entry, is_now.on_stock - was.on_stock, is_now.reserved - was.reserved, entry in lifted))
    new = [(*entry, *ground.levels.get(entry, NO_STOCK)) for entry in sorted(opened)]
    lines = [line for line in ground.ledger if line.entry in opened or line.entry in ground.found_levels]
    lines += _closings(changes, ground)
    return [
        *_some("move_stock", moved),
        *_some("open_stock", new),
        *_some("add_ledger", [_ledger_row(line) for line in lines]),
    ]


def _closings(changes: Sequence[Change], ground: Ground) -> Iterator[Moved]:
    """The last line of an entry that goes: it leaves nothing."""
    for change in changes:
        for drop in change.drops:
            if drop.kind == COUNTED:
                entry = (change.project, drop.id)
                level = ground.level(entry)
                yield Moved(
                    entry, "close", -level.on_stock, -level.reserved, Subject(COUNTED, drop.id, drop.expected, drop.at)
                )


def _ledger_row(line: Moved) -> tuple[Any, ...]:
    kind, reference_id, version, at = line.subject
    return (*line.entry, at, line.movement, line.on_stock, line.reserved, kind, reference_id, version)


def _messages(ground: Ground) -> Iterator[tuple[Any, ...]]:
    for (kind, project, resource_id), notes, last, version, at in ground.told:
        for number, note in enumerate(notes, last - len(notes) + 1):
            yield project, kind, resource_id, number, note.id, version, note.type, at, note.stored


def _reply_rows(changes: Sequence[Change]) -> Iterator[tuple[Any, ...]]:
    for change in changes:
        if change.reply is not None:
            *reply, stored = change.reply
            kind, resource_id, version, _ = change.subject
            yield change.project, *reply, kind, resource_id, version, stored or change.puts[0].stored


# --- explain -------------------------------------------------------------------------------


async def explain(session: Session, changes: Sequence[Change], missed: Missed) -> dict[int, ApiError]:
    """Why changes were refused, by their position in the batch; runs after the rollback.

    Empty when what stood in the way has gone meanwhile: then the batch may simply run again.
    """
    owners = await _owners(session, changes) if missed.values else {}
    taken = await _taken_keys(session, changes) if missed.replies else set()
    there = {row async for row in _present(session, changes, missed.kinds)} if missed.kinds else set()
    refused: dict[int, ApiError] = {}
    for index, change in enumerate(changes):
        refusal = _key_refusal(change, taken) or _value_refusal(change, owners) or _id_refusal(change, there)
        if refusal is not None:
            refused[index] = refusal
    return refused


async def _owners(session: Session, changes: Sequence[Change]) -> dict[Claim, str]:
    claims = sorted({claim for change in changes for claim, _ in claims_of(change)})
    (rows,) = await session.read([_part("find_ids", claims)])
    return {claims[row["n"] - 1]: row["id"] for row in rows}


async def _taken_keys(session: Session, changes: Sequence[Change]) -> set[Key]:
    keys = sorted(key_of(change) for change in changes if change.reply is not None)
    (rows,) = await session.read([_part("find_replies", keys)])
    return {(row["project"], row["client_id"], row["key"]) for row in rows}


async def _present(session: Session, changes: Sequence[Change], kinds: frozenset[str]) -> AsyncIterator[Row]:
    for kind in sorted(kinds):
        rows = sorted((project, put.id) for project, put in _puts(changes) if put.kind == kind and not put.expected)
        (found,) = await session.read([_document_part(kind, "find_present", rows)])
        for row in found:
            yield kind, row["project"], row["id"]


def _key_refusal(change: Change, taken: set[Key]) -> ApiError | None:
    if change.reply is not None and key_of(change) in taken:
        return IdempotencyKeyTaken(change.reply.key)
    return None


def _id_refusal(change: Change, there: set[Row]) -> ApiError | None:
    for put in change.puts:
        if not put.expected and (put.kind, change.project, put.id) in there:
            return ConcurrentModification(put.id, 0, 1)
    return None


def _value_refusal(change: Change, owners: dict[Claim, str]) -> ApiError | None:
    for claim, wanting in claims_of(change):
        owner = owners.get(claim, wanting)
        if owner != wanting:
            return duplicate(*claim[1:], owner)
    return None
