"""The limit on paper: it leaves a healthy server alone, follows a slow one down and a mended one up again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.http.limits import (
    LIMIT_FIRST,
    LIMIT_MAX,
    LIMIT_MIN,
    WINDOW_SECONDS,
    Limit,
    Seen,
    Usual,
    first_limit,
    next_limit,
)


class Server:
    """A queue with a capacity: a request takes its time, and longer when more are under way than are served."""

    def __init__(self, seconds: float, per_second: float) -> None:
        self.seconds = seconds
        self.per_second = per_second

    def window(self, in_flight: int) -> Seen:
        latency = max(self.seconds, in_flight / self.per_second)
        requests = max(1, int(in_flight / latency * WINDOW_SECONDS))
        return Seen(requests, latency * requests)


def after(limit: Limit, server: Server, windows: int, offered: int = 10_000) -> Limit:
    """The limit after so many windows in which `offered` requests would like to be under way."""
    for _ in range(windows):
        in_flight = min(limit.requests, offered)
        limit = next_limit(limit, [server.window(in_flight)], in_flight)
    return limit


def known(value: float, seconds: float) -> Limit:
    return Limit(value, (Usual(seconds, 10),))


HEALTHY = Server(seconds=0.02, per_second=2_000)


def test_a_limit_that_is_not_used_stays_as_it_is() -> None:
    assert after(first_limit(1), HEALTHY, 200, offered=8).value == LIMIT_FIRST


def test_while_latency_is_as_usual_the_limit_grows_to_its_bound() -> None:
    assert after(first_limit(1), Server(seconds=0.02, per_second=1e9), 200).value == LIMIT_MAX


def test_a_server_that_becomes_ten_times_slower_gets_less_within_a_second() -> None:
    slow = Server(seconds=0.2, per_second=200)
    assert after(known(64, 0.02), slow, 10).value < 40


def test_the_limit_does_not_fall_below_what_fills_a_batch() -> None:
    assert after(known(64, 0.001), Server(seconds=5, per_second=1), 50).value == LIMIT_MIN


def test_a_mended_server_has_its_limit_back_within_ten_seconds() -> None:
    fallen = after(known(64, 0.02), Server(seconds=1, per_second=20), 50)
    assert fallen.requests < 24
    assert after(fallen, HEALTHY, 100).requests >= 56


def test_a_bad_hour_is_not_taken_for_usual() -> None:
    bad = after(first_limit(1), Server(seconds=1, per_second=20), 2_000)
    assert after(bad, HEALTHY, 100).usual[0].seconds < 0.2


def test_another_mix_of_requests_is_not_another_latency() -> None:
    usual = (Usual(0.002, 10), Usual(0.05, 10))
    reads, orders = Limit(64, usual), Limit(64, usual)
    for _ in range(20):
        reads = next_limit(reads, [Seen(100, 0.2), Seen(0, 0)], 64)
        orders = next_limit(orders, [Seen(0, 0), Seen(10, 0.5)], 64)
    assert reads.value == orders.value > 64


windows = st.lists(
    st.tuples(st.integers(0, 10_000), st.floats(0, 100), st.integers(0, 100), st.floats(0, 10), st.integers(0, 300)),
    max_size=60,
)


@given(windows)
def test_whatever_is_measured_the_limit_stays_in_its_bounds(measured: list[tuple[int, float, int, float, int]]) -> None:
    limit = first_limit(2)
    for first, first_mean, second, second_mean, in_flight in measured:
        before = limit.value
        window = [Seen(first, first * first_mean), Seen(second, second * second_mean)]
        limit = next_limit(limit, window, in_flight)
        assert LIMIT_MIN <= limit.value <= LIMIT_MAX
        assert limit.value >= min(before, LIMIT_MIN) * 0.9
        assert all(usual.seconds >= 0 for usual in limit.usual)
