"""Many schedules: on all cores, counted, with what must have happened at least once among them."""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import structlog
from tests.simulation.schedule import run
from tests.simulation.seeded import seeded

# A campaign this long has met everything below, or the simulation has gone soft.
SOMETIMES_FROM = 2_000
SOMETIMES = (
    "accepted after a retry",
    "answer lost on its way to a client",
    "begin: answer lost",
    "clock jumped",
    "commit: answer lost",
    "commit: given up, yet it arrives",
    "commit: lost before it arrived",
    "crash in a flush that was done",
    "crash in a flush that was not done",
    "database crashed",
    "fill: 409",
    "killed with requests in flight",
    "order: 201",
    "order: 409",
    "order: OutOfStock",
    "read: slow",
    "replayed under a key",
    "restock: 409",
    "reuse: 422",
    "settled: committed",
    "settled: never to commit",
    "state: 200",
    "statement timed out",
    "survey: answer lost",
    "waited for a lock",
    "write: answer lost",
)
CHUNK = 100
FINDINGS_SHOWN = 20


class Report(NamedTuple):
    """What a campaign came to."""

    schedules: int
    seconds: float
    seen: Counter[str]
    findings: list[tuple[int, str]]

    @property
    def a_minute(self) -> float:
        return self.schedules / self.seconds * 60

    @property
    def never(self) -> list[str]:
        """What should have happened and did not."""
        return [what for what in SOMETIMES if not self.seen[what]] if self.schedules >= SOMETIMES_FROM else []


def campaign(first: int, last: int, jobs: int) -> Report:
    """Run the schedules of all seeds from `first` up to `last`."""
    started = time.perf_counter()
    seen: Counter[str] = Counter()
    findings: list[tuple[int, str]] = []
    for chunk_seen, chunk_findings in _chunks(first, last, jobs):
        seen.update(chunk_seen)
        findings += chunk_findings
    return Report(last - first, time.perf_counter() - started, seen, sorted(findings))


def _chunks(first: int, last: int, jobs: int) -> Iterator[tuple[Counter[str], list[tuple[int, str]]]]:
    chunks = [(start, min(start + CHUNK, last)) for start in range(first, last, CHUNK)]
    if jobs == 1:
        yield from map(_run_chunk, chunks)
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(_run_chunk, chunks)


def _run_chunk(seeds: tuple[int, int]) -> tuple[Counter[str], list[tuple[int, str]]]:
    seen: Counter[str] = Counter()
    findings = []
    with seeded():
        for seed in range(*seeds):
            result = run(seed)
            seen.update(result.seen)
            if result.finding is not None:
                findings.append((seed, result.finding))
    gc.collect()
    return seen, findings


def silence() -> None:
    """The product logs what it survives; a campaign survives too much to read it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
