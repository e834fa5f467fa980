from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commerce.builders.inventory_entry import an_entry
from tests.unit.commerce.facts import create, facts_with, update

from holdfast.base.errors import InvalidField, InvalidOperation, MissingRoleOnChannel, ReferencedResourceNotFound
from holdfast.commerce.messages.inventory_entry import (
    InventoryEntryCreated,
    InventoryEntryOutOfStock,
    InventoryEntryQuantitySet,
    InventoryEntryReorderPoint,
    InventoryEntryReservationExpirationInMinutesSet,
    InventoryEntrySafetyStock,
)
from holdfast.commerce.resources.channel import Channel, channels
from holdfast.commerce.resources.inventory_entry import InventoryEntry, StockLevels, inventory_entries
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import SAFE_INTEGER_MAX, encode

WAREHOUSE = Channel(id="warehouse", key="warehouse", roles=("InventorySupply",))
OFFICE = Channel(id="office", key="office", roles=("Primary",))
FROM_WAREHOUSE = Reference(type_id="channel", id="warehouse")


def test_a_new_entry_counts_its_stock_and_tells_of_itself() -> None:
    changed = create(inventory_entries, {"sku": "mug", "quantityOnStock": 7})
    entry = changed.resource
    assert (entry.quantity_on_stock, entry.available_quantity) == (7, 7)
    assert changed.stock == (StockMovement("count", entry.id, 7, sku="mug"),)
    assert changed.messages == (InventoryEntryCreated(inventory_entry=entry),)


def test_an_entry_without_stock_still_shows_its_counters() -> None:
    entry = create(inventory_entries, {"sku": "mug", "quantityOnStock": 0}).resource
    body = msgspec.json.decode(encode(entry))
    assert (body["quantityOnStock"], body["availableQuantity"]) == (0, 0)


def test_an_entry_is_alone_with_its_sku_in_its_channel() -> None:
    facts = facts_with((channels, WAREHOUSE))
    plain = create(inventory_entries, {"sku": "mug", "quantityOnStock": 1}).resource
    draft = {"sku": "mug", "quantityOnStock": 1, "supplyChannel": {"key": "warehouse"}}
    supplied = create(inventory_entries, draft, facts).resource
    assert inventory_entries.unique_values(plain) == (("sku@channel", "mug@"),)
    assert inventory_entries.unique_values(supplied) == (("sku@channel", "mug@warehouse"),)


def test_a_channel_without_the_supply_role_is_refused_by_name() -> None:
    draft = {"sku": "mug", "quantityOnStock": 1, "supplyChannel": {"id": "office"}}
    with pytest.raises(MissingRoleOnChannel) as refusal:
        create(inventory_entries, draft, facts_with((channels, OFFICE)))
    assert refusal.value.fields["missingRole"] == "InventorySupply"


def test_an_unknown_channel_is_refused() -> None:
    with pytest.raises(ReferencedResourceNotFound):
        update(inventory_entries, an_entry(), {"action": "setSupplyChannel", "supplyChannel": {"id": "nowhere"}})


@pytest.mark.parametrize(
    ("action", "on_stock", "available", "movement"),
    [
        ({"action": "addQuantity", "quantity": 5}, 15, 12, ("receive", 5)),
        ({"action": "removeQuantity", "quantity": 4}, 6, 3, ("receive", -4)),
        ({"action": "removeQuantity", "quantity": 12}, -2, -5, ("receive", -12)),
        ({"action": "changeQuantity", "quantity": 3}, 3, 0, ("count", 3)),
    ],
)
def test_a_quantity_action_moves_the_stock_and_keeps_reservations(
    action: dict[str, Any], on_stock: int, available: int, movement: tuple[str, int]
) -> None:
    changed = update(inventory_entries, an_entry(on_stock=10, reserved=3), action)
    assert (changed.resource.quantity_on_stock, changed.resource.available_quantity) == (on_stock, available)
    assert changed.resource.version == 2
    assert [(moved.kind, moved.quantity) for moved in changed.stock] == [movement]
    (told,) = (message for message in changed.messages if isinstance(message, InventoryEntryQuantitySet))
    assert (told.old_quantity_on_stock, told.new_quantity_on_stock) == (10, on_stock)
    assert (told.old_available_quantity, told.new_available_quantity) == (7, available)


def test_several_quantity_actions_of_one_request_add_up() -> None:
    one, two = {"action": "addQuantity", "quantity": 1}, {"action": "removeQuantity", "quantity": 4}
    changed = update(inventory_entries, an_entry(on_stock=10), one, two)
    assert (changed.resource.quantity_on_stock, changed.resource.version) == (7, 3)
    assert sum(moved.quantity for moved in changed.stock) == -3


