"""A request that came in one piece, read as far as a refusal needs it.

Thousands a second are refused in a crowd, and parsing them would cost more than refusing them. Only the plainest are
read here; all others, and all that are not refused, are the parser's.
"""

from __future__ import annotations

import re
from typing import NamedTuple

HEAD_BYTES_MAX = 4_096
_HEAD = re.compile(rb"POST (/[\w./~=-]*)(?:\?[!-~]*)? HTTP/1\.1\r\n(?:[\w-]+:[^\x00-\x1f]*\r\n)+\r\n")
# Its length, and what changes how a request is read or what becomes of its connection.
_TELLING = re.compile(
    rb"\r\n(?:content-length:(?: *([0-9]{1,9}) *(?=\r\n))?|connection:|expect:|transfer-encoding:|upgrade:)"
)
_CORRELATION = re.compile(rb"\r\nx-correlation-id: *([^\r]*?) *\r\n", re.IGNORECASE)


class Whole(NamedTuple):
    """Its path, without the query, and what its client calls it."""

    path: str
    correlation: bytes | None


def whole_post(data: bytes) -> Whole | None:
    """The POST that these bytes are, no more and no less; None for what has to be parsed."""
    found = _HEAD.match(data, 0, HEAD_BYTES_MAX)
    if found is None:
        return None
    head = found[0].lower()
    told = _TELLING.findall(head)  # the length, and b"" for whatever else there is
    if len(told) != 1 or not told[0] or int(told[0]) != len(data) - found.end():
        return None
    correlation = _CORRELATION.search(data, 0, found.end()) if b"\r\nx-correlation-id:" in head else None
    return Whole(found[1].decode(), correlation and correlation[1])
