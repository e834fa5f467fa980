from __future__ import annotations

from typing import Any

from holdfast.commerce.resources.inventory_entry import InventoryEntry


def an_entry(id: str = "entry-1", *, on_stock: int = 10, reserved: int = 0, **fields: Any) -> InventoryEntry:
    counters = {"quantity_on_stock": on_stock, "available_quantity": on_stock - reserved}
    given: dict[str, Any] = {"id": id, "sku": "mug"} | counters | fields
    return InventoryEntry(**given)
