"""What to say of a receipt, given what is left of its order: true on paper."""

from __future__ import annotations

import re
from typing import Literal

from holdfast.base.receipts import Receipt, order_in, order_told, totals_of
from holdfast.store.placed_orders import Placed

# sound: the order is there as it was acknowledged, or as it became since. deleted: somebody deleted it later.
# missing: it is not there and never was deleted. older: it is there in a version before the receipt's.
# changed: its totals are not those that were acknowledged.
Verdict = Literal["sound", "deleted", "missing", "older", "changed"]
BAD: tuple[Verdict, ...] = ("missing", "older", "changed")

# The version an order is placed with.
_FIRST = 1
# Ed25519 signatures are 86 characters; JSON that begins with a name begins like this. A token of three
# parts is none of ours.
_RECEIPT = re.compile(r"(?<![\w.-])eyJ[\w-]+\.[\w-]{86}(?![\w.-])", re.ASCII)


def receipts_in(line: str) -> list[str]:
    """The receipts in a line of a file: the line itself, or whatever a log wrote around it."""
    return _RECEIPT.findall(line)


def judge(receipt: Receipt, placed: Placed) -> Verdict:
    """Compare a receipt with its order; totals with the order's as it was in the receipt's version."""
    if placed.body is None:
        return "deleted" if placed.deleted else "missing"
    order = order_in(placed.body)
    if order.version < receipt.version:
        return "older"
    if receipt.version == _FIRST and placed.message is not None:
        order = order_told(placed.message)
    if order.version == receipt.version and totals_of(order) != receipt.totals:
        return "changed"
    return "sound"
