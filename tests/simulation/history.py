"""What was asked, what was answered, what was committed: and whether the three can be true together.

Answers carry versions, so the order of things need not be searched for. Every commit of the
database is known, and each new version in it must be the effect of something somebody asked for.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from tests.simulation.model import Level, lines_of
from tests.simulation.prepared import Prepared
from tests.simulation.processes import PROJECT, Answer
from tests.simulation.tables import Place, Row, Tables

from holdfast.base.ids import order_id
from holdfast.store.bodies import unpacked

Name = tuple[str, str]  # kind, id
_QUANTITY_SET = "InventoryEntryQuantitySet"
WATCHED = ("cart", "order", "inventory-entry", "zone")
# Of these, those whose answers a process keeps.
KEPT = ("zone",)


class Violation(Exception):
    """The history shows that a promise was broken."""


@dataclass
class Asked:
    """One thing a client wanted, through all its attempts.

    base: the version it starts from, 0 where something new is made. effect: whether a body could be
    what this made of the one before. received, counted: what it does to the stock of a SKU. key: the
    idempotency key it is sent under. cart: the cart an order is made from, and its version.
    """

    what: str
    name: Name
    base: int
    effect: Callable[[Mapping[str, Any] | None, Mapping[str, Any]], bool]
    received: tuple[str, int] | None = None
    counted: tuple[str, int] | None = None
    key: str | None = None
    cart: tuple[str, int] | None = None
    attempts: int = 0
    answer: Answer | None = None

    @property
    def accepted(self) -> bool:
        return self.answer is not None and self.answer.status < 300


class Shown(NamedTuple):
    """A version somebody was shown, and when he had asked and was answered; `marked` as perhaps overtaken."""

    version: int
    raw: bytes
    started: float
    ended: float
    marked: bool


@dataclass
class Silence:
    """From the death of a process to the start of the next: it may have committed something it told nobody of."""

    began: float
    ended: float = math.inf

    def touches(self, one: Shown) -> bool:
        return one.started <= self.ended and one.ended >= self.began


@dataclass
class History:
    """Everything the clients of one schedule saw."""

    asked: list[Asked] = field(default_factory=list)
    shown: defaultdict[Name, list[Shown]] = field(default_factory=lambda: defaultdict(list))
    absent: list[tuple[Name, float]] = field(default_factory=list)
    without_word: list[Silence] = field(default_factory=list)
    # From when on the database has answered everything.
    calm_since: float = math.inf


class Version(NamedTuple):
    """A version of a resource as it was committed."""

    name: Name
    version: int
    body: Mapping[str, Any]
    raw: bytes


Stored = Mapping[tuple[Name, int], Version]


def check(history: History, tables: Tables, shop: Prepared) -> None:
    """Raises Violation with the promise that was broken."""
    ledger = Ledger(shop)
    versions: dict[Name, Version] = {
        name: version for name, version in _versions(_written(shop.tables)) if name[0] in WATCHED
    }
    first = dict(versions)
    stored: dict[tuple[Name, int], Version] = {(name, version.version): version for name, version in versions.items()}
    done: set[int] = set()
    ordered: set[tuple[str, int]] = set()
    for writes in tables.told:
        moved = _Moved()
        for name, version in _versions(writes):
            if name[0] in WATCHED:
                _explain(history, versions.get(name), version, done, moved)
                moved.add(versions.get(name), version)
                if name[0] == "cart" and version.body["cartState"] == "Ordered":
                    ordered.add((name[1], version.version - 1))
                versions[name] = stored[name, version.version] = version
        for place, row in writes.items():
            if row is None and place[0] in WATCHED:
                raise Violation(f"{place[0]} {place[1][1]} vanished")
        ledger.follow(moved, writes)
    _check_answers(history, ordered, stored)
    _check_reads(history, stored)
    _check_orders(versions)
    _check_messages(tables)
    _check_ledger(tables)
    _check_keys(history, versions, first)
    if tables.seen["deadlock"]:
        raise Violation("two batches waited for each other: rows were not locked in one order")


# --- commits -------------------------------------------------------------------------------


def _written(tables: Tables) -> dict[Place, Row | None]:
    return {(kind, key): row for kind in WATCHED for key, row in tables.rows.get(kind, {}).items()}


def _versions(writes: Mapping[Place, Row | None]) -> Iterator[tuple[Name, Version]]:
    for (kind, key), row in writes.items():
        if kind in WATCHED and row is not None:
            raw = unpacked(row[3])
            name = (kind, key[1])
            body = msgspec.json.decode(raw)
            if body["version"] != row[0]:
                raise Violation(f"{kind} {key[1]} says version {body['version']} in row version {row[0]}")
            if kind == "inventory-entry":
                body["moved"] = _told_to_move(writes, name, row[0])
            yield name, Version(name, row[0], body, raw)


def _told_to_move(writes: Mapping[Place, Row | None], name: Name, version: int) -> int | None:
    """By how much this version moved the stock, as its message says: the body shows orders as well."""
    for (table, key), row in writes.items():
        if table == "outbox" and key[1:3] == name and row is not None and row[1:3] == (version, _QUANTITY_SET):
            told = msgspec.json.decode(unpacked(row[4]))
            return int(told["newQuantityOnStock"] - told["oldQuantityOnStock"])
    return None


class _Moved:
    """What one commit should have done to the counters."""

    def __init__(self) -> None:
        self.reserved: defaultdict[str, int] = defaultdict(int)
        self.on_stock: defaultdict[str, int] = defaultdict(int)
        self.counted: dict[str, int] = {}
        self.taken: set[str] = set()

    def add(self, before: Version | None, after: Version) -> None:
        if after.name[0] == "order":
            self._hold(before, -1)
            self._hold(after, 1)

    def _hold(self, order: Version | None, sign: int) -> None:
        if order is None or order.body["orderState"] == "Cancelled":
            return
        for sku, quantity in lines_of(order.body).items():
            if order.body["inventoryMode"] == "TrackOnly":
                self.on_stock[sku] -= sign * quantity
            else:
                self.reserved[sku] += sign * quantity

    def ask(self, asked: Asked) -> None:
        if asked.received is not None:
            self.on_stock[asked.received[0]] += asked.received[1]
        if asked.counted is not None:
            self.counted[asked.counted[0]] = asked.counted[1]


def _explain(history: History, before: Version | None, after: Version, done: set[int], moved: _Moved) -> None:
    """Find the one request whose effect this version is."""
    base = before.version if before else 0
    if after.version != base + 1:
        raise Violation(f"{after.name} went from version {base} to {after.version}")
    if after.name[0] == "cart" and after.body["cartState"] == "Ordered":
        if not any(asked.cart == (after.name[1], base) and _can_have_happened(asked) for asked in history.asked):
            raise Violation(f"nobody ordered version {base} of the cart {after.name[1]}, or it was refused")
        return
    for number, asked in enumerate(history.asked):
        if number in done or asked.name[0] != after.name[0] or asked.base != base:
            continue
        if asked.name[1] in (after.name[1], "") and asked.effect(before.body if before else None, after.body):
            if not _can_have_happened(asked):
                continue
            if asked.what != "order":
                done.add(number)
            moved.ask(asked)
            return
    raise Violation(f"nobody asked for version {after.version} of {after.name}, or it was refused: {after.raw!r}")


def _can_have_happened(asked: Asked) -> bool:
    """Unless its only attempt was refused."""
    return asked.attempts > 1 or asked.answer is None or asked.answer.status not in (400, 409)


class Ledger:
    """The counters as they should be, commit by commit."""

    def __init__(self, shop: Prepared) -> None:
        self._skus = {entry_id: sku for sku, entry_id in shop.entries.items()}
        self._levels = {
            sku: self._level(shop.tables.rows["stock"][PROJECT, entry]) for sku, entry in shop.entries.items()
        }

    @staticmethod
    def _level(row: Row) -> Level:
        return Level(row[0], row[1])

    def follow(self, moved: _Moved, writes: Mapping[Place, Row | None]) -> None:
        """Move on by one commit. Raises Violation when the counters did not, or units were sold twice."""
        for entry_id, sku in self._skus.items():
            was = self._levels[sku]
            lower = moved.counted.get(sku, was.on_stock) + moved.on_stock[sku]
            expected = Level(lower, was.reserved + moved.reserved[sku])
            row = writes.get(("stock", (PROJECT, entry_id)))
            found = self._level(row) if row is not None else was
            if found != expected:
                raise Violation(f"the counters of {sku} are {found}, not {expected}")
            removed = max(was.on_stock - found.on_stock, 0)
            if moved.reserved[sku] > 0 and found.available + removed < 0:
                raise Violation(f"{sku} is oversold: {found}")
            self._levels[sku] = found


# --- answers -------------------------------------------------------------------------------


def _check_answers(history: History, ordered: set[tuple[str, int]], stored: Stored) -> None:
    """Refusals are believed only where they can be true; what was acknowledged is there, as acknowledged."""
    changed: dict[tuple[Name, int], Asked] = {}
    for asked in history.asked:
        if asked.answer is None:
            continue
        if asked.accepted:
            _check_acknowledged(asked, asked.answer, stored)
            other = changed.setdefault((asked.name, asked.base), asked) if asked.base else asked
            if other is not asked:
                raise Violation(f"two requests were told that they changed version {asked.base} of {asked.name}")
        else:
            _check_refused(asked, asked.answer, ordered)


def _check_refused(asked: Asked, answer: Answer, ordered: set[tuple[str, int]]) -> None:
    if answer.status == 500:
        raise Violation(f"{asked.what} met a bug: {answer.raw!r}")
    if asked.what == "reuse" and answer.status != 422:
        raise Violation(f"a key was used for something else: {answer.raw!r}")
    if asked.what == "open":
        raise Violation(f"a cart under a key was refused: {answer.raw!r}")
    if asked.cart in ordered and b"OutOfStock" not in answer.raw:
        raise Violation(f"an order that is there was refused: {answer.raw!r}")


def _check_acknowledged(asked: Asked, answer: Answer, stored: Stored) -> None:
    name = (asked.name[0], answer.body["id"])
    version = answer.body["version"]
    committed = stored.get((name, version))
    if committed is None:
        raise Violation(f"acknowledged and lost: {asked.what} {name} version {version}")
    if not _same(name, answer.raw, committed):
        raise Violation(f"{name} version {version} was acknowledged as {answer.raw!r}, stored as {committed.raw!r}")
    if asked.base and version != asked.base + 1:
        raise Violation(f"{asked.what} of version {asked.base} was answered with version {version}")
    if asked.what == "order":  # perhaps one that was placed before, from another version of the cart
        return
    before = stored.get((name, asked.base))
    if not asked.effect(before.body if before else None, answer.body):
        raise Violation(f"{asked.what} of {name} was answered with something else: {answer.raw!r}")


def _check_reads(history: History, stored: Stored) -> None:
    """Nobody is shown less than somebody was shown before he asked.

    Of a kept kind he may be when a writer has just died, or where he is told so because the database is away.
    """
    for name, shown in history.shown.items():
        for one in shown:
            committed = stored.get((name, one.version))
            if committed is None:
                raise Violation(f"{name} was shown in version {one.version}, which was never committed")
            if not _same(name, one.raw, committed):
                raise Violation(f"{name} version {one.version} was shown as {one.raw!r}, stored as {committed.raw!r}")
            newest = max((other.version for other in shown if other.ended < one.started), default=0)
            if one.marked and (name[0] not in KEPT or one.started >= history.calm_since):
                raise Violation(f"{name} was shown as perhaps overtaken, although better could be had")
            unsaid = name[0] in KEPT and any(silence.touches(one) for silence in history.without_word)
            if one.version < newest and not unsaid and not one.marked:
                raise Violation(f"stale read: {name} in version {one.version} after version {newest} was shown")
        for missing, started in history.absent:
            if missing == name and any(one.ended < started for one in shown):
                raise Violation(f"{name} was gone after it had been shown")


def _same(name: Name, raw: bytes, committed: Version) -> bool:
    """Whether an answer shows what was committed; the counters of an entry move without its version."""
    if name[0] != "inventory-entry":
        return raw == committed.raw
    shown = msgspec.json.decode(raw)
    return bool(shown["id"] == committed.body["id"] and shown["sku"] == committed.body["sku"])


def _check_orders(versions: Mapping[Name, Version]) -> None:
    """One cart, one order; an order's cart is ordered, an ordered cart has its order."""
    carts: dict[str, str] = {}
    for (kind, resource_id), version in versions.items():
        if kind == "order":
            cart = version.body["cart"]["id"]
            if cart in carts:
                raise Violation(f"the cart {cart} became two orders: {carts[cart]}, {resource_id}")
            carts[cart] = resource_id
            if versions["cart", cart].body["cartState"] != "Ordered":
                raise Violation(f"the cart {cart} has an order and does not know it")
    ordered = [name[1] for name, version in versions.items() if version.body.get("cartState") == "Ordered"]
    for cart in ordered:
        if carts.get(cart) != order_id(PROJECT, cart):
            raise Violation(f"the cart {cart} is ordered without its order")


