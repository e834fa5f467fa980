"""Whole checkouts from a process of their own, and what their shoppers saw."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from holdfast.ops.bench.flood import BUCKET_SECONDS, Job
from holdfast.ops.bench.shop import Shop

SECONDS_OVER_MAX = 30.0


class Seen(NamedTuple):
    """What a load saw, as far as it is asked for."""

    started_at: float
    seconds: float
    due: int
    unserved: int
    statuses: Mapping[str, int]
    refused_steps: Sequence[int]
    request_seconds: Sequence[float]
    order_seconds: Sequence[float]
    checkout_seconds: Sequence[float]
    placed: Mapping[int, int]
    refused: Mapping[int, int]

    @property
    def placed_per_second(self) -> float:
        """Orders placed while the load lasted, not after."""
        buckets = int(self.seconds / BUCKET_SECONDS)
        return sum(count for bucket, count in self.placed.items() if bucket < buckets) / (buckets * BUCKET_SECONDS)


async def shop_around(shop: Shop, skus: int, seconds: float, *, clients: int, rate: float) -> Seen:
    """Let another process send shoppers, `clients` one for one or `rate` a second; what they saw."""
    parts = urlsplit(shop.url)
    assert parts.hostname is not None
    assert parts.port is not None
    job = Job(parts.hostname, parts.port, shop.project, shop.token, skus, seconds, clients, rate)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "holdfast.ops.bench.flood"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds + SECONDS_OVER_MAX):
            printed, _ = await process.communicate(json.dumps(asdict(job)).encode())
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, "the load ended badly"
    return _seen(json.loads(printed))


def _seen(told: Mapping[str, Any]) -> Seen:
    facts = {name: told[name] for name in Seen._fields if name in told}
    facts["seconds"] = told["ended_at"] - told["started_at"]
    for name in ("placed", "refused"):
        facts[name] = {int(bucket): count for bucket, count in told[name].items()}
    return Seen(**facts)


def percentile_ms(seconds: Sequence[float], share: float) -> float:
    """What `share` of the latencies did not exceed, in milliseconds."""
    ordered = sorted(seconds)
    return 1e3 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
