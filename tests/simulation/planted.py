"""Bugs put into the product on purpose, from here: a simulation that misses one of them proves little.

Each replaces a function or two of the product (or of the database) by one with a mistake somebody
could make. `python -m tests.simulation --planted` finds them all and prints their seeds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

from msgspec.structs import replace
from tests.simulation import database
from tests.simulation.prepared import prepared
from tests.simulation.statements import STATEMENTS
from tests.simulation.tables import Transaction

from holdfast.base.errors import ApiError
from holdfast.base.ids import uuid7
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.order import placing, stock
from holdfast.commerce.rules.stock import order_stock
from holdfast.commerce.stock import StockLevel, moved
from holdfast.handlers import once, work
from holdfast.handlers.endpoints import Answer
from holdfast.store import batch, committer, writes
from holdfast.store.batch import Ground, Standing
from holdfast.store.change import Change
from holdfast.store.coalescer import Coalescer
from holdfast.store.reader import Reader
from holdfast.store.session import Part
from holdfast.store.store import Store


class Bug(NamedTuple):
    """A mistake: what is replaced (by dotted name) by what."""

    name: str
    replaced: dict[str, Any]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Plant it, after the shop was built without it."""
        prepared()
        with ExitStack() as stack:
            for target, replacement in self.replaced.items():
                stack.enter_context(patch(target, replacement))
            yield


BUGS: list[Bug] = []
_BATCH = "holdfast.store.batch."
_COMMITTER = "holdfast.store.committer.Committer."


def bug(name: str, target: str) -> Callable[[Any], Any]:
    """Register a replacement for one target."""

    def register(replacement: Any) -> Any:
        BUGS.append(Bug(name, {target: replacement}))
        return replacement

    return register


# --- versions and verdicts -----------------------------------------------------------------


@bug("versions are not checked under lock", _BATCH + "_check_puts")
def no_version_check(change: Change, ground: Ground) -> ApiError | None:
    return None


@bug("refused changes are written", "holdfast.store.committer.judge")
def judge_and_accept(changes: Sequence[Change], ground: Ground) -> list[ApiError | None]:
    for change in changes:
        batch._judge(change, ground)
    return [None for _ in changes]


@bug("an update starts from whatever is there", "holdfast.handlers.crud.check_version")
def no_check_of_the_asked_version(resource: Any, version: int) -> None:
    """The client's version is ignored."""


@bug("the version stays", "holdfast.commerce.registry.touched")
def untouched(resource: Any, version: int, facts: Any) -> Any:
    return replace(resource, version=max(version - 1, 1), last_modified_at=facts.now)


_settle = committer.Committer._settle


@bug("refused changes are remembered as made", _COMMITTER + "_settle")
async def settle_all(self: committer.Committer, waiting: list[committer.Waiting]) -> None:
    for one in waiting:
        self._committed(one.change)
    await _settle(self, waiting)


_verdicts = committer.Committer._verdicts


@bug("a run again forgets who was refused", _COMMITTER + "_verdicts")
async def verdicts_without_refusals(
    self: committer.Committer, changes: Sequence[Change], give_up: float
) -> Sequence[ApiError | None]:
    found = await _verdicts(self, changes, give_up)
    return [None for _ in found] if len(changes) > 1 and None in found else found


# --- the commit ----------------------------------------------------------------------------


@bug("acknowledged before the commit", _COMMITTER + "submit")
async def submit_and_go(self: committer.Committer, change: Change) -> None:
    loop = asyncio.get_running_loop()
    self._waiting.append(committer.Waiting(change, loop.create_future(), None))
    if self._running is None:
        self._running = loop.create_task(self._run())


@bug("a lost commit counts as failed", _COMMITTER + "_did_commit")
async def never_committed(self: committer.Committer, fate: str) -> bool:
    return False


@bug("a lost commit counts as done", _COMMITTER + "_did_commit")
async def always_committed(self: committer.Committer, fate: str) -> bool:
    return True


@bug("a fate asked twice counts as done", _COMMITTER + "_settle_fate")
async def settle_by_count(self: committer.Committer, fate: str) -> bool:
    session = await self._connected()
    try:
        (written,) = await session.write([Part("decide_fate", committer._SQL["decide_fate"], (fate, False))])
    except BaseException:
        self._forget(session)
        raise
    return not written


@bug("the database answers before its flush", "tests.simulation.database.Wire.commit")
async def commit_without_flush(self: database.Wire) -> None:
    """Visible and answered at once; a crash takes what came last."""
    transaction, self.transaction = self.transaction, None
    assert transaction is not None
    before = {place: transaction.tables.table(place[0]).get(place[1]) for place in transaction.writes}
    transaction.commit()
    server = self.server
    moment = server.loop.time() + server.faults.delay() * 20
    unflushed.append((server, moment, before, len(transaction.tables.told) - 1))


