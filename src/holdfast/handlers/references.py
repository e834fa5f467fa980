"""The records a request names: read together before it is decided, not one by one as it asks."""

from __future__ import annotations

from typing import Any

import msgspec

from holdfast.commerce.facts import ByField, ById
from holdfast.commerce.registry import REGISTRY

# Fewer are asked for soon enough; more than this a request has no business naming.
WORTH_IT = 3
REFERENCES_MAX = 2_000


def referenced(body: bytes) -> list[ById | ByField]:
    """Every `{typeId, id}` and `{typeId, key}` in a JSON body, once each."""
    if body.count(b'"typeId"') < WORTH_IT:
        return []
    found: dict[ById | ByField, None] = {}
    _walk(msgspec.json.decode(body), found)
    return list(found)[:REFERENCES_MAX]


def _walk(node: Any, found: dict[ById | ByField, None]) -> None:
    if isinstance(node, dict):
        kind, resource_id, key = node.get("typeId"), node.get("id"), node.get("key")
        if isinstance(kind, str) and kind in REGISTRY:
            if isinstance(resource_id, str):
                found[ById(kind, resource_id)] = None
            elif isinstance(key, str):
                found[ByField(kind, "key", key)] = None
        for value in node.values():
            _walk(value, found)
    elif isinstance(node, list):
        for value in node:
            _walk(value, found)
