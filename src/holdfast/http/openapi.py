"""The OpenAPI description, walked off the registers: no second description of the API exists.

Resources give the generic routes and shapes, `ENDPOINTS` the special ones, `base/errors.py` the
refusals; docstrings become descriptions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec

from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.registry import REGISTRY, Resource
from holdfast.commerce.resources.order.shape import orders
from holdfast.handlers.catalogue import load_handlers
from holdfast.handlers.endpoints import ENDPOINTS, Registered
from holdfast.http.openapi_parts import (
    JSON,
    answer_headers,
    error_response,
    parameters,
    refusals,
    security,
    token_paths,
    token_schemas,
)
from holdfast.http.routes import IN_STORE, MY_SCOPES
from holdfast.http.schemas import PREFIX, Schemas, first_paragraph, page_of, title, update_type

_DESCRIPTION = """\
The commercetools HTTP API, served by Holdfast. A token comes from `POST /oauth/token` with the \
client's id and secret (HTTP Basic) and goes into `Authorization: Bearer`."""


class Route(NamedTuple):
    """One method on one path, before it is written down."""

    method: str
    path: str
    tag: str
    summary: str
    scope: str
    body: Any = None
    answer: Any = None
    parameters: Sequence[str] = ()
    status: str = "200"
    page: bool = False
    description: str = ""
    keyed: bool = True


def describe() -> dict[str, Any]:
    """The whole document, of every type and use case there is."""
    load_resources()
    load_handlers()
    updates = {kind.name: update_type(kind, list(kind.actions.values())) for kind in REGISTRY.values() if kind.actions}
    mine = {kind.name: update_type(kind, kind.offered_to_me(), "My") for kind in REGISTRY.values() if kind.my_actions}
    routes = [*_generic_routes(updates, mine), *_special_routes(updates, mine)]
    schemas = Schemas([shape for route in routes for shape in (route.body, route.answer) if shape is not None])
    return {
        "openapi": "3.1.0",
        "info": {"title": "Holdfast", "version": version("holdfast"), "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in sorted({"OAuth", *(route.tag for route in routes)})],
        "paths": _paths(routes, schemas),
        "components": {
            "schemas": _named(schemas, routes),
            "parameters": parameters(),
            "responses": refusals(),
            "securitySchemes": security(),
        },
        "security": [{"token": []}],
    }


def encode() -> bytes:
    """The document as it is served and checked in."""
    return msgspec.json.format(msgspec.json.encode(describe()), indent=1) + b"\n"


# --- routes --------------------------------------------------------------------------------


def _generic_routes(updates: Mapping[str, Any], mine: Mapping[str, Any]) -> Iterator[Route]:
    for _, kind in sorted(REGISTRY.items()):
        if kind.path is None:
            continue
        scopes = (f"view_{kind.scope}", f"manage_{kind.scope}")
        update = updates.get(kind.name)
        yield from _collection(kind, "/{projectKey}", scopes, kind.draft, update)
        if kind.path in IN_STORE:
            yield from _collection(kind, "/{projectKey}/in-store/key={storeKey}", scopes, kind.draft, update)
        if kind.path in MY_SCOPES:
            scopes = (MY_SCOPES[kind.path],) * 2
            roots = [
                "/{projectKey}/me",
                *(["/{projectKey}/in-store/key={storeKey}/me"] if kind.path in IN_STORE else []),
            ]
            for root in roots:
                yield from _collection(kind, root, scopes, kind.my_draft, mine.get(kind.name))


def _collection(kind: Resource[Any], root: str, scopes: tuple[str, str], draft: Any, update: Any) -> Iterator[Route]:
    place, name = f"{root}/{kind.path}", title(kind)

    def route(method: str, path: str, summary: str, **more: Any) -> Route:
        scope = scopes[0] if method in {"GET", "HEAD"} else scopes[1]
        return Route(method, path, name, summary, scope, **{"answer": kind.shape} | more)

    paging = ("where", "variables", "sort", "limit", "offset", "withTotal", "expand")
    yield route("GET", place, f"Query {name}", parameters=paging, page=True)
    yield route("HEAD", place, f"Does any {name} match?", parameters=("where", "variables"), answer=None)
    if draft is not None:
        yield route("POST", place, f"Create a {name}", body=draft, parameters=("expand",), status="201")
    targets = [("{id}", "by id")]
    if "key" in kind.shape.__struct_fields__:
        targets.append(("key={key}", "by key"))
    for segment, how in targets:
        path = f"{place}/{segment}"
        yield route("GET", path, f"Get a {name} {how}", parameters=("expand",))
        yield route("HEAD", path, f"Does this {name} exist?", answer=None)
        if update is not None:
            yield route("POST", path, f"Update a {name} {how}", body=update, parameters=("expand",))
            yield route("DELETE", path, f"Delete a {name} {how}", parameters=("version", "dataErasure", "expand"))


def _special_routes(updates: Mapping[str, Any], mine: Mapping[str, Any]) -> Iterator[Route]:
    for (method, collection, pattern), entry in sorted(ENDPOINTS.items()):
        below = "/".join(part for part in (collection.strip("/"), _spelled(pattern)) if part)
        roots = ["/{projectKey}", *(["/{projectKey}/in-store/key={storeKey}"] if entry.in_store else [])]
        for root in roots:
            yield _special_route(method, f"{root}/{below}".rstrip("/"), entry, mine if entry.me else updates)


def _special_route(method: str, path: str, entry: Registered, updates: Mapping[str, Any]) -> Route:
    text = first_paragraph(entry.function)
    return Route(
        method,
        path,
        _tag(path),
        text.split(". ")[0].removesuffix(".") or path,
        entry.scope,
        updates[entry.body.name] if isinstance(entry.body, Resource) else entry.body,
        entry.answer.shape if isinstance(entry.answer, Resource) else entry.answer,
        entry.parameters,
        "2XX",
        page=entry.paged,
        description=text,
        keyed=entry.replay != "never",
    )


def _tag(path: str) -> str:
    """The heading a path stands under: its resource type, `Me` for the shopper's own matters."""
    below = path.removeprefix("/{projectKey}").removeprefix("/in-store/key={storeKey}").strip("/")
    segment = below.removeprefix("me/").split("/")[0]
    found = next((kind for kind in REGISTRY.values() if kind.path and kind.path == segment), None)
    if found is not None:
        return title(found)
    if below.split("/")[0] == "me":
        return "Me"
    return "".join(part.title() for part in segment.split("-")) or "Project"


def _spelled(pattern: str) -> str:
    """`password-token=*` → `password-token={passwordToken}`; a bare `*` is an id."""

    def named(match: re.Match[str]) -> str:
        head, *rest = match[1].split("-")
        return f"{match[1]}={{{head}{''.join(part.title() for part in rest)}}}"

    return re.sub(r"([a-z][a-z-]*)=\*", named, pattern).replace("*", "{id}")


# --- paths ---------------------------------------------------------------------------------


def _paths(routes: Sequence[Route], schemas: Schemas) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in routes:
        item = paths.setdefault(route.path, _path_parameters(route.path))
        item[route.method.lower()] = _operation(route, schemas)
    for path, item in token_paths().items():
        paths[path] = _path_parameters(path) | item
    return dict(sorted(paths.items()))


def _path_parameters(path: str) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", path)
    return {
        "parameters": [
            {"$ref": f"#/components/parameters/{name}"} if name == "projectKey" else _segment(name) for name in names
        ]
    }


def _segment(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    scope = f"Scope: `{route.scope}:{{projectKey}}`." if route.scope else "Any token of the project will do."
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "tags": [route.tag],
        "summary": route.summary,
        "description": f"{route.description}\n\n{scope}".strip(),
        "responses": _responses(route, schemas),
        "security": [{"token": [f"{route.scope}:{{projectKey}}"] if route.scope else []}, {"bearer": []}],
    }
    names = [*route.parameters, *(["idempotencyKey"] if _takes_key(route) else [])]
    if names:
        operation["parameters"] = [_parameter(name) for name in names]
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas.of(route.body)}}}
    return operation


