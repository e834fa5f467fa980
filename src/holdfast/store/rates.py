"""What operators set of the usage tiers: little, so every process holds all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from holdfast.store.epochs import Epochs
from holdfast.store.pool import Database
from holdfast.store.queries import queries

# The slot that tells the processes of this host that somebody set something.
EPOCH_SLOT = Epochs.slot("", "rates")
# What is read of each table; set beyond that it would not count.
ROWS_MAX = 20_000


class TierRow(NamedTuple):
    """A tier of a project: tokens a second, and tokens at once."""

    project: str
    tier: str
    per_second: float
    burst: float


class ClientRow(NamedTuple):
    """An API client that was put into a tier."""

    project: str
    client_id: str
    tier: str


class RateRows(NamedTuple):
    tiers: Sequence[TierRow]
    clients: Sequence[ClientRow]


class RateTable:
    """The settings of all projects."""

    def __init__(self, database: Database, epochs: Epochs) -> None:
        self._database = database
        self._epochs = epochs
        self._sql = queries("rates")

    async def read(self) -> RateRows:
        tiers = await self._database.fetch(self._sql["read_tiers"], ROWS_MAX)
        clients = await self._database.fetch(self._sql["read_clients"], ROWS_MAX)
        return RateRows([TierRow(*row) for row in tiers], [ClientRow(*row) for row in clients])

    async def change(
        self, project: str, tiers: Mapping[str, tuple[float, float] | None], clients: Mapping[str, str | None]
    ) -> None:
        """Set tiers (a second, at once) and put clients into tiers, all or none; None goes back to what it was.

        It counts on this host as soon as this returns, on others within the time of http/rate_settings.py.
        """
        await self._database.execute(
            self._sql["set_rates"],
            project,
            list(tiers),
            [None if tier is None else tier[0] for tier in tiers.values()],
            [None if tier is None else tier[1] for tier in tiers.values()],
            list(clients),
            list(clients.values()),
        )
        self._epochs.bump(EPOCH_SLOT)
