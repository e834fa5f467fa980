"""The types an attribute of a product can have."""

from __future__ import annotations

from msgspec import field

from holdfast.commerce.values.enum_value import LocalizedEnumValue, PlainEnumValue
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import Value, empty


class BooleanAttribute(Value, tag_field="name", tag="boolean"): ...


class TextAttribute(Value, tag_field="name", tag="text"): ...


class LocalizedTextAttribute(Value, tag_field="name", tag="ltext"): ...


class EnumAttribute(Value, tag_field="name", tag="enum"):
    values: tuple[PlainEnumValue, ...] = field(default_factory=empty)


class LocalizedEnumAttribute(Value, tag_field="name", tag="lenum"):
    values: tuple[LocalizedEnumValue, ...] = field(default_factory=empty)


class NumberAttribute(Value, tag_field="name", tag="number"): ...


class MoneyAttribute(Value, tag_field="name", tag="money"): ...


class DateAttribute(Value, tag_field="name", tag="date"): ...


class TimeAttribute(Value, tag_field="name", tag="time"): ...


class DateTimeAttribute(Value, tag_field="name", tag="datetime"): ...


class ReferenceAttribute(Value, tag_field="name", tag="reference"):
    reference_type_id: str


class NestedAttribute(Value, tag_field="name", tag="nested"):
    """Attributes of another product type as one value."""

    type_reference: Reference


ElementType = (
    BooleanAttribute
    | TextAttribute
    | LocalizedTextAttribute
    | EnumAttribute
    | LocalizedEnumAttribute
    | NumberAttribute
    | MoneyAttribute
    | DateAttribute
    | TimeAttribute
    | DateTimeAttribute
    | ReferenceAttribute
    | NestedAttribute
)


class SetAttribute(Value, tag_field="name", tag="set"):
    element_type: ElementType


AttributeType = ElementType | SetAttribute
