"""Which use case a method and a path mean.

Paths are taken apart once: project, optional store, optional `me`, collection, rest. Everything
after that is a look-up by collection in the register, however many resource types there are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from holdfast.base.errors import InvalidInput, ResourceNotFound
from holdfast.base.ids import is_uuid
from holdfast.commerce.registry import Resource
from holdfast.handlers import crud
from holdfast.handlers.crud import Target
from holdfast.handlers.endpoints import ENDPOINTS, Answer, Replay, Request
from holdfast.handlers.work import Work

# Collections that `/in-store/key=…` and `/me` repeat; everything else below them is 404.
IN_STORE = frozenset({"carts", "orders", "customers"})
MY_SCOPES: Mapping[str, str] = {
    "carts": "manage_my_orders",
    "orders": "manage_my_orders",
    "payments": "manage_my_payments",
}
SEGMENTS_MAX = 12

Run = Callable[[Work, Request], Awaitable[Answer]]


class Place(NamedTuple):
    """A path taken apart."""

    project: str
    store_key: str | None
    me: bool
    collection: str
    rest: tuple[str, ...]


class Route(NamedTuple):
    """What to run and what it takes: the scope, and whether the answer may be kept (by kind of content).

    session: whether the token must name a shopper, where the place is below `/me`.
    replay: what the same request gets when it comes again under its idempotency key.
    """

    run: Run
    scope: str
    path_values: tuple[str, ...] = ()
    kept_kind: str | None = None
    session: bool = True
    replay: Replay = "first"


def place_of(raw_path: str) -> Place:
    """Take a path apart. Raises ResourceNotFound when it cannot be one of ours."""
    segments = raw_path.strip("/").split("/")
    if "%" in raw_path:
        segments = [unquote(segment) for segment in segments]
    if len(segments) > SEGMENTS_MAX or not segments[0]:
        raise _unknown(raw_path)
    if any("\0" in segment for segment in segments):
        raise InvalidInput("The character U+0000 is not allowed in a path.")
    project, *rest = segments
    store_key = None
    if len(rest) >= 2 and rest[0] == "in-store" and rest[1].startswith("key="):
        store_key = rest[1].removeprefix("key=")
        rest = rest[2:]
    me = bool(rest) and rest[0] == "me"
    if me:
        rest = rest[1:]
    return Place(project, store_key, me, rest[0] if rest else "", tuple(rest[1:]))


class Router:
    """Finds the use case of a method and place; built once from the registers."""

    def __init__(self, collections: Mapping[str, Resource[Any]]) -> None:
        self._collections = collections

    def route(self, method: str, place: Place) -> Route:
        """Raises ResourceNotFound for paths and methods nobody registered."""
        found = self._endpoint(method, place) or self._generic(method, place)
        if found is None:
            raise _unknown(f"{method} {'/'.join((place.collection, *place.rest))}")
        return found

    def _endpoint(self, method: str, place: Place) -> Route | None:
        collection = f"me/{place.collection}" if place.me else place.collection
        for pattern, values in _patterns(place.rest):
            registered = ENDPOINTS.get((method, collection, pattern))
            if registered is not None and (place.store_key is None or registered.in_store):
                function, scope, session = registered.function, registered.scope, registered.session
                return Route(function, scope, values, registered.kept_kind, session, registered.replay)
        if method == "HEAD":
            return self._endpoint("GET", place)
        return None

    def _generic(self, method: str, place: Place) -> Route | None:
        kind = self._collections.get(place.collection)
        if kind is None or (place.store_key is not None and place.collection not in IN_STORE):
            return None
        if place.me and place.collection not in MY_SCOPES:
            return None
        scope = MY_SCOPES[place.collection] if place.me else f"{_verb(method)}_{kind.scope}"
        if not place.rest:
            run = _collection_use_case(method, kind, me=place.me)
            return Route(run, scope, kept_kind=kind.name) if run else None
        if len(place.rest) == 1:
            # Under /me orders are read-only: nothing to update means nothing to delete either.
            closed = place.me and method in ("POST", "DELETE") and not kind.my_actions
            run = None if closed else _resource_use_case(method, kind, place.rest[0])
            return Route(run, scope, kept_kind=kind.name) if run else None
        return None


def _verb(method: str) -> str:
    return "view" if method in ("GET", "HEAD") else "manage"


def _collection_use_case(method: str, kind: Resource[Any], *, me: bool) -> Run | None:
    if method == "GET":
        return lambda work, request: crud.query(work, kind, request)
    if method == "HEAD":
        return lambda work, request: crud.any_match(work, kind, request)
    if method == "POST" and (kind.my_draft if me else kind.draft) is not None:
        return lambda work, request: crud.create(work, kind, request)
    return None


_BY_METHOD: dict[str, Callable[[Work, Resource[Any], Request, Target], Awaitable[Answer]]] = {
    "GET": crud.read,
    "HEAD": crud.read,
    "POST": crud.update,
    "DELETE": crud.delete,
}


def _resource_use_case(method: str, kind: Resource[Any], segment: str) -> Run | None:
    use_case = _BY_METHOD.get(method)
    target = _target(segment)
    if use_case is None or target is None:
        return None
    return lambda work, request: use_case(work, kind, request, target)


def _target(segment: str) -> Target | None:
    if segment.startswith("key="):
        return Target(segment.removeprefix("key="), "key")
    return Target(segment) if "=" not in segment or is_uuid(segment) else None


def _patterns(rest: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """The patterns a path can match, most literal first, with the values their stars stand for."""
    patterns: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((), ())]
    choices: list[tuple[str, tuple[str, ...]]]
    for segment in rest:
        name, equals, value = segment.partition("=")
        choices = [(f"{name}=*", (value,)) if equals else (segment, ()), ("*", (segment,))]
        patterns = [((*parts, part), (*values, *more)) for parts, values in patterns for part, more in choices]
    return [("/".join(parts), values) for parts, values in patterns]


def _unknown(path: str) -> ResourceNotFound:
    return ResourceNotFound(f"There is nothing at '{path[:200]}'.")
