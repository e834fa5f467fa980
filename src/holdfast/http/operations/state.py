"""How this host stands, in one answer: what the page shows and scripts may read (`GET /-/ops/state`).

Whichever API process answers, it is the host that it speaks of: what all processes count and tell lies in pages that
any of them reads (base/counts.py), and so do the logs. A part that is not set up is null; one that does not answer
keeps what it said last, with its age and the reason.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from holdfast.base import clock
from holdfast.base.counts import FOLDER, Page, counts, read_pages, summed
from holdfast.base.errors import BadGateway
from holdfast.base.history import FOLDER as HISTORY
from holdfast.base.history import samples
from holdfast.base.slo import WINDOWS, Standing, standings
from holdfast.http.health import Health
from holdfast.http.operations.lately import Lately, Seen
from holdfast.http.operations.mishaps import mishaps
from holdfast.http.operations.traffic import traffic
from holdfast.store.operations import newest_dead_letters, newest_findings
from holdfast.store.standing import backlog
from holdfast.store.standing import standings as subscription_standings
from holdfast.store.store import Store
from holdfast.store.vitals import database_numbers

# Of the subscriptions of all projects, so many are listed.
SUBSCRIPTIONS_MAX = 100


class State:
    """What there is to see, each part looked at no oftener than it is worth."""

    def __init__(self, store: Store, health: Health, data_folder: Path) -> None:
        self._pages = data_folder / FOLDER
        self._parts: dict[str, Lately[Any]] = {
            "health": Lately(health.report, 1.0),
            "database": Lately(lambda: _numbers(store), 2.0),
            "slos": Lately(lambda: asyncio.to_thread(_slos, data_folder / HISTORY), 15.0),
            "findings": Lately(lambda: _findings(store), 5.0),
            "events": Lately(lambda: _events(store), 4.0),
            "deadLetters": Lately(lambda: _dead_letters(store), 4.0),
            "logs": Lately(lambda: asyncio.to_thread(_logs, data_folder / "logs"), 2.0),
        }

    async def told(self) -> dict[str, Any]:
        """The answer."""
        pages, *parts = await asyncio.gather(
            asyncio.to_thread(read_pages, self._pages), *(part.seen() for part in self._parts.values())
        )
        return {
            "at": clock.now(),
            "answeredBy": {"process": counts.process, "pid": os.getpid()},
            "processes": _processes(pages),
            "traffic": traffic(summed(pages)),
            "parts": {name: _part(seen) for name, seen in zip(self._parts, parts, strict=True)},
        }


def _part(seen: Seen[Any]) -> Mapping[str, Any] | None:
    """A part that was seen and is nothing is not set up."""
    if seen.value is None and seen.trouble is None:
        return None
    return {"value": seen.value, "ageSeconds": seen.age_seconds, "trouble": seen.trouble}


def _processes(pages: list[Page]) -> list[dict[str, Any]]:
    """What each process tells of itself; those that ended as they should are not missed."""
    now = time.time()
    return [
        {
            "process": page.process,
            "pid": page.told.pid,
            "ageSeconds": round(now - page.told.at, 2),
            "isFresh": page.is_fresh(now),
            "figures": page.told.figures,
        }
        for page in pages
        if page.told is not None
    ]


async def _numbers(store: Store) -> dict[str, Any]:
    """What it said before is shown while it says nothing. Raises BadGateway."""
    found = await database_numbers(store.database)
    if found is None:
        raise BadGateway
    return found._asdict()


def _slos(folder: Path) -> dict[str, Any]:
    """How every objective stands, from the counts the background worker wrote down."""
    now = time.time()
    seen = samples(folder)
    return {
        "knownSeconds": now - seen[0].at if seen else 0.0,
        "windows": [window.name for window in WINDOWS],
        "standings": [_slo(standing) for standing in standings(seen, now)],
    }


def _slo(standing: Standing) -> dict[str, Any]:
    return {
        "name": standing.slo.name,
        "text": standing.slo.text,
        "objective": standing.slo.objective,
        "burns": standing.burns,
        "budgetLeft": standing.budget_left,
        "firing": [{"severity": alert.severity, "window": alert.long.name} for alert in standing.firing],
    }


def _logs(folder: Path) -> dict[str, Any] | None:
    found = mishaps(folder)
    return None if found is None else {"problems": found.problems, "circuitMoves": found.circuit_moves}


async def _findings(store: Store) -> list[dict[str, Any]]:
    return [_plain(each._asdict()) for each in await newest_findings(store.database)]


async def _events(store: Store) -> dict[str, Any]:
    subscriptions = [_plain(each._asdict()) for each in await subscription_standings(store.database)]
    return {"backlog": (await backlog(store.database))._asdict(), "subscriptions": subscriptions[:SUBSCRIPTIONS_MAX]}


async def _dead_letters(store: Store) -> list[dict[str, Any]]:
    return [_plain(each._asdict()) for each in await newest_dead_letters(store.database)]


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """Moments as the API writes them."""
    return {name: clock.timestamp(fact) if isinstance(fact, datetime) else fact for name, fact in facts.items()}
