"""Ten times as many shoppers as a shop can serve: what is left of its peak, and how soon all is normal again.

1. Peak: a closed loop of whole checkouts (whoever is served sends the next), the best of some rounds.
2. Flood: shoppers at OFFERED_RATIO times the peak's rate, an open loop from a process of its own, for some
   seconds. Goodput counts orders placed in that time, latency only what was admitted, from when it was due.
3. After: the closed loop again; normal is a second of STEADY_SHARE of the peak without a refusal.

The shoppers of the flood honour nothing and share the machine with the shop.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from holdfast.ops.bench.flood import BUCKET_SECONDS, Job
from holdfast.ops.bench.run import API_PROCESSES, running_shop
from holdfast.ops.bench.shop import Shop, open_shop, stock_up

PRODUCTS = 100
OFFERED_RATIO = 10.0
STEADY_SHARE = 0.9
FLOOD_SECONDS_OVER_MAX = 30.0
MEMORY_EVERY_SECONDS = 0.25


@dataclass(frozen=True)
class OverloadScale:
    """How long is measured, and by how many clients at the peak."""

    clients: int = 64
    warm_up_seconds: float = 3.0
    peak_seconds: float = 8.0
    peak_rounds: int = 3
    flood_seconds: float = 20.0
    after_seconds: float = 15.0


SHORT = OverloadScale(
    clients=8, warm_up_seconds=0.5, peak_seconds=1.0, peak_rounds=1, flood_seconds=2.0, after_seconds=3.0
)


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
    placed: Mapping[int, int]
    refused: Mapping[int, int]

    @property
    def placed_per_second(self) -> float:
        """Orders placed while the load lasted, not after."""
        buckets = int(self.seconds / BUCKET_SECONDS)
        return sum(count for bucket, count in self.placed.items() if bucket < buckets) / (buckets * BUCKET_SECONDS)


@dataclass(frozen=True)
class Overload:
    """The outcome, and its ratios to the peak."""

    peak_per_second: float
    peak_p99_ms: float
    peak_order_p99_ms: float
    offered_per_second: float
    goodput_per_second: float
    admitted_p99_ms: float
    admitted_order_p99_ms: float
    refused_share: float
    refused_after_begin: int
    unserved: int
    other_answers: Mapping[str, int]
    memory_before_bytes: int
    memory_most_bytes: int
    memory_after_bytes: int
    normal_after_seconds: float | None

    @property
    def goodput_ratio(self) -> float:
        return self.goodput_per_second / self.peak_per_second if self.peak_per_second else 0.0

    @property
    def p99_ratio(self) -> float:
        return self.admitted_p99_ms / self.peak_p99_ms if self.peak_p99_ms else 0.0


async def run(scale: OverloadScale, report: Callable[[str], None]) -> Overload:
    """Measure a stocked shop of our own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101,S103 - the database account has to pass through
        with running_shop(Path(folder), API_PROCESSES) as facts:
            shop = open_shop(facts["apiUrl"], facts["projectKey"], facts["clientId"], facts["clientSecret"])
            report(f"stocking up {PRODUCTS} products, API processes: {API_PROCESSES}")
            await stock_up(shop, PRODUCTS)
            return await measure_overload(shop, facts["pids"]["workers"], PRODUCTS, scale, report)


async def measure_overload(
    shop: Shop, worker_pids: Sequence[int], skus: int, scale: OverloadScale, report: Callable[[str], None]
) -> Overload:
    """Peak, flood and recovery of a stocked shop."""

    async def load(seconds: float, *, rate: float = 0.0) -> Seen:
        return await _load(shop, skus, seconds, clients=0 if rate else scale.clients, rate=rate)

    await load(scale.warm_up_seconds)
    report(f"peak of {scale.clients} clients")
    peaks = [await load(scale.peak_seconds) for _ in range(scale.peak_rounds)]
    peak = max(peaks, key=lambda seen: seen.placed_per_second)
    offered = OFFERED_RATIO * peak.placed_per_second
    report(f"flood of {offered:.0f} checkouts a second, {OFFERED_RATIO:g} times the peak")
    memory = [_memory_bytes(worker_pids)]
    watching = asyncio.create_task(_watch_memory(worker_pids, memory))
    flood = await load(scale.flood_seconds, rate=offered)
    watching.cancel()
    report("after the flood")
    after = await load(scale.after_seconds)
    ended_at = flood.started_at + flood.seconds
    normal = _normal_at(after, STEADY_SHARE * peak.placed_per_second)
    return _outcome(peak, flood, offered, memory, None if normal is None else max(0.0, normal - ended_at))


def _outcome(peak: Seen, flood: Seen, offered: float, memory: Sequence[int], normal: float | None) -> Overload:
    refused = flood.statuses.get("503", 0)
    return Overload(
        peak_per_second=peak.placed_per_second,
        peak_p99_ms=_p99_ms(peak.request_seconds),
        peak_order_p99_ms=_p99_ms(peak.order_seconds),
        offered_per_second=offered,
        goodput_per_second=flood.placed_per_second,
        admitted_p99_ms=_p99_ms(flood.request_seconds),
        admitted_order_p99_ms=_p99_ms(flood.order_seconds),
        refused_share=refused / max(1, flood.due),
        refused_after_begin=sum(flood.refused_steps[1:]),
        unserved=flood.unserved,
        other_answers={status: n for status, n in flood.statuses.items() if status not in ("200", "201", "503")},
        memory_before_bytes=memory[0],
        memory_most_bytes=max(memory),
        memory_after_bytes=memory[-1],
        normal_after_seconds=normal,
    )


async def _load(shop: Shop, skus: int, seconds: float, *, clients: int, rate: float) -> Seen:
    """Let another process send shoppers; what they saw."""
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
        async with asyncio.timeout(seconds + FLOOD_SECONDS_OVER_MAX):
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


def _normal_at(seen: Seen, wanted_per_second: float) -> float | None:
    """The moment from which a second went as it should; None when none did."""
    width = round(1 / BUCKET_SECONDS)
    for first in range(int(seen.seconds / BUCKET_SECONDS) - width + 1):
        window = range(first, first + width)
        placed = sum(seen.placed.get(bucket, 0) for bucket in window)
        if placed >= wanted_per_second and not any(seen.refused.get(bucket) for bucket in window):
            return seen.started_at + first * BUCKET_SECONDS
    return None


async def _watch_memory(pids: Sequence[int], memory: list[int]) -> None:
    while True:
        await asyncio.sleep(MEMORY_EVERY_SECONDS)
        memory.append(_memory_bytes(pids))


def _memory_bytes(pids: Sequence[int]) -> int:
    """What the processes hold in memory now."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        total += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
    return total


def _p99_ms(seconds: Sequence[float]) -> float:
    ordered = sorted(seconds)
    return 1e3 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))] if ordered else 0.0


def as_facts(outcome: Overload) -> dict[str, Any]:
    """The outcome for programs."""
    return asdict(outcome) | {"goodput_ratio": outcome.goodput_ratio, "p99_ratio": outcome.p99_ratio}
