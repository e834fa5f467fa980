"""A token bucket, kept as one number: the moment at which it will be full again (GCRA).

Tokens come in at a steady rate until the bucket is full, and each request takes as many as it costs. Instead
of a count and the time of counting, `full_at` says both: before it the bucket lacks what comes in until then.
So a bucket is 8 bytes, the whole of it changes in one store, and one that is full needs no memory at all.

Tokens are taken on lease: more than the one request needs, the fuller the bucket, so that the next ones
need not ask. Near the bottom a lease is just what is needed, and what is left of one comes back.
"""

from __future__ import annotations

import math
from typing import NamedTuple

SECOND = 1_000_000_000
# A lease takes at most this share of what is there: what others cannot see of it stays small.
LEASE_SHARE = 1 / 4
# More missing than this many times the whole bucket is not of this world: the clock began anew, or the tier is another.
MISSING_SHARE_MAX = 2


class Tier(NamedTuple):
    """How many tokens come in each second, and how many fit."""

    per_second: float
    burst: float


class Ask(NamedTuple):
    """What somebody wants: so much for his request, at most so much on lease, after giving `back` what is left.

    Whoever owes something gives back less than nothing.
    """

    cost: float
    most: float = 0.0
    back: float = 0.0


class Taken(NamedTuple):
    """The bucket after somebody asked: what he got, what is left, and when to ask again if he got nothing."""

    full_at: int
    tokens: float
    left: float
    wait_nanoseconds: int


def take(full_at: int, now: int, tier: Tier, ask: Ask) -> Taken:
    """Take what is asked for, or nothing.

    `full_at` and `now` are nanoseconds of the same clock; a cost beyond the burst is never granted.
    """
    token = SECOND / tier.per_second
    missing = max(full_at - now - int(ask.back * token), 0)
    if missing > tier.burst * token * MISSING_SHARE_MAX:
        missing = 0
    there = tier.burst - missing / token
    too_much = missing - int((tier.burst - ask.cost) * token)
    if too_much > 0:
        return Taken(now + missing, 0.0, max(there, 0.0), too_much)
    tokens = max(ask.cost, min(ask.most, there * LEASE_SHARE))
    return Taken(now + missing + math.ceil(tokens * token), tokens, there - tokens, 0)
