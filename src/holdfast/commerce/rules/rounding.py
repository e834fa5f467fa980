"""Whole minor units out of exact quotients, with integers only: prices and taxes are rounded nowhere else."""

from __future__ import annotations

from typing import assert_never

from holdfast.commerce.values.money import Money, RoundingMode, fraction_digits


def divided(numerator: int, denominator: int, mode: RoundingMode) -> int:
    """`numerator / denominator` to the nearest whole number; `denominator` is positive.

    Half-way cases go to the even neighbour (`HalfEven`), away from zero (`HalfUp`) or towards it (`HalfDown`).
    """
    quotient, remainder = divmod(numerator, denominator)
    doubled = 2 * remainder
    if doubled < denominator:
        return quotient
    if doubled > denominator:
        return quotient + 1
    match mode:
        case "HalfEven":
            return quotient + (quotient & 1)
        case "HalfUp":
            return quotient + (numerator > 0)
        case "HalfDown":
            return quotient + (numerator < 0)
        case _:
            assert_never(mode)


def multiplied(unit: Money, quantity: int, mode: RoundingMode) -> int:
    """Cents of `quantity` units: a high-precision unit price is multiplied first and rounded once."""
    if unit.precise_amount is None:
        return unit.cent_amount * quantity
    scale = 10 ** (unit.fraction_digits - fraction_digits(unit.currency_code))
    return divided(unit.precise_amount * quantity, scale, mode)
