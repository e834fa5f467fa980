"""Types: which custom fields a resource may carry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base.errors import DuplicateField, InvalidField, InvalidOperation, MaxResourceLimitExceeded
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Resource
from holdfast.commerce.rules import enumerations
from holdfast.commerce.rules.common_actions import change_key, change_localized_name, set_localized_description
from holdfast.commerce.values.enum_value import LocalizedEnumValue, PlainEnumValue
from holdfast.commerce.values.value import Key, LocalizedString, Stored, Value, empty, no

FieldName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{2,36}\Z")]
# Fields of one type.
FIELDS_MAX = 500

InputHint = Literal["SingleLine", "MultiLine"]


class BooleanType(Value, tag_field="name", tag="Boolean"): ...


class StringType(Value, tag_field="name", tag="String"): ...


class LocalizedStringType(Value, tag_field="name", tag="LocalizedString"): ...


class EnumType(Value, tag_field="name", tag="Enum"):
    values: tuple[PlainEnumValue, ...] = field(default_factory=empty)


class LocalizedEnumType(Value, tag_field="name", tag="LocalizedEnum"):
    values: tuple[LocalizedEnumValue, ...] = field(default_factory=empty)


class NumberType(Value, tag_field="name", tag="Number"): ...


class MoneyType(Value, tag_field="name", tag="Money"): ...


class DateType(Value, tag_field="name", tag="Date"): ...


class TimeType(Value, tag_field="name", tag="Time"): ...


class DateTimeType(Value, tag_field="name", tag="DateTime"): ...


class ReferenceType(Value, tag_field="name", tag="Reference"):
    reference_type_id: str


PlainType = (
    BooleanType
    | StringType
    | LocalizedStringType
    | EnumType
    | LocalizedEnumType
    | NumberType
    | MoneyType
    | DateType
    | TimeType
    | DateTimeType
    | ReferenceType
)


class SetType(Value, tag_field="name", tag="Set"):
    """Many values of one plain type; sets of sets do not exist."""

    element_type: PlainType


FieldType = PlainType | SetType


def _single_line() -> InputHint:
    return "SingleLine"


class FieldDefinition(Value):
    type: FieldType
    name: FieldName
    label: LocalizedString
    required: bool = field(default_factory=no)
    input_hint: InputHint = field(default_factory=_single_line)


class TypeDraft(Value):
    key: Key
    name: LocalizedString
    description: LocalizedString | None = None
    resource_type_ids: Annotated[tuple[str, ...], Meta(min_length=1)]
    field_definitions: tuple[FieldDefinition, ...] = field(default_factory=empty)


class Type(Stored):
    key: str
    name: LocalizedString
    description: LocalizedString | None = None
    resource_type_ids: tuple[str, ...]
    field_definitions: tuple[FieldDefinition, ...] = field(default_factory=empty)


types = Resource("type", path="types", shape=Type, draft=TypeDraft)
types.action("changeKey")(change_key)
types.action("changeName")(change_localized_name)
types.action("setDescription")(set_localized_description)


@types.settle
def check_definitions(before: Type | None, after: Type, facts: Facts) -> Type:
    """Field names of a type, and keys of an enumeration, are unique."""
    if len(after.field_definitions) > FIELDS_MAX:
        raise MaxResourceLimitExceeded(f"A type has at most {FIELDS_MAX} fields.", exceeded_resource="fieldDefinition")
    names = [definition.name for definition in after.field_definitions]
    for name in names:
        if names.count(name) > 1:
            raise DuplicateField("fieldDefinitions.name", name)
    for definition in after.field_definitions:
        enumerations.check_distinct(_enum_values(definition.type), definition.name)
    return after


def _enum_values(field_type: FieldType) -> Sequence[PlainEnumValue | LocalizedEnumValue]:
    inner = field_type.element_type if isinstance(field_type, SetType) else field_type
    return inner.values if isinstance(inner, EnumType | LocalizedEnumType) else ()


# --- field definitions ---------------------------------------------------------------------


@types.action("addFieldDefinition")
def add_field_definition(type_: Type, *, field_definition: FieldDefinition) -> Type:
    """Add a field; resources that have this type already simply do not have a value yet."""
    return replace(type_, field_definitions=(*type_.field_definitions, field_definition))


@types.action("removeFieldDefinition")
def remove_field_definition(type_: Type, *, field_name: str) -> Type:
    """Remove a field; no new value can be given to it any more."""
    gone = _definition(type_, field_name)
    return replace(type_, field_definitions=tuple(kept for kept in type_.field_definitions if kept is not gone))


@types.action("changeFieldDefinitionOrder")
def change_field_definition_order(type_: Type, *, field_names: tuple[str, ...]) -> Type:
    """Reorder the fields; exactly the present ones must be named."""
    by_name = {definition.name: definition for definition in type_.field_definitions}
    if sorted(field_names) != sorted(by_name):
        raise InvalidField("fieldNames", list(field_names), allowed_values=list(by_name))
    return replace(type_, field_definitions=tuple(by_name[name] for name in field_names))


def change_label(type_: Type, *, field_name: str, label: LocalizedString) -> Type:
    """Change how a field is called in user interfaces."""
    return _redefined(type_, field_name, lambda definition: replace(definition, label=label))


types.action("changeLabel")(change_label)
types.action("changeFieldDefinitionLabel")(change_label)


@types.action("changeInputHint")
def change_input_hint(type_: Type, *, field_name: str, input_hint: InputHint) -> Type:
    """Change how a text field is shown in user interfaces."""
    return _redefined(type_, field_name, lambda definition: replace(definition, input_hint=input_hint))


# --- enumerations --------------------------------------------------------------------------


@types.action("addEnumValue")
def add_enum_value(type_: Type, *, field_name: str, value: PlainEnumValue) -> Type:
    """Append a value to an enumeration."""
    return _enum_changed(type_, field_name, EnumType, lambda values: enumerations.appended(values, value, field_name))


@types.action("addLocalizedEnumValue")
def add_localized_enum_value(type_: Type, *, field_name: str, value: LocalizedEnumValue) -> Type:
    """Append a value to a localized enumeration."""
    return _enum_changed(
        type_, field_name, LocalizedEnumType, lambda values: enumerations.appended(values, value, field_name)
    )


@types.action("removeEnumValues")
def remove_enum_values(type_: Type, *, field_name: str, keys: tuple[str, ...]) -> Type:
    """Remove values of an enumeration."""
    return _enum_changed(type_, field_name, EnumType, lambda values: enumerations.removed(values, keys, field_name))


@types.action("removeLocalizedEnumValues")
def remove_localized_enum_values(type_: Type, *, field_name: str, keys: tuple[str, ...]) -> Type:
    """Remove values of a localized enumeration."""
    return _enum_changed(
        type_, field_name, LocalizedEnumType, lambda values: enumerations.removed(values, keys, field_name)
    )


@types.action("changeEnumValueLabel")
def change_enum_value_label(type_: Type, *, field_name: str, value: PlainEnumValue) -> Type:
    """Change the label of an enumeration's value."""
    return _enum_changed(type_, field_name, EnumType, lambda values: enumerations.replaced(values, value, field_name))


