"""Pages for people: the API explorer at `/docs` with the description it reads, and the operations page at `/ops`.

Everything comes out of the package, so it works without a network; the content policy forbids the
pages to ask anybody else. The explorer is Swagger UI, copied in file by file (explorer/vendored.json
says from where): its npm package would bring an install counter along.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import NamedTuple

from holdfast.base.errors import ResourceNotFound

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
}
INDEX = "index.html"
DESCRIPTION = "openapi.json"
VENDORED = "swagger-ui-5.35.0/"
# What the pages load; nothing else in their folders is served.
OPERATIONS_FILES = frozenset(
    {
        INDEX,
        "icon.svg",
        "ops.css",
        *(f"{name}.js" for name in ("asking", "course", "dom", "letters", "ops", "panels", "view", "write")),
    }
)
FILES = frozenset(
    {
        INDEX,
        "explorer.css",
        "explorer.js",
        *(VENDORED + name for name in ("favicon-32x32.png", "swagger-ui-bundle.js", "swagger-ui.css")),
    }
)

Headers = list[tuple[bytes, bytes]]


class Page(NamedTuple):
    """A file as it is served."""

    body: bytes
    tag: str


async def docs(
    method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, Headers, bytes]:
    """Answer `/docs…`. Raises ResourceNotFound."""
    name = path.removeprefix("/docs").strip("/") or INDEX
    if method not in ("GET", "HEAD") or (name not in FILES and name != DESCRIPTION):
        raise ResourceNotFound(f"There is nothing at '{method} {path[:200]}'.")
    page = await asyncio.to_thread(_description) if name == DESCRIPTION else _file("explorer", name)
    # Vendored files carry their version in the path, so they never change under it.
    freshness = "public, max-age=31536000, immutable" if name.startswith(VENDORED) else "no-cache"
    return _served(page, name, freshness, headers)


async def operations(
    method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, Headers, bytes]:
    """Answer `/ops…`: the page without a figure in it; those it asks for. Raises ResourceNotFound."""
    name = path.removeprefix("/ops").strip("/") or INDEX
    if method not in ("GET", "HEAD") or name not in OPERATIONS_FILES:
        raise ResourceNotFound(f"There is nothing at '{method} {path[:200]}'.")
    return _served(_file("operations/page", name), name, "no-cache", headers)


def _served(page: Page, name: str, freshness: str, headers: Mapping[str, str]) -> tuple[int, Headers, bytes]:
    told: Headers = [
        (b"content-type", _TYPES[name.rpartition(".")[2]].encode()),
        (b"cache-control", freshness.encode()),
        (b"etag", page.tag.encode()),
        (b"content-security-policy", _POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    ]
    if headers.get("if-none-match") == page.tag:
        return 304, told, b""
    return 200, told, page.body


@cache
def _file(folder: str, name: str) -> Page:
    return _page(resources.files("holdfast.http").joinpath(folder, name).read_bytes())


@cache
def _description() -> Page:
    # Imported when first asked for: describing every shape takes memory a worker need not spend.
    from holdfast.http.openapi import encode  # noqa: PLC0415

    return _page(encode())


def _page(body: bytes) -> Page:
    return Page(body, f'"{sha256(body).hexdigest()[:24]}"')
