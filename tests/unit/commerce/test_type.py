from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commerce.facts import create, update

from holdfast.base.errors import (
    DuplicateEnumValues,
    DuplicateField,
    EnumKeyAlreadyExists,
    EnumKeyDoesNotExist,
    EnumValuesMustMatch,
    InvalidField,
    InvalidOperation,
)
from holdfast.commerce.resources.type import Type, types
from holdfast.commerce.values.value import encode

SIZES = [{"key": "s", "label": "Small"}, {"key": "m", "label": "Medium"}]
COLOURS = [{"key": "red", "label": {"en": "Red"}}, {"key": "blue", "label": {"en": "Blue"}}]


def a_field(name: str, type_: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "label": {"en": name}, "type": type_, **more}


NOTE = a_field("note", {"name": "String"}, required=True)
SIZE = a_field("size", {"name": "Enum", "values": SIZES})
COLOUR = a_field("colours", {"name": "Set", "elementType": {"name": "LocalizedEnum", "values": COLOURS}})


def a_type(*fields: dict[str, Any]) -> Type:
    draft = {"key": "gift", "name": {"en": "Gift"}, "resourceTypeIds": ["order"], "fieldDefinitions": fields}
    return create(types, draft).resource


def changed(action: dict[str, Any]) -> dict[str, Any]:
    after = update(types, a_type(NOTE, SIZE, COLOUR), action).resource
    body: dict[str, Any] = msgspec.json.decode(encode(after))
    return body


def test_a_type_reads_as_published() -> None:
    body = msgspec.json.decode(encode(a_type(NOTE)))
    assert body["fieldDefinitions"] == [NOTE | {"inputHint": "SingleLine"}]
    assert body["resourceTypeIds"] == ["order"]


def test_a_type_is_for_at_least_one_resource_type() -> None:
    with pytest.raises(msgspec.ValidationError, match="resourceTypeIds"):
        create(types, {"key": "gift", "name": {}, "resourceTypeIds": []})


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ({"action": "changeKey", "key": "present"}, "key", "present"),
        ({"action": "changeName", "name": {"en": "Present"}}, "name", {"en": "Present"}),
        ({"action": "setDescription", "description": {"en": "For you"}}, "description", {"en": "For you"}),
    ],
)
def test_plain_actions_set_their_field(action: dict[str, Any], field: str, value: Any) -> None:
    assert changed(action)[field] == value


@pytest.mark.parametrize(
    ("action", "names"),
    [
        (
            {"action": "addFieldDefinition", "fieldDefinition": a_field("more", {"name": "Date"})},
            "note size colours more",
        ),
        ({"action": "removeFieldDefinition", "fieldName": "size"}, "note colours"),
        ({"action": "changeFieldDefinitionOrder", "fieldNames": ["colours", "note", "size"]}, "colours note size"),
    ],
)
def test_fields_come_go_and_move(action: dict[str, Any], names: str) -> None:
    assert [definition["name"] for definition in changed(action)["fieldDefinitions"]] == names.split()


@pytest.mark.parametrize("name", ["changeLabel", "changeFieldDefinitionLabel"])
def test_a_label_changes_under_both_published_names(name: str) -> None:
    after = changed({"action": name, "fieldName": "note", "label": {"en": "Note"}})
    assert after["fieldDefinitions"][0]["label"] == {"en": "Note"}


def test_an_input_hint_changes() -> None:
    after = changed({"action": "changeInputHint", "fieldName": "note", "inputHint": "MultiLine"})
    assert after["fieldDefinitions"][0]["inputHint"] == "MultiLine"


@pytest.mark.parametrize(
    ("action", "values"),
    [
        ({"action": "addEnumValue", "value": {"key": "l", "label": "Large"}}, [*SIZES, {"key": "l", "label": "Large"}]),
        ({"action": "removeEnumValues", "keys": ["s"]}, SIZES[1:]),
        (
            {"action": "changeEnumValueLabel", "value": {"key": "s", "label": "S"}},
            [{"key": "s", "label": "S"}, SIZES[1]],
        ),
        ({"action": "changeEnumValueOrder", "keys": ["m", "s"]}, SIZES[::-1]),
    ],
)
def test_an_enumeration_changes(action: dict[str, Any], values: list[Any]) -> None:
    assert changed(action | {"fieldName": "size"})["fieldDefinitions"][1]["type"] == {"name": "Enum", "values": values}


@pytest.mark.parametrize(
    ("action", "values"),
    [
        (
            {"action": "addLocalizedEnumValue", "value": {"key": "x", "label": {}}},
            [*COLOURS, {"key": "x", "label": {}}],
        ),
        ({"action": "removeLocalizedEnumValues", "keys": ["red"]}, COLOURS[1:]),
        (
            {"action": "changeLocalizedEnumValueLabel", "value": {"key": "red", "label": {"de": "Rot"}}},
            [{"key": "red", "label": {"de": "Rot"}}, COLOURS[1]],
        ),
        ({"action": "changeLocalizedEnumValueOrder", "keys": ["blue", "red"]}, COLOURS[::-1]),
    ],
)
def test_the_enumeration_inside_a_set_changes(action: dict[str, Any], values: list[Any]) -> None:
    after = changed(action | {"fieldName": "colours"})["fieldDefinitions"][2]["type"]
    assert after == {"name": "Set", "elementType": {"name": "LocalizedEnum", "values": values}}


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ({"action": "addFieldDefinition", "fieldDefinition": NOTE}, DuplicateField),
        ({"action": "removeFieldDefinition", "fieldName": "nowhere"}, InvalidOperation),
        ({"action": "changeFieldDefinitionOrder", "fieldNames": ["note", "size"]}, InvalidField),
        ({"action": "changeFieldDefinitionOrder", "fieldNames": ["note", "size", "size"]}, InvalidField),
        ({"action": "addEnumValue", "fieldName": "size", "value": SIZES[0]}, EnumKeyAlreadyExists),
        ({"action": "addEnumValue", "fieldName": "note", "value": SIZES[0]}, InvalidOperation),
        ({"action": "addEnumValue", "fieldName": "colours", "value": SIZES[0]}, InvalidOperation),
        ({"action": "removeEnumValues", "fieldName": "size", "keys": ["xl"]}, EnumKeyDoesNotExist),
        ({"action": "changeEnumValueOrder", "fieldName": "size", "keys": ["m"]}, EnumValuesMustMatch),
    ],
)
def test_what_does_not_fit_is_refused(action: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        changed(action)


def test_two_enum_values_of_one_key_are_refused() -> None:
    with pytest.raises(DuplicateEnumValues):
        a_type(a_field("size", {"name": "Enum", "values": [SIZES[0], SIZES[0]]}))
