"""Which project a request without a known token is for: by what it says itself, as nobody has vouched for it."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote

from holdfast.store.tokens import project_of


def project_of_stranger(path: str, authorization: bytes | None) -> str:
    """The project in the path, or, where tokens are made without naming one, that of the API client; else empty."""
    first, _, rest = path[1:].partition("/")
    if first != "oauth":
        return first
    project = rest.partition("/")[0]
    return project if project not in ("token", "introspect") else _of_basic(authorization or b"")


def _of_basic(authorization: bytes) -> str:
    kind, _, encoded = authorization.partition(b" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode() if kind.lower() == b"basic" else ""
    except (binascii.Error, ValueError):
        return ""
    return project_of(unquote(pair.partition(":")[0])) or ""
