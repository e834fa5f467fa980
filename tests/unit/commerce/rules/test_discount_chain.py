"""The arithmetic of discounts: shares sum to what was taken, nothing falls below zero, units stay as many."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.commerce.resources.cart.discount_shapes import (
    AbsoluteValue,
    ApplicationMode,
    CustomLineItemsTarget,
    FixedValue,
    LineItemsTarget,
    MultiBuyLineItemsTarget,
    RelativeValue,
)
from holdfast.commerce.rules.discount_chain import Lot, Lots, Step, Terms, after_step, reduced
from holdfast.commerce.values.money import money
from holdfast.commerce.values.reference import Reference

EUR = Terms("EUR", "HalfEven")
LINES = LineItemsTarget(predicate="1 = 1")


def step(value: Any, target: Any = LINES, name: str = "d") -> Step:
    return Step(Reference(type_id="cart-discount", id=name), value, target)


def off(permyriad: int) -> RelativeValue:
    return RelativeValue(permyriad=permyriad)


def less(cents: int, mode: ApplicationMode | None = None) -> AbsoluteValue:
    return AbsoluteValue(money=(money(cents, "EUR"),), application_mode=mode)


def fixed(cents: int) -> FixedValue:
    return FixedValue(money=(money(cents, "EUR"),))


def buy(trigger: int, discounted: int, mode: Any = "Cheapest", most: int | None = None) -> MultiBuyLineItemsTarget:
    return MultiBuyLineItemsTarget(
        predicate="1 = 1",
        trigger_quantity=trigger,
        discounted_quantity=discounted,
        selection_mode=mode,
        max_occurrence=most,
    )


def prices(items: Sequence[Lots]) -> list[list[tuple[int, int]]]:
    """(quantity, cents) of every lot of every item."""
    return [[(lot.quantity, lot.cents) for lot in lots] for lots in items]


def cost(items: Sequence[Lots]) -> int:
    return sum(lot.quantity * lot.cents for lots in items for lot in lots)


@pytest.mark.parametrize(
    ("items", "chosen", "expected"),
    [
        # ten cents over 3 units of one price: two units give three, one gives four
        ([(3, 100)], step(less(10)), [[(1, 96), (2, 97)]]),
        # by worth: 300 and 100 share 40 as 30 and 10
        ([(1, 300), (1, 100)], step(less(40)), [[(1, 270)], [(1, 90)]]),
        ([(1, 300), (1, 100)], step(less(40, "EvenDistribution")), [[(1, 280)], [(1, 80)]]),
        # the cheap one cannot take its half, the other takes the rest
        ([(1, 300), (1, 5)], step(less(40, "EvenDistribution")), [[(1, 265)], [(1, 0)]]),
        ([(2, 300), (1, 100)], step(less(40, "IndividualApplication")), [[(2, 260)], [(1, 60)]]),
        # more than everything together: everything is free
        ([(2, 300), (1, 100)], step(less(9999)), [[(2, 0)], [(1, 0)]]),
        ([(2, 300), (1, 100)], step(less(9999, "EvenDistribution")), [[(2, 0)], [(1, 0)]]),
        ([(2, 300)], step(fixed(250)), [[(2, 250)]]),
        ([(2, 300)], step(fixed(350)), [[(2, 300)]]),
        # buy three, the cheapest is free
        ([(2, 300), (1, 100)], step(off(10_000), buy(3, 1)), [[(2, 300)], [(1, 0)]]),
        ([(2, 300), (1, 100)], step(off(10_000), buy(3, 1, "MostExpensive")), [[(1, 0), (1, 300)], [(1, 100)]]),
        ([(9, 300)], step(off(10_000), buy(3, 1, most=2)), [[(2, 0), (7, 300)]]),
        ([(2, 300)], step(off(10_000), buy(3, 1)), [[(2, 300)]]),
        ([(4, 300)], step(fixed(200), buy(2, 2)), [[(4, 200)]]),
        # free and negative items are left alone
        ([(1, -50), (1, 100)], step(less(30)), [[(1, -50)], [(1, 70)]]),
        ([(1, -50), (1, 100)], step(off(5000)), [[(1, -50)], [(1, 50)]]),
    ],
)
def test_what_a_discount_makes_of_items(items: list[tuple[int, int]], chosen: Step, expected: Any) -> None:
    lots: list[Lots] = [(Lot(*item),) for item in items]
    assert prices(after_step(lots, range(len(lots)), chosen, EUR)) == expected


def test_only_what_the_target_means_is_touched() -> None:
    lots: list[Lots] = [(Lot(1, 100),), (Lot(1, 100),)]
    assert prices(after_step(lots, [1], step(off(5000)), EUR)) == [[(1, 100)], [(1, 50)]]
    assert after_step(lots, [], step(less(50)), EUR) == lots


def test_a_single_price_goes_through_a_chain() -> None:
    lot = reduced(1000, [step(off(1000), name="a"), step(less(100), name="b"), step(fixed(900), name="c")], EUR)
    assert (lot.cents, [(taken.discount.id, taken.cents) for taken in lot.taken]) == (800, [("a", 100), ("b", 100)])


# --- laws ----------------------------------------------------------------------------------

ITEMS = st.lists(st.tuples(st.integers(1, 30), st.integers(-500, 5000)), min_size=1, max_size=6)
MODES = st.sampled_from(["IndividualApplication", "ProportionateDistribution", "EvenDistribution"])
VALUES = st.one_of(
    st.builds(off, st.integers(0, 10_000)),
    st.builds(less, st.integers(0, 20_000), MODES),
    st.builds(fixed, st.integers(0, 5000)),
)
MULTI_BUYS = st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from(["Cheapest", "MostExpensive"])).map(
    lambda drawn: buy(max(drawn[:2]), min(drawn[:2]), drawn[2])
)
STEPS = st.lists(
    st.one_of(
        st.tuples(VALUES, st.sampled_from([LINES, CustomLineItemsTarget(predicate="1 = 1")])),
        st.tuples(
            st.one_of(st.builds(off, st.integers(0, 10_000)), st.builds(fixed, st.integers(0, 5000))), MULTI_BUYS
        ),
    ),
    max_size=4,
)


@given(ITEMS, STEPS)
def test_money_and_units_are_conserved_through_any_chain(items: list[tuple[int, int]], steps: list[Any]) -> None:
    lots: list[Lots] = [(Lot(*item),) for item in items]
    before = lots
    for number, (value, target) in enumerate(steps):
        lots = after_step(lots, range(len(lots)), step(value, target, str(number)), EUR)
    for (quantity, cents), found in zip(items, lots, strict=True):
        assert sum(lot.quantity for lot in found) == quantity
        for lot in found:
            assert lot.quantity > 0
            assert lot.cents + sum(taken.cents for taken in lot.taken) == cents
            assert all(taken.cents > 0 for taken in lot.taken)
            assert lot.cents >= 0 or lot.cents == cents
    taken = sum(lot.quantity * part.cents for found in lots for lot in found for part in lot.taken)
    assert cost(before) - cost(lots) == taken


@given(ITEMS, st.integers(0, 50_000), st.sampled_from(["ProportionateDistribution", "EvenDistribution"]))
def test_a_spread_amount_is_taken_to_the_last_cent(items: list[tuple[int, int]], cents: int, mode: Any) -> None:
    lots: list[Lots] = [(Lot(*item),) for item in items]
    worth = sum(quantity * price for quantity, price in items if price > 0)
    after = after_step(lots, range(len(lots)), step(less(cents, mode)), EUR)
    assert cost(lots) - cost(after) == min(cents, worth)


@given(ITEMS, st.integers(0, 10_000))
def test_units_of_one_item_differ_by_one_cent_at_most(items: list[tuple[int, int]], cents: int) -> None:
    lots: list[Lots] = [(Lot(*item),) for item in items]
    for found in after_step(lots, range(len(lots)), step(less(cents)), EUR):
        assert max(lot.cents for lot in found) - min(lot.cents for lot in found) <= 1


FINE = st.lists(
    st.builds(Lot, st.integers(1, 50), st.integers(0, 5_000), scale=st.sampled_from([1, 10, 100])),
    min_size=1,
    max_size=6,
)


@given(FINE, st.integers(0, 5_000), st.sampled_from(["ProportionateDistribution", "EvenDistribution"]))
def test_units_priced_more_finely_than_cents_give_what_is_taken_off(lots: list[Lot], cents: int, mode: Any) -> None:
    """To the half cent that each item's total is rounded by; and whatever is taken off, nothing becomes dearer."""
    before: list[Lots] = [(lot,) for lot in lots]
    after = after_step(before, range(len(lots)), step(less(cents, mode)), EUR)
    whole = exact_cost(before)
    wanted = Fraction(cents) if cents < whole else whole
    assert abs(whole - exact_cost(after) - wanted) <= Fraction(len(lots), 2)
    for (lot,), found in zip(before, after, strict=True):
        assert sum(part.quantity for part in found) == lot.quantity
        assert all(0 <= part.cents <= lot.cents and part.scale == lot.scale for part in found)


