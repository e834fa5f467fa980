"""The bucket against a reference that is slow and obvious."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.http.reference_bucket import ReferenceBucket

from holdfast.http.bucket import LEASE_SHARE, SECOND, Ask, Tier, take

TIER = Tier(per_second=100.0, burst=20.0)
# A token of each comes in in whole nanoseconds, so there is nothing to round.
tiers = st.builds(Tier, st.sampled_from([0.5, 1.0, 100.0, 8_000.0, 200_000.0]), st.sampled_from([10.0, 64.0, 5_000.0]))
# Mostly at once, so that buckets run dry; now and then a wait, so that they run over.
gaps = st.sampled_from([0, 0, 0, 0, 1, SECOND // 50, 3 * SECOND, 60 * SECOND])
costs = st.sampled_from([1.0, 2.0, 5.0, 10.0])


@given(tiers, st.lists(st.tuples(gaps, costs), min_size=20, max_size=100))
def test_one_at_a_time_it_answers_as_the_reference_does(tier: Tier, arrivals: list[tuple[int, float]]) -> None:
    reference, full_at, now = ReferenceBucket(tier), 0, 1
    for gap, cost in arrivals:
        now += gap
        taken = take(full_at, now, tier, Ask(cost))
        full_at = taken.full_at
        assert (taken.tokens == cost) == reference.admits(now, cost)


@given(tiers, st.lists(st.tuples(gaps, costs), max_size=100))
def test_whoever_waits_as_long_as_he_is_told_gets_what_he_asked_for(
    tier: Tier, arrivals: list[tuple[int, float]]
) -> None:
    full_at, now = 0, 1
    for gap, cost in arrivals:
        now += gap
        taken = take(full_at, now, tier, Ask(cost))
        full_at = taken.full_at
        if taken.tokens == 0:
            assert take(full_at, now + taken.wait_nanoseconds, tier, Ask(cost)).tokens == cost
            assert take(full_at, now + taken.wait_nanoseconds - 1, tier, Ask(cost)).tokens == 0


def test_a_lease_is_a_small_share_of_what_is_there_and_just_enough_near_the_bottom() -> None:
    full = take(0, SECOND, TIER, Ask(0.1, 1_000.0))
    assert full.tokens == TIER.burst * LEASE_SHARE
    assert take(0, SECOND, TIER, Ask(0.1, 0.2)).tokens == 0.2
    nearly_empty = take(SECOND + int(0.19 * SECOND), SECOND, TIER, Ask(0.5, 1_000.0))
    assert nearly_empty.tokens == 0.5


def test_what_is_left_of_a_lease_comes_back_and_never_beyond_the_brim() -> None:
    first = take(0, SECOND, TIER, Ask(10.0))
    assert take(first.full_at, SECOND, TIER, Ask(15.0)).tokens == 0
    assert take(first.full_at, SECOND, TIER, Ask(15.0, back=5.0)).tokens == 15.0
    assert take(first.full_at, SECOND, TIER, Ask(20.5, back=500.0)).tokens == 0


def test_a_moment_from_before_the_clock_began_anew_locks_nobody_out() -> None:
    assert take(10**18, SECOND, TIER, Ask(1.0)).tokens == 1.0


def test_random_arrivals_are_admitted_as_by_the_reference() -> None:
    tier = Tier(per_second=90.0, burst=20.0)
    dice, reference, full_at, now = random.Random(4), ReferenceBucket(tier), 0, 1
    admitted = expected = 0.0
    for _ in range(20_000):
        now += int(dice.expovariate(60.0) * SECOND)
        cost = dice.choice((1.0, 2.0, 5.0))
        taken = take(full_at, now, tier, Ask(cost))
        full_at = taken.full_at
        admitted += taken.tokens
        expected += cost if reference.admits(now, cost) else 0.0
    assert abs(admitted - expected) <= 0.001 * expected
