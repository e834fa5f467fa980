"""Inventory entries: how much of a SKU a supply channel has.

The counters live in a table of their own, where orders move them without touching the entry. What
an entry says of them is read from there each time, so an action asks for a movement and only notes
in the body what it expects the counters to become.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation, MissingRoleOnChannel
from holdfast.commerce.facts import ByField, Facts
from holdfast.commerce.messages.inventory_entry import (
    InventoryEntryCreated,
    InventoryEntryDeleted,
    InventoryEntryOutOfStock,
    InventoryEntryQuantitySet,
    InventoryEntryReorderPoint,
    InventoryEntryReservationExpirationInMinutesSet,
    InventoryEntrySafetyStock,
)
from holdfast.commerce.messages.message import Message
from holdfast.commerce.registry import Changed, Resource, born
from holdfast.commerce.resources.channel import channels
from holdfast.commerce.rules.common_actions import set_key
from holdfast.commerce.rules.custom_fields import custom_actions, custom_fields
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import (
    SAFE_INTEGER_MAX,
    Instant,
    Int,
    Key,
    Minutes,
    Natural,
    Positive,
    Quantity,
    Stored,
    Value,
    zero,
)

SUPPLY_ROLE = "InventorySupply"
Sku = Annotated[str, Meta(min_length=1, max_length=256)]


class StockLevels(Value):
    """Levels that are worth a message once the quantity on stock falls to them."""

    reorder_point: Int | None = None
    safety_stock: Int | None = None


class InventoryEntryDraft(Value):
    sku: Sku
    key: Key | None = None
    supply_channel: ResourceIdentifier | None = None
    quantity_on_stock: Quantity
    min_cart_quantity: Positive | None = None
    max_cart_quantity: Positive | None = None
    restockable_in_days: Natural | None = None
    expected_delivery: Instant | None = None
    reservation_expiration_in_minutes: Minutes | None = None
    stock_levels: StockLevels | None = None
    custom: CustomFieldsDraft | None = None


class InventoryEntry(Stored):
    key: str | None = None
    sku: str
    supply_channel: Reference | None = None
    quantity_on_stock: int = field(default_factory=zero)
    available_quantity: int = field(default_factory=zero)
    min_cart_quantity: int | None = None
    max_cart_quantity: int | None = None
    restockable_in_days: int | None = None
    expected_delivery: str | None = None
    reservation_expiration_in_minutes: int | None = None
    stock_levels: StockLevels | None = None
    custom: CustomFields | None = None


# The unique field that says which SKU and supply channel an entry counts.
STOCK_FIELD = "sku@channel"


def _place(entry: InventoryEntry) -> Iterator[tuple[str, str]]:
    yield (STOCK_FIELD, place_of(entry.sku, entry.supply_channel))


def place_of(sku: str, supply_channel: Reference | None) -> str:
    """The one entry a SKU has in a supply channel, or without one, as a unique value."""
    return f"{sku}@{supply_channel.id if supply_channel else ''}"


def entry_lookup(sku: str, supply_channel: Reference | None) -> ByField:
    """Where to look for the entry of a SKU in a supply channel, or without one."""
    return ByField("inventory-entry", STOCK_FIELD, place_of(sku, supply_channel))


inventory_entries = Resource(
    "inventory-entry",
    path="inventory",
    shape=InventoryEntry,
    draft=InventoryEntryDraft,
    scope="inventory",
    unique=_place,
    indexed=("sku",),
    published={STOCK_FIELD: "sku"},
    holds=("channel", "type"),
)
inventory_entries.action("setKey")(set_key)
custom_actions(inventory_entries, "inventory-entry")


@inventory_entries.create
def create_inventory_entry(draft: InventoryEntryDraft, facts: Facts) -> Changed[InventoryEntry]:
    """A new entry opens with its stock counted."""
    _check_limits(draft.min_cart_quantity, draft.max_cart_quantity)
    entry = born(
        InventoryEntry(
            key=draft.key,
            sku=draft.sku,
            supply_channel=_supplier(draft.supply_channel, facts),
            quantity_on_stock=draft.quantity_on_stock,
            available_quantity=draft.quantity_on_stock,
            min_cart_quantity=draft.min_cart_quantity,
            max_cart_quantity=draft.max_cart_quantity,
            restockable_in_days=draft.restockable_in_days,
            expected_delivery=draft.expected_delivery,
            reservation_expiration_in_minutes=draft.reservation_expiration_in_minutes,
            stock_levels=draft.stock_levels,
            custom=custom_fields(draft.custom, "inventory-entry", facts),
        ),
        facts,
    )
    counted = StockMovement("count", entry.id, draft.quantity_on_stock, sku=entry.sku)
    return Changed(entry, (InventoryEntryCreated(inventory_entry=entry),), stock=(counted,))


@inventory_entries.delete
def delete_inventory_entry(entry: InventoryEntry, facts: Facts) -> Changed[InventoryEntry]:
    return Changed(entry, (InventoryEntryDeleted(sku=entry.sku, supply_channel=entry.supply_channel),))


# --- quantities ----------------------------------------------------------------------------


@inventory_entries.action("addQuantity")
def add_quantity(entry: InventoryEntry, *, quantity: Quantity) -> Changed[InventoryEntry]:
    """Take goods in."""
    return _received(entry, quantity)


@inventory_entries.action("removeQuantity")
def remove_quantity(entry: InventoryEntry, *, quantity: Quantity) -> Changed[InventoryEntry]:
    """Take goods out; the quantity on stock may fall below zero, as published."""
    return _received(entry, -quantity)


@inventory_entries.action("changeQuantity")
def change_quantity(entry: InventoryEntry, *, quantity: Quantity) -> Changed[InventoryEntry]:
    """Set what a stocktaking found; reservations stay."""
    if quantity == entry.quantity_on_stock:
        return Changed(entry)
    return _moved(entry, quantity, StockMovement("count", entry.id, quantity, sku=entry.sku))


def _received(entry: InventoryEntry, quantity: int) -> Changed[InventoryEntry]:
    if quantity == 0:
        return Changed(entry)
    on_stock = entry.quantity_on_stock + quantity
    if abs(on_stock) > SAFE_INTEGER_MAX:
        raise InvalidOperation(f"The quantity of '{entry.sku}' would leave the range of numbers JSON can carry.")
    return _moved(entry, on_stock, StockMovement("receive", entry.id, quantity, sku=entry.sku))


def _moved(entry: InventoryEntry, on_stock: int, movement: StockMovement) -> Changed[InventoryEntry]:
    available = entry.available_quantity + on_stock - entry.quantity_on_stock
    after = replace(entry, quantity_on_stock=on_stock, available_quantity=available)
    quantity_set = InventoryEntryQuantitySet(
        old_quantity_on_stock=entry.quantity_on_stock,
        new_quantity_on_stock=on_stock,
        old_available_quantity=entry.available_quantity,
        new_available_quantity=available,
        sku=entry.sku,
        supply_channel=entry.supply_channel,
    )
    return Changed(after, (quantity_set, *_levels_reached(entry, after)), stock=(movement,))


def _levels_reached(before: InventoryEntry, after: InventoryEntry) -> Iterator[Message]:
    """The messages due when the quantity on stock falls to nothing, or to a configured level."""
    sku, channel, on_stock = after.sku, after.supply_channel, after.quantity_on_stock

    def reached(level: int | None) -> bool:
        return level is not None and on_stock <= level < before.quantity_on_stock

    if reached(0):
        yield InventoryEntryOutOfStock(sku=sku, supply_channel=channel)
    levels = after.stock_levels or StockLevels()
    if reached(levels.reorder_point):
        yield InventoryEntryReorderPoint(sku=sku, quantity_on_stock=on_stock, supply_channel=channel)
    if reached(levels.safety_stock):
        yield InventoryEntrySafetyStock(sku=sku, quantity_on_stock=on_stock, supply_channel=channel)


# --- everything else -----------------------------------------------------------------------


@inventory_entries.action("setSupplyChannel")
def set_supply_channel(
    entry: InventoryEntry, facts: Facts, *, supply_channel: ResourceIdentifier | None = None
) -> InventoryEntry:
    """Move the entry to another supply channel, or to none."""
    return replace(entry, supply_channel=_supplier(supply_channel, facts))


@inventory_entries.action("setRestockableInDays")
def set_restockable_in_days(entry: InventoryEntry, *, restockable_in_days: Natural | None = None) -> InventoryEntry:
    """Set how soon stock comes back; while set, orders may reserve more than there is."""
    return replace(entry, restockable_in_days=restockable_in_days)


@inventory_entries.action("setExpectedDelivery")
def set_expected_delivery(entry: InventoryEntry, *, expected_delivery: Instant | None = None) -> InventoryEntry:
    return replace(entry, expected_delivery=expected_delivery)


@inventory_entries.action("setInventoryLimits")
def set_inventory_limits(
    entry: InventoryEntry,
    *,
    min_cart_quantity: Positive | None = None,
    max_cart_quantity: Positive | None = None,
) -> InventoryEntry:
    """Set how few and how many a cart may hold; an absent limit is lifted."""
    _check_limits(min_cart_quantity, max_cart_quantity)
    return replace(entry, min_cart_quantity=min_cart_quantity, max_cart_quantity=max_cart_quantity)


@inventory_entries.action("setSafetyStock")
def set_safety_stock(entry: InventoryEntry, *, quantity: Int | None = None) -> InventoryEntry:
    reorder_point = entry.stock_levels.reorder_point if entry.stock_levels else None
    return replace(entry, stock_levels=_levels(reorder_point, quantity))


@inventory_entries.action("setReorderPoint")
def set_reorder_point(entry: InventoryEntry, *, quantity: Int | None = None) -> InventoryEntry:
    safety_stock = entry.stock_levels.safety_stock if entry.stock_levels else None
    return replace(entry, stock_levels=_levels(quantity, safety_stock))


@inventory_entries.action("setReservationExpirationInMinutes")
def set_reservation_expiration_in_minutes(
    entry: InventoryEntry, *, reservation_expiration_in_minutes: Minutes | None = None
) -> Changed[InventoryEntry]:
    old = entry.reservation_expiration_in_minutes
    if reservation_expiration_in_minutes == old:
        return Changed(entry)
    told = InventoryEntryReservationExpirationInMinutesSet(
        new_reservation_expiration_in_minutes=reservation_expiration_in_minutes,
        old_reservation_expiration_in_minutes=old,
    )
    return Changed(replace(entry, reservation_expiration_in_minutes=reservation_expiration_in_minutes), (told,))


def _levels(reorder_point: int | None, safety_stock: int | None) -> StockLevels | None:
    if reorder_point is None and safety_stock is None:
        return None
    return StockLevels(reorder_point=reorder_point, safety_stock=safety_stock)


def _check_limits(least: int | None, most: int | None) -> None:
    if least is not None and most is not None and least > most:
        raise InvalidField("maxCartQuantity", most, f"The maximum is below the minimum of {least}.")


def _supplier(identifier: ResourceIdentifier | None, facts: Facts) -> Reference | None:
    """The reference to a channel that supplies inventory."""
    if identifier is None:
        return None
    channel = facts.get(channels, identifier)
    reference = Reference(type_id="channel", id=channel.id)
    if SUPPLY_ROLE not in channel.roles:
        raise MissingRoleOnChannel(
            f"The channel '{channel.key}' does not supply inventory.", channel=reference, missing_role=SUPPLY_ROLE
        )
    return reference
