"""What answers say beside their body."""

from __future__ import annotations

Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json; charset=utf-8")
OPEN = (b"access-control-allow-origin", b"*")
# All of them, for pages of other origins; the wildcard holds for requests without cookies, which ours are.
EXPOSED = (b"access-control-expose-headers", b"*")
USUAL: Headers = [JSON, OPEN, EXPOSED]
