"""`/-/live`, `/-/startup` and `/-/ready`: whether this process lives, has started, and can serve.

Ready means: send requests here. Without its database a process still answers what it has seen before, and taking
every process out of service at once would end that too; so a lost part makes it `degraded` and leaves it ready.
What is missing, and for how long, stands under `parts`. Many may ask: they share one look a second.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.base.counts import read_pages
from holdfast.base.errors import ApiError
from holdfast.store.store import Store
from holdfast.store.vitals import database_trouble

LOOK_SECONDS = 0.25
BACKGROUND = "background"

# Why a part does not work; None when it does.
Look = Callable[[], Awaitable[str | None]]


class Part(NamedTuple):
    """Something this process needs, or does better with."""

    name: str
    look: Look
    needed_for: str


class Standing(NamedTuple):
    """How a part was found: since when, and when it was last in order (on the process's clock)."""

    trouble: str | None
    since: float
    fine_at: float | None


class Health:
    """How this process and its parts are doing."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self._parts = parts
        self._started = time.monotonic()
        self._standing: dict[str, Standing] = {}
        self._lock = asyncio.Lock()
        self._looked_at = float("-inf")

    async def report(self) -> dict[str, Any]:
        """How things stand, seen at most LOOK_SECONDS ago."""
        async with self._lock:
            if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                await self._look()
        now = time.monotonic()
        healthy = all(standing.trouble is None for standing in self._standing.values())
        return {
            "status": "ready" if healthy else "degraded",
            "version": version("holdfast"),
            "pid": os.getpid(),
            "uptimeSeconds": round(now - self._started, 1),
            "parts": {part.name: _told(part, self._standing[part.name], now) for part in self._parts},
        }

    def started(self) -> dict[str, Any]:
        """Whoever can ask this is past the start: a process listens once its catalogue and its database are open."""
        return {"status": "started", "uptimeSeconds": round(time.monotonic() - self._started, 1)}

    async def _look(self) -> None:
        troubles = await asyncio.gather(*(_trouble(part) for part in self._parts))
        now = self._looked_at = time.monotonic()
        for part, trouble in zip(self._parts, troubles, strict=True):
            before = self._standing.get(part.name)
            changed = before is None or (before.trouble is None) != (trouble is None)
            since = now if before is None or changed else before.since
            fine_at = now if trouble is None else before.fine_at if before else None
            self._standing[part.name] = Standing(trouble, since, fine_at)


async def _trouble(part: Part) -> str | None:
    try:
        return await part.look()
    except ApiError as error:
        return error.message


def _told(part: Part, standing: Standing, now: float) -> Mapping[str, Any]:
    facts: dict[str, Any] = {
        "status": "up" if standing.trouble is None else "down",
        "neededFor": part.needed_for,
        "sinceSeconds": round(now - standing.since, 1),
    }
    if standing.trouble is not None:
        facts["reason"] = standing.trouble[:200]
        facts["lastUpSeconds"] = None if standing.fine_at is None else round(now - standing.fine_at, 1)
    return facts


def database_part(store: Store) -> Part:
    return Part(
        "database", lambda: database_trouble(store.database), "everything but catalogue answers that were seen before"
    )


def background_part(folder: Path) -> Part:
    """The background worker, by what it tells of itself."""

    async def look() -> str | None:
        now = time.time()
        pages = [page for page in read_pages(folder) if page.process.partition(".")[0] == BACKGROUND]
        if any(page.is_fresh(now) for page in pages):
            return None
        return "It does not tell of itself."

    return Part(BACKGROUND, look, "events, expiry, audits")
