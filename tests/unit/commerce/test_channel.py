from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commerce.builders.channel import a_channel
from tests.unit.commerce.facts import create, facts_with, update

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.resources.channel import channels
from holdfast.commerce.resources.type import Type, types
from holdfast.commerce.values.address import Address
from holdfast.commerce.values.value import encode

LIFT: dict[str, Any] = {
    "id": "access",
    "key": "access",
    "name": {"en": "Access"},
    "resourceTypeIds": ["address", "channel"],
    "fieldDefinitions": [
        {
            "name": "lift",
            "label": {"en": "Lift"},
            "required": False,
            "type": {"name": "Boolean"},
            "inputHint": "SingleLine",
        }
    ],
}
FACTS = facts_with((types, msgspec.convert(LIFT, Type)))
TYPE = {"typeId": "type", "key": "access"}
HERE = {"type": "Point", "coordinates": [13, 52.5]}
ACTIONS: list[tuple[dict[str, Any], str, Any]] = [
    ({"action": "changeKey", "key": "hamburg"}, "key", "hamburg"),
    ({"action": "changeName", "name": {"en": "Berlin"}}, "name", {"en": "Berlin"}),
    ({"action": "changeDescription", "description": {"en": "Big"}}, "description", {"en": "Big"}),
    ({"action": "setRoles", "roles": ["Primary", "Primary"]}, "roles", ["Primary"]),
    (
        {"action": "addRoles", "roles": ["Primary", "InventorySupply"]},
        "roles",
        ["InventorySupply", "ProductDistribution", "Primary"],
    ),
    ({"action": "removeRoles", "roles": ["InventorySupply", "Primary"]}, "roles", ["ProductDistribution"]),
    ({"action": "setAddress", "address": {"country": "FR"}}, "address", {"country": "FR"}),
    (
        {"action": "setAddressCustomType", "type": TYPE, "fields": {"lift": True}},
        "address",
        {"country": "DE", "custom": {"type": {"typeId": "type", "id": "access"}, "fields": {"lift": True}}},
    ),
    ({"action": "setGeoLocation", "geoLocation": HERE}, "geoLocation", {"type": "Point", "coordinates": [13.0, 52.5]}),
    (
        {"action": "setCustomType", "type": TYPE},
        "custom",
        {"type": {"typeId": "type", "id": "access"}, "fields": {}},
    ),
]


@pytest.mark.parametrize(("action", "field", "value"), ACTIONS, ids=lambda given: str(given)[:60])
def test_an_action_shows_in_the_channel(action: dict[str, Any], field: str, value: Any) -> None:
    channel = a_channel(address=Address(country="DE"))
    assert msgspec.json.decode(encode(update(channels, channel, action, facts=FACTS).resource))[field] == value


def test_custom_fields_of_channel_and_address_are_told_apart() -> None:
    channel = update(
        channels,
        a_channel(address=Address(country="DE")),
        {"action": "setCustomType", "type": TYPE},
        {"action": "setAddressCustomType", "type": TYPE},
        {"action": "setCustomField", "name": "lift", "value": False},
        {"action": "setAddressCustomField", "name": "lift", "value": True},
        facts=FACTS,
    ).resource
    assert channel.custom is not None
    assert channel.custom.fields == {"lift": False}
    assert channel.address is not None
    assert channel.address.custom is not None
    assert channel.address.custom.fields == {"lift": True}


def test_all_12_published_actions_are_registered() -> None:
    assert len(channels.actions) == 12
    assert {action["action"] for action, _, _ in ACTIONS} <= set(channels.actions)


def test_a_draft_without_roles_supplies_inventory() -> None:
    assert create(channels, {"key": "berlin"}).resource.roles == ("InventorySupply",)


@pytest.mark.parametrize(
    "action",
    [
        {"action": "setRoles", "roles": []},
        {"action": "setRoles", "roles": ["ProductDistribution", "InventorySupply"]},
        {"action": "addRoles", "roles": ["InventorySupply"]},
        {"action": "removeRoles", "roles": ["Primary"]},
        {"action": "removeRoles", "roles": ["ProductDistribution", "InventorySupply"]},
        {"action": "setAddressCustomField", "name": "lift", "value": True},
    ],
    ids=str,
)
def test_an_action_that_makes_no_sense_is_refused(action: dict[str, Any]) -> None:
    with pytest.raises(InvalidOperation):
        update(channels, a_channel(), action, facts=FACTS)


@pytest.mark.parametrize("coordinates", [[1], [1, 2, 3], [181, 0], [0, -91], ["1", "2"]])
def test_a_point_off_the_globe_does_not_decode(coordinates: list[Any]) -> None:
    point = {"type": "Point", "coordinates": coordinates}
    with pytest.raises(msgspec.ValidationError):
        update(channels, a_channel(), {"action": "setGeoLocation", "geoLocation": point})


def test_a_draft_needs_at_least_one_role_if_it_names_any() -> None:
    with pytest.raises(InvalidOperation):
        create(channels, {"key": "berlin", "roles": []})
