"""Validators: an answer's `ETag`, and whether the asker has that answer already (RFC 9110, 13.1.2)."""

from __future__ import annotations

from hashlib import blake2b

TAG_BYTES = 12


def etag(body: bytes) -> bytes:
    """A strong validator: other bytes have another one."""
    return b'"' + blake2b(body, digest_size=TAG_BYTES).hexdigest().encode() + b'"'


def is_held(if_none_match: bytes | None, tag: bytes) -> bool:
    """Whether `If-None-Match` names this answer. What makes no sense names none."""
    if if_none_match is None:
        return False
    if if_none_match in (tag, b"*"):
        return True
    return any(part.strip().removeprefix(b"W/") == tag for part in if_none_match.split(b","))
