"""Compares what the shop said with what it holds: lost, duplicated, oversold, unexplained.

Both sides go into a small database of the verdict's own (SQLite, on disk), so that a million orders
are compared within bounded memory; each question is then one statement.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.ops.drill.journal import PLACED, REFUSED, Entry, pages
from holdfast.ops.drill.shelf import Shelf

KINDS = ("lost", "duplicated", "oversold", "unexplained")
EXAMPLES_MAX = 20

TABLES = """
CREATE TABLE told (outcome TEXT, cart TEXT, id TEXT, version INT, digest TEXT, lines TEXT);
CREATE TABLE held (id TEXT, cart TEXT, version INT, digest TEXT, lines TEXT);
"""
INDICES = """
CREATE INDEX told_id ON told (id);
CREATE INDEX told_cart ON told (cart);
CREATE UNIQUE INDEX held_id ON held (id);
CREATE INDEX held_cart ON held (cart);
"""
# Each answers with sentences about what is wrong.
QUESTIONS = (
    (
        "lost",
        """
        SELECT 'order ' || t.id || ' was acknowledged and is not there'
          FROM told t LEFT JOIN held h ON h.id = t.id
         WHERE t.outcome = 'placed' AND h.id IS NULL
        """,
    ),
    (
        "lost",
        """
        SELECT 'order ' || t.id || ' is not what was acknowledged: version ' || h.version
          FROM told t JOIN held h ON h.id = t.id
         WHERE t.outcome = 'placed' AND (h.version, h.digest) <> (t.version, t.digest)
        """,
    ),
    (
        "duplicated",
        """
        SELECT 'cart ' || cart || ' became ' || count(*) || ' orders' FROM held GROUP BY cart HAVING count(*) > 1
        """,
    ),
    (
        "duplicated",
        """
        SELECT 'cart ' || cart || ' was acknowledged as ' || count(DISTINCT id) || ' orders'
          FROM told WHERE outcome = 'placed' GROUP BY cart HAVING count(DISTINCT id) > 1
        """,
    ),
    (
        "unexplained",
        """
        SELECT 'order ' || h.id || ' of cart ' || h.cart || ' was asked for by nobody'
          FROM held h LEFT JOIN told t ON t.cart = h.cart
         WHERE t.cart IS NULL
        """,
    ),
    (
        "unexplained",
        """
        SELECT 'order ' || h.id || ' is there although it was refused'
          FROM held h JOIN told t ON t.cart = h.cart
         GROUP BY h.id HAVING min(t.outcome) = 'refused'
        """,
    ),
    (
        "unexplained",
        """
        SELECT 'order ' || h.id || ' holds ' || h.lines || ' instead of ' || t.lines
          FROM held h JOIN told t ON t.cart = h.cart
         WHERE t.outcome IN ('placed', 'unknown') AND t.lines <> h.lines
        """,
    ),
    ("unexplained", "SELECT lines FROM told WHERE outcome = 'violation'"),
)
UNKNOWN_CARTS = """
SELECT t.cart, EXISTS (SELECT 1 FROM held h WHERE h.cart = t.cart) FROM told t WHERE t.outcome = 'unknown'
"""


class Finding(NamedTuple):
    """A promise that broke, and how it shows."""

    kind: str
    what: str


@dataclass
class Verdict:
    """What was acknowledged, and how much of it is wrong."""

    placed: int = 0
    refused: int = 0
    unknown_placed: int = 0
    unknown_not_placed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.counts.total()

    def find(self, kind: str, sentences: Iterable[str]) -> None:
        """Count what is wrong and keep some of it to show."""
        for sentence in sentences:
            self.counts[kind] += 1
            if len(self.examples) < EXAMPLES_MAX:
                self.examples.append(Finding(kind, sentence))

    def add(self, other: Verdict) -> None:
        """Both together."""
        for name in ("placed", "refused", "unknown_placed", "unknown_not_placed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.counts += other.counts
        self.examples = [*self.examples, *other.examples][:EXAMPLES_MAX]

    def facts(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "acknowledged": self.placed,
            "refused": self.refused,
            "unknownPlaced": self.unknown_placed,
            "unknownNotPlaced": self.unknown_not_placed,
            **{kind: self.counts[kind] for kind in KINDS},
            "examples": [finding._asdict() for finding in self.examples],
        }


async def judge(journal: Path, shelf: Shelf, units: Mapping[str, int], folder: Path) -> Verdict:
    """The verdict on a sale that has ended, in a shop that is whole again."""
    place = folder / "verdict.sqlite"
    place.unlink(missing_ok=True)
    verdict = Verdict()
    with closing(sqlite3.connect(place)) as desk:
        desk.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + TABLES)
        lay_out_told(desk, journal)
        sold = await lay_out_held(desk, shelf)
        desk.executescript(INDICES)
        await count(verdict, desk, shelf)
        for kind, question in QUESTIONS:
            verdict.find(kind, (row[0] for row in desk.execute(question)))
    place.unlink()
    check_stock(verdict, sold, units, await shelf.levels())
    verdict.find("unexplained", await shelf.ledger_gaps())
    verdict.find("unexplained", (f"messages of order {each} are wrong" for each in await shelf.message_gaps()))
    return verdict


def lay_out_told(desk: sqlite3.Connection, journal: Path) -> None:
    """What clients were told, from the journal."""
    for entries, _ in pages(journal):
        rows = ((e.outcome, e.cart_id, e.order_id, e.version, e.digest, e.lines) for e in entries)
        desk.executemany("INSERT INTO told VALUES (?, ?, ?, ?, ?, ?)", rows)


async def lay_out_held(desk: sqlite3.Connection, shelf: Shelf) -> Counter[str]:
    """What the shop holds; the units its orders sold, by SKU."""
    sold: Counter[str] = Counter()
    async for orders in shelf.orders():
        rows = ((o.order_id, o.cart_id, o.version, o.digest, o.lines) for o in orders)
        desk.executemany("INSERT INTO held VALUES (?, ?, ?, ?, ?)", rows)
        for order in orders:
            for sku, quantity in order.sold:
                sold[sku] += quantity
    return sold


async def count(verdict: Verdict, desk: sqlite3.Connection, shelf: Shelf) -> None:
    """What was told, and what became of the unknown: either an order and an ordered cart, or neither."""
    told = dict(desk.execute("SELECT outcome, count(*) FROM told GROUP BY outcome"))
    verdict.placed, verdict.refused = told.get(PLACED, 0), told.get(REFUSED, 0)
    unknown: dict[str, int] = dict(desk.execute(UNKNOWN_CARTS))
    verdict.unknown_placed = sum(unknown.values())
    verdict.unknown_not_placed = len(unknown) - verdict.unknown_placed
    ordered = await shelf.ordered_carts(list(unknown))
    halves = (cart for cart, placed in unknown.items() if bool(placed) != (cart in ordered))
    verdict.find("unexplained", (f"cart {cart} and its order disagree about whether it was ordered" for cart in halves))


def check_stock(
    verdict: Verdict, sold: Mapping[str, int], units: Mapping[str, int], levels: Mapping[str, tuple[int, int]]
) -> None:
    """Nothing was sold that was not there, and the counters say what the orders say."""
    for sku, had in units.items():
        on_stock, reserved = levels.get(sku, (0, 0))
        if sold.get(sku, 0) > had:
            verdict.find("oversold", [f"{sku}: {sold[sku]} sold of {had}"] * (sold[sku] - had))
        if (on_stock, reserved) != (had, sold.get(sku, 0)):
            text = f"{sku}: {on_stock} on stock and {reserved} reserved; {had} were there and {sold.get(sku, 0)} sold"
            verdict.find("unexplained", [text])


async def missing(journal: Path, start: int, shelf: Shelf) -> tuple[list[str], int]:
    """Of the orders acknowledged since a position of the journal, those that are not there; and the next position."""
    gone: list[str] = []
    for entries, position in pages(journal, start):
        start = position
        told = dict.fromkeys(entry.order_id for entry in entries if entry.outcome == PLACED)
        present = await shelf.present(list(told))
        gone += [f"order {id} was acknowledged and is not there" for id in told if id not in present]
    return gone, start


def sample(journal: Path, size: int, chance: random.Random) -> list[Entry]:
    """Some acknowledged orders, each with the same probability."""
    chosen: list[Entry] = []
    placed = (entry for entries, _ in pages(journal) for entry in entries if entry.outcome == PLACED)
    for seen, entry in enumerate(placed):
        if seen < size:
            chosen.append(entry)
        elif (place := chance.randrange(seen + 1)) < size:
            chosen[place] = entry
    return chosen
