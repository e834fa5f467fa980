"""Token buckets all hosts of a shop share, in a Redis or Valkey: what each took is added up there.

A bucket is one number, as in a host's own memory: the moment it will be full again, by the server's clock. One script
adds what was taken from many buckets and answers what each of them now lacks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from holdfast.outbound.redis import client_of

CONNECTIONS_MAX = 2
SECONDS_MAX = 0.1
# A bucket lacks at most this many times what fits: hosts that spent it at the same time are not locked out for ever.
MISSING_SHARE_MAX = 2
# How long a full bucket is remembered.
FULL_MILLISECONDS = 1_000
# One tag, so that a cluster keeps all buckets on the node that runs the script.
_PREFIX = "{holdfast-rates}:"
_SCRIPT = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local missing = {}
for i, key in ipairs(KEYS) do
    local full_at = tonumber(redis.call('GET', key) or '0')
    local lacks = math.max(full_at - now, 0) + tonumber(ARGV[2 * i - 1])
    lacks = math.max(math.min(lacks, tonumber(ARGV[2 * i])), 0)
    redis.call('SET', key, string.format('%.2f', now + lacks), 'PX', math.ceil(lacks / 1000) + FULL_MS)
    missing[i] = math.floor(lacks)
end
return missing
""".replace("FULL_MS", str(FULL_MILLISECONDS))


class Spent(NamedTuple):
    """What was taken from a bucket, and what it holds, both in the microseconds this takes to come in."""

    key: int
    taken_microseconds: float
    full_microseconds: float


class SharedBuckets:
    """The server behind a redis:// address."""

    def __init__(self, url: str) -> None:
        self._client = client_of(url, connections_max=CONNECTIONS_MAX, seconds_max=SECONDS_MAX)
        self._script = self._client.register_script(_SCRIPT)

    async def add(self, spent: Sequence[Spent]) -> list[int]:
        """What each bucket lacks, in microseconds, all hosts counted. Raises what the client raises, TimeoutError."""
        keys = [f"{_PREFIX}{each.key:x}" for each in spent]
        numbers = [
            round(number, 2)
            for each in spent
            for number in (each.taken_microseconds, each.full_microseconds * MISSING_SHARE_MAX)
        ]
        async with asyncio.timeout(SECONDS_MAX):
            return [int(missing) for missing in await self._script(keys=keys, args=numbers)]

    async def close(self) -> None:
        await self._client.aclose()
