"""Counted uses under a limit."""

from __future__ import annotations

import pytest

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.tally import Tally, counted

SPENT = InvalidOperation("It is used up.")


@pytest.mark.parametrize(
    ("used", "amount", "limit", "after"),
    [
        (0, 1, 1, 1),
        (1, 1, 1, None),
        (4, 3, 7, 7),
        (4, 4, 7, None),
        (4, 4, None, 8),
        (0, 0, 0, 0),
        (5, -2, None, 3),
        (5, -9, None, 0),
    ],
)
def test_a_use_is_counted_up_to_the_limit(used: int, amount: int, limit: int | None, after: int | None) -> None:
    assert counted(used, Tally("code", amount, limit, SPENT)) == after


def test_who_uses_nothing_or_gives_back_is_never_refused_even_above_a_limit_that_was_lowered() -> None:
    assert counted(9, Tally("code", 0, 7, SPENT)) == 9
    assert counted(9, Tally("code", -1, 7, SPENT)) == 8
