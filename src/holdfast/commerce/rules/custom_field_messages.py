"""What to tell when custom fields change: the type once, or else each field that differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from holdfast.commerce.messages.message import Message
from holdfast.commerce.values.custom_fields import CustomFields


class Teller(NamedTuple):
    """How one kind of holder tells of its custom fields."""

    type_set: Callable[[CustomFields, str | None], Message]
    type_removed: Callable[[str], Message]
    field_added: Callable[[str, Any], Message]
    field_changed: Callable[[str, Any, Any], Message]
    field_removed: Callable[[str], Message]


def custom_field_messages(before: CustomFields | None, after: CustomFields | None, tell: Teller) -> Iterator[Message]:
    """The messages for the way from `before` to `after`."""
    if after is None:
        if before is not None:
            yield tell.type_removed(before.type.id)
    elif before is None or before.type != after.type:
        yield tell.type_set(after, before.type.id if before else None)
    else:
        yield from _fields(before.fields, after.fields, tell)


def _fields(before: dict[str, Any], after: dict[str, Any], tell: Teller) -> Iterator[Message]:
    for name, value in after.items():
        if name not in before:
            yield tell.field_added(name, value)
        elif before[name] != value:
            yield tell.field_changed(name, value, before[name])
    for name in before:
        if name not in after:
            yield tell.field_removed(name)
