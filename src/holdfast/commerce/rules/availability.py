"""What a variant's inventory entries say about its availability."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.commerce.resources.inventory_entry import InventoryEntry
from holdfast.commerce.resources.product.shape import Availability, ChannelAvailability


def availability_by_sku(
    entries: Iterable[InventoryEntry], supply_channels: frozenset[str] | None = None
) -> dict[str, Availability]:
    """The availability of each SKU that has an entry; `supply_channels` leaves only those of a store."""
    of_sku: dict[str, list[InventoryEntry]] = {}
    for entry in entries:
        channel = entry.supply_channel
        if channel is None or supply_channels is None or channel.id in supply_channels:
            of_sku.setdefault(entry.sku, []).append(entry)
    return {sku: _availability(found) for sku, found in of_sku.items()}


def _availability(entries: list[InventoryEntry]) -> Availability:
    """The entry without a channel speaks for the variant, the others for their channels."""
    main = next((entry for entry in entries if entry.supply_channel is None), None)
    channels = {entry.supply_channel.id: _of_channel(entry) for entry in entries if entry.supply_channel is not None}
    if main is None:
        return Availability(channels=channels)
    return Availability(
        id=main.id,
        version=main.version,
        is_on_stock=main.available_quantity > 0,
        available_quantity=main.available_quantity,
        restockable_in_days=main.restockable_in_days,
        channels=channels or None,
    )


def _of_channel(entry: InventoryEntry) -> ChannelAvailability:
    return ChannelAvailability(
        id=entry.id,
        version=entry.version,
        is_on_stock=entry.available_quantity > 0,
        available_quantity=entry.available_quantity,
        restockable_in_days=entry.restockable_in_days,
    )
