"""The matrix as a page: what was seen, a table for each dependency."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.resilience.buyer import Answer, pace
from tests.resilience.cells import DATABASE, FAILURES
from tests.resilience.play import Row

PLACE = Path(__file__).parents[2] / "docs" / "resiliency-matrix.md"
_HEAD = """\
# What a buyer sees when something breaks

Written by `python -m tests.resilience` from what it saw, not by hand: real shops of two API processes, whose
PostgreSQL, Valkey, event destinations and extensions are broken one at a time while a buyer visits. The test
suite plays it again and fails where a status, a step or a fate differs from this page.

The buyer looks at a product and a category list that were seen before and have **changed since**, each twice;
then fills a cart, and orders one that was filled before. Each answer is given with the step of the
[ladder](decisions/kept-answers.md) it took (`X-Holdfast-Served`), or with its error code; the buyer's client
gives a request 1 s (`X-Request-Timeout`). *fast* is below 0.1 s, *slow* below 1 s, *waits* longer.

| Failure | What is done |
|---|---|
"""
_READING = """
## How to read it

- **Browsing never fails.** While PostgreSQL does not answer, pages that were seen before are `stale`, and marked so.
- **Only PostgreSQL stops a checkout**, and what decides about money and stock is `refused` rather than guessed. An
  extension that fails closed refuses by its own declaration; the same extension with `"fallback": "FailOpen"` does not.
- **Every checkout ends as one order.** What was refused is sent again under the same `Idempotency-Key` until it is
  answered with 201; each row was checked to have exactly one order.
- **Events are never lost.** *late*: at least one attempt failed, the next after mending succeeded. *dead letter*:
  the receiver said 410, so it is kept with its reason and can be replayed.
- *Comes back* is counted from when the failure ended (half-open never does: from when the buyer left) until what it
  had stopped was there again: the checkout and live pages, the shared cache, the extension, the event. Nobody had to
  do anything.
- A **half-open** connection is found out only by waiting: for the database 3 s by a read by key, 10 s by a query or
  a transaction, and the first to wait in vain has those nobody uses replaced; for destinations 10 s. A client that
  names no limit waits that long; one that gives 1 s is shown what is kept after 1 s.
"""
# What is seen depends on which of the connections a request meets: some were found out already, some were not.
BY_CHANCE = [cell for cell in DATABASE if cell.failure == "half-open"]
_COLUMNS = ("Failure", "Product page", "Category list", "Fill a cart", "Check out", "Events", "Comes back")


def page(rows: Sequence[Row]) -> str:
    """The whole document."""
    named = "".join(f"| {name} | {meaning} |\n" for name, meaning in FAILURES.items())
    names = list(dict.fromkeys(row.cell.dependency for row in rows))
    tables = (_table(name, (row for row in rows if row.cell.dependency == name)) for name in names)
    return _HEAD + named + _READING + "".join(tables)


def _table(name: str, rows: Iterable[Row]) -> str:
    lines = [_line(_COLUMNS), "|" + "---|" * len(_COLUMNS), *(_line(_cells(row)) for row in rows)]
    return f"\n## {name[0].upper()}{name[1:]}\n\n" + "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: Row) -> tuple[str, ...]:
    failure = f"{row.cell.failure}{f': {row.cell.note}' if row.cell.note else ''}"
    visit = row.visit
    told = _any_of if row.cell in BY_CHANCE else str
    pages = (", then ".join(map(told, page)) for page in (visit.product, visit.categories))
    return (failure, *pages, told(visit.cart), told(visit.order), row.events, row.back)


def _any_of(answer: Answer) -> str:
    """An answer by the class of what it may be."""
    kinds = {200: "200 stale or live", **dict.fromkeys((201, 502, 504), "201, 502 or 504")}
    return f"{kinds.get(answer.status, str(answer))} · {pace(answer.seconds)}"


def classes(text: str) -> str:
    """The page without how long anything took, which depends on the machine."""
    return re.sub(r" · (fast|slow|waits)\b", "", text)
