"""What answers say beside their body."""

from __future__ import annotations

Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json; charset=utf-8")
OPEN = (b"access-control-allow-origin", b"*")
EXPOSED = (
    b"access-control-expose-headers",
    b"x-correlation-id, retry-after, holdfast-receipt, idempotency-replayed, etag, age, warning, x-holdfast-served",
)
USUAL: Headers = [JSON, OPEN, EXPOSED]
