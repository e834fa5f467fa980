from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commerce.facts import create, facts_with

from holdfast.base.errors import InvalidField, InvalidOperation, ReferencedResourceNotFound, RequiredField
from holdfast.commerce.resources.type import Type, types
from holdfast.commerce.resources.zone import Zone, zones
from holdfast.commerce.rules.custom_fields import custom_fields, with_custom_field, with_custom_type
from holdfast.commerce.values.address import Address
from holdfast.commerce.values.custom_fields import CustomFieldsDraft
from holdfast.commerce.values.reference import ResourceIdentifier

EUROPE = Zone(id="europe", key="eu", name="Europe")
SIZES = [{"key": "s", "label": "Small"}]
LOCALIZED_SIZES = [{"key": "s", "label": {"en": "Small"}}]
KINDS: dict[str, dict[str, Any]] = {
    "Boolean": {},
    "String": {},
    "LocalizedString": {},
    "Enum": {"values": SIZES},
    "LocalizedEnum": {"values": LOCALIZED_SIZES},
    "Number": {},
    "Money": {},
    "Date": {},
    "Time": {},
    "DateTime": {},
    "Reference": {"referenceTypeId": "zone"},
}
EURO = {"type": "centPrecision", "currencyCode": "EUR", "centAmount": 5, "fractionDigits": 2}


def a_type(*fields: dict[str, Any]) -> Type:
    draft = {"key": "gift", "name": {}, "resourceTypeIds": ["address"], "fieldDefinitions": fields}
    return create(types, draft).resource


def a_field(name: str, kind: str, *, required: bool = False, many: bool = False) -> dict[str, Any]:
    type_: dict[str, Any] = {"name": kind, **KINDS[kind]}
    if many:
        type_ = {"name": "Set", "elementType": type_}
    return {"name": name, "label": {}, "required": required, "type": type_}


def stored(definition: dict[str, Any], value: Any) -> Any:
    """What a field of this definition keeps of a value."""
    type_ = a_type(definition)
    draft = CustomFieldsDraft(type=ResourceIdentifier(key="gift"), fields={definition["name"]: value})
    made = custom_fields(draft, "address", facts_with((types, type_), (zones, EUROPE)))
    assert made is not None
    assert made.type.id == type_.id
    return made.fields.get(definition["name"])


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("Boolean", False, False),
        ("String", "", ""),
        ("LocalizedString", {"en": "a", "de-AT": "b"}, {"en": "a", "de-AT": "b"}),
        ("Enum", "s", "s"),
        ("LocalizedEnum", "s", "s"),
        ("Number", 7, 7),
        ("Number", 1.5, 1.5),
        ("Money", {"currencyCode": "EUR", "centAmount": 5}, EURO),
        ("Date", "2024-02-29", "2024-02-29"),
        ("Time", "10:30", "10:30:00.000"),
        ("Time", "10:30:15.5", "10:30:15.500"),
        ("DateTime", "2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000Z"),
        ("Reference", {"typeId": "zone", "id": "europe"}, {"typeId": "zone", "id": "europe"}),
        ("Reference", {"typeId": "zone", "key": "eu"}, {"typeId": "zone", "id": "europe"}),
    ],
)
def test_a_value_of_its_type_is_kept_in_its_stored_form(kind: str, given: Any, kept: Any) -> None:
    assert stored(a_field("field", kind), given) == kept
    assert stored(a_field("field", kind, many=True), [given, given]) == [kept]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Boolean", "true"),
        ("Boolean", 1),
        ("String", 1),
        ("String", ["a"]),
        ("LocalizedString", "a"),
        ("LocalizedString", {"not a locale": "a"}),
        ("LocalizedString", {"en": 1}),
        ("Enum", "xl"),
        ("Enum", {"label": "Small"}),
        ("LocalizedEnum", 3),
        ("Number", True),
        ("Number", "7"),
        ("Number", 2**63),
        ("Money", {"centAmount": 5}),
        ("Money", {"currencyCode": "eur", "centAmount": 5}),
        ("Money", {"currencyCode": "EUR", "centAmount": 2**53}),
        ("Money", 5),
        ("Date", "2023-02-29"),
        ("Date", "20240229"),
        ("Date", "2024-W09-4"),
        ("Time", "25:00:00"),
        ("Time", "10"),
        ("DateTime", "soon"),
        ("DateTime", "0001-01-01T00:00:00+14:00"),
        ("DateTime", 5),
        ("Reference", "europe"),
        ("Reference", {"typeId": "channel", "id": "europe"}),
        ("Reference", {"typeId": "zone"}),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_field(kind: str, value: Any) -> None:
    for definition, given in ((a_field("field", kind), value), (a_field("field", kind, many=True), [value])):
        with pytest.raises(InvalidField) as refused:
            stored(definition, given)
        assert "fields.field" in str(refused.value.fields["field"])


def test_a_set_is_a_list() -> None:
    with pytest.raises(InvalidField):
        stored(a_field("field", "String", many=True), "a")


def test_a_reference_to_nothing_is_refused() -> None:
    with pytest.raises(ReferencedResourceNotFound):
        stored(a_field("field", "Reference"), {"typeId": "zone", "id": "atlantis"})


def test_an_undeclared_field_is_refused() -> None:
    draft = CustomFieldsDraft(type=ResourceIdentifier(key="gift"), fields={"other": 1})
    with pytest.raises(InvalidField):
        custom_fields(draft, "address", facts_with((types, a_type(a_field("field", "String")))))


@pytest.mark.parametrize("fields", [{}, {"field": None}])
def test_a_required_field_is_required(fields: dict[str, Any]) -> None:
    draft = CustomFieldsDraft(type=ResourceIdentifier(key="gift"), fields=fields)
    with pytest.raises(RequiredField):
        custom_fields(draft, "address", facts_with((types, a_type(a_field("field", "String", required=True)))))


def test_a_type_serves_only_its_resource_types() -> None:
    draft = CustomFieldsDraft(type=ResourceIdentifier(key="gift"))
    with pytest.raises(InvalidOperation):
        custom_fields(draft, "order", facts_with((types, a_type())))


def fields_of(address: Address) -> dict[str, Any]:
    assert address.custom is not None
    return address.custom.fields


def test_a_holder_gets_loses_and_changes_fields() -> None:
    type_ = a_type(a_field("note", "String"), a_field("must", "String", required=True))
    facts = facts_with((types, type_))
    bare = Address(country="DE")
    typed = with_custom_type(bare, ResourceIdentifier(key="gift"), {"note": "a", "must": "b"}, "address", facts)
    assert typed.custom is not None
    assert fields_of(with_custom_field(typed, "note", None, facts)) == {"must": "b"}
    assert fields_of(with_custom_field(typed, "must", "c", facts)) == {"note": "a", "must": "c"}
    assert with_custom_type(typed, None, None, "address", facts) == bare
    with pytest.raises(RequiredField):
        with_custom_field(typed, "must", None, facts)
    with pytest.raises(InvalidField):
        with_custom_field(typed, "other", "x", facts)
    with pytest.raises(InvalidOperation):
        with_custom_field(bare, "note", "x", facts)
