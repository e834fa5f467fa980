"""What lies beside the projects: tokens, health, the operator's door, pages for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from holdfast.base.errors import InvalidToken, ResourceNotFound
from holdfast.commerce.values.value import encode
from holdfast.demo import images
from holdfast.http.app import Side
from holdfast.http.headers import Headers
from holdfast.http.health import Health
from holdfast.http.metrics import Metrics
from holdfast.http.oauth import OAuthRoutes
from holdfast.http.operations.access import Access
from holdfast.http.operations.side import Operations
from holdfast.http.operator import OperatorRoutes

_JSON: Headers = [(b"content-type", b"application/json; charset=utf-8"), (b"access-control-allow-origin", b"*")]
_IMAGES = "/-/demo/images/"
_OPERATIONS = "/-/ops/"
# A picture is a function of its name; scripts inside one would have no business anywhere.
_SVG: Headers = [
    (b"content-type", b"image/svg+xml"),
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
    (b"access-control-allow-origin", b"*"),
]
_TEXT: Headers = [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")]
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


def metrics_side(metrics: Metrics, access: Sequence[Access]) -> Side:
    """`/metrics`, for the operator and for whoever has the token made for it."""

    async def answer(
        method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        if method not in ("GET", "HEAD") or path.rstrip("/") not in ("/metrics", "/-/metrics"):
            raise ResourceNotFound(f"There is nothing at '{method} {path[:200]}'.")
        _check_any(access, method, headers)
        return 200, [*_TEXT, _NOT_KEPT], await metrics.text()

    return answer


def _check_any(access: Sequence[Access], method: str, headers: Mapping[str, str]) -> None:
    """Raises InvalidToken unless one of them lets this request in."""
    for one in access:
        with suppress(InvalidToken):
            one.check(method, headers)
            return
    raise InvalidToken("The metrics token or the operator token is required.")


def internal_side(health: Health, metrics: Side, operations: Operations, operator: OperatorRoutes) -> Side:
    """`/-/…`: health, metrics, the demo shop's pictures, the operations page's doors and the operator's commands."""

    async def answer(
        method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        if method in ("GET", "HEAD"):
            if path == "/-/live":
                return 200, [*_JSON, _NOT_KEPT], b'{"status":"live"}'
            if path == "/-/startup":
                return 200, [*_JSON, _NOT_KEPT], encode(health.started())
            if path == "/-/ready":
                return 200, [*_JSON, _NOT_KEPT], encode(await health.report())
            if path == "/-/metrics":
                return await metrics(method, path, query, headers, body)
            if path.startswith(_IMAGES) and path.endswith(".svg"):
                return 200, [*_SVG], images.svg(path.removeprefix(_IMAGES).removesuffix(".svg"))
        if path.startswith(_OPERATIONS):
            return await operations.answer(method, path, headers, body)
        status, value = await operator.answer(method, path, query, headers, body)
        return status, [*_JSON, _NOT_KEPT], encode(value)

    return answer
