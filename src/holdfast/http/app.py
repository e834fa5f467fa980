"""The API as an ASGI application: a dictionary dispatch, nothing in between.

admit → auth → parse → handler → render. Pages for people (`/docs`) and tokens (`/oauth`) have
paths of their own beside the projects.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from structlog.contextvars import bind_contextvars

from holdfast.base.deadline import Deadline
from holdfast.base.errors import (
    ApiError,
    General,
    InsufficientScope,
    InvalidInput,
    OverCapacity,
    RequestTimeout,
    TooManyRequests,
    Unavailable,
)
from holdfast.base.log import log
from holdfast.base.outside import door
from holdfast.base.receipts import Signer
from holdfast.commerce.expansion import parse_paths
from holdfast.commerce.scopes import allows
from holdfast.commerce.values.value import encode
from holdfast.commerce.visibility import check_session
from holdfast.handlers.endpoints import Answer, Request
from holdfast.handlers.extensions import Extensions
from holdfast.handlers.once import Once
from holdfast.handlers.work import Work
from holdfast.http.addresses import Addresses
from holdfast.http.admission import Gate
from holdfast.http.auth import Authenticator
from holdfast.http.bodies import Bodies, Receive
from holdfast.http.criticality import Criticality, criticality
from holdfast.http.deadlines import seconds_left
from holdfast.http.headers import OPEN, USUAL, Headers
from holdfast.http.idempotency import request_key
from holdfast.http.kept import Kept, Reply
from holdfast.http.kept_answer import SERVED_LIVE, SERVED_REFUSED
from holdfast.http.ladder import PRIVATE
from holdfast.http.measured import count_answer, count_order, count_refusal, endpoint_of
from holdfast.http.outage import Outage
from holdfast.http.rate_page import Page
from holdfast.http.rate_settings import RateSettings
from holdfast.http.rate_tiers import READ, cost_of
from holdfast.http.rates import Rates
from holdfast.http.routes import Route, Router, place_of
from holdfast.http.shelf import Shelf
from holdfast.http.traced import traced
from holdfast.http.whole import whole_post
from holdfast.store.store import Store

Scope = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Published bound.
URL_CHARACTERS_MAX = 8_192
PARAMETERS_MAX = 1_000
# Paths whose meaning is remembered.
MEANINGS_MAX = 1_024
_CORRELATION_ID = re.compile(rb"[A-Za-z0-9_/-]{8,256}")
_PRIVATE = (b"cache-control", PRIVATE)
_LIVE: Headers = [*USUAL, _PRIVATE, SERVED_LIVE]
# `user-agent`: published SDKs set it, and Firefox and Safari ask for it.
_ALLOWED = (
    b"accept, authorization, content-type, idempotency-key, if-none-match, user-agent, x-correlation-id, "
    b"x-external-user-id, x-request-deadline, x-request-timeout, x-requested-with"
)
_PREFLIGHT: Headers = [
    OPEN,
    (b"access-control-allow-methods", b"GET, POST, DELETE, HEAD, OPTIONS"),
    (b"access-control-allow-headers", _ALLOWED),
    (b"access-control-max-age", b"86400"),
]

# Clients refused together come back apart.
_RETRY_AFTER_SECONDS = itertools.cycle((b"1", b"2", b"3"))
_FULL = OverCapacity()
_FULL_BODY = encode(_FULL.body())
_READS = ("GET", "HEAD")
_POST: Scope = {"method": "POST"}
_BODILESS = (204, 304)

# A request for something beside the projects: method, path, query, headers, body → status, headers, body.
Side = Callable[[str, str, str, Mapping[str, str], bytes], Awaitable[tuple[int, Headers, bytes]]]


class Asked(NamedTuple):
    """A request whose head was looked at: its headers by name, how much it matters, and its answer if it has one."""

    scope: Scope
    headers: Mapping[bytes, bytes]
    criticality: Criticality | None
    correlation: bytes
    began: float
    at_once: Reply | None = None

    @property
    def authorization(self) -> bytes | None:
        return self.headers.get(b"authorization")

    @property
    def held(self) -> bytes | None:
        """The tags of what its client has already."""
        return self.headers.get(b"if-none-match")


class App:
    """One process's API. `sides`: the first path segments that are not projects."""

    def __init__(
        self,
        store: Store,
        authenticator: Authenticator,
        router: Router,
        sides: Mapping[str, Side],
        signer: Signer | None = None,
        *,
        extensions: Extensions | None = None,
        rates: Rates | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self._store = store
        self._authenticator = authenticator
        self._router = router
        self._sides = dict(sides)
        self._signer = signer
        self._extensions = extensions
        self._once = Once()
        self.kept = Kept(store.epochs, authenticator, Outage(store.database.probe), shelf)
        self.gate = Gate(time.monotonic)
        self.rates = rates or Rates(Page(None), authenticator, RateSettings(store), Addresses())
        self._bodies = Bodies()
        self._prefix = os.urandom(6).hex().encode()
        self._counter = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.go_on(self.look(scope), scope, receive, send)

    def look(self, scope: Scope) -> Asked:
        """The head of a request; with the answer, if it is kept, or that there is no room."""
        began = time.perf_counter()
        given = dict(scope["headers"])
        authorization = given.get(b"authorization")
        correlation = self._correlation(given.get(b"x-correlation-id"))
        method, path = scope["method"], scope["path"]
        if authorization is not None and method in _READS:
            found = self.kept.find(scope, authorization, given.get(b"if-none-match"))
            if found is not None:
                kept, endpoint = found
                asked = Asked(scope, given, Criticality.READ, correlation, began)
                reply = self._limited(scope, authorization, Criticality.READ, READ) or kept
                return asked._replace(at_once=_complete(asked, endpoint, reply))
        asked = Asked(scope, given, criticality(method, path), correlation, began)
        if asked.criticality is None:
            return asked
        if self.gate.is_full(asked.criticality):
            return asked._replace(at_once=_complete(asked, endpoint_of(method, path), self._instead(asked, _FULL)))
        self.gate.expect()
        return asked

    def turn_away(self, data: bytes) -> Reply | None:
        """The refusal of what just arrived, if it is plain that it will be refused; it need not be parsed then."""
        if not self.gate.is_overloaded() or (post := whole_post(data)) is None:
            return None
        began = time.perf_counter()
        matters, endpoint = _meant(post.path)
        if matters is None or not self.gate.is_full(matters):
            return None
        asked = Asked(_POST, {}, matters, self._correlation(post.correlation), began)
        return _complete(asked, endpoint, _refused(asked, _FULL))

    def _correlation(self, given: bytes | None) -> bytes:
        """What a request is called: as its client calls it, if that is a name."""
        if given is not None and _CORRELATION_ID.fullmatch(given):
            return given
        return b"%b-%x" % (self._prefix, next(self._counter))

    async def go_on(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that was looked at."""
        status, headers, body = asked.at_once or _complete(
            asked, endpoint_of(scope["method"], scope["path"]), await self._looked_into(asked, receive)
        )
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _looked_into(self, asked: Asked, receive: Receive) -> Reply:
        """The answer to a request that is let in, or waits to be."""
        matters = asked.criticality
        reply = None
        if matters is not None:
            cost = cost_of(asked.scope["method"], matters)
            reply = self._limited(asked.scope, asked.authorization, matters, cost)
        if reply is None:
            # Every request is a task of its own, so what is bound here ends with it.
            bind_contextvars(correlation_id=asked.correlation.decode())
            with traced(asked.scope, asked.headers, asked.correlation) as span:
                reply = await self._answer(asked, receive)
                span.answered(reply[0])
        if reply[0] == 201 and matters is Criticality.ORDER:
            count_order()
        return reply

    def _limited(self, scope: Scope, authorization: bytes | None, matters: Criticality, cost: float) -> Reply | None:
        """The refusal of a caller who asks for too much."""
        limited = self.rates.spend(scope, authorization, cost)
        if limited is None:
            return None
        count_refusal(TooManyRequests.code, of_order=matters is Criticality.ORDER)
        status, headers, body = _refusal(limited.error())
        return status, [*headers, *limited.headers()], body

    async def _answer(self, asked: Asked, receive: Receive) -> Reply:
        scope, given = asked.scope, asked.headers
        try:
            if scope["method"] == "OPTIONS":
                return 204, list(_PREFLIGHT), b""
            timeout, deadline = given.get(b"x-request-timeout"), given.get(b"x-request-deadline")
            with Deadline(seconds_left(timeout, deadline, time.time())):
                return await self._admitted_answer(asked, receive)
        except ApiError as error:
            # An error that is kept keeps its frames, and with them the connection of a sender who is refused.
            return self._instead(asked, error)
        except Exception:  # noqa: BLE001 - the process edge: logged and answered
            log.exception("request.failed", method=scope["method"], path=scope["path"])
            return self._instead(asked, General())

    def _instead(self, asked: Asked, error: ApiError) -> Reply:
        """What is answered instead of what was asked for: something older, or the refusal."""
        kept = self.kept.instead(asked.scope, asked.authorization, error, asked.held)
        return kept if kept is not None else _refused(asked, error)

    async def _admitted_answer(self, asked: Asked, receive: Receive) -> Reply:
        """The answer, once its body has come and the gate lets it in: a slow sender takes nobody's place."""
        written = asked.scope["method"] in ("POST", "PUT", "PATCH", "DELETE")
        body = await self._bodies.read(receive) if written else b""
        try:
            if asked.criticality is None:
                return await self._routed_answer(asked, body)
            await self.gate.enter(asked.criticality)
            stay = self.gate.stay(asked.criticality)
            door.set(stay)
            try:
                return await self._routed_answer(asked, body)
            finally:
                stay.leave()
        finally:
            self._bodies.release(body)

    async def _routed_answer(self, asked: Asked, body: bytes) -> Reply:
        scope = asked.scope
        raw_path = _raw_path(scope)
        side = self._sides.get(raw_path[1:].split("/", 1)[0])
        if side is not None:
            query = scope["query_string"].decode("latin-1")
            return await side(scope["method"], raw_path, query, _named(asked.headers), body)
        return await self._project_answer(asked, raw_path, body)

    async def _project_answer(self, asked: Asked, raw_path: str, body: bytes) -> Reply:
        scope = asked.scope
        place = place_of(raw_path)
        caller = await self._authenticator.caller(place.project, asked.authorization)
        route = self._router.route(scope["method"], place)
        if route.scope and not allows(caller.scopes, route.scope, place.store_key):
            raise InsufficientScope(f"The scope '{route.scope}' is needed.")
        if place.me and route.session:
            check_session(caller)
        external, key = asked.headers.get(b"x-external-user-id"), asked.headers.get(b"idempotency-key")
        if external is not None:
            caller = caller._replace(external_user_id=external.decode("latin-1")[:256])
        request = Request(body, route.path_values, _parameters(scope["query_string"]), place.me, place.store_key)
        if "expand" in request.parameters:
            # What cannot be expanded is refused now, not when the change it came with is done.
            parse_paths(request.parameters["expand"])
        work = Work(self._store, caller, place.store_key, signer=self._signer, extensions=self._extensions)
        keeping = self.kept.begin(scope, place, route, request)
        if keeping is not None:
            return await self.kept.answer(keeping, partial(_made, route, work, request), asked.held)
        if key is None or route.replay == "never" or scope["method"] not in ("POST", "DELETE"):
            answer = await route.run(work, request)
        else:
            said = {"method": scope["method"], "path": raw_path, "query": scope["query_string"], "body": body}
            work.key = request_key(key, caller, **said)
            answer = await self._once.answer(work, request, route.run, checked=route.replay == "checked")
        return 201 if answer.created else 200, _headers(answer), _rendered(answer)


async def _made(route: Route, work: Work, request: Request) -> tuple[bytes, bool]:
    """The body of an answer, and whether it is for all who may ask."""
    answer = await route.run(work, request)
    return _rendered(answer), answer.keep


def _headers(answer: Answer) -> Headers:
    headers: Headers = [*_LIVE]
    if answer.receipt is not None:
        headers.append((b"holdfast-receipt", answer.receipt.encode()))
    if answer.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    return headers


def _rendered(answer: Answer) -> bytes:
    return answer.value if isinstance(answer.value, bytes) else encode(answer.value)


def _refused(asked: Asked, error: ApiError) -> Reply:
    count_refusal(error.code, of_order=asked.criticality is Criticality.ORDER)
    return _refusal(error)


@lru_cache(MEANINGS_MAX)
def _meant(path: str) -> tuple[Criticality | None, str]:
    """How much a POST matters, and what it is counted as."""
    return criticality("POST", path), endpoint_of("POST", path)


def _refusal(error: ApiError) -> Reply:
    headers: Headers = [*USUAL, _PRIVATE]
    if isinstance(error, Unavailable):
        headers += [(b"retry-after", next(_RETRY_AFTER_SECONDS)), SERVED_REFUSED]
    if isinstance(error, RequestTimeout):
        headers.append((b"connection", b"close"))
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    return error.status, headers, _FULL_BODY if error is _FULL else encode(error.body())


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


def _named(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}


def _complete(asked: Asked, endpoint: str, reply: Reply) -> Reply:
    """The answer as it is sent, counted."""
    status, headers, body = reply
    headers.append((b"x-correlation-id", asked.correlation))
    if status not in _BODILESS:
        headers.append((b"content-length", b"%d" % len(body)))
    count_answer(endpoint, status, time.perf_counter() - asked.began)
    return status, headers, b"" if asked.scope["method"] == "HEAD" else body
