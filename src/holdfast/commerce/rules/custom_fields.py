"""Custom fields: a holder has a type, and values for the fields that type defines."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, cast

from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Resource
from holdfast.commerce.resources.type import (
    BooleanType,
    DateTimeType,
    DateType,
    EnumType,
    FieldDefinition,
    FieldType,
    LocalizedEnumType,
    LocalizedStringType,
    MoneyType,
    NumberType,
    ReferenceType,
    SetType,
    StringType,
    TimeType,
    Type,
    types,
)
from holdfast.commerce.rules import field_values as accept
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.reference import Reference, ResourceIdentifier

_PLAIN = {
    BooleanType: accept.boolean_value,
    StringType: accept.text_value,
    LocalizedStringType: accept.localized_value,
    NumberType: accept.number_value,
    MoneyType: accept.money_value,
    DateType: accept.date_value,
    TimeType: accept.time_value,
    DateTimeType: accept.date_time_value,
}


class Holder(Protocol):
    """Anything that carries custom fields: a resource, an address, a line item or a price."""

    @property
    def custom(self) -> CustomFields | None: ...


H = TypeVar("H", bound=Holder)


def custom_fields(draft: CustomFieldsDraft | None, resource_type_id: str, facts: Facts) -> CustomFields | None:
    """The stored form of drafted custom fields.

    Raises InvalidOperation when the type is not for this kind of resource, InvalidField for an
    undeclared field or a wrong value, RequiredField for a missing one.
    """
    if draft is None:
        return None
    type_ = facts.get(types, draft.type)
    facts.gather(accept.references_in(draft.fields))
    if resource_type_id not in type_.resource_type_ids:
        raise InvalidOperation(f"The type '{type_.key}' is not meant for resources of type '{resource_type_id}'.")
    fields = {name: _checked(type_, name, value, facts) for name, value in draft.fields.items() if value is not None}
    for definition in type_.field_definitions:
        if definition.required and definition.name not in fields:
            raise RequiredField(definition.name)
    return CustomFields(type=Reference(type_id="type", id=type_.id), fields=fields)


def with_custom_type(
    holder: H,
    type_: ResourceIdentifier | None,
    fields: dict[str, Any] | None,
    resource_type_id: str,
    facts: Facts,
) -> H:
    """The holder with another type and exactly these fields; without a type all custom fields go."""
    draft = CustomFieldsDraft(type=type_, fields=fields or {}) if type_ is not None else None
    return _holding(holder, custom_fields(draft, resource_type_id, facts))


def with_custom_field(holder: H, name: str, value: Any, facts: Facts) -> H:
    """The holder with one field set, or removed when the value is None.

    Raises InvalidOperation when the holder has no type, RequiredField when a required field would go.
    """
    custom = holder.custom
    if custom is None:
        raise InvalidOperation(f"The custom field '{name}' cannot be set: there is no custom type.")
    type_ = facts.get(types, custom.type)
    fields = {kept: old for kept, old in custom.fields.items() if kept != name}
    if value is not None:
        fields[name] = _checked(type_, name, value, facts)
    elif _definition(type_, name).required:
        raise RequiredField(name)
    return _holding(holder, CustomFields(type=custom.type, fields=fields))


def custom_actions(resource: Resource[Any], resource_type_id: str) -> None:
    """Register `setCustomType` and `setCustomField` for a resource's own custom fields."""

    @resource.action("setCustomType")
    def set_custom_type(
        holder: Any,
        facts: Facts,
        *,
        type: ResourceIdentifier | None = None,
        fields: dict[str, Any] | None = None,
    ) -> Any:
        """Set type and fields, or remove both."""
        return with_custom_type(holder, type, fields, resource_type_id, facts)

    @resource.action("setCustomField")
    def set_custom_field(holder: Any, facts: Facts, *, name: str, value: Any = None) -> Any:
        """Set or remove one custom field."""
        return with_custom_field(holder, name, value, facts)


def _holding(holder: H, custom: CustomFields | None) -> H:
    return cast("H", replace(cast("Any", holder), custom=custom))


def _definition(type_: Type, name: str) -> FieldDefinition:
    for definition in type_.field_definitions:
        if definition.name == name:
            return definition
    declared = [definition.name for definition in type_.field_definitions]
    raise InvalidField(
        f"fields.{name}", name, f"The type '{type_.key}' has no field '{name}'.", allowed_values=declared
    )


def _checked(type_: Type, name: str, value: Any, facts: Facts) -> Any:
    return _accepted(_definition(type_, name).type, value, f"fields.{name}", facts)


def _accepted(field_type: FieldType, value: Any, path: str, facts: Facts) -> Any:
    match field_type:
        case SetType(element_type=element):
            return accept.set_value(value, path, lambda one, at: _accepted(element, one, at, facts))
        case ReferenceType(reference_type_id=type_id):
            return accept.reference_value(value, type_id, path, facts)
        case EnumType(values=values):
            return accept.enum_key(value, [known.key for known in values], path)
        case LocalizedEnumType(values=localized):
            return accept.enum_key(value, [known.key for known in localized], path)
        case _:
            return _PLAIN[type(field_type)](value, path)
