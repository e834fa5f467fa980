"""What is counted while requests are served: every series declared once, so that all processes agree on its place.

Labels take only the values listed here. No path, id, key or name from outside ever becomes a label, so the
number of series is known before the first request; what does not fit counts as `other`.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# Seconds. The bounds that objectives name (base/slo.py) must be among them.
REQUEST_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
COMMIT_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH_BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

OTHER = "other"
# What a request is for, told from method and path (http/measured.py).
BROWSE = ("catalogue.read", "catalogue.query")
CHECKOUT = ("cart.create", "cart.read", "cart.update", "order.place", "payment.write", "customer.write", "token")
ENDPOINTS = (
    *BROWSE,
    *CHECKOUT,
    "catalogue.write",
    "order.read",
    "order.update",
    "order.query",
    "cart.query",
    "payment.read",
    "customer.read",
    "stock.read",
    "stock.write",
    "settings.read",
    "settings.write",
    "internal",
    OTHER,
)
STATUSES = (
    *("200", "201", "202", "204", "304", "400", "401", "403", "404", "405", "409", "412", "413", "422", "429"),
    *("499", "500", "502", "503", "504", OTHER),
)
STATUS_CLASSES = ("2xx", "3xx", "4xx", "5xx")
# Codes that say something about the shop rather than about one request; all others are told by their status.
REFUSALS = (
    "ConcurrentModification",
    "DuplicateField",
    "OutOfStock",
    "PriceChanged",
    "InvalidInput",
    "InvalidOperation",
    "ResourceNotFound",
    "ReferencedResourceNotFound",
    "invalid_token",
    "insufficient_scope",
    "OverCapacity",
    "DeadlineExceeded",
    "QueryTimedOut",
    "BadGateway",
    "PendingOperation",
    "General",
    OTHER,
)
PLACED = "placed"
OUTCOMES = (PLACED, *REFUSALS)


class Family(NamedTuple):
    """Series of one name. A histogram has bounds: a count for each, one beyond them, and the sum.

    along: the last label's value whose series are shown with the first of their siblings, before anything was added
    to them: from nothing to one is no increase to who reads them, and the first failure must be seen.
    """

    name: str
    text: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ((),)
    bounds: tuple[float, ...] = ()
    along: str = ""

    @property
    def width(self) -> int:
        """Numbers each series takes."""
        return len(self.bounds) + 2 if self.bounds else 1


def _each(*values: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(itertools.product(*values))


REQUESTS = Family(
    "holdfast_http_requests_total", "Requests answered.", ("endpoint", "status"), _each(ENDPOINTS, STATUSES)
)
REQUEST_SECONDS = Family(
    "holdfast_http_request_duration_seconds",
    "From a request's head to the last byte of its answer.",
    ("endpoint", "status_class"),
    _each(ENDPOINTS, STATUS_CLASSES),
    REQUEST_BOUNDS,
    along=STATUS_CLASSES[-1],
)
REFUSED = Family("holdfast_http_refusals_total", "Refusals by published code.", ("code",), _each(REFUSALS))
ORDERS = Family("holdfast_orders_total", "What became of requests to place an order.", ("outcome",), _each(OUTCOMES))
COMMIT_SECONDS = Family(
    "holdfast_commit_duration_seconds", "A batch from its taking to its verdicts.", bounds=COMMIT_BOUNDS
)
COMMIT_CHANGES = Family("holdfast_commit_batch_changes", "Changes in a batch.", bounds=BATCH_BOUNDS)
CHANGES = Family(
    "holdfast_commit_changes_total",
    "Changes by verdict.",
    ("verdict",),
    _each(("committed", "refused", "unknown")),
)
COMMIT_EVENTS = Family(
    "holdfast_commit_events_total",
    "What went wrong under a batch: a conflict (it ran again), a lost connection at COMMIT (its fate was asked for), "
    "a change no transaction can take (each was tried alone).",
    ("event",),
    _each(("conflict", "recovered", "isolated")),
)
SLICES = Family(
    "holdfast_slo_slices_total",
    "Moments at which an objective that is not about requests was looked at, and whether it held.",
    ("slo", "held"),
    _each(("durability", "event-delivery"), ("yes", "no")),
)

FAMILIES = (REQUESTS, REQUEST_SECONDS, REFUSED, ORDERS, COMMIT_SECONDS, COMMIT_CHANGES, CHANGES, COMMIT_EVENTS, SLICES)


def _places() -> tuple[dict[tuple[str, tuple[str, ...]], int], int]:
    places: dict[tuple[str, tuple[str, ...]], int] = {}
    taken = 0
    for family in FAMILIES:
        for values in family.values:
            places[family.name, values] = taken
            taken += family.width
    return places, taken


_PLACES, NUMBERS = _places()
# Two releases that count differently must not add up what they counted.
LAYOUT = zlib.crc32(repr(FAMILIES).encode())


def place(family: Family, *values: str) -> int:
    """Where a series has its first number."""
    return _PLACES[family.name, values]


def places(family: Family) -> Mapping[tuple[str, ...], int]:
    """Where each series of a family has its first number, by its label values."""
    return {values: _PLACES[family.name, values] for values in family.values}
