"""The degradation ladder: what each kind of answer may be made of, from best to worst, in one table.

    live      asked of the primary
    replica   asked of a standby (not built yet)
    cached    kept, and nothing it shows has changed since
    stale     kept, and perhaps overtaken: only while no better one can be had, and marked
    refused   502, 503 or 504: come back later

A step is taken when those before it cannot answer, except that `cached` spares the primary a question
whose answer is known. Nothing of a shopper, and no stock or order, is answered by anything but `live`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple


class Step(StrEnum):
    LIVE = "live"
    REPLICA = "replica"
    CACHED = "cached"
    STALE = "stale"
    REFUSED = "refused"


# Just below the published bound for availability shown with products, 10 s.
TTL_SECONDS = 9
# How old an answer may be that is shown while the database is away.
STALE_SECONDS_MAX = 86_400

PRIVATE = b"private, no-store"
# Browsers ask again each time and are told 304; a shop's own caches (a CDN) keep it as long as we do.
PUBLIC = f"public, max-age=0, s-maxage={TTL_SECONDS}, stale-if-error={STALE_SECONDS_MAX}".encode()


class Ladder(NamedTuple):
    """The steps of one kind of answer, and what is said to caches on the way."""

    steps: Sequence[Step]
    cache_control: bytes = PRIVATE

    @property
    def is_kept(self) -> bool:
        return Step.CACHED in self.steps


_ALL = (Step.LIVE, Step.REPLICA, Step.CACHED, Step.STALE, Step.REFUSED)
# What is for sale and on which terms.
_OFFERED = Ladder(_ALL, PUBLIC)
# The same for everybody in the project, and nobody else's business.
_INTERNAL = Ladder(_ALL)
# What decides about money or goods, and what belongs to a shopper.
_DECISIVE = Ladder((Step.LIVE, Step.REFUSED))

# By kind of content: a resource type, or what an endpoint says it shows (`kept_kind`).
LADDERS: Mapping[str, Ladder] = {
    "product": _OFFERED,
    "category": _OFFERED,
    "product-type": _OFFERED,
    "tax-category": _OFFERED,
    "zone": _OFFERED,
    "shipping-method": _OFFERED,
    "matching-location": _OFFERED,
    "channel": _OFFERED,
    "store": _OFFERED,
    "type": _OFFERED,
    "state": _OFFERED,
    "attribute-group": _OFFERED,
    "customer-group": _INTERNAL,
    "project": _INTERNAL,
}

# Kinds that show resources of several types.
COMPOSED = frozenset({"matching-location"})
# Parameters that let resources of other types into an answer.
_COMPOSING = ("expand", "storeProjection")
# Fields whose references lead from the catalogue to the catalogue. Custom fields, attributes and
# `createdBy` may lead to a customer, whom nobody keeps.
_EXPANDABLE = frozenset(
    {
        "ancestors",
        "categories",
        "channel",
        "customerGroup",
        "distributionChannels",
        "masterVariant",
        "parent",
        "price",
        "prices",
        "productType",
        "state",
        "supplyChannels",
        "taxCategory",
        "transitions",
        "variants",
        "zone",
        "zoneRates",
    }
)


def ladder_of(kind: str | None) -> Ladder:
    """The ladder of a kind of answer; what the table does not name is answered live or not at all."""
    return LADDERS.get(kind or "", _DECISIVE)


def is_composed(kind: str, parameters: Mapping[str, Sequence[str]], store_key: str | None) -> bool:
    """Whether an answer of this kind depends on resources of other types besides."""
    return kind in COMPOSED or store_key is not None or any(name in parameters for name in _COMPOSING)


def stays_in_catalogue(expand: Iterable[str]) -> bool:
    """Whether these expansion paths lead to nothing but what everybody with the scope may see."""
    return all(step.partition("[")[0] in _EXPANDABLE for path in expand for step in path.strip().split("."))