@types.action("changeLocalizedEnumValueLabel")
def change_localized_enum_value_label(type_: Type, *, field_name: str, value: LocalizedEnumValue) -> Type:
    """Change the labels of a localized enumeration's value."""
    return _enum_changed(
        type_, field_name, LocalizedEnumType, lambda values: enumerations.replaced(values, value, field_name)
    )


@types.action("changeEnumValueOrder")
def change_enum_value_order(type_: Type, *, field_name: str, keys: tuple[str, ...]) -> Type:
    """Reorder an enumeration; exactly the present keys must be named."""
    return _enum_changed(type_, field_name, EnumType, lambda values: enumerations.reordered(values, keys, field_name))


@types.action("changeLocalizedEnumValueOrder")
def change_localized_enum_value_order(type_: Type, *, field_name: str, keys: tuple[str, ...]) -> Type:
    """Reorder a localized enumeration; exactly the present keys must be named."""
    return _enum_changed(
        type_, field_name, LocalizedEnumType, lambda values: enumerations.reordered(values, keys, field_name)
    )


def _definition(type_: Type, field_name: str) -> FieldDefinition:
    for definition in type_.field_definitions:
        if definition.name == field_name:
            return definition
    raise InvalidOperation(f"Type '{type_.key}' has no field '{field_name}'.")


def _redefined(type_: Type, field_name: str, change: Callable[[FieldDefinition], FieldDefinition]) -> Type:
    old = _definition(type_, field_name)
    new = change(old)
    return replace(type_, field_definitions=tuple(new if kept is old else kept for kept in type_.field_definitions))


def _enum_changed(
    type_: Type,
    field_name: str,
    kind: type[EnumType | LocalizedEnumType],
    change: Callable[[tuple[Any, ...]], tuple[Any, ...]],
) -> Type:
    """The type with the values of one enumeration changed, be it a field or the elements of a set."""

    def changed(definition: FieldDefinition) -> FieldDefinition:
        outer = definition.type
        inner = outer.element_type if isinstance(outer, SetType) else outer
        if not isinstance(inner, kind):
            raise InvalidOperation(f"The field '{field_name}' is not of type {kind.__struct_config__.tag}.")
        inner = replace(inner, values=change(inner.values))
        return replace(definition, type=SetType(element_type=inner) if isinstance(outer, SetType) else inner)

    return _redefined(type_, field_name, changed)
