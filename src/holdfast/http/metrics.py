"""`/metrics` (also `/-/metrics`): the numbers of this host for Prometheus, whichever of its processes is asked.

They name endpoints, codes, checks and processes, never a project, a person or a thing that is sold. All who ask within
a moment share one look at the database, and it is a short one: without it everything else is told.
"""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from holdfast.base.counts import Page, read_pages, summed
from holdfast.base.errors import ApiError
from holdfast.base.told import TOLD, Described
from holdfast.http.exposition import Sample, counted, counter, family, gauge
from holdfast.store.audit.examine import checks
from holdfast.store.audit.findings import Numbers, numbers
from holdfast.store.audit.payments import BREAKS
from holdfast.store.store import Store
from holdfast.store.vitals import DatabaseNumbers, EventNumbers, database_numbers, event_numbers

KEPT_SECONDS = 5.0
AUDIT_SECONDS_MAX = 2.0


class Metrics:
    """The host's counts of this moment, and the numbers out of the database as they were lately."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._lock = asyncio.Lock()
        self._from_database = ""
        self._until = 0.0

    async def text(self) -> bytes:
        """The page Prometheus reads."""
        async with self._lock:
            if time.monotonic() >= self._until:
                self._from_database = "".join(await self._asked())
                self._until = time.monotonic() + KEPT_SECONDS
        pages = read_pages(self._folder)
        return "".join((*_build(), *counted(summed(pages)), *_told(pages), self._from_database)).encode()

    async def _asked(self) -> list[str]:
        of_database = await database_numbers(self._store.database)
        lines = list(_database(of_database))
        if of_database is not None:
            lines += _events(await event_numbers(self._store.database))
            try:
                async with asyncio.timeout(AUDIT_SECONDS_MAX):
                    lines += _audit(await numbers(self._store.database))
            except (TimeoutError, ApiError):
                pass  # it went away in between: the next look says so
        return lines


def _build() -> Iterator[str]:
    labels = {"version": version("holdfast"), "python": platform.python_version()}
    return gauge("holdfast_build_info", "What runs here.", [Sample(labels, 1.0)])


def _told(pages: Sequence[Page]) -> Iterator[str]:
    """What processes tell of themselves, by process; and which of those that did not end as they should are silent."""
    now = time.time()
    telling = [page for page in pages if page.told is not None]
    up = [Sample({"process": page.process}, float(page.is_fresh(now))) for page in telling]
    yield from gauge("holdfast_process_up", "Whether a process tells of itself.", up)
    found: dict[str, list[Sample]] = {}
    for page in telling:
        for figure in page.told.figures if page.told and page.is_fresh(now) else ():
            found.setdefault(figure.name, []).append(Sample({"process": page.process, **figure.labels}, figure.value))
    for name, samples in found.items():
        described = TOLD.get(name, Described("gauge", "Told by a process."))
        yield from family(name, described.kind, described.text, samples)


def _database(of: DatabaseNumbers | None) -> Iterator[str]:
    yield from gauge("holdfast_database_up", "Whether the database answers.", [Sample({}, float(of is not None))])
    if of is None:
        return
    states = {
        "active": of.active,
        "idle": of.idle,
        "in transaction": of.in_transaction,
        "lock": of.waiting,
    }
    yield from gauge(
        "holdfast_database_connections",
        "Connections to this database.",
        (Sample({"state": state}, count) for state, count in states.items()),
    )
    for name, kind, text, value in (
        ("connections_max", "gauge", "Connections the server allows.", of.allowed),
        ("oldest_transaction_seconds", "gauge", "Age of the oldest open transaction.", of.oldest_seconds),
        ("commits_total", "counter", "Transactions committed.", of.committed),
        ("rollbacks_total", "counter", "Transactions rolled back.", of.rolled_back),
        ("deadlocks_total", "counter", "Deadlocks the server resolved.", of.deadlocks),
        ("bytes", "gauge", "Size of the database.", of.bytes),
        ("standbys", "gauge", "Standbys connected.", of.standbys),
        ("standby_lag_seconds", "gauge", "How far the slowest standby is behind.", of.lag_seconds),
    ):
        yield from family(f"holdfast_database_{name}", kind, text, [Sample({}, value)])


def _events(of: EventNumbers | None) -> Iterator[str]:
    if of is None:
        return
    waiting = {"to be dealt out": of.undealt, "owed": of.owed, "held": of.held}
    yield from gauge(
        "holdfast_events_waiting",
        "Events not delivered, by what they wait for; a held one waits for another attempt.",
        (Sample({"state": state}, count) for state, count in waiting.items()),
    )
    attempts = {"delivered": of.delivered, "failed": of.failed, "given up": of.buried}
    yield from counter(
        "holdfast_events_total",
        "Attempts to deliver an event, by what became of them.",
        (Sample({"outcome": outcome}, count) for outcome, count in attempts.items()),
    )
    for name, text, value in (
        ("wait_seconds", "The longest an event has waited for a subscriber that takes events.", of.wait_seconds),
        ("dead_letters", "Events that were given up and neither replayed nor discarded.", of.dead),
    ):
        yield from gauge(f"holdfast_events_{name}", text, [Sample({}, value)])


def _audit(rows: Sequence[Numbers]) -> Iterator[str]:
    found = dict.fromkeys(checks(), 0.0) | {row.name: row.number or 0.0 for row in rows if row.what == "finding"}
    passes = [row for row in rows if row.what != "finding"]
    yield from gauge(
        "holdfast_audit_findings", "Open findings.", (Sample({"check": name}, count) for name, count in found.items())
    )
    yield from gauge(
        "holdfast_payment_breaks",
        "Payments that ended neither as an order nor as a refund.",
        [Sample({}, sum(found[name] for name in BREAKS))],
    )
    for name, text, field in (
        ("holdfast_audit_pass_age_seconds", "Since the last whole pass.", "age_seconds"),
        ("holdfast_audit_pass_work_seconds", "Work in the last whole pass.", "seconds"),
        ("holdfast_audit_pass_looked_at", "Places looked at in the last whole pass.", "number"),
        ("holdfast_audit_pass_passed_over", "Places that could not be looked at.", "passed_over"),
    ):
        measured = [(row, getattr(row, field)) for row in passes]
        yield from gauge(
            name,
            text,
            (Sample({"lane": row.what, "walk": row.name}, value) for row, value in measured if value is not None),
        )
