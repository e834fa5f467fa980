"""What each answer adds to the counts: by what the request was for, told from method and path alone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from holdfast.base.counts import counts
from holdfast.base.series import (
    ORDERS,
    OTHER,
    PLACED,
    REFUSALS,
    REFUSED,
    REQUEST_BOUNDS,
    REQUEST_SECONDS,
    REQUESTS,
    STATUS_CLASSES,
    place,
    places,
)

_READS = ("GET", "HEAD")
_WRITES = ("POST", "DELETE", "PUT", "PATCH")
_CATALOGUE = ("products", "product-projections", "product-search", "categories", "product-types", "tax-categories")
_CATALOGUE_TOO = ("zones", "shipping-methods", "channels", "stores", "types", "product-selections")
# Beside the projects.
_SIDES = {"oauth": "token", "-": "internal", "docs": "internal", "metrics": "internal", "ops": "internal"}
_SUM = len(REQUEST_BOUNDS) + 1


def _table() -> Iterator[tuple[tuple[str, str, bool], str]]:
    """Method, collection, and whether the path goes on → endpoint."""
    yield from _reads_and_writes((*_CATALOGUE, *_CATALOGUE_TOO), "catalogue", query="catalogue.query")
    yield from _reads_and_writes(("inventory",), "stock")
    yield from _reads_and_writes(("payments",), "payment")
    yield from _reads_and_writes(("customers", "login", "signup"), "customer")
    for method in _WRITES:
        yield from {
            (method, "carts", False): "cart.create",
            (method, "carts", True): "cart.update",
            (method, "orders", False): "order.place",
            (method, "orders", True): "order.update",
        }.items()
    for method in _READS:
        yield from {
            (method, "active-cart", False): "cart.read",
            (method, "carts", False): "cart.query",
            (method, "carts", True): "cart.read",
            (method, "orders", False): "order.query",
            (method, "orders", True): "order.read",
        }.items()


def _reads_and_writes(
    collections: Iterable[str], name: str, *, query: str | None = None
) -> Iterator[tuple[tuple[str, str, bool], str]]:
    for collection in collections:
        for goes_on in (False, True):
            for method in _READS:
                yield (method, collection, goes_on), f"{name}.read" if goes_on or query is None else query
            for method in _WRITES:
                yield (method, collection, goes_on), f"{name}.write"


_ENDPOINTS = dict(_table())


def endpoint_of(method: str, path: str) -> str:
    """What a request is for."""
    segments = path.split("/", 6)
    root = segments[1] if len(segments) > 1 else ""
    if root in _SIDES:
        return _SIDES[root]
    rest = segments[2:]
    if rest and rest[0] == "in-store":
        rest = rest[2:]
    if rest and rest[0] == "me":
        rest = rest[1:] or ["customers"]
    if not rest:
        rest = [""]
    if rest[-1] == "search":
        return "catalogue.query"
    found = _ENDPOINTS.get((method, rest[0], len(rest) > 1))
    if found is not None:
        return found
    if method in _READS:
        return "settings.read"
    return "settings.write" if method in _WRITES else OTHER


def _status_class(status: str) -> str:
    return next((name for name in STATUS_CLASSES if name[0] == status[0]), STATUS_CLASSES[-1])


_PLACES = {
    (endpoint, int(status) if status != OTHER else 0): (
        first,
        place(REQUEST_SECONDS, endpoint, _status_class(status)),
    )
    for (endpoint, status), first in places(REQUESTS).items()
}
_REFUSED = {code: place(REFUSED, code) for code in REFUSALS}
_ORDERS = {values[0]: first for values, first in places(ORDERS).items()}


def count_answer(endpoint: str, status: int, seconds: float) -> None:
    """Count a request that was answered after so long."""
    found = _PLACES.get((endpoint, status))
    if found is None:
        found = _PLACES[endpoint, 0][0], place(REQUEST_SECONDS, endpoint, _status_class(str(status)))
    requests, latency = found
    numbers = counts.numbers
    numbers[requests] += 1
    numbers[latency + bisect_left(REQUEST_BOUNDS, seconds)] += 1
    numbers[latency + _SUM] += seconds


def count_refusal(code: str, *, of_order: bool) -> None:
    """Count a refusal by its published code."""
    counts.add(_REFUSED.get(code, _REFUSED[OTHER]))
    if of_order:
        counts.add(_ORDERS.get(code, _ORDERS[OTHER]))


def count_order() -> None:
    counts.add(_ORDERS[PLACED])
