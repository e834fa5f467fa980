"""Sums of money that still fit: a total beyond what JSON carries exactly is refused, not rounded."""

from __future__ import annotations

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.values.money import Money, money
from holdfast.commerce.values.value import SAFE_INTEGER_MAX


def amount(cents: int, currency: str) -> Money:
    """A reckoned amount. Raises InvalidOperation when it is too large to be exact."""
    if -SAFE_INTEGER_MAX <= cents <= SAFE_INTEGER_MAX:
        return money(cents, currency)
    raise InvalidOperation(f"The amount exceeds {SAFE_INTEGER_MAX} minor units of {currency}.")
