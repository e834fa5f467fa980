"""Ten times as many shoppers as a shop can serve: what is left of its peak, and how soon all is normal again.

1. Peak: a closed loop of whole checkouts, at all their steps at once; whoever is served sends the next.
2. Flood: shoppers at OFFERED_RATIO times the peak's rate, an open loop from a process of its own, for some
   seconds. Goodput counts orders placed in that time, latency only what was admitted, from when it was due.
3. After: the closed loop again; normal is a second of STEADY_SHARE of the peak without a refusal.

Then once more, as often as there are rounds: a flood is compared with the peaks right before and after it, because
a shared machine may be another one half a minute later, and the median of all rounds counts, for each figure. The
shoppers of the flood honour nothing. They keep a core of their own, all through, as if they came from other
machines: what a refusal costs whoever is refused is not the shop's to pay. The shop has the others, and as many
API processes as `up` starts there.
"""

from __future__ import annotations

import asyncio
import math
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.ops.bench.flood import BUCKET_SECONDS
from holdfast.ops.bench.run import running_shop
from holdfast.ops.bench.shop import Shop, open_shop, stock_up
from holdfast.ops.bench.shoppers import Seen, percentile_ms, shop_around

PRODUCTS = 100
OFFERED_RATIO = 10.0
STEADY_SHARE = 0.9
MEMORY_EVERY_SECONDS = 0.25


@dataclass(frozen=True)
class OverloadScale:
    """How long is measured, and by how many clients at the peak."""

    clients: int = 64
    warm_up_seconds: float = 3.0
    peak_seconds: float = 5.0
    flood_seconds: float = 30.0
    after_seconds: float = 3.0
    rounds: int = 7


SHORT = OverloadScale(clients=8, warm_up_seconds=0.5, peak_seconds=1.0, flood_seconds=2.0, after_seconds=2.0, rounds=1)


@dataclass(frozen=True)
class Round:
    """A flood, and its ratios to the peaks around it."""

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


@dataclass(frozen=True)
class Overload:
    """All rounds. Of what the machine has a hand in the median counts; memory and refusals have to hold in each."""

    rounds: Sequence[Round]

    def median(self, figure: Callable[[Round], float]) -> float:
        return statistics.median(map(figure, self.rounds))

    @property
    def refused_after_begin(self) -> int:
        return sum(each.refused_after_begin for each in self.rounds)

    @property
    def memory_most_bytes(self) -> int:
        return max(each.memory_most_bytes for each in self.rounds)

    @property
    def normal_after_seconds(self) -> float | None:
        """None when half of the rounds did not see it."""
        seconds = (each.normal_after_seconds for each in self.rounds)
        median = statistics.median_high(math.inf if each is None else each for each in seconds)
        return None if median == math.inf else median


async def run(scale: OverloadScale, report: Callable[[str], None]) -> Overload:
    """Measure a stocked shop of our own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101,S103 - the database account has to pass through
        with _apart() as shoppers, running_shop(Path(folder)) as facts:
            os.sched_setaffinity(0, shoppers)
            shop = open_shop(facts["apiUrl"], facts["projectKey"], facts["clientId"], facts["clientSecret"])
            workers = facts["pids"]["workers"]
            report(f"stocking up {PRODUCTS} products, API processes: {len(workers)}")
            await stock_up(shop, PRODUCTS)
            return await measure_overload(shop, workers, PRODUCTS, scale, report)


async def measure_overload(
    shop: Shop, worker_pids: Sequence[int], skus: int, scale: OverloadScale, report: Callable[[str], None]
) -> Overload:
    """Peak, flood and recovery of a stocked shop."""

    async def load(seconds: float, *, rate: float = 0.0) -> Seen:
        return await shop_around(shop, skus, seconds, clients=0 if rate else scale.clients, rate=rate)

    await load(scale.warm_up_seconds)
    report(f"peak of {scale.clients} clients")
    before = await load(scale.peak_seconds)
    rounds = []
    for number in range(scale.rounds):
        offered = OFFERED_RATIO * before.placed_per_second
        report(f"flood of {offered:.0f} checkouts a second, round {number + 1} of {scale.rounds}")
        memory = [_memory_bytes(worker_pids)]
        watching = asyncio.create_task(_watch_memory(worker_pids, memory))
        flood = await load(scale.flood_seconds, rate=offered)
        watching.cancel()
        after = [await load(seconds) for seconds in (scale.after_seconds, scale.peak_seconds)]
        seen = _round(Peak.of(before, after[-1]), flood, offered, memory, after)
        report(f"placed {seen.goodput_ratio:.0%} of the peak, p99 {seen.p99_ratio:.1f} times")
        rounds.append(seen)
        before = after[-1]
    return Overload(rounds)


@contextmanager
def _apart() -> Iterator[set[int]]:
    """Start what follows on all cores but one; yields the one, for the shoppers."""
    cores = os.sched_getaffinity(0)
    shoppers = {min(cores)}
    os.sched_setaffinity(0, cores - shoppers or cores)
    try:
        yield shoppers
    finally:
        os.sched_setaffinity(0, cores)


class Peak(NamedTuple):
    """What a shop does just before and just after a flood."""

    per_second: float
    p99_ms: float
    order_p99_ms: float

    @classmethod
    def of(cls, *loads: Seen) -> Peak:
        return cls(
            sum(load.placed_per_second for load in loads) / len(loads),
            percentile_ms([taken for load in loads for taken in load.request_seconds], 0.99),
            percentile_ms([taken for load in loads for taken in load.order_seconds], 0.99),
        )


def _round(peak: Peak, flood: Seen, offered: float, memory: Sequence[int], after: Sequence[Seen]) -> Round:
    return Round(
        peak_per_second=peak.per_second,
        peak_p99_ms=peak.p99_ms,
        peak_order_p99_ms=peak.order_p99_ms,
        offered_per_second=offered,
        goodput_per_second=flood.placed_per_second,
        admitted_p99_ms=percentile_ms(flood.request_seconds, 0.99),
        admitted_order_p99_ms=percentile_ms(flood.order_seconds, 0.99),
        refused_share=flood.statuses.get("503", 0) / max(1, flood.due),
        refused_after_begin=sum(flood.refused_steps[1:]),
        unserved=flood.unserved,
        other_answers={status: n for status, n in flood.statuses.items() if status not in ("200", "201", "503")},
        memory_before_bytes=memory[0],
        memory_most_bytes=max(memory),
        memory_after_bytes=memory[-1],
        normal_after_seconds=_normal_after(flood, after, STEADY_SHARE * peak.per_second),
    )


def _normal_after(flood: Seen, after: Sequence[Seen], wanted_per_second: float) -> float | None:
    """Seconds from the end of a flood to the first second that went as it should."""
    moments = (_normal_at(load, wanted_per_second) for load in after)
    ended_at = flood.started_at + flood.seconds
    return next((max(0.0, moment - ended_at) for moment in moments if moment is not None), None)


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


def as_facts(outcome: Overload) -> dict[str, Any]:
    """The outcome for programs."""
    return {
        "goodput_ratio": outcome.median(lambda each: each.goodput_ratio),
        "p99_ratio": outcome.median(lambda each: each.p99_ratio),
        "refused_after_begin": outcome.refused_after_begin,
        "memory_most_bytes": outcome.memory_most_bytes,
        "normal_after_seconds": outcome.normal_after_seconds,
        "rounds": [asdict(each) for each in outcome.rounds],
    }
