"""Error budgets from counts: the arithmetic of the Site Reliability Workbook, on paper."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.counts import Counts
from holdfast.base.series import REQUEST_SECONDS, SLICES, place
from holdfast.base.slo import (
    ALERTS,
    FIVE_MINUTES,
    SLOS,
    WINDOWS,
    Events,
    Sample,
    Slo,
    Within,
    burn,
    events_of,
    increase,
    standings,
)

NOW = 40 * 86_400.0
MINUTE = 60.0
BY_NAME = {slo.name: slo for slo in SLOS}
CHECKOUT = BY_NAME["checkout-availability"]


def a_month(bad_share: float, *, since: float = 0.0, usual: float = 0.0) -> list[Sample]:
    """A month of 100 requests a minute; from `since` seconds before NOW on, such a share of them is bad."""
    good = total = 0.0
    samples = []
    minutes = [NOW - MINUTE * n for n in range(30 * 24 * 60, -1, -1)]
    for at in minutes:
        share = bad_share if at > NOW - since else usual
        good, total = good + 100 * (1 - share), total + 100
        samples.append(Sample(at, (Events(good, total),) * len(SLOS)))
    return samples


def of(samples: list[Sample], slo: Slo) -> tuple[dict[str, float | None], list[str], float | None]:
    """Burns, what fires, and budget left."""
    standing = next(standing for standing in standings(samples, NOW) if standing.slo is slo)
    return standing.burns, [f"{alert.severity} {alert.long.name}" for alert in standing.firing], standing.budget_left


def test_what_is_allowed_burns_at_one_and_leaves_nothing_after_a_month() -> None:
    burns, firing, left = of(a_month(0.001, since=NOW), CHECKOUT)
    assert burns == pytest.approx(dict.fromkeys(burns, 1.0))
    assert left == pytest.approx(0.0, abs=1e-6)
    assert firing == []


def test_two_percent_of_the_budget_in_an_hour_pages() -> None:
    burns, firing, left = of(a_month(0.0145, since=3_600), CHECKOUT)
    assert burns["1h"] == pytest.approx(14.5, rel=0.01)
    assert firing == ["page 1h"]
    assert left == pytest.approx(1 - 14.5 / 720, rel=0.01)


def test_a_burst_that_is_over_pages_no_longer() -> None:
    samples = a_month(0.5, since=1_200)
    over = [sample for sample in samples if sample.at <= NOW - 600]
    last = over[-1]
    quiet = [
        Sample(NOW - 600 + MINUTE * n, tuple(Events(e.good + 100 * n, e.total + 100 * n) for e in last.events))
        for n in range(1, 11)
    ]
    burns, firing, _ = of(over + quiet, CHECKOUT)
    assert burns["1h"] is not None
    assert burns["1h"] > 14.4
    assert burns["5m"] == 0.0
    assert "page 1h" not in firing


def test_a_slow_leak_is_a_ticket() -> None:
    _, firing, _ = of(a_month(0.002, since=4 * 86_400), CHECKOUT)
    assert firing == ["ticket 3d"]


def test_without_events_nothing_is_claimed() -> None:
    burns, firing, left = of([], CHECKOUT)
    assert (set(burns.values()), firing, left) == ({None}, [], None)
    idle = [Sample(NOW - MINUTE * n, (Events(5.0, 5.0),) * len(SLOS)) for n in range(10, -1, -1)]
    assert of(idle, CHECKOUT) == ({window.name: None for window in WINDOWS}, [], None)


@given(
    added=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=30),
    restarts=st.sets(st.integers(1, 29)),
)
def test_counts_that_began_anew_lose_nothing(added: list[tuple[int, int]], restarts: set[int]) -> None:
    samples, good, bad = [Events(0.0, 0.0)], 0, 0
    for index, (more_good, more_bad) in enumerate(added):
        # A count that begins anew below where it stood shows that it did; at or above it nobody can tell.
        if index in restarts and (more_good < good):
            good = bad = 0
        good, bad = good + more_good, bad + more_bad
        samples.append(Events(float(good), float(good + bad)))
    expected = Events(float(sum(one for one, _ in added)), float(sum(sum(both) for both in added)))
    assert increase(samples) == expected


def test_a_window_begins_with_the_last_sample_until_then() -> None:
    seen = [(NOW - 400, Events(90.0, 100.0)), (NOW - 200, Events(190.0, 200.0)), (NOW, Events(290.0, 310.0))]
    assert burn(CHECKOUT, seen, NOW, FIVE_MINUTES) == pytest.approx(10 / 210 / CHECKOUT.allowed)


@pytest.mark.parametrize(
    ("slo", "endpoint", "status_class", "seconds", "expected"),
    [
        ("checkout-availability", "order.place", "2xx", 30.0, Events(1, 1)),
        ("checkout-availability", "cart.update", "4xx", 0.1, Events(1, 1)),
        ("checkout-availability", "cart.update", "5xx", 0.1, Events(0, 1)),
        ("checkout-availability", "catalogue.read", "5xx", 0.1, Events(0, 0)),
        ("browse-availability", "catalogue.query", "5xx", 0.1, Events(0, 1)),
        ("browse-latency", "catalogue.read", "2xx", 0.1, Events(1, 1)),
        ("browse-latency", "catalogue.read", "2xx", 0.11, Events(0, 1)),
        ("browse-latency", "catalogue.read", "4xx", 9.0, Events(0, 0)),
        ("order-latency", "order.place", "2xx", 0.5, Events(1, 1)),
        ("order-latency", "order.place", "2xx", 0.51, Events(0, 1)),
    ],
)
def test_which_answers_an_objective_is_about(
    slo: str, endpoint: str, status_class: str, seconds: float, expected: Events
) -> None:
    counts = Counts()
    counts.observe(REQUEST_SECONDS, seconds, endpoint, status_class)
    assert events_of(BY_NAME[slo], list(counts.numbers)) == expected


def test_moments_count_for_what_they_were_looked_at_for() -> None:
    counts = Counts()
    counts.add(place(SLICES, "durability", "yes"), 3)
    counts.add(place(SLICES, "durability", "no"), 1)
    assert events_of(BY_NAME["durability"], list(counts.numbers)) == Events(3, 4)
    assert events_of(BY_NAME["event-delivery"], list(counts.numbers)) == Events(0, 0)


def test_every_bound_an_objective_names_is_one_that_is_counted() -> None:
    for slo in SLOS:
        if isinstance(slo.indicator, Within):
            assert slo.indicator.seconds in REQUEST_SECONDS.bounds
    assert all(short.seconds < long.seconds for long, short, *_ in ALERTS)
    assert all(a.seconds < b.seconds for a, b in itertools.pairwise(WINDOWS))
