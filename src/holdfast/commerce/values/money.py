"""Money: whole minor units, with the currency's own number of digits (ISO 4217)."""

from __future__ import annotations

from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal

from msgspec import field

from holdfast.base.errors import InvalidField
from holdfast.commerce.values.value import Currency, Int, Value

# ISO 4217 minor units other than two.
_DIGITS = dict.fromkeys(
    (
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ),
    0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
HIGH_PRECISION_DIGITS_MAX = 20

RoundingMode = Literal["HalfEven", "HalfUp", "HalfDown"]
_DECIMAL_ROUNDING = {"HalfEven": ROUND_HALF_EVEN, "HalfUp": ROUND_HALF_UP, "HalfDown": ROUND_HALF_DOWN}


def fraction_digits(currency: str) -> int:
    """Digits after the point of a currency's minor unit."""
    return _DIGITS.get(currency, 2)


def _cent_precision() -> Literal["centPrecision", "highPrecision"]:
    return "centPrecision"


def _two() -> int:
    return 2


class Money(Value):
    """An amount as stored and served; `preciseAmount` only with type `highPrecision`."""

    type: Literal["centPrecision", "highPrecision"] = field(default_factory=_cent_precision)
    currency_code: str
    cent_amount: int
    fraction_digits: int = field(default_factory=_two)
    precise_amount: int | None = None


class MoneyDraft(Value):
    """An amount as clients write it: type and digits may be left to the currency."""

    type: Literal["centPrecision", "highPrecision"] | None = None
    currency_code: Currency
    cent_amount: Int | None = None
    fraction_digits: Int | None = None
    precise_amount: Int | None = None


def money(cent_amount: int, currency: str) -> Money:
    """An amount in minor units of `currency`."""
    return Money(currency_code=currency, cent_amount=cent_amount, fraction_digits=fraction_digits(currency))


def typed(draft: MoneyDraft, path: str = "value") -> Money:
    """The stored form of a drafted amount.

    Raises InvalidField when digits contradict the type, or a cent amount is missing.
    """
    digits = fraction_digits(draft.currency_code)
    if draft.type == "highPrecision":
        return _high_precision(draft, digits, path)
    if draft.cent_amount is None:
        raise InvalidField(f"{path}.centAmount", None, "A centAmount is required for centPrecision money.")
    if draft.fraction_digits not in (None, digits):
        raise InvalidField(f"{path}.fractionDigits", draft.fraction_digits, allowed_values=[digits])
    return money(draft.cent_amount, draft.currency_code)


def cent_money(draft: MoneyDraft, path: str = "value") -> Money:
    """Like `typed`, where the API takes cent precision only."""
    if draft.type == "highPrecision":
        raise InvalidField(f"{path}.type", draft.type, allowed_values=["centPrecision"])
    return typed(draft, path)


def _high_precision(draft: MoneyDraft, digits: int, path: str) -> Money:
    precise_digits = draft.fraction_digits
    if draft.precise_amount is None:
        raise InvalidField(f"{path}.preciseAmount", None, "A preciseAmount is required for highPrecision money.")
    if precise_digits is None or not digits < precise_digits <= HIGH_PRECISION_DIGITS_MAX:
        raise InvalidField(
            f"{path}.fractionDigits", precise_digits, f"Must be {digits + 1} to {HIGH_PRECISION_DIGITS_MAX}."
        )
    cents = rounded(Fraction(draft.precise_amount, 10 ** (precise_digits - digits)), "HalfEven")
    return Money(
        type="highPrecision",
        currency_code=draft.currency_code,
        cent_amount=cents if draft.cent_amount is None else draft.cent_amount,
        fraction_digits=precise_digits,
        precise_amount=draft.precise_amount,
    )


def rounded(amount: Fraction, mode: RoundingMode) -> int:
    """A whole number of minor units. Half-way cases go to even, away from zero (`HalfUp`) or towards it."""
    if amount.denominator == 1:
        return amount.numerator
    doubled = amount * 2
    if doubled.denominator != 1:  # not half-way: all modes agree on the nearest
        return int((amount + Fraction(1, 2)) // 1)
    exact = Decimal(doubled.numerator) / 2
    return int(exact.quantize(Decimal(1), rounding=_DECIMAL_ROUNDING[mode]))
