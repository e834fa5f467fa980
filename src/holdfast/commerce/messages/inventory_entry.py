"""What happens to inventory entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.commerce.messages.message import Message
from holdfast.commerce.values.reference import Reference

if TYPE_CHECKING:
    from holdfast.commerce.resources.inventory_entry import InventoryEntry


class InventoryEntryCreated(Message):
    inventory_entry: InventoryEntry


class InventoryEntryDeleted(Message):
    sku: str
    supply_channel: Reference | None = None


class InventoryEntryQuantitySet(Message):
    old_quantity_on_stock: int
    new_quantity_on_stock: int
    old_available_quantity: int
    new_available_quantity: int
    sku: str
    supply_channel: Reference | None = None


class InventoryEntryOutOfStock(Message):
    sku: str
    supply_channel: Reference | None = None


class InventoryEntryReorderPoint(Message):
    sku: str
    quantity_on_stock: int
    supply_channel: Reference | None = None


class InventoryEntrySafetyStock(Message):
    sku: str
    quantity_on_stock: int
    supply_channel: Reference | None = None


class InventoryEntryReservationExpirationInMinutesSet(Message):
    new_reservation_expiration_in_minutes: int | None = None
    old_reservation_expiration_in_minutes: int | None = None
