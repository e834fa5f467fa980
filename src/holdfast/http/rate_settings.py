"""The tiers as this installation has them: what operators set, over what Holdfast comes with.

All that was ever set is small and held in memory. Whoever sets something moves an epoch, which the processes of
this host see at their next lease; other hosts look again every RECHECK_SECONDS. While the database is away, what
was known last counts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from holdfast.base.log import log
from holdfast.http.bucket import Tier
from holdfast.http.rate_tiers import ANONYMOUS, DEFAULTS, Whose
from holdfast.store.rates import EPOCH_SLOT, RateTable
from holdfast.store.store import Store

RECHECK_SECONDS = 10.0
# After a look that failed.
RETRY_SECONDS = 1.0


class RateSettings:
    """The tiers of every project. Until `start`, those Holdfast comes with."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._table = RateTable(store.database, store.epochs)
        self._epochs = store.epochs
        self._clock = clock
        self._tiers: dict[tuple[str, str], Tier] = {}
        self._clients: dict[str, str] = {}
        self.separates_any = False
        self._started = False
        self._epoch = 0
        self._look_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    def tier(self, whose: Whose) -> Tier:
        """What the bucket of somebody is like now."""
        name = whose.tier
        if whose.client is not None and self._clients:
            name = self._clients.get(whose.client, name)
        return self._tiers.get((whose.project, name)) or DEFAULTS[name]

    def separates(self, project: str) -> bool:
        """Whether a project has its own idea of strangers; otherwise an address has one bucket for all projects."""
        return (project, ANONYMOUS) in self._tiers

    async def start(self) -> None:
        """Read what was set, and from now on notice changes."""
        self._started = True
        await self._look()

    async def _load(self) -> None:
        """Read what was set."""
        self._epoch = self._epochs.read(EPOCH_SLOT)
        rows = await self._table.read()
        self._tiers = {(row.project, row.tier): Tier(row.per_second, row.burst) for row in rows.tiers}
        self._clients = {row.client_id: row.tier for row in rows.clients}
        self.separates_any = any(tier == ANONYMOUS for _, tier in self._tiers)
        self._look_at = self._clock() + RECHECK_SECONDS

    def look(self) -> None:
        """See whether anything was set meanwhile; if so it counts in a moment."""
        if not self._started or self._looking is not None:
            return
        if self._epochs.read(EPOCH_SLOT) != self._epoch or self._clock() >= self._look_at:
            self._looking = asyncio.create_task(self._look(), name="rate settings")

    async def _look(self) -> None:
        try:
            await self._load()
        except Exception as error:  # noqa: BLE001 - the edge of a task: what was known last counts
            self._epoch, self._look_at = self._epochs.read(EPOCH_SLOT), self._clock() + RETRY_SECONDS
            log.warning("rates.settings_not_read", reason=str(error))
        finally:
            self._looking = None
