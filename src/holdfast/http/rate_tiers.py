"""What a request costs, whose tokens it takes, and how many there are of them: the whole of it, in tables.

| Tier       | Whose bucket                                              | Who is in it                           |
|------------|-----------------------------------------------------------|----------------------------------------|
| anonymous  | an address (of IPv6 the /64 network)                      | token requests, tokens nobody knows    |
| storefront | a shopper: the customer or anonymous id of a session      | every session                          |
| partner    | an API client                                             | clients without `manage_project`       |
| admin      | an API client                                             | clients with `manage_project`          |

An operator may put a client into another tier, and change what a tier of his project has. As they are, the tiers stop
a loop gone mad, not a busy shop: an admin client can read faster than a laptop answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from holdfast.commerce.facts import Caller
from holdfast.commerce.scopes import EVERYTHING
from holdfast.http.bucket import Tier
from holdfast.http.criticality import Criticality

ANONYMOUS, STOREFRONT, PARTNER, ADMIN = "anonymous", "storefront", "partner", "admin"
# Tokens a second, and tokens at once.
DEFAULTS: Mapping[str, Tier] = {
    ANONYMOUS: Tier(2_000.0, 20_000.0),
    STOREFRONT: Tier(500.0, 5_000.0),
    PARTNER: Tier(20_000.0, 100_000.0),
    ADMIN: Tier(200_000.0, 1_000_000.0),
}
# Tokens a request takes. An answer that was kept counts as a read, whatever it was.
READ = 1.0
QUERY = 2.0
SEARCH = 5.0
WRITE = 5.0
COST_MAX = 5.0
_OF_READING = {Criticality.QUERY: QUERY}
_OF_WRITING = {Criticality.QUERY: SEARCH}
KEYS_KEPT_MAX = 4_096


class Whose(NamedTuple):
    """Whose bucket: of which project and tier, under what name; `client` where it is an API client's own."""

    project: str
    tier: str
    name: str
    client: str | None = None


def cost_of(method: str, criticality: Criticality) -> float:
    """The tokens a request takes, told from method and path alone as everything before it is read."""
    if method in ("GET", "HEAD"):
        return _OF_READING.get(criticality, READ)
    return _OF_WRITING.get(criticality, WRITE)


def bucket_of(caller: Caller) -> Whose:
    """The bucket of an authenticated caller: the shopper's where there is one."""
    if caller.customer_id is not None:
        return Whose(caller.project, STOREFRONT, f"customer/{caller.customer_id}")
    if caller.anonymous_id is not None:
        return Whose(caller.project, STOREFRONT, f"anonymous/{caller.anonymous_id}")
    tier = ADMIN if EVERYTHING in caller.scopes else PARTNER
    return Whose(caller.project, tier, f"client/{caller.client_id}", caller.client_id)


@lru_cache(KEYS_KEPT_MAX)
def key_of(whose: Whose) -> int:
    """The bucket's key in shared memory: 64 bits, so that no two of a shop's buckets meet."""
    return int.from_bytes(blake2b("\0".join(whose[:3]).encode(), digest_size=8).digest(), "little")
