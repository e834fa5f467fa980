"""Channels for tests."""

from __future__ import annotations

from typing import Any

from holdfast.commerce.resources.channel import Channel


def a_channel(id: str = "berlin", **fields: Any) -> Channel:
    given: dict[str, Any] = {"id": id, "key": id, "roles": ("InventorySupply", "ProductDistribution")}
    return Channel(**(given | fields))
