"""Identifiers: time-ordered for new things, derived where the same input must give the same id."""

from __future__ import annotations

import os
import re
import time
import uuid
from functools import lru_cache

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ORDER_NAMESPACE = uuid.UUID("5f0c3d2e-6d1b-5c0e-9d7a-0f6a2b7c4d10")
_AUTOMATIC_NAMESPACE = uuid.UUID("8a4d6f1b-2c7e-5b90-9d13-e5c7f0a26b48")
_STATE_NAMESPACE = uuid.UUID("0c8e6a52-93c4-5f7e-8a51-3b7d1e94f602")


def uuid7() -> str:
    """A version 7 UUID (RFC 9562 §5.7): 48 bits of Unix milliseconds, then randomness."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def order_id(project: str, cart_id: str) -> str:
    """The one order id a cart can ever become, wherever and however often that is decided (I2)."""
    return str(uuid.uuid5(_ORDER_NAMESPACE, f"{project}/{cart_id}"))


@lru_cache(maxsize=1024)
def built_in_state_id(project: str, key: str) -> str:
    """The id of a state every project is born with, known to every line item without a look-up."""
    return str(uuid.uuid5(_STATE_NAMESPACE, f"{project}/{key}"))


@lru_cache(maxsize=1024)
def automatic_discounts_id(project: str) -> str:
    """The id of a project's one list of discounts that apply by themselves."""
    return str(uuid.uuid5(_AUTOMATIC_NAMESPACE, project))


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in its canonical lower-case form."""
    return _UUID.fullmatch(text) is not None
