"""Price functions of score tiers: cents from a score `x`, with `+`, `-`, `*` and parentheses.

`(200 * x) - 1` charges 199 for a score of 1, 399 for 2, and so on. Numbers may have decimals; the
result is rounded half to even and never below zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from holdfast.base.errors import InvalidField
from holdfast.commerce.values.money import rounded
from holdfast.commerce.values.value import SAFE_INTEGER_MAX

LENGTH_MAX = 256
DEPTH_MAX = 32
_TOKEN = re.compile(r"\s*(?:(\d{1,15}(?:\.\d{1,9})?)|([-+*()x]))")

# Coefficients of the powers of x: every such function is a polynomial.
Polynomial = tuple[Fraction, ...]
DEGREE_MAX = 8


class MalformedFunction(ValueError):
    """The text is not a price function; the message says where."""


def check_price_function(text: str, path: str) -> None:
    """Raises InvalidField when `text` is not a price function."""
    try:
        polynomial(text)
    except MalformedFunction as problem:
        raise InvalidField(path, text, f"'{text[:LENGTH_MAX]}' is not a price function: {problem}.") from None


def price_at(text: str, score: int) -> int:
    """Cents at a score."""
    total = sum((factor * score**power for power, factor in enumerate(polynomial(text))), Fraction(0))
    return min(max(rounded(total, "HalfEven"), 0), SAFE_INTEGER_MAX)


@lru_cache(maxsize=256)
def polynomial(text: str) -> Polynomial:
    """The function multiplied out. Raises MalformedFunction."""
    if len(text) > LENGTH_MAX:
        raise MalformedFunction(f"it is longer than {LENGTH_MAX} characters")
    parser = _Parser(text)
    result = parser.sum(0)
    if parser.ahead:
        raise MalformedFunction(f"unexpected '{parser.ahead}'")
    return result


class _Parser:
    """Recursive descent over sum, product and atom, each answering a polynomial."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self.ahead = next(self._tokens)

    def _take(self) -> str:
        taken, self.ahead = self.ahead, next(self._tokens)
        return taken

    def sum(self, depth: int) -> Polynomial:
        result = self._product(depth)
        while self.ahead in ("+", "-"):
            sign = 1 if self._take() == "+" else -1
            result = _added(result, self._product(depth), sign)
        return result

    def _product(self, depth: int) -> Polynomial:
        result = self._atom(depth)
        while self.ahead == "*":
            self._take()
            result = _multiplied(result, self._atom(depth))
        return result

    def _atom(self, depth: int) -> Polynomial:
        if depth > DEPTH_MAX:
            raise MalformedFunction(f"it is nested deeper than {DEPTH_MAX} levels")
        taken = self._take()
        if taken == "x":
            return (Fraction(0), Fraction(1))
        if taken == "-":
            return _multiplied((Fraction(-1),), self._atom(depth + 1))
        if taken == "(":
            result = self.sum(depth + 1)
            if self._take() != ")":
                raise MalformedFunction("a ')' is missing")
            return result
        if taken[:1].isdecimal():
            return (Fraction(taken),)
        raise MalformedFunction(f"unexpected '{taken}'" if taken else "it ends too early")


def _tokens(text: str) -> Iterator[str]:
    """The tokens, then empty ones for ever."""
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        found = _TOKEN.match(stripped, position)
        if found is None:
            raise MalformedFunction(f"unexpected '{stripped[position : position + 10]}'")
        yield found.group(1) or found.group(2)
        position = found.end()
    while True:
        yield ""


def _added(left: Polynomial, right: Polynomial, sign: int) -> Polynomial:
    size = max(len(left), len(right))
    padded = [(*side, *(Fraction(0),) * (size - len(side))) for side in (left, right)]
    return tuple(one + sign * other for one, other in zip(*padded, strict=True))


def _multiplied(left: Polynomial, right: Polynomial) -> Polynomial:
    if len(left) + len(right) - 2 > DEGREE_MAX:
        raise MalformedFunction(f"powers of x above {DEGREE_MAX} are not supported")
    result = [Fraction(0)] * (len(left) + len(right) - 1)
    for power, factor in enumerate(left):
        for other, other_factor in enumerate(right):
            result[power + other] += factor * other_factor
    return tuple(result)
