"""What was asked of this host and how long it took: the counts of all its processes, as the page needs them.

They only grow. The page takes the difference of two looks, which may be answered by different processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from holdfast.base.series import (
    CHANGES,
    COMMIT_CHANGES,
    COMMIT_EVENTS,
    COMMIT_SECONDS,
    ENDPOINTS,
    ORDERS,
    REFUSED,
    REQUEST_BOUNDS,
    REQUEST_SECONDS,
    REQUESTS,
    STATUS_CLASSES,
    STATUSES,
    Family,
    place,
    places,
)

# Neither the page itself nor whoever scrapes us is traffic.
INTERNAL = "internal"


def traffic(numbers: Sequence[float]) -> dict[str, Any]:
    """Requests by endpoint and status, latency by endpoint, orders and refusals by what became of them."""
    return {
        "bounds": REQUEST_BOUNDS,
        "endpoints": {name: told for name in ENDPOINTS if name != INTERNAL for told in _endpoint(numbers, name)},
        "orders": _nonzero(numbers, ORDERS),
        "refusals": _nonzero(numbers, REFUSED),
        "changes": _nonzero(numbers, CHANGES),
        "commitEvents": _nonzero(numbers, COMMIT_EVENTS),
        "commits": _histogram(numbers, COMMIT_SECONDS),
        "commitChanges": _histogram(numbers, COMMIT_CHANGES),
    }


def _endpoint(numbers: Sequence[float], name: str) -> Iterator[dict[str, Any]]:
    """What an endpoint did; nothing of one that was never asked."""
    statuses = {status: numbers[place(REQUESTS, name, status)] for status in STATUSES}
    statuses = {status: count for status, count in statuses.items() if count}
    if statuses:
        histograms = [_histogram(numbers, REQUEST_SECONDS, name, each) for each in STATUS_CLASSES]
        yield {"statuses": statuses, "latency": [sum(column) for column in zip(*histograms, strict=True)]}


def _histogram(numbers: Sequence[float], family: Family, *values: str) -> list[float]:
    """The count for each bound, the count beyond them, and the sum."""
    first = place(family, *values)
    return list(numbers[first : first + family.width])


def _nonzero(numbers: Sequence[float], family: Family) -> dict[str, float]:
    return {values[0]: numbers[first] for values, first in places(family).items() if numbers[first]}
