"""`/-/metrics`: numbers for Prometheus, in its text format. They name checks and walks, never a project.

Anybody may ask, so all who ask within a moment share one look at the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from holdfast.store.audit.examine import checks
from holdfast.store.audit.findings import Numbers, numbers
from holdfast.store.audit.payments import BREAKS
from holdfast.store.store import Store

KEPT_SECONDS = 5.0


class Metrics:
    """The numbers as they were lately."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = asyncio.Lock()
        self._text = b""
        self._until = 0.0

    async def text(self) -> bytes:
        """The page Prometheus reads."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            if loop.time() >= self._until:
                self._text = "".join(_page(await numbers(self._store.database))).encode()
                self._until = loop.time() + KEPT_SECONDS
            return self._text


def _page(rows: Sequence[Numbers]) -> Iterator[str]:
    found = dict.fromkeys(checks(), 0.0) | {row.name: row.number or 0.0 for row in rows if row.what == "finding"}
    passes = [row for row in rows if row.what != "finding"]
    broken = sum(found[name] for name in BREAKS)
    yield from _gauge(
        "holdfast_audit_findings", "Open findings.", ((f'check="{name}"', count) for name, count in found.items())
    )
    yield from _gauge(
        "holdfast_payment_breaks", "Payments that ended neither as an order nor as a refund.", [("", broken)]
    )
    for name, text, field in (
        ("holdfast_audit_pass_age_seconds", "Since the last whole pass.", "age_seconds"),
        ("holdfast_audit_pass_work_seconds", "Work in the last whole pass.", "seconds"),
        ("holdfast_audit_pass_looked_at", "Places looked at in the last whole pass.", "number"),
        ("holdfast_audit_pass_passed_over", "Places that could not be looked at.", "passed_over"),
    ):
        yield from _gauge(
            name,
            text,
            (
                (f'lane="{row.what}",walk="{row.name}"', getattr(row, field))
                for row in passes
                if getattr(row, field) is not None
            ),
        )


def _gauge(name: str, text: str, values: Iterable[tuple[str, float]]) -> Iterator[str]:
    yield f"# HELP {name} {text}\n# TYPE {name} gauge\n"
    for labels, value in values:
        yield f"{name}{{{labels}}} {value:g}\n" if labels else f"{name} {value:g}\n"
