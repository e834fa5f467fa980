"""The `Idempotency-Key` header: whose key it is, and which request it stands for."""

from __future__ import annotations

import re
from hashlib import sha256

from holdfast.base.errors import InvalidField
from holdfast.commerce.facts import Caller
from holdfast.handlers.once import place_of
from holdfast.store.idempotency import RequestKey

# 1 to 255 printable characters; spaces at the ends belong to the header, not to the key.
_KEY = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")


def request_key(header: bytes, caller: Caller, *, method: str, path: str, query: bytes, body: bytes) -> RequestKey:
    """The key of a request. Raises InvalidField naming the header."""
    key = header.decode("latin-1")
    if not _KEY.fullmatch(key):
        raise InvalidField("Idempotency-Key", key[:255], "An Idempotency-Key has 1 to 255 printable ASCII characters.")
    place = place_of(key, caller)
    asked = b"\0".join((place.owner.encode(), method.encode(), path.encode(), query, body))
    return RequestKey(place, sha256(asked).digest())
