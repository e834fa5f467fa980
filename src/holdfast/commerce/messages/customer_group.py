"""What happened to customer groups."""

from __future__ import annotations

from typing import Any

from holdfast.commerce.messages.message import Message
from holdfast.commerce.values.custom_fields import CustomFields


class CustomerGroupCustomTypeSet(Message):
    custom_fields: CustomFields
    old_type_id: str | None = None


class CustomerGroupCustomTypeRemoved(Message):
    old_type_id: str


class CustomerGroupCustomFieldAdded(Message):
    name: str
    value: Any


class CustomerGroupCustomFieldChanged(Message):
    name: str
    value: Any
    old_value: Any


class CustomerGroupCustomFieldRemoved(Message):
    name: str