unflushed: list[Any] = []
_crash = database.Server.crash


def crash_with_loss(self: database.Server, down_seconds: float) -> None:
    mine = [one for one in unflushed if one[0] is self and one[1] > self.loop.time()]
    for _, _, before, position in reversed(mine):
        for (table, key), row in before.items():
            rows = self.tables.table(table)
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
        self.tables.told[position] = {}
    unflushed.clear()
    _crash(self, down_seconds)


BUGS[-1].replaced["tests.simulation.database.Server.crash"] = crash_with_loss


# --- locks ---------------------------------------------------------------------------------


async def stock_without_lock(transaction: Transaction, kind: str, columns: Any) -> Any:
    rows = [(key, transaction.get("stock", key)) for key in zip(*columns, strict=True)]
    return [{"project": key[0], "id": key[1], "first": row[0], "second": row[1]} for key, row in rows if row]


async def documents_without_lock(transaction: Transaction, kind: str, columns: Any) -> Any:
    rows = [(key, transaction.get(kind, key)) for key in zip(*columns, strict=True)]
    return [{"project": key[0], "id": key[1], "first": row[0], "second": row[1]} for key, row in rows if row]


async def stock_in_any_order(transaction: Transaction, kind: str, columns: Any) -> Any:
    keys = list(zip(*columns, strict=True))
    transaction.tables.seen["stock locked"] += 1
    if transaction.tables.seen["stock locked"] % 2:
        keys.reverse()
    rows = await transaction.lock("stock", keys, 2)
    return [{"project": key[0], "id": key[1], "first": row[0], "second": row[1]} for key, row in rows]


def _with(name: str, statement: Any) -> dict[str, Any]:
    return {"tests.simulation.database.STATEMENTS": {**STATEMENTS, name: statement}}


BUGS += [
    Bug("counters are read without a lock", _with("lock_stock", stock_without_lock)),
    Bug("resources are read without a lock", _with("lock_to_update", documents_without_lock)),
    Bug("counters are locked in any order", _with("lock_stock", stock_in_any_order)),
]


# --- stock ---------------------------------------------------------------------------------


def moved_unguarded(level: StockLevel, movement: Any) -> StockLevel | None:
    if movement.kind == "reserve":
        return StockLevel(level.on_stock, level.reserved + movement.quantity)
    return moved(level, movement)


async def move_stock_unchecked(transaction: Transaction, kind: str, columns: Any) -> Any:
    rows = {row[:2]: row[2:] for row in zip(*columns, strict=True)}
    for key, (on_stock, reserved, _) in await transaction.lock("stock", rows, 2):
        more, held, _ = rows[key]
        transaction.put("stock", key, (on_stock + more, reserved + held, False))
    return [{}] * len(rows)


BUGS += [
    Bug("a reservation is not guarded", {_BATCH + "moved": moved_unguarded}),
    Bug(
        "a reservation is guarded by nobody",
        {_BATCH + "moved": moved_unguarded, **_with("move_stock", move_stock_unchecked)},
    ),
]

_move_stock = batch._move_stock


def move_from_what_was_found(change: Change, ground: Ground, *rest: Any) -> Any:
    alone = Ground({}, ground.found_levels, set(), {})
    refusal = _move_stock(change, alone, *rest)
    if refusal is None:
        _move_stock_freely(change, ground, *rest)
    return refusal


def _move_stock_freely(change: Change, ground: Ground, levels: Any, ledger: Any) -> None:
    levels.clear()
    ledger.clear()
    with patch(_BATCH + "moved", moved_unguarded):
        _move_stock(change, ground, levels, ledger)


# The table's check would catch it, so that has to go as well.
BUGS += [
    Bug(
        "each order of a batch sees all the stock",
        {_BATCH + "_move_stock": move_from_what_was_found, **_with("move_stock", move_stock_unchecked)},
    )
]


_movements = stock._movements


@bug("a cancelled order gives back twice", "holdfast.commerce.resources.order.stock._movements")
def movements_twice(*arguments: Any) -> Iterator[Any]:
    yield from _movements(*arguments)
    yield from _movements(*arguments)


@bug("a cancelled order keeps its stock", "holdfast.commerce.resources.order.stock._movements")
def no_movements(*arguments: Any) -> Iterator[Any]:
    return iter(())


@bug("an order takes the stock of its first line", "holdfast.commerce.resources.order.placing.order_stock")
def stock_of_one_line(*arguments: Any) -> Any:
    return order_stock(*arguments)[:1]


