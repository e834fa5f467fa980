"""The values of enumerations, in custom fields and attributes alike."""

from __future__ import annotations

from holdfast.commerce.values.value import LocalizedString, Value


class PlainEnumValue(Value):
    key: str
    label: str


class LocalizedEnumValue(Value):
    key: str
    label: LocalizedString
