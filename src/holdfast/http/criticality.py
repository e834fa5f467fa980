"""What may be refused first when not everything can be served (Google SRE book, "Handling Overload").

A checkout that has begun is worth more than one that has not: its steps go before new carts, and the
order itself before everything. Told from method and path alone, because a refusal must cost nothing.
"""

from __future__ import annotations

from enum import IntEnum


class Criticality(IntEnum):
    """From what is shed last to what is shed first."""

    ORDER = 0  # placing an order
    STEP = 1  # what a checkout that has begun consists of
    READ = 2  # resources by id or key
    BEGIN = 3  # new carts, and whatever else is written
    QUERY = 4  # queries and searches


# What a checkout writes, and what it reads besides.
_WRITTEN = frozenset({"carts", "orders", "payments", "customers", "login"})
_READ = _WRITTEN | {"active-cart", "shipping-methods"}
# Beside the projects: whether we live, and pages out of the package. Cheap, and needed most in trouble.
_EXEMPT = frozenset({"-", "docs", "metrics", "ops"})
_TOKENS = "oauth"


def criticality(method: str, path: str) -> Criticality | None:
    """How much a request matters; None for what is never refused."""
    segments = path.split("/", 8)
    root = segments[1] if len(segments) > 1 else ""
    if method == "OPTIONS" or root in _EXEMPT:
        return None
    if root == _TOKENS:
        return Criticality.STEP
    rest = [segment for segment in segments[2:] if segment]
    if len(rest) > 2 and rest[0] == "in-store":
        rest = rest[2:]
    if rest and rest[0] == "me":
        rest = rest[1:]
    if not rest:
        return Criticality.READ if method in ("GET", "HEAD") else Criticality.BEGIN
    return _of_read(rest) if method in ("GET", "HEAD") else _of_write(rest)


def _of_read(rest: list[str]) -> Criticality:
    if rest[0] == "active-cart" or (len(rest) > 1 and rest[0] in _READ):
        return Criticality.STEP
    return Criticality.READ if len(rest) > 1 else Criticality.QUERY


def _of_write(rest: list[str]) -> Criticality:
    collection = rest[0]
    if collection == "orders" and len(rest) == 1:
        return Criticality.ORDER
    if rest[-1] == "search":
        return Criticality.QUERY
    if collection not in _WRITTEN or (collection == "carts" and len(rest) == 1):
        return Criticality.BEGIN
    return Criticality.STEP
