"""Stock: counters against the ledger of their movements, and against what orders and carts hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.store.audit.check import Check, Finding, Place, Walk
from holdfast.store.audit.reading import FIRST_ID, Reading
from holdfast.store.bodies import unpacked

# Entries of an hour's sale fill pages quickly; their movements are added up one by one.
ENTRIES_MAX = 20
MISMATCHES_MAX = 500

_CORRECT = "set the counters to what the ledger and the live orders and carts say, with a movement `correct`"
LEDGER = Check("stock-ledger", "I3", "The movements of an entry do not add up to its counters.", _CORRECT, mends=True)
LEVELS = Check(
    "stock-levels",
    "I3",
    "More is reserved than there is, though nothing that may do so did it; or fewer than none is reserved.",
    _CORRECT,
    mends=True,
)
HOLDINGS = Check(
    "stock-holdings", "I3", "An entry's reserved units are not those that orders and carts hold.", _CORRECT, mends=True
)
_WHOLE: Place = ("",)


async def _page(reading: Reading, after: Place, limit: int) -> list[Place]:
    return [(row["id"],) for row in await reading.rows("page_of_stock", after[0], limit)]


async def _look(reading: Reading, places: Sequence[Place]) -> list[Finding]:
    findings = []
    for row in await reading.rows("stock_and_ledger", [place[0] for place in places]):
        entry, seen = row["id"], (row["on_stock"], row["reserved"])
        moved = (row["ledger_on_stock"], row["ledger_reserved"])
        if seen != moved:
            detail = f"on stock {seen[0]}, reserved {seen[1]}; the ledger says {moved[0]} and {moved[1]}"
            findings.append(LEDGER.found(reading.project, "inventory-entry", entry, (entry,), detail))
        if seen[1] < 0 or (seen[0] < seen[1] and not row["unguarded"]):
            detail = f"on stock {seen[0]}, reserved {seen[1]}"
            findings.append(LEVELS.found(reading.project, "inventory-entry", entry, (entry,), detail))
    return findings


async def _one_look(_reading: Reading, after: Place, _limit: int) -> list[Place]:
    return [] if after == _WHOLE else [_WHOLE]


async def _look_at_holdings(reading: Reading, _places: Sequence[Place]) -> list[Finding]:
    reserved = await reserved_in_carts(reading)
    held = ([entry for entry, _ in reserved], [quantity for _, quantity in reserved])
    return [
        HOLDINGS.found(
            reading.project, "inventory-entry", row["id"], _WHOLE, f"reserved {row['reserved']}, held {row['held']}"
        )
        for row in await reading.rows("stock_and_holdings", *held, MISMATCHES_MAX)
    ]


async def reserved_in_carts(reading: Reading) -> list[tuple[str, int]]:
    """What carts keep from others: entries and quantities."""
    kept: Counter[str] = Counter()
    async for row in reading.each("reserving_carts"):
        cart: Cart = carts.decode(unpacked(row["body"]))
        for each in cart.stock_reserved:
            kept[each.entry_id] += each.quantity
    return sorted(kept.items())


STOCK = Walk("stock", (LEDGER, LEVELS), (FIRST_ID,), _page, _look, ENTRIES_MAX)
HELD_STOCK = Walk("stock held", (HOLDINGS,), ("before",), _one_look, _look_at_holdings)
