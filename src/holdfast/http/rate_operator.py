"""`/-/projects/{key}/limits`: the usage tiers of a project, as they are and as an operator wants them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from holdfast.base.errors import InvalidField, ResourceNotFound
from holdfast.commerce.values.value import Value
from holdfast.handlers.decode import decode
from holdfast.http.rate_tiers import COST_MAX, DEFAULTS
from holdfast.store.rates import RateTable
from holdfast.store.store import Store
from holdfast.store.tokens import Tokens

# Beyond this a tier means "no limit", and a bucket could not be told from a full one.
TOKENS_MAX = 1_000_000_000.0
# Between what comes in and what fits, so that an empty bucket is full again within a day.
FILLING_SECONDS_MAX = 86_400.0
CLIENTS_MAX = 1_000


class NewTier(Value):
    """Tokens a second, and tokens at once: enough at least for the dearest request."""

    per_second: Annotated[float, Meta(gt=0, le=TOKENS_MAX)]
    burst: Annotated[float, Meta(ge=COST_MAX, le=TOKENS_MAX)]


class NewLimits(Value):
    """What is to change: tiers by name, the tier of clients by their id. `null` goes back to what it was."""

    tiers: dict[str, NewTier | None] = msgspec.field(default_factory=dict)
    clients: Annotated[dict[str, str | None], Meta(max_length=CLIENTS_MAX)] = msgspec.field(default_factory=dict)


_changes = msgspec.json.Decoder(NewLimits)


class RateRoutes:
    """The limits of projects."""

    def __init__(self, store: Store, tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens
        self._table = RateTable(store.database, store.epochs)

    async def show(self, project: str) -> dict[str, Any]:
        """The tiers of a project, and who was put into one. Raises ResourceNotFound."""
        await self._check(project)
        rows = await self._table.read()
        own = {row.tier: (row.per_second, row.burst) for row in rows.tiers if row.project == project}
        tiers = {
            name: dict(zip(("perSecond", "burst"), own.get(name, default), strict=True)) | {"default": name not in own}
            for name, default in DEFAULTS.items()
        }
        clients = {row.client_id: row.tier for row in rows.clients if row.project == project}
        return {"projectKey": project, "tiers": tiers, "clients": clients}

    async def change(self, project: str, body: bytes) -> dict[str, Any]:
        """Change all that is named, or nothing. Raises ResourceNotFound, InvalidJsonInput, InvalidField."""
        await self._check(project)
        wanted = decode(_changes, body)
        for name, tier in wanted.tiers.items():
            _check_tier("tiers", name)
            if tier is not None and tier.burst / tier.per_second > FILLING_SECONDS_MAX:
                raise InvalidField(
                    f"tiers.{name}.burst", tier.burst, "An empty bucket must be full again within a day."
                )
        for client, into in wanted.clients.items():
            if into is not None:
                _check_tier(f"clients.{client[:100]}", into)
            found = await self._tokens.find_client(client)
            if found is None or found.project != project:
                raise InvalidField("clients", client[:100], f"Project '{project}' has no API client '{client[:100]}'.")
        tiers = {name: None if tier is None else (tier.per_second, tier.burst) for name, tier in wanted.tiers.items()}
        await self._table.change(project, tiers, wanted.clients)
        return await self.show(project)

    async def _check(self, project: str) -> None:
        if await self._store.find("project", project, "key", project) is None:
            raise ResourceNotFound.by_key(project)


def _check_tier(field: str, name: str) -> None:
    if name not in DEFAULTS:
        raise InvalidField(field, name[:100], f"There is no tier '{name[:100]}', only {', '.join(DEFAULTS)}.")
