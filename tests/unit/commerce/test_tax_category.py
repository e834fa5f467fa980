from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commerce.builders.cart import later
from tests.unit.commerce.facts import create, update

from holdfast.base.errors import (
    ApiError,
    DuplicateField,
    InvalidField,
    InvalidJsonInput,
    InvalidOperation,
    RequiredField,
)
from holdfast.commerce.resources.tax_category import TaxCategory, tax_categories
from holdfast.commerce.values.value import builtins
from holdfast.handlers.decode import decode

GERMAN = {"name": "19%", "amount": 0.19, "includedInPrice": True, "country": "DE", "key": "de"}
FRENCH = {"name": "20%", "amount": 0.2, "includedInPrice": False, "country": "FR", "key": "fr"}


def a_category(*rates: dict[str, Any]) -> TaxCategory:
    return create(tax_categories, {"name": "normal", "key": "normal", "rates": rates}).resource


def after(category: TaxCategory, action: str, **fields: Any) -> TaxCategory:
    return update(tax_categories, category, {"action": action, **fields}, facts=later()).resource


def test_every_rate_gets_an_id_of_its_own() -> None:
    category = a_category(GERMAN, FRENCH)
    assert len({rate.id for rate in category.rates}) == 2
    assert builtins(category.rates[0]) == {**GERMAN, "id": category.rates[0].id, "subRates": ()}


@pytest.mark.parametrize(
    ("action", "fields", "name", "value"),
    [
        ("changeName", {"name": "other"}, "name", "other"),
        ("setKey", {"key": "other"}, "key", "other"),
        ("setKey", {}, "key", None),
        ("setDescription", {"description": "for all"}, "description", "for all"),
    ],
)
def test_plain_fields_can_be_changed(action: str, fields: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(after(a_category(), action, **fields), name) == value


def test_a_rate_can_be_added() -> None:
    category = after(a_category(GERMAN), "addTaxRate", taxRate=FRENCH)
    assert [rate.country for rate in category.rates] == ["DE", "FR"]


def test_a_replaced_rate_keeps_its_place_and_gets_a_new_id() -> None:
    before = a_category(GERMAN, FRENCH)
    category = after(before, "replaceTaxRate", taxRateId=before.rates[0].id, taxRate={**GERMAN, "amount": 0.16})
    assert [(rate.country, rate.amount) for rate in category.rates] == [("DE", 0.16), ("FR", 0.2)]
    assert category.rates[0].id not in (None, before.rates[0].id)


@pytest.mark.parametrize("by_key", [True, False])
def test_a_rate_can_be_removed_by_id_or_key(by_key: bool) -> None:
    before = a_category(GERMAN, FRENCH)
    named = {"taxRateKey": "de"} if by_key else {"taxRateId": before.rates[0].id}
    assert after(before, "removeTaxRate", **named).rates == before.rates[1:]


@pytest.mark.parametrize(
    "named", [{}, {"taxRateId": "nobody"}, {"taxRateKey": "xx"}, {"taxRateId": "a", "taxRateKey": "de"}]
)
@pytest.mark.parametrize("action", ["removeTaxRate", "replaceTaxRate"])
def test_a_rate_that_is_not_named_exactly_is_refused(action: str, named: dict[str, str]) -> None:
    more = {"taxRate": FRENCH} if action == "replaceTaxRate" else {}
    with pytest.raises(InvalidOperation):
        after(a_category(GERMAN), action, **named, **more)


def test_two_rates_cannot_share_a_key() -> None:
    with pytest.raises(DuplicateField):
        after(a_category(GERMAN), "addTaxRate", taxRate={**FRENCH, "key": "de"})


def test_rates_without_keys_do_not_clash() -> None:
    plain = {name: value for name, value in GERMAN.items() if name != "key"}
    assert len(a_category(plain, plain).rates) == 2


def test_sub_rates_make_up_an_amount_that_is_left_out() -> None:
    rate = {
        "name": "NY",
        "includedInPrice": False,
        "country": "US",
        "subRates": [{"name": "a", "amount": 0.1}, {"name": "b", "amount": 0.2}],
    }
    # 0.1 + 0.2 in binary is not 0.3.
    assert a_category(rate).rates[0].amount == 0.3
    assert a_category({**rate, "amount": 0.3}).rates[0].amount == 0.3


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"amount": None}, RequiredField),
        ({"subRates": [{"name": "a", "amount": 0.1}]}, InvalidField),
        ({"amount": None, "subRates": [{"name": "a", "amount": 0.6}, {"name": "b", "amount": 0.6}]}, InvalidField),
    ],
)
def test_amounts_that_do_not_add_up_are_refused(change: dict[str, Any], error: type[ApiError]) -> None:
    with pytest.raises(error):
        a_category({**GERMAN, **change})


@pytest.mark.parametrize("change", [{"amount": 1.1}, {"amount": -0.1}, {"country": "Germany"}, {"name": None}])
def test_values_of_the_wrong_shape_are_refused_with_their_path(change: dict[str, Any]) -> None:

    body = msgspec.json.encode({"name": "x", "rates": [{**GERMAN, **change}]})
    with pytest.raises(InvalidJsonInput) as refused:
        decode(tax_categories.drafts, body)
    assert f"$.rates[0].{next(iter(change))}" in refused.value.fields["detailedErrorMessage"]
