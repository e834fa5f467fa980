"""What a process tells of itself: whatever a part does, the others are told."""

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from holdfast.base.counts import Counts, Figure, read_pages
from holdfast.base.vitals import LAG_KEPT_SECONDS, Collector, Lag, tell, watch


def told(folder: Path) -> dict[str, float]:
    (page,) = read_pages(folder)
    assert page.told is not None
    return {figure.name: figure.value for figure in page.told.figures}


def broken() -> Iterator[Figure]:
    raise RuntimeError("cannot tell")


async def test_a_process_tells_of_itself_and_its_parts_at_once(tmp_path: Path) -> None:
    counts = Counts()
    counts.open(tmp_path, "api-0")
    watching = asyncio.create_task(watch(counts, (lambda: [Figure("holdfast_gate_limit", 7.0)],)))
    await asyncio.sleep(0)
    found = told(tmp_path)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert found["holdfast_gate_limit"] == 7.0
    assert found["holdfast_process_resident_bytes"] > 1_000_000
    assert found["holdfast_process_cpu_seconds_total"] > 0
    counts.close()


def test_a_part_that_cannot_tell_costs_nobody_elses_figures(tmp_path: Path) -> None:
    counts, collector = Counts(), Collector()
    counts.open(tmp_path, "api-0")
    tell(counts, collector, Lag(), (broken, lambda: [Figure("holdfast_gate_limit", 7.0)]))
    collector.close()
    assert told(tmp_path)["holdfast_gate_limit"] == 7.0
    counts.close()


def test_collections_are_counted_while_somebody_watches() -> None:
    collector = Collector()
    gc.collect()
    collector.close()
    seen = collector.collections
    gc.collect()
    assert seen >= 1
    assert collector.collections == seen
    assert 0 < collector.seconds < time.perf_counter()


def test_the_worst_lag_is_told_until_it_is_old() -> None:
    lag = Lag()
    assert lag.worst == 0.0
    for now, late in ((0.0, 0.5), (1.0, 0.1), (2.0, 0.2)):
        lag.add(now, late)
    assert lag.worst == 0.5
    lag.add(LAG_KEPT_SECONDS + 0.5, 0.0)
    assert lag.worst == 0.2
