"""How many retries a destination is worth: a tenth of the calls to it, and a few in hand.

Retries help where few calls fail. Where most fail they are what keeps a service down, so every call
earns a tenth of a retry, and a retry that is not earned is not made.
"""

from __future__ import annotations

from typing import NamedTuple

SHARE = 0.1
# What a destination begins with, and what it can save up.
IN_HAND = 3.0
SAVED_MAX = 10.0


class Budget(NamedTuple):
    """Retries left, in whole ones and parts."""

    retries: float = IN_HAND


def earned(budget: Budget) -> Budget:
    """The budget after one more call."""
    return Budget(min(SAVED_MAX, budget.retries + SHARE))


def spent(budget: Budget) -> Budget | None:
    """The budget after one more retry, None where it does not reach."""
    return Budget(budget.retries - 1) if budget.retries >= 1 else None
