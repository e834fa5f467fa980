from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import NORMAL, a_rate

from holdfast.base.errors import MissingTaxRateForCountry
from holdfast.commerce.resources.tax_category import SubRate, TaxCategory, TaxRate
from holdfast.commerce.rules.tax import Lot, find_rate, rate_at, split, taxed, total_of
from holdfast.commerce.values.address import Address
from holdfast.commerce.values.money import RoundingMode
from holdfast.commerce.values.taxed_price import TaxedPrice

MODES: tuple[RoundingMode, ...] = ("HalfEven", "HalfUp", "HalfDown")


def net(amount: float = 0.2, **more: Any) -> TaxRate:
    return a_rate(amount, included_in_price=False, **more)


def figures(price: TaxedPrice) -> tuple[int, int, int]:
    assert price.total_tax is not None
    return price.total_net.cent_amount, price.total_gross.cent_amount, price.total_tax.cent_amount


# --- which rate ----------------------------------------------------------------------------


def test_the_rate_of_the_state_wins_over_that_of_the_country() -> None:
    rate = rate_at(NORMAL, Address(country="US", state="NY"))
    assert (rate.state, rate.amount) == ("NY", 0.08875)


@pytest.mark.parametrize("state", [None, "CA", ""])
def test_a_state_without_a_rate_gets_that_of_its_country(state: str | None) -> None:
    assert rate_at(NORMAL, Address(country="US", state=state)).amount == 0.0625


def test_the_order_of_rates_does_not_matter_to_state_and_country() -> None:
    backwards = replace(NORMAL, rates=tuple(reversed(NORMAL.rates)))
    assert rate_at(backwards, Address(country="US", state="NY")).amount == 0.08875
    assert rate_at(backwards, Address(country="US")).amount == 0.0625


def test_a_state_rate_alone_does_not_serve_the_rest_of_the_country() -> None:
    only_ny = TaxCategory(id="x", name="x", rates=(net(0.1, country="US", state="NY"),))
    assert find_rate(only_ny, Address(country="US")) is None
    assert find_rate(only_ny, Address(country="US", state="CA")) is None


def test_a_missing_rate_names_category_country_and_state() -> None:
    with pytest.raises(MissingTaxRateForCountry) as refused:
        rate_at(NORMAL, Address(country="AT", state="Tyrol"))
    assert refused.value.fields == {"taxCategoryId": "normal", "country": "AT", "state": "Tyrol"}
    assert "'AT/Tyrol'" in refused.value.message


# --- what it makes of a price --------------------------------------------------------------


@pytest.mark.parametrize(
    ("gross", "expected"),
    [(1190, 1000), (490, 412), (1, 1), (0, 0), (100, 84), (-1190, -1000), (99_999_999, 84_033_613)],
)
def test_a_rate_included_in_the_price_leaves_the_gross_amount_alone(gross: int, expected: int) -> None:
    assert split(gross, a_rate(0.19), "HalfEven") == (expected, gross)


@pytest.mark.parametrize(("price", "expected"), [(1000, 1200), (1, 1), (2, 2), (3, 4), (-1000, -1200)])
def test_a_rate_on_top_leaves_the_net_amount_alone(price: int, expected: int) -> None:
    assert split(price, net(0.2), "HalfEven") == (price, expected)


@pytest.mark.parametrize(
    ("cents", "even", "up", "down"), [(5, 2, 3, 2), (7, 4, 4, 3), (-5, -2, -3, -2), (-7, -4, -4, -3)]
)
def test_half_cents_of_an_included_tax_follow_the_mode(cents: int, even: int, up: int, down: int) -> None:
    assert [split(cents, a_rate(1.0), mode).net for mode in MODES] == [even, up, down]


@pytest.mark.parametrize(("cents", "even", "up", "down"), [(1, 2, 2, 1), (3, 4, 5, 4), (5, 8, 8, 7)])
def test_half_cents_of_a_tax_on_top_follow_the_mode(cents: int, even: int, up: int, down: int) -> None:
    assert [split(cents, net(0.5), mode).gross for mode in MODES] == [even, up, down]


def test_a_rate_is_the_decimal_it_is_written_as_not_its_binary_neighbour() -> None:
    # In binary 0.15 is a little less than 0.15, and 11.5 would round down in every mode.
    assert [split(10, net(0.15), mode).gross for mode in MODES] == [12, 12, 11]


