from __future__ import annotations

from holdfast.commerce.resources.type import FieldDefinition, StringType, Type


def a_type(id: str = "type-1", *, of: str, fields: tuple[str, ...] = ("note",), required: bool = False) -> Type:
    """A type for resources of one kind, with text fields."""
    definitions = tuple(
        FieldDefinition(name=name, type=StringType(), label={"en": name}, required=required) for name in fields
    )
    return Type(id=id, key=id, name={"en": id}, resource_type_ids=(of,), field_definitions=definitions)