def _check_messages(tables: Tables) -> None:
    """Sequence numbers have no gaps, and the resource knows the last."""
    numbers: defaultdict[Name, list[int]] = defaultdict(list)
    for _, kind, resource_id, number in tables.rows.get("outbox", {}):
        numbers[kind, resource_id].append(number)
    for kind in WATCHED:
        for (_, resource_id), row in tables.rows.get(kind, {}).items():
            if sorted(numbers[kind, resource_id]) != list(range(1, row[1] + 1)):
                raise Violation(f"messages of {kind} {resource_id}: {numbers[kind, resource_id]}, last is {row[1]}")
            if kind == "order" and row[1] == 0:
                raise Violation(f"the order {resource_id} was told to nobody")


def _check_ledger(tables: Tables) -> None:
    """The movements of an entry add up to its counters."""
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for (project, entry_id, _), row in tables.rows.get("stock_ledger", {}).items():
        sums[project, entry_id][0] += row[2]
        sums[project, entry_id][1] += row[3]
    for key, row in tables.rows["stock"].items():
        if sums[key[0], key[1]] != [row[0], row[1]]:
            raise Violation(f"the ledger of {key[1]} adds up to {sums[key[0], key[1]]}, the counters are {row[:2]}")


def _check_keys(history: History, versions: Mapping[Name, Version], first: Mapping[Name, Version]) -> None:
    """Under one idempotency key one thing was made, and everybody was told of the same."""
    made: defaultdict[str, set[str]] = defaultdict(set)
    for (kind, resource_id), version in versions.items():
        if kind == "cart" and (kind, resource_id) not in first:
            made[version.body["customerEmail"]].add(resource_id)
    for key, ids in made.items():
        if len(ids) > 1:
            raise Violation(f"under the key {key} several carts were made: {sorted(ids)}")
    told: defaultdict[str, set[bytes]] = defaultdict(set)
    for asked in history.asked:
        if asked.key is not None and asked.accepted and asked.answer is not None:
            told[asked.key].add(asked.answer.raw)
    for key, bodies in told.items():
        if len(bodies) > 1:
            raise Violation(f"the key {key} was answered in several ways")