def exact_cost(items: Sequence[Lots]) -> Fraction:
    return sum((lot.quantity * lot.unit for lots in items for lot in lots), Fraction(0))


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        (step(off(1000)), [(1000, 54)]),
        (step(less(1, "IndividualApplication")), [(1000, 0)]),
        (step(fixed(1)), [(1000, 60)]),
        (step(off(10_000), buy(3, 1)), [(333, 0), (667, 60)]),
    ],
)
def test_a_thousand_screws_at_six_tenths_of_a_cent(chosen: Step, left: list[tuple[int, int]]) -> None:
    assert prices(after_step([(Lot(1000, 60, scale=100),)], [0], chosen, EUR)) == [left]


def test_units_in_cents_and_in_parts_of_cents_are_told_apart_by_what_they_cost() -> None:
    """A screw at 0.6 cents is cheaper than a bolt at 2, though 60 parts are more than 2 cents."""
    screws, bolts = Lot(2, 60, scale=100), Lot(2, 2)
    free = after_step([(screws,), (bolts,)], [0, 1], step(off(10_000), buy(2, 1)), EUR)
    assert prices(free) == [[(2, 0)], [(2, 2)]]
    even = after_step([(screws,), (bolts,)], [0, 1], step(less(4, "EvenDistribution")), EUR)
    # the screws together cost a cent and give all of it, the bolts the rest
    assert prices(even) == [[(2, 10)], [(1, 0), (1, 1)]]


def test_a_fixed_price_in_another_currency_is_no_price() -> None:
    assert after_step([(Lot(1, 300),)], [0], step(fixed(250)), Terms("USD", "HalfEven")) == [(Lot(1, 300),)]
