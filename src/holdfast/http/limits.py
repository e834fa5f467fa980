"""How many requests may be under way at once: a limit that follows measured latency.

The algorithm is Gradient2 of Netflix's concurrency-limits (github.com/Netflix/concurrency-limits,
Gradient2Limit, and "Performance Under Load", 2018). Once a window of requests:

    gradient = clamp(TOLERANCE * usual latency / latency of this window, 0.5, 1)
    limit    = (1 - SMOOTHING) * limit + SMOOTHING * (limit * gradient + sqrt(limit))

While latency is as usual the limit grows by a queue of sqrt(limit); when it rises beyond the tolerated
multiple the limit shrinks, by half of SMOOTHING at most. The usual latency is an exponential average
over USUAL_WINDOWS windows; one far above what is measured comes down faster, so that a bad hour is
forgotten. A limit that is not being used says nothing and does not grow.

One departure: latency is compared kind by kind (placing an order takes longer than reading a cart),
so that another mix of requests does not look like another latency.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

# In requests under way in one process. The least still fills a batch; the most bounds what drifts.
LIMIT_MIN = 16
LIMIT_FIRST = 40
LIMIT_MAX = 128
TOLERANCE = 2.0
GRADIENT_MIN = 0.5
SMOOTHING = 0.2
# Share of the limit that must have been in use before it may grow (Gradient2: 0.5, which lets a quiet day raise
# it to twice of what is needed, and the first second of a crowd fill all that).
USED_SHARE = 0.9
USUAL_WINDOWS = 600
# The first windows are averaged evenly: one slow request at the start is not what is usual.
WARM_UP_WINDOWS = 10
USUAL_STALE_RATIO = 2.0
USUAL_DECAY = 0.95
WINDOW_SECONDS = 0.1
WINDOW_REQUESTS_MIN = 10


class Usual(NamedTuple):
    """The latency one kind of request usually has, and how many windows say so."""

    seconds: float = 0.0
    windows: int = 0


class Limit(NamedTuple):
    """The limit and what it rests on: the usual latency of each kind of request."""

    value: float
    usual: tuple[Usual, ...]

    @property
    def requests(self) -> int:
        return int(self.value)


class Seen(NamedTuple):
    """What a window saw of one kind of request."""

    requests: int
    seconds: float

    @property
    def mean_seconds(self) -> float:
        return self.seconds / self.requests


def first_limit(kinds: int) -> Limit:
    return Limit(float(LIMIT_FIRST), (Usual(),) * kinds)


def next_limit(limit: Limit, window: Sequence[Seen], in_flight_most: int) -> Limit:
    """The limit after a window, in which at most `in_flight_most` requests were under way at once."""
    usual = tuple(_learned(known, seen) for known, seen in zip(limit.usual, window, strict=True))
    measured = sum(seen.seconds for seen in window)
    if measured <= 0 or in_flight_most < limit.value * USED_SHARE:
        return Limit(limit.value, usual)
    expected = sum(known.seconds * seen.requests for known, seen in zip(usual, window, strict=True))
    gradient = max(GRADIENT_MIN, min(1.0, TOLERANCE * expected / measured))
    wanted = limit.value * gradient + math.sqrt(limit.value)
    value = limit.value * (1 - SMOOTHING) + wanted * SMOOTHING
    return Limit(max(LIMIT_MIN, min(LIMIT_MAX, value)), usual)


def _learned(usual: Usual, seen: Seen) -> Usual:
    if not seen.requests:
        return usual
    mean = seen.mean_seconds
    if usual.windows < WARM_UP_WINDOWS:
        return Usual((usual.seconds * usual.windows + mean) / (usual.windows + 1), usual.windows + 1)
    learned = usual.seconds + (mean - usual.seconds) * 2 / (USUAL_WINDOWS + 1)
    if learned > USUAL_STALE_RATIO * mean:
        learned *= USUAL_DECAY
    return Usual(learned, usual.windows)
