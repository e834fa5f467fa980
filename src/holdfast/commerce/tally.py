"""Tallies: counted uses under a limit, such as how often a discount code may be redeemed.

A decision says how much it uses and what the limit is; the committer holds the counter's row and
refuses the change that would go beyond it. So a limit holds at any concurrency, across processes.
"""

from __future__ import annotations

from typing import NamedTuple

from holdfast.base.errors import ApiError


class Tally(NamedTuple):
    """One use of a counter.

    name: the counter within its project (`discount-code/{id}`, `gift-card/{id}`); it starts at 0.
    amount: what is added (negative: given back; a counter never falls below 0).
    limit: what the counter may not exceed once the amount is added, None for no limit.
    refusal: the error of a use beyond the limit.
    """

    name: str
    amount: int
    limit: int | None
    refusal: ApiError


def counted(used: int, tally: Tally) -> int | None:
    """The counter after a use, or None when the use is refused."""
    after = max(0, used + tally.amount)
    if tally.amount > 0 and tally.limit is not None and after > tally.limit:
        return None
    return after
