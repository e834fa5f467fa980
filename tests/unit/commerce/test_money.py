"""Amounts as clients write them, and as they are kept."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from holdfast.base.errors import InvalidField
from holdfast.commerce.values.money import Money, MoneyDraft, cent_money, money, typed

PRECISE = {"type": "highPrecision", "currencyCode": "EUR", "preciseAmount": 12_345, "fractionDigits": 4}


def draft(**fields: Any) -> MoneyDraft:
    return msgspec.convert({"currencyCode": "EUR", **fields}, MoneyDraft)


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_an_amount_has_the_digits_of_its_currency(currency: str, digits: int) -> None:
    given = typed(draft(currencyCode=currency, centAmount=5))
    assert (given, given.fraction_digits) == (money(5, currency), digits)
    assert typed(draft(currencyCode=currency, centAmount=5, fractionDigits=digits)) == given


def test_what_is_stored_without_type_and_digits_is_cents() -> None:
    assert msgspec.json.decode(b'{"currencyCode":"EUR","centAmount":7}', type=Money) == money(7, "EUR")


@pytest.mark.parametrize(("precise", "digits", "cents"), [(12_345, 4, 123), (125, 3, 12), (135, 3, 14), (-125, 3, -12)])
def test_a_precise_amount_is_told_in_whole_cents_too(precise: int, digits: int, cents: int) -> None:
    given = typed(draft(type="highPrecision", preciseAmount=precise, fractionDigits=digits))
    assert (given.type, given.cent_amount, given.precise_amount) == ("highPrecision", cents, precise)
    assert given.fraction_digits == digits


def test_the_cents_of_a_precise_amount_may_be_rounded_by_the_client() -> None:
    assert typed(draft(**PRECISE, centAmount=124)).cent_amount == 124


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "centAmount"),
        ({"centAmount": 1, "fractionDigits": 3}, "fractionDigits"),
        ({"type": "highPrecision", "fractionDigits": 4}, "preciseAmount"),
        ({"type": "highPrecision", "preciseAmount": 1}, "fractionDigits"),
        ({"type": "highPrecision", "preciseAmount": 1, "fractionDigits": 2}, "fractionDigits"),
        ({"type": "highPrecision", "preciseAmount": 1, "fractionDigits": 21}, "fractionDigits"),
    ],
)
def test_an_amount_that_contradicts_itself_is_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidField) as refused:
        typed(draft(**fields), "price")
    assert refused.value.fields["field"] == f"price.{named}"


@pytest.mark.parametrize("digits", [3, 20])
def test_a_precise_amount_has_more_digits_than_its_currency_and_no_more_than_twenty(digits: int) -> None:
    assert typed(draft(type="highPrecision", preciseAmount=1, fractionDigits=digits)).fraction_digits == digits


def test_where_only_cents_are_taken_a_precise_amount_is_refused() -> None:
    assert cent_money(draft(centAmount=3)) == money(3, "EUR")
    with pytest.raises(InvalidField) as refused:
        cent_money(draft(**PRECISE))
    assert refused.value.fields["field"] == "value.type"