def test_one_rounding_per_line_differs_from_one_per_unit() -> None:
    rate = a_rate(0.19)
    assert figures(taxed(3 * 199, (), rate, "HalfEven", "EUR")) == (502, 597, 95)
    assert figures(taxed(3 * 199, (Lot(199, 3),), rate, "HalfEven", "EUR")) == (501, 597, 96)


def test_units_taxed_on_top_are_rounded_before_they_are_multiplied() -> None:
    assert figures(taxed(30, (), net(0.05), "HalfUp", "EUR")) == (30, 32, 2)
    assert figures(taxed(30, (Lot(10, 3),), net(0.05), "HalfUp", "EUR")) == (30, 33, 3)


def test_lots_at_different_prices_are_rounded_each_on_its_own() -> None:
    assert figures(taxed(597, (Lot(199, 2), Lot(99, 1)), a_rate(0.19), "HalfEven", "EUR")) == (167 * 2 + 83, 497, 80)


def test_a_zero_rate_makes_no_tax_but_a_portion() -> None:
    price = taxed(500, (), net(0.0), "HalfEven", "EUR")
    assert figures(price) == (500, 500, 0)
    assert [(portion.rate, portion.amount.cent_amount) for portion in price.tax_portions] == [(0.0, 0)]


# --- portions ------------------------------------------------------------------------------

CITY = (
    SubRate(name="state", amount=0.04),
    SubRate(name="city", amount=0.045),
    SubRate(name="metro", amount=0.00375),
)


def test_sub_rates_make_one_portion_each_and_add_up_to_the_tax() -> None:
    price = taxed(1000, (), net(0.08875, sub_rates=CITY), "HalfEven", "USD")
    assert figures(price) == (1000, 1089, 89)
    portions = [(portion.name, portion.rate, portion.amount.cent_amount) for portion in price.tax_portions]
    assert portions == [("state", 0.04, 40), ("city", 0.045, 45), ("metro", 0.00375, 4)]


def test_sub_rates_of_nothing_share_nothing() -> None:
    rate = net(0.0, sub_rates=(SubRate(name="a", amount=0.0), SubRate(name="b", amount=0.0)))
    assert [portion.amount.cent_amount for portion in taxed(99, (), rate, "HalfUp", "EUR").tax_portions] == [0, 0]


def test_portions_are_gathered_by_rate_and_name_in_order_of_appearance() -> None:
    first, second = a_rate(0.19), a_rate(0.07)
    prices = [taxed(cents, (), rate, "HalfEven", "EUR") for cents, rate in ((1190, first), (107, second), (119, first))]
    total = total_of(prices, "EUR")
    assert figures(total) == (1200, 1416, 216)
    assert [(portion.name, portion.amount.cent_amount) for portion in total.tax_portions] == [
        ("19% DE", 209),
        ("7% DE", 7),
    ]


def test_equal_rates_of_different_names_stay_apart() -> None:
    prices = [taxed(119, (), a_rate(0.19, name=name), "HalfEven", "EUR") for name in ("one", "other")]
    assert [portion.name for portion in total_of(prices, "EUR").tax_portions] == ["one", "other"]


points = st.integers(0, 2_500)


def a_split_rate(whole: int, included: bool, parts: list[int]) -> TaxRate:
    """A rate in hundredths of a percent; with parts, it is their sum."""
    subs = tuple(SubRate(name=str(n), amount=part / 10_000) for n, part in enumerate(parts))
    return a_rate((sum(parts) if parts else whole) / 10_000, included_in_price=included, sub_rates=subs)


rates = st.builds(a_split_rate, points, st.booleans(), st.lists(points, max_size=4))
lots = st.lists(st.builds(Lot, st.integers(-(10**6), 10**7), st.integers(1, 1000)), max_size=3).map(tuple)


@given(st.integers(-(10**9), 10**9), lots, rates, st.sampled_from(MODES))
def test_net_and_tax_make_gross_and_portions_make_the_tax(
    cents: int, units: tuple[Lot, ...], rate: TaxRate, mode: RoundingMode
) -> None:
    price = taxed(cents, units, rate, mode, "EUR")
    before, after, tax = figures(price)
    assert before + tax == after
    assert sum(portion.amount.cent_amount for portion in price.tax_portions) == tax
    whole = sum(lot.unit_cents * lot.quantity for lot in units) if units else cents
    assert (after if rate.included_in_price else before) == whole
