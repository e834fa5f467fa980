from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.errors import InvalidField
from holdfast.commerce.rules.price_function import (
    LENGTH_MAX,
    MalformedFunction,
    check_price_function,
    polynomial,
    price_at,
)


@pytest.mark.parametrize(
    ("text", "score", "cents"),
    [
        ("(200 * x) - 1", 1, 199),
        ("(200 * x) - 1", 3, 599),
        ("(150*x)+300", 3, 750),
        ("(50 * x) + 4000", 0, 4000),
        ("x", 7, 7),
        ("2 * (x + 1) * (x - 1)", 3, 16),
        ("10 - x - x", 3, 4),
        ("2 + 3 * x", 4, 14),
        ("-x + 10", 4, 6),
        ("1.5 * x", 1, 2),
        ("0.5 * x", 1, 0),
        ("((((x))))", 5, 5),
    ],
)
def test_cents_follow_the_function_of_the_score(text: str, score: int, cents: int) -> None:
    assert price_at(text, score) == cents


def test_a_price_never_falls_below_zero() -> None:
    assert price_at("10 - (100 * x)", 5) == 0


TOO_LONG = "x" * (LENGTH_MAX + 1)
TOO_DEEP = "(" * 40 + "x" + ")" * 40
TOO_HIGH = "x" + "*x" * 20


@pytest.mark.parametrize("text", ["", " ", "y", "x y", "2x", "(x", "x)", "x +", "* x", "1 / x", "x ** 2", "é", "1e5"])
@pytest.mark.parametrize("wrapped", ["{}", "1 + ({})"])
def test_what_is_no_function_is_refused_with_its_field(text: str, wrapped: str) -> None:
    with pytest.raises(InvalidField) as refused:
        check_price_function(wrapped.format(text), "function")
    assert refused.value.fields["field"] == "function"


@pytest.mark.parametrize("text", [TOO_LONG, TOO_DEEP, TOO_HIGH])
def test_functions_have_bounds(text: str) -> None:
    with pytest.raises(InvalidField):
        check_price_function(text, "function")


@given(st.text(alphabet="x0123456789.+-*() ", max_size=60), st.integers(0, 10**6))
def test_any_text_is_a_price_or_refused(text: str, score: int) -> None:
    try:
        polynomial(text)
    except MalformedFunction:
        return
    assert price_at(text, score) >= 0
