"""The verdict on paper: each way a promise can break is found, and named for what it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from holdfast.ops.drill.journal import PLACED, REFUSED, UNKNOWN, VIOLATION, Entry, Journal
from holdfast.ops.drill.shelf import Held, Shelf
from holdfast.ops.drill.verdict import Verdict, judge

UNITS = {"A": 10, "B": 2}


def told(cart: str, order: str = "", outcome: str = PLACED, lines: str = "A×1", digest: str = "d") -> Entry:
    return Entry(outcome, cart, lines, 0, order, 1 if order else 0, digest if order else "")


def held(order: str, cart: str, *sold: tuple[str, int], version: int = 1, digest: str = "d") -> Held:
    sold = sold or (("A", 1),)
    return Held(order, cart, version, digest, ",".join(f"{sku}×{quantity}" for sku, quantity in sold), sold)


class PaperShelf(Shelf):
    """A shop on paper: its orders, and counters that agree with them unless said otherwise."""

    def __init__(
        self, *orders: Held, ordered: Sequence[str] = (), levels: dict[str, tuple[int, int]] | None = None
    ) -> None:
        self.held = orders
        self.ordered = {order.cart_id for order in orders} | set(ordered)
        self.counters = levels or {
            sku: (units, sum(n for order in orders for name, n in order.sold if name == sku))
            for sku, units in UNITS.items()
        }

    async def orders(self) -> AsyncIterator[list[Held]]:
        yield list(self.held)

    async def ordered_carts(self, cart_ids: Sequence[str]) -> set[str]:
        return self.ordered & set(cart_ids)

    async def levels(self) -> dict[str, tuple[int, int]]:
        return self.counters

    async def ledger_gaps(self) -> list[str]:
        return []

    async def message_gaps(self) -> list[str]:
        return []


async def verdict_on(folder: Path, entries: Sequence[Entry], shelf: Shelf) -> Verdict:
    journal = Journal(folder / "journal.jsonl")
    for entry in entries:
        await journal.keep(entry)
    journal.close()
    return await judge(journal.path, shelf, UNITS, folder)


async def test_a_sale_that_went_well_leaves_nothing_to_find(tmp_path: Path) -> None:
    entries = [
        told("c1", "o1"),
        told("c2", outcome=REFUSED, lines="B×3"),
        told("c3", outcome=UNKNOWN),
        told("c4", outcome=UNKNOWN),
    ]
    verdict = await verdict_on(tmp_path, entries, PaperShelf(held("o1", "c1"), held("o3", "c3")))
    assert verdict.holds
    assert (verdict.placed, verdict.refused) == (1, 1)
    assert (verdict.unknown_placed, verdict.unknown_not_placed) == (1, 1)


@pytest.mark.parametrize(
    ("entries", "shelf", "kind"),
    [
        pytest.param([told("c", "o")], PaperShelf(), "lost", id="an acknowledged order is not there"),
        pytest.param([told("c", "o")], PaperShelf(held("o", "c", version=2)), "lost", id="it has another version"),
        pytest.param([told("c", "o")], PaperShelf(held("o", "c", digest="e")), "lost", id="it has another body"),
        pytest.param(
            [told("c", "o")], PaperShelf(held("o", "c"), held("p", "c")), "duplicated", id="a cart became two orders"
        ),
        pytest.param(
            [told("c", "o"), told("c", "p")],
            PaperShelf(held("o", "c"), held("p", "d")),
            "duplicated",
            id="one cart was acknowledged as two orders",
        ),
        pytest.param(
            [told("c", "o", lines="B×3")],
            PaperShelf(held("o", "c", ("B", 3))),
            "oversold",
            id="more was sold than was there",
        ),
        pytest.param([], PaperShelf(held("o", "c")), "unexplained", id="nobody asked for an order"),
        pytest.param(
            [told("c", outcome=REFUSED)], PaperShelf(held("o", "c")), "unexplained", id="a refused order is there"
        ),
        pytest.param(
            [told("c", "o")], PaperShelf(held("o", "c", ("A", 2))), "unexplained", id="an order holds other things"
        ),
        pytest.param(
            [told("c", outcome=UNKNOWN)],
            PaperShelf(ordered=["c"]),
            "unexplained",
            id="a cart says it was ordered and has no order",
        ),
        pytest.param(
            [told("c", "o")],
            PaperShelf(held("o", "c"), levels={"A": (10, 0), "B": (2, 0)}),
            "unexplained",
            id="a counter disagrees with the orders",
        ),
        pytest.param(
            [told("", outcome=VIOLATION, lines="a version went back")],
            PaperShelf(),
            "unexplained",
            id="a client saw a promise broken",
        ),
    ],
)
async def test_what_broke_is_named(tmp_path: Path, entries: list[Entry], shelf: Shelf, kind: str) -> None:
    verdict = await verdict_on(tmp_path, entries, shelf)
    assert verdict.counts[kind] == 1
    assert not verdict.holds


async def test_units_sold_too_many_are_counted_one_by_one(tmp_path: Path) -> None:
    entries = [told(f"c{n}", f"o{n}", lines="B×2") for n in range(3)]
    verdict = await verdict_on(tmp_path, entries, PaperShelf(*(held(f"o{n}", f"c{n}", ("B", 2)) for n in range(3))))
    assert verdict.counts == {"oversold": 4}
