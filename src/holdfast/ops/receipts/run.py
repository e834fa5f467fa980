"""Compares a file of receipts with the database, a bounded number at a time, however long the file is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.base.receipts import ForgedReceipt, Receipt, Signer, Verifier, read_signer
from holdfast.ops.receipts.plan import BAD, judge, receipts_in
from holdfast.ops.server.layout import Layout
from holdfast.ops.trouble import Trouble
from holdfast.store.placed_orders import read_placed
from holdfast.store.pool import Database

BATCH_RECEIPTS = 500
# A log line holds a request and its answer; more is not a log.
LINE_CHARACTERS_MAX = 16 * 1024 * 1024
# Bad ones are all counted, and this many of them named.
NAMED_MAX = 1_000


class Offence(NamedTuple):
    """A receipt that does not hold: where it stands in the file, what is wrong, and the order it names."""

    line: int
    what: str
    order_id: str | None = None

    def facts(self) -> dict[str, Any]:
        return {"line": self.line, "what": self.what} | ({"orderId": self.order_id} if self.order_id else {})


@dataclass
class Result:
    """How many receipts there were of which kind, and the first that do not hold."""

    counts: Counter[str] = field(default_factory=Counter)
    offences: list[Offence] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.offences

    def count(self, what: str, offence: Offence | None = None) -> None:
        self.counts[what] += 1
        if offence is not None and len(self.offences) < NAMED_MAX:
            self.offences.append(offence)

    def facts(self) -> dict[str, Any]:
        kinds = ("sound", "deleted", *BAD, "forged", "unreadable")
        return {
            "receipts": self.counts.total(),
            **{kind: self.counts[kind] for kind in kinds},
            "offences": [offence.facts() for offence in self.offences],
        }


def signer_of(layout: Layout) -> Signer:
    """The key of an installation. Raises Trouble."""
    try:
        return read_signer(layout.receipt_key)
    except (OSError, ValueError) as error:
        raise Trouble(
            "This shop's receipt key cannot be read.",
            why=str(error),
            remedy="Run the command as the user who started `holdfast up`, with the same --data.",
            code="no-receipt-key",
        ) from error


async def verify(file: Path, verifier: Verifier, url: str) -> Result:
    """Compare every receipt in a file with its order. Raises Trouble for a line without end, and for none."""
    result = Result()
    database = Database(url, keyed=1)
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            receipts = _genuine(iter(partial(lines.readline, LINE_CHARACTERS_MAX), ""), verifier, result)
            while batch := list(islice(receipts, BATCH_RECEIPTS)):
                await _compare(batch, database, result)
    finally:
        await database.close()
    if not result.counts:
        raise Trouble(
            f"There is no receipt in {file}.",
            why="Nothing was compared.",
            remedy="Receipts come in the header Holdfast-Receipt of placed orders.",
            code="no-receipts",
        )
    return result


def _genuine(lines: Iterable[str], verifier: Verifier, result: Result) -> Iterator[tuple[int, Receipt]]:
    """The receipts of our own key, with their lines; what is none is counted on the way."""
    for number, line in enumerate(lines, 1):
        if len(line) == LINE_CHARACTERS_MAX:
            raise Trouble(f"Line {number} is too long.", why=f"A line has at most {LINE_CHARACTERS_MAX} characters.")
        texts = receipts_in(line)
        if not texts and line.strip() and not line.lstrip().startswith("{"):
            result.count("unreadable", Offence(number, "unreadable"))
        for text in texts:
            try:
                yield number, verifier.read(text)
            except ForgedReceipt:
                result.count("forged", Offence(number, "forged"))


async def _compare(batch: list[tuple[int, Receipt]], database: Database, result: Result) -> None:
    placed = await read_placed(database, [(receipt.project, receipt.order_id) for _, receipt in batch])
    for (number, receipt), order in zip(batch, placed, strict=True):
        verdict = judge(receipt, order)
        result.count(verdict, Offence(number, verdict, receipt.order_id) if verdict in BAD else None)
