"""What lies beside the projects: tokens, health, the operator's door, pages for people."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.base.errors import ResourceNotFound
from holdfast.commerce.values.value import encode
from holdfast.http.app import Headers, Side
from holdfast.http.oauth import OAuthRoutes
from holdfast.store.store import Store

_JSON: Headers = [(b"content-type", b"application/json; charset=utf-8"), (b"access-control-allow-origin", b"*")]
_NOT_KEPT = (b"cache-control", b"no-store")


def oauth_side(routes: OAuthRoutes) -> Side:
    """`/oauth/…`: tokens are made, checked and ended here."""

    async def answer(
        method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        if method != "POST":
            raise ResourceNotFound(f"There is nothing at '{method} {path[:200]}'.")
        status, value = await routes.answer(path, headers, query, body)
        return status, [*_JSON, _NOT_KEPT], encode(value)

    return answer


def internal_side(store: Store) -> Side:
    """`/-/…`: liveness, readiness, and the operator's commands."""

    async def answer(
        method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        match (method, path):
            case ("GET", "/-/live"):
                return 200, [*_JSON, _NOT_KEPT], b'{"status":"live"}'
            case ("GET", "/-/ready"):
                await store.database.fetchrow("SELECT 1")
                return 200, [*_JSON, _NOT_KEPT], b'{"status":"ready"}'
        raise ResourceNotFound(f"There is nothing at '{method} {path[:200]}'.")

    return answer
