"""How a process itself is doing, told once a second to whoever reads the counts: memory, CPU, event loop, collector."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from holdfast.base.counts import Counts, Figure
from holdfast.base.log import log

EVERY_SECONDS = 1.0
# The longest hold-up of the event loop is told for as long as a scrape may take to come by.
LAG_KEPT_SECONDS = 30.0

Teller = Callable[[], Iterable[Figure]]


class Collector:
    """How often and how long the garbage collector stopped this process."""

    def __init__(self) -> None:
        self.collections = 0
        self.seconds = 0.0
        self._began = 0.0
        gc.callbacks.append(self._seen)

    def _seen(self, phase: str, _facts: dict[str, Any]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.collections += 1
            self.seconds += time.perf_counter() - self._began

    def close(self) -> None:
        gc.callbacks.remove(self._seen)


class Lag:
    """How late the event loop was, at worst, of late."""

    def __init__(self) -> None:
        self._late: list[tuple[float, float]] = []

    def add(self, now: float, seconds: float) -> None:
        self._late = [(at, late) for at, late in self._late if now - at < LAG_KEPT_SECONDS and late > seconds]
        self._late.append((now, seconds))

    @property
    def worst(self) -> float:
        """Each entry is worse than all after it."""
        return self._late[0][1] if self._late else 0.0


async def watch(counts: Counts, tellers: Iterable[Teller] = ()) -> None:
    """Tell how this process does, and what its parts tell, until cancelled."""
    loop = asyncio.get_running_loop()
    collector, lag, tellers = Collector(), Lag(), tuple(tellers)
    try:
        while True:
            tell(counts, collector, lag, tellers)
            asked = loop.time()
            await asyncio.sleep(EVERY_SECONDS)
            now = loop.time()
            lag.add(now, max(0.0, now - asked - EVERY_SECONDS))
    finally:
        collector.close()


def tell(counts: Counts, collector: Collector, lag: Lag, tellers: Iterable[Teller]) -> None:
    """Put down the figures of this moment; a part that cannot tell its own costs nobody else's."""
    figures = list(_own(collector, lag))
    for teller in tellers:
        try:
            figures += teller()
        except Exception:  # noqa: BLE001 - the edge of somebody else's part: logged, and asked again
            log.exception("figures.failed")
    counts.tell(figures)


def _own(collector: Collector, lag: Lag) -> Iterator[Figure]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield Figure("holdfast_process_cpu_seconds_total", used.ru_utime + used.ru_stime)
    yield Figure("holdfast_process_resident_bytes", resident_bytes(used.ru_maxrss))
    yield Figure("holdfast_process_event_loop_lag_seconds", lag.worst)
    yield Figure("holdfast_process_gc_collections_total", collector.collections)
    yield Figure("holdfast_process_gc_seconds_total", collector.seconds)


def resident_bytes(most: int) -> float:
    """Memory in use; where the system does not say, the most that was."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * float(os.sysconf("SC_PAGE_SIZE"))
    except OSError:
        return most * (1.0 if sys.platform == "darwin" else 1024.0)
