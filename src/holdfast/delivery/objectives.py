"""Keeps count of what error budgets are computed from: looks at objectives that no request shows, and takes samples."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from holdfast.base import counts, history
from holdfast.base.errors import ApiError
from holdfast.base.series import SLICES, place
from holdfast.base.slo import sampled
from holdfast.store.audit.findings import numbers
from holdfast.store.pool import Database
from holdfast.store.vitals import event_numbers

LOOK_SECONDS_MAX = 5.0
# What the objective says of events.
EVENT_SECONDS_MAX = 60.0


class Objectives:
    """The objectives of a host, by its counts and the audit's findings."""

    def __init__(self, database: Database, data: Path) -> None:
        self._database = database
        self._data = data

    async def sample(self) -> int:
        """Look at what holds now, then keep what has been counted until now."""
        await self._look()
        pages = counts.read_pages(self._data / counts.FOLDER)
        history.keep(self._data / history.FOLDER, sampled(time.time(), counts.summed(pages)))
        return 0

    async def _look(self) -> None:
        """Count one slice of time; none while the database cannot say, or the audit has not begun."""
        events = await event_numbers(self._database)
        if events is not None:
            _count("event-delivery", held=events.wait_seconds <= EVENT_SECONDS_MAX)
        try:
            async with asyncio.timeout(LOOK_SECONDS_MAX):
                rows = await numbers(self._database)
        except (TimeoutError, ApiError):
            return
        if rows:
            _count("durability", held=not any(row.number for row in rows if row.what == "finding"))


def _count(slo: str, *, held: bool) -> None:
    counts.counts.add(place(SLICES, slo, "yes" if held else "no"))