_stock_parts = writes._stock_parts


@bug("the ledger misses releases", "holdfast.store.writes._stock_parts")
def parts_without_releases(changes: Any, ground: Ground) -> Any:
    ground.ledger = [line for line in ground.ledger if line.movement != "release"]
    return _stock_parts(changes, ground)


# --- orders --------------------------------------------------------------------------------


@bug("the order's id is a new one", "holdfast.commerce.resources.order.placing.order_id")
def any_id(project: str, cart_id: str) -> str:
    return uuid7()


_place_order = placing.place_order


@bug("the cart does not know that it is ordered", "holdfast.handlers.place_order.place_order")
def order_alone(*arguments: Any) -> Any:
    changed = _place_order(*arguments)
    return Changed(changed.resource, changed.messages, stock=changed.stock)


@bug("an order is told to nobody", "holdfast.handlers.place_order.place_order")
def order_in_silence(*arguments: Any) -> Any:
    changed = _place_order(*arguments)
    return Changed(changed.resource, (), stock=changed.stock, others=changed.others)


_messages = writes._messages


@bug("messages are numbered from nought", "holdfast.store.writes._messages")
def messages_from_nought(ground: Ground) -> Iterator[Any]:
    for project, kind, resource_id, number, *rest in _messages(ground):
        yield (project, kind, resource_id, number - 1, *rest)


_accept = batch._accept


@bug("a sequence number is left out", _BATCH + "_accept")
def accept_with_a_gap(change: Change, ground: Ground) -> None:
    _accept(change, ground)
    for put in change.puts:
        row = (put.kind, change.project, put.id)
        standing = ground.standings[row]
        if put.notes and put.expected:
            ground.standings[row] = Standing(standing.version, standing.sequence_number + 1)


# --- reading -------------------------------------------------------------------------------


@bug("others are not told of a change", "holdfast.store.epochs.Epochs.bump")
def no_bump(self: Any, slot: int) -> None:
    """Kept answers stay as they are."""


_ask = Coalescer.ask


@bug("a read joins the one under way", "holdfast.store.coalescer.Coalescer.ask")
def ask_and_share(self: Any, key: Any) -> Any:
    shared = self.__dict__.setdefault("shared", {})
    known = shared.get(key)
    if known is None or known.done():
        shared[key] = known = _ask(self, key)
    return known


_get = Reader.get


@bug("what is remembered is not asked for", "holdfast.store.reader.Reader.get")
def get_from_memory(self: Reader, kind: str, project: str, resource_id: str) -> Any:
    known = self.memory.get(kind, project, resource_id)
    found = _get(self, kind, project, resource_id)
    if known is None or kind == "inventory-entry":
        return found
    future = found.get_loop().create_future()
    future.set_result(known)
    return future


_committed = Store._committed


@bug("a change is told before it is made", "holdfast.store.store.Store.commit")
async def commit_and_tell(self: Store, change: Change) -> None:
    _committed(self, change)
    await self._committer.submit(change)


# --- idempotency keys ----------------------------------------------------------------------


_answer = work.Work.answer


@bug("keys are not stored", "holdfast.handlers.work.Work.answer")
async def answer_without_key(self: work.Work, *arguments: Any, **named: Any) -> Answer:
    key, self.key = self.key, None
    answer = await _answer(self, *arguments, **named)
    self.key = key
    return answer._replace(kept=True)


@bug("keys are stored after the change", "holdfast.handlers.work.Work.answer")
async def answer_then_keep(self: work.Work, *arguments: Any, **named: Any) -> Answer:
    key, self.key = self.key, None
    answer = await _answer(self, *arguments, **named)
    self.key = key
    return answer


async def earlier_of_any_request(work_: Any, key: Any) -> Answer | None:
    kept = await work_.store.idempotency.find(key.place)
    return Answer(kept.body, created=kept.status == 201, kept=True, replayed=True) if kept else None


BUGS.append(Bug("one key serves any request", {"holdfast.handlers.once._earlier": earlier_of_any_request}))


async def answer_at_once(self: once.Once, work_: Any, request: Any, run: Any, *, checked: bool = False) -> Answer:
    earlier = await once._earlier(work_, work_.key)
    return earlier or await run(work_, request)


BUGS.append(Bug("who loses under a key is refused", {"holdfast.handlers.once.Once.answer": answer_at_once}))


async def nothing_earlier(work_: Any, cart: Any) -> None:
    """Nobody looks whether the order is there."""


BUGS.append(Bug("who is overtaken gets no order", {"holdfast.handlers.place_order._earlier": nothing_earlier}))
