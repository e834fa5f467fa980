"""What the shop promises its users to keep up, in numbers: the objectives, and what is left of their error budgets.

Everything about objectives follows from this one table: the recording and alerting rules for Prometheus, the dashboard
(ops/observe), and `holdfast slo`, which needs neither. Indicators are computed from what processes count, so what
happens while no process runs at all is seen from outside only.

Burn rates are those of the Site Reliability Workbook, chapter 5: the share of bad events as a multiple of what the
objective allows. An alert needs a long window, so that it matters, and a short one, so that it still goes on.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from holdfast.base.series import BROWSE, CHECKOUT, REQUEST_SECONDS, SLICES, STATUS_CLASSES, place

BUDGET_DAYS = 30
FAILED = "5xx"
ANSWERED = "2xx"


class Answered(NamedTuple):
    """Good is every answer that is not a server's failure; a refusal under overload is one."""

    endpoints: tuple[str, ...]


class Within(NamedTuple):
    """Good is every successful answer that took no longer; `seconds` is a bound of the histogram."""

    endpoints: tuple[str, ...]
    seconds: float


class Held(NamedTuple):
    """Good is every moment at which the background worker found that it holds."""

    what: str


class Slo(NamedTuple):
    """An objective: the share of events that have to be good, over BUDGET_DAYS."""

    name: str
    text: str
    objective: float
    indicator: Answered | Within | Held

    @property
    def allowed(self) -> float:
        """The share that may be bad."""
        return 1.0 - self.objective


SLOS = (
    Slo("browse-availability", "Catalogue reads and queries are answered", 0.9995, Answered(BROWSE)),
    Slo("checkout-availability", "Every step from cart to order is answered", 0.999, Answered(CHECKOUT)),
    Slo("browse-latency", "Catalogue answers take at most 100 ms", 0.99, Within(BROWSE, 0.1)),
    Slo("order-latency", "Placing an order takes at most 500 ms", 0.99, Within(("order.place",), 0.5)),
    Slo(
        "event-delivery",
        "No event waits longer than 60 s for a subscriber that takes events",
        0.999,
        Held("event-delivery"),
    ),
    Slo("durability", "The audit knows of no broken promise about orders, stock or money", 0.9999, Held("durability")),
)


class Window(NamedTuple):
    """A span of time, as people write it."""

    name: str
    seconds: float


FIVE_MINUTES = Window("5m", 300.0)
HALF_HOUR = Window("30m", 1_800.0)
HOUR = Window("1h", 3_600.0)
SIX_HOURS = Window("6h", 21_600.0)
THREE_DAYS = Window("3d", 259_200.0)
BUDGET = Window(f"{BUDGET_DAYS}d", BUDGET_DAYS * 86_400.0)
WINDOWS = (FIVE_MINUTES, HALF_HOUR, HOUR, SIX_HOURS, THREE_DAYS)


class Alert(NamedTuple):
    """Fires while both windows burn faster than `factor`."""

    long: Window
    short: Window
    factor: float
    severity: str


ALERTS = (
    Alert(HOUR, FIVE_MINUTES, 14.4, "page"),
    Alert(SIX_HOURS, HALF_HOUR, 6.0, "page"),
    Alert(THREE_DAYS, SIX_HOURS, 1.0, "ticket"),
)


class Events(NamedTuple):
    """How many events there were, and how many were good."""

    good: float
    total: float


class Sample(NamedTuple):
    """What had been counted at a moment (Unix time), for each of SLOS."""

    at: float
    events: tuple[Events, ...]


class Standing(NamedTuple):
    """How an objective stands. A burn is None where the window saw no events.

    budget_left: of the bad events allowed in the budget's window, the share still left; below 0 it is spent.
    """

    slo: Slo
    burns: dict[str, float | None]
    budget_left: float | None
    firing: tuple[Alert, ...]


def events_of(slo: Slo, numbers: Sequence[float]) -> Events:
    """The events of an objective so far, from the host's counts."""
    match slo.indicator:
        case Answered(endpoints):
            counts = {name: sum(_answers(endpoint, name, numbers) for endpoint in endpoints) for name in STATUS_CLASSES}
            total = sum(counts.values())
            return Events(total - counts[FAILED], total)
        case Within(endpoints, seconds):
            good = sum(_answers(endpoint, ANSWERED, numbers, seconds) for endpoint in endpoints)
            return Events(good, sum(_answers(endpoint, ANSWERED, numbers) for endpoint in endpoints))
        case Held(what):
            held, broken = numbers[place(SLICES, what, "yes")], numbers[place(SLICES, what, "no")]
            return Events(held, held + broken)


def _answers(endpoint: str, status_class: str, numbers: Sequence[float], seconds: float | None = None) -> float:
    """Answers of an endpoint, all or those within a bound."""
    bounds = REQUEST_SECONDS.bounds
    first = place(REQUEST_SECONDS, endpoint, status_class)
    width = len(bounds) + 1 if seconds is None else bounds.index(seconds) + 1
    return sum(numbers[first : first + width])


def sampled(at: float, numbers: Sequence[float]) -> Sample:
    return Sample(at, tuple(events_of(slo, numbers) for slo in SLOS))


def standings(samples: Sequence[Sample], now: float) -> list[Standing]:
    """How every objective stands, from samples in the order they were taken."""
    return [_standing(slo, [(sample.at, sample.events[n]) for sample in samples], now) for n, slo in enumerate(SLOS)]


def _standing(slo: Slo, seen: Sequence[tuple[float, Events]], now: float) -> Standing:
    burns = {window.name: burn(slo, seen, now, window) for window in WINDOWS}
    firing = tuple(
        alert
        for alert in ALERTS
        if (burns[alert.long.name] or 0.0) > alert.factor and (burns[alert.short.name] or 0.0) > alert.factor
    )
    spent = burn(slo, seen, now, BUDGET)
    return Standing(slo, burns, None if spent is None else 1.0 - spent, firing)


def burn(slo: Slo, seen: Sequence[tuple[float, Events]], now: float, window: Window) -> float | None:
    """The share of bad events in a window as a multiple of what is allowed; None without events."""
    events = increase(_within(seen, now - window.seconds))
    if not events.total:
        return None
    return (events.total - events.good) / events.total / slo.allowed


def _within(seen: Sequence[tuple[float, Events]], since: float) -> list[Events]:
    """The samples after a moment, and the last one until then, from which the window's events are counted."""
    before = [events for at, events in seen if at <= since][-1:]
    return before + [events for at, events in seen if at > since]


def increase(samples: Sequence[Events]) -> Events:
    """What was added from the first sample to the last; a count that fell began anew at zero."""
    good = total = 0.0
    for before, after in itertools.pairwise(samples):
        began_anew = after.total < before.total or after.good < before.good
        good += after.good - (0.0 if began_anew else before.good)
        total += after.total - (0.0 if began_anew else before.total)
    return Events(good, total)
