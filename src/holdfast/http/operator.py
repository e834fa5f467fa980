"""The operator's door: projects, limits, events; opened by a token that lies beside the data (operations/access.py).

Whoever may read that file owns the shop anyway. Without a token file the door does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.base.errors import ResourceNotFound
from holdfast.handlers.oauth import Credentials, OAuth
from holdfast.handlers.projects import create_client, create_project
from holdfast.http.event_operator import EventRoutes
from holdfast.http.operations.access import Access
from holdfast.http.rate_operator import RateRoutes
from holdfast.store.store import Store


class OperatorRoutes:
    """The operator's commands, answered with a status and a value to encode."""

    def __init__(self, store: Store, oauth: OAuth, access: Access, rates: RateRoutes) -> None:
        self._store = store
        self._oauth = oauth
        self._access = access
        self._rates = rates
        self._events = EventRoutes(store)

    async def answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, Any]]:
        """Answer a request. Raises ApiError, InvalidToken before anything else is told."""
        self._access.check(method, headers)
        match (method, path.strip("/").split("/")):
            case ("POST", ["-", "projects"]):
                return 201, _told(await create_project(self._store, self._oauth, body))
            case ("POST", ["-", "projects", key, "clients"]):
                return 201, _told(await create_client(self._store, self._oauth, key, body))
            case ("GET", ["-", "projects", key, "limits"]):
                return 200, await self._rates.show(key)
            case ("POST", ["-", "projects", key, "limits"]):
                return 200, await self._rates.change(key, body)
            case (_, ["-", *parts]) if (told := await self._events.answer(method, parts, query, body)) is not None:
                return told
        raise ResourceNotFound(f"There is nothing at '{method} {path[:200]}'.")


def _told(made: Credentials) -> dict[str, Any]:
    """The secret is told this once."""
    return {
        "projectKey": made.client.project,
        "clientId": made.client.id,
        "clientSecret": made.secret,
        "scope": made.client.scope,
    }
