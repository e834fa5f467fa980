"""The API as an ASGI application: a dictionary dispatch, nothing in between.

admit → auth → parse → handler → render. Pages for people (`/docs`) and tokens (`/oauth`) have
paths of their own beside the projects.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from structlog.contextvars import bind_contextvars

from holdfast.base.errors import ApiError, ContentTooLarge, General, InsufficientScope, InvalidInput, Unavailable
from holdfast.base.log import log
from holdfast.commerce.scopes import allows
from holdfast.commerce.values.value import encode
from holdfast.commerce.visibility import check_session
from holdfast.handlers.endpoints import Answer, Request
from holdfast.handlers.work import Work
from holdfast.http.auth import Authenticator
from holdfast.http.kept import Kept
from holdfast.http.routes import Router, place_of
from holdfast.store.store import Store

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

BODY_BYTES_MAX = 4 * 1024 * 1024
# Published bound.
URL_CHARACTERS_MAX = 8_192
PARAMETERS_MAX = 1_000
_CORRELATION_ID = re.compile(rb"[A-Za-z0-9_/-]{8,256}")
_JSON = (b"content-type", b"application/json; charset=utf-8")
_OPEN = (b"access-control-allow-origin", b"*")
_EXPOSED = (b"access-control-expose-headers", b"x-correlation-id, retry-after")
_USUAL: Headers = [_JSON, _OPEN, _EXPOSED]
_PREFLIGHT: Headers = [
    _OPEN,
    (b"access-control-allow-methods", b"GET, POST, DELETE, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, x-correlation-id, x-external-user-id"),
    (b"access-control-max-age", b"86400"),
]

# A request for something beside the projects: method, path, query, headers, body → status, headers, body.
Side = Callable[[str, str, str, Mapping[str, str], bytes], Awaitable[tuple[int, Headers, bytes]]]


class App:
    """One process's API. `sides` are the first path segments that are not projects."""

    def __init__(self, store: Store, authenticator: Authenticator, router: Router, sides: Mapping[str, Side]) -> None:
        self._store = store
        self._authenticator = authenticator
        self._router = router
        self._sides = dict(sides)
        self._kept = Kept(store.epochs, authenticator)
        self._prefix = os.urandom(6).hex()
        self._counter = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = scope["headers"]
        authorization = correlation = None
        for name, value in headers:
            if name == b"authorization":
                authorization = value
            elif name == b"x-correlation-id":
                correlation = value
        if correlation is None or not _CORRELATION_ID.fullmatch(correlation):
            correlation = f"{self._prefix}-{next(self._counter):x}".encode()
        if scope["method"] == "GET" and authorization is not None:
            kept = self._kept.find(scope["path"], scope["query_string"], authorization)
            if kept is not None:
                await _send(send, 200, [*_USUAL, (b"x-correlation-id", correlation)], kept)
                return
        # Every request is a task of its own, so what is bound here ends with it.
        bind_contextvars(correlation_id=correlation.decode())
        status, answer_headers, body = await self._answer(scope, receive, authorization)
        answer_headers.append((b"x-correlation-id", correlation))
        await _send(send, status, answer_headers, b"" if scope["method"] == "HEAD" else body)

    async def _answer(self, scope: Scope, receive: Receive, authorization: bytes | None) -> tuple[int, Headers, bytes]:
        try:
            if scope["method"] == "OPTIONS":
                return 204, list(_PREFLIGHT), b""
            raw_path = _raw_path(scope)
            body = await _read_body(receive) if scope["method"] in ("POST", "PUT", "PATCH", "DELETE") else b""
            side = self._sides.get(raw_path[1:].split("/", 1)[0])
            if side is not None:
                return await side(
                    scope["method"], raw_path, scope["query_string"].decode("latin-1"), _named(scope), body
                )
            return await self._project_answer(scope, raw_path, body, authorization)
        except ApiError as error:
            return _refusal(error)
        except Exception:  # noqa: BLE001 - the process edge: logged and answered
            log.exception("request.failed", method=scope["method"], path=scope["path"])
            return _refusal(General())

    async def _project_answer(
        self, scope: Scope, raw_path: str, body: bytes, authorization: bytes | None
    ) -> tuple[int, Headers, bytes]:
        place = place_of(raw_path)
        caller = await self._authenticator.caller(place.project, authorization)
        route = self._router.route(scope["method"], place)
        if not allows(caller.scopes, route.scope, place.store_key):
            raise InsufficientScope(f"The scope '{route.scope}' is needed.")
        if place.me and route.session:
            check_session(caller)
        external = next((value for name, value in scope["headers"] if name == b"x-external-user-id"), None)
        if external is not None:
            caller = caller._replace(external_user_id=external.decode("latin-1")[:256])
        request = Request(body, route.path_values, _parameters(scope["query_string"]), place.me, place.store_key)
        keeping = self._kept.begin(scope, route, request, place.project)
        answer = await route.run(Work(self._store, caller, place.store_key), request)
        rendered = _rendered(answer)
        if keeping is not None and answer.keep:
            self._kept.keep(keeping, rendered)
        return 201 if answer.created else 200, [*_USUAL], rendered


def _rendered(answer: Answer) -> bytes:
    return answer.value if isinstance(answer.value, bytes) else encode(answer.value)


def _refusal(error: ApiError) -> tuple[int, Headers, bytes]:
    headers: Headers = [*_USUAL]
    if isinstance(error, Unavailable):
        headers.append((b"retry-after", str(error.retry_after_seconds).encode()))
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    return error.status, headers, encode(error.body())


def _raw_path(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    path = raw.decode("latin-1").split("?", 1)[0] if raw else str(scope["path"])
    if len(path) + len(scope["query_string"]) > URL_CHARACTERS_MAX:
        raise InvalidInput(f"A URL has at most {URL_CHARACTERS_MAX} characters.")
    return path


def _parameters(query: bytes) -> Mapping[str, Sequence[str]]:
    """Query parameters with all their values. Raises InvalidInput."""
    if not query:
        return {}
    try:
        found = parse_qs(query.decode("latin-1"), keep_blank_values=True, max_num_fields=PARAMETERS_MAX)
    except ValueError:
        raise InvalidInput(f"A request has at most {PARAMETERS_MAX} parameters.") from None
    if any("\0" in text for name, values in found.items() for text in (name, *values)):
        raise InvalidInput("The character U+0000 is not allowed in a parameter.")
    return found


def _named(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def _read_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= BODY_BYTES_MAX:
            chunks.append(chunk)
        if not message.get("more_body") or message["type"] != "http.request":
            break
    if size > BODY_BYTES_MAX:
        raise ContentTooLarge(f"A request body has at most {BODY_BYTES_MAX} bytes.")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
