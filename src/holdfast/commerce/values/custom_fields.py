"""The shapes of custom fields; their rules are in `rules/custom_fields.py`."""

from __future__ import annotations

from typing import Any

from msgspec import field

from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Value, no_entries


class CustomFields(Value):
    """A type and the values its fields were given."""

    type: Reference
    fields: dict[str, Any] = field(default_factory=no_entries)


class CustomFieldsDraft(Value):
    type: ResourceIdentifier
    fields: dict[str, Any] = field(default_factory=no_entries)
