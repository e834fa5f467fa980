from hypothesis import given
from hypothesis import strategies as st

from holdfast.outbound import breaker
from holdfast.outbound.breaker import HISTORY_MAX, Breaker, Policy

POLICY = Policy(
    window_seconds=30, failures_min=5, failure_ratio=0.5, open_seconds=5, open_seconds_max=60, successes_to_close=2
)


def after(known: Breaker, now: float, *results: bool) -> Breaker:
    """The breaker after calls that ended so."""
    for good in results:
        admitted = breaker.admitted(known, now)
        assert admitted is not None
        known = breaker.judged(admitted, POLICY, now, admitted.turn, 1.0, good=good)
    return known


def opened(now: float = 0.0) -> Breaker:
    return after(Breaker(), now, *[False] * 5)


def test_it_opens_when_enough_calls_failed() -> None:
    assert after(Breaker(), 0, *[False] * 4).phase == "closed"
    assert after(Breaker(), 0, *[False] * 5).phase == "open"


def test_it_stays_closed_while_most_calls_succeed() -> None:
    assert after(Breaker(), 0, *[True] * 6, *[False] * 5).phase == "closed"
    assert after(Breaker(), 0, *[True] * 5, *[False] * 5).phase == "open"


def test_what_failed_before_the_window_is_forgotten() -> None:
    assert after(after(Breaker(), 0, *[False] * 4), 31, False).phase == "closed"
    assert after(after(Breaker(), 0, *[False] * 4), 26, False).phase == "open"


def test_open_it_lets_nobody_through_until_its_time_is_over() -> None:
    assert breaker.admitted(opened(), 4.9) is None
    probing = breaker.admitted(opened(), 5.1)
    assert probing is not None
    assert probing.phase == "half-open"


def test_half_open_it_lets_one_through_at_a_time() -> None:
    probing = breaker.admitted(opened(), 5.1)
    assert probing is not None
    assert breaker.admitted(probing, 5.2) is None


def test_an_attempt_that_was_given_up_makes_room_for_the_next() -> None:
    probing = breaker.admitted(opened(), 5.1)
    assert probing is not None
    given_up = breaker.judged(probing, POLICY, 5.2, probing.turn, 1.0, good=None)
    assert breaker.admitted(given_up, 5.3) is not None


def test_good_attempts_in_a_row_close_it_and_a_bad_one_opens_it_for_longer() -> None:
    assert after(opened(), 5.1, True).phase == "half-open"
    assert after(opened(), 5.1, True, True).phase == "closed"
    again = after(opened(), 5.1, True, False)
    assert again.phase == "open"
    assert breaker.admitted(again, 5.1 + 9.9) is None
    assert breaker.admitted(again, 5.1 + 10.1) is not None


def test_it_never_stays_open_for_longer_than_the_longest_time() -> None:
    known = opened()
    for _ in range(20):
        known = after(known, known.until, False)
    assert known.until - known.since == POLICY.open_seconds_max


def test_once_closed_it_begins_with_the_shortest_time_again() -> None:
    known = after(opened(), 5.1, False)
    known = after(known, known.until, True, True)
    known = after(known, known.since + 1, *[False] * 5)
    assert known.until - known.since == POLICY.open_seconds


def test_a_call_from_before_the_change_says_nothing_about_after_it() -> None:
    late = breaker.judged(opened(), POLICY, 1.0, 0, 1.0, good=True)
    assert late == opened()


@given(
    st.lists(
        st.tuples(
            st.floats(min_value=0, max_value=20),
            st.sampled_from(["good", "bad", "given up", "still under way"]),
            st.integers(min_value=0, max_value=4),
            st.floats(min_value=0, max_value=1),
        ),
        max_size=120,
    )
)
def test_whatever_happens_it_is_never_stuck_and_never_too_generous(
    steps: list[tuple[float, str, int, float]],
) -> None:
    """Calls begin, overlap and end in any order; each that ends late ends in a later turn."""
    known, now = Breaker(), 0.0
    under_way: list[int] = []
    for gap, how, which, chance in steps:
        now += gap
        admitted = breaker.admitted(known, now)
        if known.phase == "open":
            assert (admitted is None) == (now < known.until)
        if known.phase == "half-open":
            assert (admitted is None) == known.probing
        if known.phase == "closed":
            assert admitted is not None
        if admitted is not None:
            known = admitted
            under_way.append(known.turn)
        if how != "still under way" and under_way:
            turn = under_way.pop(which % len(under_way))
            good = {"good": True, "bad": False, "given up": None}[how]
            before = known
            known = breaker.judged(known, POLICY, now, turn, chance, good=good)
            if turn != before.turn or good is None:
                assert known.phase == before.phase
            if known.phase != before.phase:
                assert known.turn == before.turn + 1
                assert known.history[-1].phase == known.phase
        if known.phase == "open":
            # Compared as sums, as they were made: a difference of floats may be a hair too small.
            assert known.until <= known.since + POLICY.open_seconds_max
            assert known.until >= known.since + POLICY.open_seconds / 2
        assert len(known.history) <= HISTORY_MAX
        assert len(known.buckets) <= breaker.BUCKETS
        assert sum(turn == known.turn for turn in under_way) <= 1 or known.phase == "closed"
