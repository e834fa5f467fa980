"""Stores for tests."""

from __future__ import annotations

from typing import Any

from holdfast.commerce.resources.store import Store


def a_store(key: str = "dach", **fields: Any) -> Store:
    given: dict[str, Any] = {"id": f"store-{key}", "key": key}
    return Store(**(given | fields))
