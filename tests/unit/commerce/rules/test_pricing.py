from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from holdfast.commerce.rules.pricing import PriceSelector, select_price, unit_price
from holdfast.commerce.values.money import money
from holdfast.commerce.values.price import DiscountedPrice, Price, PriceTier
from holdfast.commerce.values.reference import Reference

NOW = "2026-01-31T10:00:00.000Z"
YESTERDAY, TOMORROW = "2026-01-30T10:00:00.000Z", "2026-02-01T10:00:00.000Z"
BEFORE = "2026-01-01T00:00:00.000Z"
SHOPPER = PriceSelector("EUR", "DE", frozenset({"b2b"}), "berlin", NOW)


def a_price(
    id: str = "price",
    *,
    group: str | None = None,
    channel: str | None = None,
    country: str | None = None,
    since: str | None = None,
    until: str | None = None,
    currency: str = "EUR",
    cents: int = 1000,
) -> Price:
    return Price(
        id=id,
        value=money(cents, currency),
        customer_group=Reference(type_id="customer-group", id=group) if group else None,
        channel=Reference(type_id="channel", id=channel) if channel else None,
        country=country,
        valid_from=since,
        valid_until=until,
    )


# The published order, most specific first.
SCOPES = [
    a_price("group channel country", group="b2b", channel="berlin", country="DE"),
    a_price("group channel", group="b2b", channel="berlin"),
    a_price("group country", group="b2b", country="DE"),
    a_price("group", group="b2b"),
    a_price("channel country", channel="berlin", country="DE"),
    a_price("channel", channel="berlin"),
    a_price("country", country="DE"),
    a_price("none"),
]


def test_of_several_groups_of_a_shopper_the_one_with_the_lowest_price_counts() -> None:
    member = PriceSelector("EUR", "DE", frozenset({"b2b", "gold", "staff"}), None, NOW)
    prices = [a_price(group=group, cents=cents) for group, cents in (("b2b", 900), ("gold", 700), ("staff", 800))]
    for candidates in (prices, prices[::-1]):
        assert select_price(candidates, member) is prices[1]
    sale = DiscountedPrice(value=money(600, "EUR"), discount=Reference(type_id="product-discount", id="d"))
    reduced = replace(prices[0], discounted=sale)
    assert select_price([reduced, *prices[1:]], member) is reduced
    closer = a_price(group="b2b", country="DE", cents=5000)
    assert select_price([*prices, closer], member) is closer


@pytest.mark.parametrize("rank", range(len(SCOPES)))
def test_the_most_specific_scope_wins_in_the_published_order(rank: int) -> None:
    for candidates in (SCOPES[rank:], SCOPES[rank:][::-1]):
        assert select_price(candidates, SHOPPER) is SCOPES[rank]


@pytest.mark.parametrize(
    "other",
    [
        a_price(group="vip"),
        a_price(channel="munich"),
        a_price(country="AT"),
        a_price(currency="USD"),
        a_price(since=TOMORROW),
        a_price(until=YESTERDAY),
        a_price(since=BEFORE, until=YESTERDAY),
    ],
)
def test_a_price_for_others_is_never_a_candidate(other: Price) -> None:
    assert select_price([other], SHOPPER) is None


@pytest.mark.parametrize("scope", SCOPES[:-1])
def test_who_names_no_scope_gets_only_the_price_without_one(scope: Price) -> None:
    anyone = PriceSelector("EUR", None, frozenset(), None, NOW)
    assert select_price([scope], anyone) is None
    assert select_price([scope, SCOPES[-1]], anyone) is SCOPES[-1]


@pytest.mark.parametrize(("since", "until"), [(YESTERDAY, None), (None, TOMORROW), (YESTERDAY, TOMORROW), (NOW, None)])
def test_a_current_window_beats_none_at_the_same_level_only(since: str | None, until: str | None) -> None:
    sale = a_price("sale", country="DE", since=since, until=until)
    assert select_price([SCOPES[6], sale], SHOPPER) is sale
    assert select_price([sale, SCOPES[5]], SHOPPER) is SCOPES[5]


def test_a_window_ends_before_its_last_instant() -> None:
    assert select_price([a_price(until=NOW)], SHOPPER) is None


@given(st.permutations(SCOPES), st.integers(1, len(SCOPES)))
def test_the_choice_does_not_depend_on_the_order(prices: list[Price], count: int) -> None:
    chosen = select_price(prices[:count], SHOPPER)
    assert chosen is min(prices[:count], key=SCOPES.index)


def tiered(*tiers: tuple[int, int]) -> Price:
    return Price(
        id="tiered",
        value=money(1000, "EUR"),
        tiers=tuple(PriceTier(minimum_quantity=least, value=money(cents, "EUR")) for least, cents in tiers),
    )


@pytest.mark.parametrize(
    ("quantity", "cents"), [(1, 1000), (4, 1000), (5, 900), (9, 900), (10, 700), (1_000_000_000, 700)]
)
def test_the_tier_with_the_largest_reached_quantity_counts(quantity: int, cents: int) -> None:
    for tiers in (((5, 900), (10, 700)), ((10, 700), (5, 900))):
        assert unit_price(tiered(*tiers), quantity) == money(cents, "EUR")


def test_a_discount_switches_the_tiers_off() -> None:
    sale = DiscountedPrice(value=money(950, "EUR"), discount=Reference(type_id="product-discount", id="d"))
    discounted = Price(id="x", value=money(1000, "EUR"), tiers=tiered((5, 900)).tiers, discounted=sale)
    assert [unit_price(discounted, quantity).cent_amount for quantity in (1, 10)] == [950, 950]


def test_the_scopes_of_this_file_are_all_there_are() -> None:
    kinds = {(bool(price.customer_group), bool(price.channel), bool(price.country)) for price in SCOPES}
    assert kinds == set(product((True, False), repeat=3))