def _takes_key(route: Route) -> bool:
    return route.keyed and route.method in {"POST", "DELETE"}


def _operation_id(route: Route) -> str:
    """`GET /{projectKey}/in-store/key={storeKey}/carts/{id}` → `getInStoreCartsById`."""
    spelled = route.path.replace("{projectKey}", "").replace("/key={storeKey}", "").replace("{id}", "by-id")
    words = re.findall(r"[A-Za-z]+", re.sub(r"([a-z-]+)=\{\w+\}", r"by-\1", spelled)) or ["Project"]
    return route.method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _parameter(name: str) -> dict[str, Any]:
    if name in parameters():
        return {"$ref": f"#/components/parameters/{name}"}
    return {"name": name, "in": "query", "schema": {"type": "string"}}


def _responses(route: Route, schemas: Schemas) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done."}
    if route.answer is not None:
        schema = schemas.of(route.answer)
        done["content"] = {JSON: {"schema": {"$ref": f"{PREFIX}{_page_name(route)}"} if route.page else schema}}
    refused = ["400", "401", "403", "404", "429", "502", "503", "504"]
    if route.method in {"POST", "DELETE"}:
        refused += ["408", "409", "413"]
    if _takes_key(route):
        done["headers"] = answer_headers(order=route.answer is orders.shape and route.method == "POST")
        refused += ["422"]
    if route.method == "HEAD":
        return {route.status: done} | {status: {"description": "No, and no body."} for status in sorted(refused)}
    return {route.status: done} | {status: {"$ref": f"#/components/responses/{status}"} for status in sorted(refused)}


def _page_name(route: Route) -> str:
    return f"{route.answer.__name__}PagedQueryResponse"


def _named(schemas: Schemas, routes: Sequence[Route]) -> dict[str, Any]:
    pages = {_page_name(route): page_of(schemas.of(route.answer)) for route in routes if route.page}
    return dict(sorted((schemas.components | pages | token_schemas() | {"ErrorResponse": error_response()}).items()))