@pytest.mark.parametrize(
    "action",
    [
        {"action": "addQuantity", "quantity": 0},
        {"action": "removeQuantity", "quantity": 0},
        {"action": "changeQuantity", "quantity": 10},
    ],
)
def test_a_quantity_action_that_changes_nothing_moves_nothing(action: dict[str, Any]) -> None:
    changed = update(inventory_entries, an_entry(on_stock=10), action)
    assert (changed.resource.version, changed.stock, changed.messages) == (1, (), ())


@pytest.mark.parametrize("quantity", [-1, 10**19, 1.5, "1", None])
def test_a_quantity_that_is_none_is_refused_by_its_shape(quantity: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        update(inventory_entries, an_entry(), {"action": "addQuantity", "quantity": quantity})


def test_a_quantity_stays_within_numbers_that_json_can_carry() -> None:
    with pytest.raises(InvalidOperation):
        update(inventory_entries, an_entry(on_stock=SAFE_INTEGER_MAX), {"action": "addQuantity", "quantity": 1})


def test_falling_to_a_configured_level_is_told_once() -> None:
    entry = an_entry(on_stock=10, stock_levels=StockLevels(reorder_point=5, safety_stock=2))
    taken = update(inventory_entries, entry, {"action": "removeQuantity", "quantity": 5})
    assert [type(message) for message in taken.messages[1:]] == [InventoryEntryReorderPoint]
    again = update(inventory_entries, taken.resource, {"action": "removeQuantity", "quantity": 5})
    assert [type(message) for message in again.messages[1:]] == [InventoryEntryOutOfStock, InventoryEntrySafetyStock]
    risen = update(inventory_entries, again.resource, {"action": "changeQuantity", "quantity": 1})
    assert len(risen.messages) == 1


@pytest.mark.parametrize(
    ("before", "action", "changed"),
    [
        (an_entry(), {"action": "setKey", "key": "mug-here"}, {"key": "mug-here"}),
        (
            an_entry(),
            {"action": "setSupplyChannel", "supplyChannel": {"key": "warehouse"}},
            {"supply_channel": FROM_WAREHOUSE},
        ),
        (an_entry(supply_channel=FROM_WAREHOUSE), {"action": "setSupplyChannel"}, {"supply_channel": None}),
        (an_entry(), {"action": "setRestockableInDays", "restockableInDays": 3}, {"restockable_in_days": 3}),
        (
            an_entry(),
            {"action": "setExpectedDelivery", "expectedDelivery": "2026-02-01T12:00:00+01:00"},
            {"expected_delivery": "2026-02-01T11:00:00.000Z"},
        ),
        (
            an_entry(),
            {"action": "setInventoryLimits", "minCartQuantity": 2, "maxCartQuantity": 5},
            {"min_cart_quantity": 2, "max_cart_quantity": 5},
        ),
        (
            an_entry(min_cart_quantity=2),
            {"action": "setInventoryLimits"},
            {"min_cart_quantity": None, "max_cart_quantity": None},
        ),
        (an_entry(), {"action": "setSafetyStock", "quantity": 4}, {"stock_levels": StockLevels(safety_stock=4)}),
        (
            an_entry(stock_levels=StockLevels(safety_stock=4)),
            {"action": "setReorderPoint", "quantity": 9},
            {"stock_levels": StockLevels(reorder_point=9, safety_stock=4)},
        ),
        (an_entry(stock_levels=StockLevels(safety_stock=4)), {"action": "setSafetyStock"}, {"stock_levels": None}),
    ],
)
def test_an_action_changes_what_it_names(
    before: InventoryEntry, action: dict[str, Any], changed: dict[str, Any]
) -> None:
    after = update(inventory_entries, before, action, facts=facts_with((channels, WAREHOUSE)))
    assert {name: getattr(after.resource, name) for name in changed} == changed
    assert (after.resource.version, after.stock) == (2, ())


def test_a_changed_reservation_time_is_told() -> None:
    action = {"action": "setReservationExpirationInMinutes", "reservationExpirationInMinutes": 30}
    changed = update(inventory_entries, an_entry(reservation_expiration_in_minutes=15), action)
    assert changed.resource.reservation_expiration_in_minutes == 30
    assert changed.messages == (
        InventoryEntryReservationExpirationInMinutesSet(
            new_reservation_expiration_in_minutes=30, old_reservation_expiration_in_minutes=15
        ),
    )


def test_a_maximum_below_the_minimum_is_refused() -> None:
    action = {"action": "setInventoryLimits", "minCartQuantity": 5, "maxCartQuantity": 2}
    with pytest.raises(InvalidField):
        update(inventory_entries, an_entry(), action)


def test_every_published_action_is_registered() -> None:
    assert len(inventory_entries.actions) == 13


def test_a_deletion_tells_which_stock_is_gone() -> None:
    (told,) = inventory_entries.deleted(an_entry(supply_channel=FROM_WAREHOUSE), facts_with()).messages
    assert msgspec.json.decode(encode(told)) == {
        "type": "InventoryEntryDeleted",
        "sku": "mug",
        "supplyChannel": {"typeId": "channel", "id": "warehouse"},
    }
