"""Catalogue answers kept as bytes: what was rendered once is sent again until something changes.

An answer is kept under its exact URL with the epoch of the resource type it shows. A look-up
compares it and asks for the token's rights, so a change or a revocation this host acknowledged is
seen by the very next read; what other hosts changed, and stock shown beside products, by the
time-to-live. Carts, orders, customers and anything expanded are never kept.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from holdfast.commerce.scopes import allows
from holdfast.handlers.endpoints import Request
from holdfast.http.auth import Authenticator
from holdfast.http.routes import Route
from holdfast.store.epochs import Epochs

KEPT_BYTES_MAX = 48 * 1024 * 1024
KEPT_ANSWER_BYTES_MAX = 512 * 1024
# Just below the published bound for availability shown with products, 10 s.
TTL_SECONDS = 9.0
# Types that describe what is for sale, not who buys it.
CATALOGUE = frozenset(
    {"product", "category", "product-type", "tax-category", "zone", "shipping-method", "channel", "store", "type"}
)

Key = tuple[str, bytes]


class Keeping(NamedTuple):
    """What must be known before an answer is made, to tell later whether it is still true."""

    key: Key
    project: str
    scope: str
    slot: int
    epoch: int
    expires_at: float


class Kept:
    """Kept answers, those kept longest making room."""

    def __init__(self, epochs: Epochs, authenticator: Authenticator) -> None:
        self._epochs = epochs
        self._authenticator = authenticator
        self._answers: dict[Key, tuple[Keeping, bytes]] = {}
        self._bytes = 0

    def find(self, path: str, query: bytes, authorization: bytes) -> bytes | None:
        """The kept answer, if it is still true and this token may read it; all else takes the long way."""
        kept = self._answers.get((path, query))
        if kept is None:
            return None
        keeping, body = kept
        if self._epochs.read(keeping.slot) != keeping.epoch or time.monotonic() > keeping.expires_at:
            self._drop(keeping.key)
            return None
        caller = self._authenticator.known(authorization)
        if caller is None or caller.project != keeping.project or not allows(caller.scopes, keeping.scope):
            return None
        return body

    def begin(self, scope: Mapping[str, Any], route: Route, request: Request, project: str) -> Keeping | None:
        """Before the answer is made: where things stand, or None when it is not for keeping."""
        if scope["method"] != "GET" or route.kept_kind not in CATALOGUE:
            return None
        if request.me or request.store_key is not None or "expand" in request.parameters:
            return None
        slot = Epochs.slot(project, route.kept_kind or "")
        key = (scope["path"], scope["query_string"])
        return Keeping(key, project, route.scope, slot, self._epochs.read(slot), time.monotonic() + TTL_SECONDS)

    def keep(self, keeping: Keeping, body: bytes) -> None:
        """Keep an answer that was made after `begin`."""
        if len(body) > KEPT_ANSWER_BYTES_MAX:
            return
        self._drop(keeping.key)
        self._answers[keeping.key] = (keeping, body)
        self._bytes += len(body)
        while self._bytes > KEPT_BYTES_MAX:
            self._drop(next(iter(self._answers)))

    def _drop(self, key: Key) -> None:
        known = self._answers.pop(key, None)
        if known is not None:
            self._bytes -= len(known[1])
