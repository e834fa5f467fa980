from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.commerce.rules.rounding import divided, multiplied
from holdfast.commerce.values.money import Money, RoundingMode, money, rounded

MODES: tuple[RoundingMode, ...] = ("HalfEven", "HalfUp", "HalfDown")


@pytest.mark.parametrize(
    ("numerator", "denominator", "even", "up", "down"),
    [
        (5, 2, 2, 3, 2),
        (7, 2, 4, 4, 3),
        (-5, 2, -2, -3, -2),
        (-7, 2, -4, -4, -3),
        (1, 2, 0, 1, 0),
        (-1, 2, 0, -1, 0),
        (4, 3, 1, 1, 1),
        (5, 3, 2, 2, 2),
        (-4, 3, -1, -1, -1),
        (-5, 3, -2, -2, -2),
        (6, 3, 2, 2, 2),
        (0, 7, 0, 0, 0),
    ],
)
def test_half_way_cases_go_where_the_mode_says(numerator: int, denominator: int, even: int, up: int, down: int) -> None:
    assert [divided(numerator, denominator, mode) for mode in MODES] == [even, up, down]


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**6), st.sampled_from(MODES))
def test_integer_rounding_agrees_with_exact_fractions(numerator: int, denominator: int, mode: RoundingMode) -> None:
    assert divided(numerator, denominator, mode) == rounded(Fraction(numerator, denominator), mode)


def a_precise(amount: int, digits: int) -> Money:
    return Money(
        type="highPrecision", currency_code="EUR", cent_amount=0, fraction_digits=digits, precise_amount=amount
    )


def test_a_high_precision_unit_is_multiplied_before_it_is_rounded() -> None:
    assert multiplied(a_precise(4, 3), 1000, "HalfEven") == 400
    assert multiplied(a_precise(4, 3), 1, "HalfEven") == 0


@pytest.mark.parametrize(("mode", "cents"), [("HalfEven", 2), ("HalfUp", 3), ("HalfDown", 2)])
def test_a_high_precision_total_is_rounded_by_the_mode(mode: RoundingMode, cents: int) -> None:
    assert multiplied(a_precise(25, 3), 1, mode) == cents


def test_whole_cents_are_multiplied_exactly() -> None:
    assert multiplied(money(1999, "EUR"), 3, "HalfEven") == 5997


def test_yen_have_no_fraction_to_scale_by() -> None:
    yen = Money(type="highPrecision", currency_code="JPY", cent_amount=0, fraction_digits=2, precise_amount=150)
    assert multiplied(yen, 1, "HalfEven") == 2
