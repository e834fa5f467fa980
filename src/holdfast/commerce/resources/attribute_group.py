"""Attribute groups: product attributes that belong together, for whoever arranges them on a page."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Resource
from holdfast.commerce.rules.common_actions import (
    change_localized_name,
    set_key,
    set_localized_description,
)
from holdfast.commerce.values.value import Key, LocalizedString, Stored, Value, empty

ATTRIBUTES_MAX = 500


class AttributeReference(Value):
    """An attribute by its name in the product types."""

    key: Annotated[str, Meta(min_length=1, max_length=256)]


Attributes = Annotated[tuple[AttributeReference, ...], Meta(max_length=ATTRIBUTES_MAX)]


class AttributeGroupDraft(Value):
    key: Key | None = None
    name: LocalizedString
    description: LocalizedString | None = None
    attributes: Attributes = field(default_factory=empty)


class AttributeGroup(Stored):
    key: str | None = None
    name: LocalizedString
    description: LocalizedString | None = None
    attributes: tuple[AttributeReference, ...] = field(default_factory=empty)


attribute_groups = Resource("attribute-group", path="attribute-groups", shape=AttributeGroup, draft=AttributeGroupDraft)
attribute_groups.action("changeName")(change_localized_name)
attribute_groups.action("setKey")(set_key)
attribute_groups.action("setDescription")(set_localized_description)


@attribute_groups.create
def create_attribute_group(draft: AttributeGroupDraft, _facts: Facts) -> AttributeGroup:
    """A new group; naming an attribute twice is an error."""
    return AttributeGroup(
        key=draft.key, name=draft.name, description=draft.description, attributes=_distinct(draft.attributes)
    )


@attribute_groups.action("setAttributes")
def set_attributes(group: AttributeGroup, *, attributes: Attributes) -> AttributeGroup:
    """Replace the attributes of the group."""
    return replace(group, attributes=_distinct(attributes))


@attribute_groups.action("addAttribute")
def add_attribute(group: AttributeGroup, *, attribute: AttributeReference) -> AttributeGroup:
    """Add an attribute at the end; adding one twice is an error."""
    return replace(group, attributes=_distinct((*group.attributes, attribute)))


@attribute_groups.action("removeAttribute")
def remove_attribute(group: AttributeGroup, *, attribute: AttributeReference) -> AttributeGroup:
    """Remove an attribute; removing an absent one is an error."""
    if attribute not in group.attributes:
        raise InvalidOperation(f"Attribute group {group.id} does not hold '{attribute.key}'.")
    return replace(group, attributes=tuple(kept for kept in group.attributes if kept != attribute))


def _distinct(attributes: tuple[AttributeReference, ...]) -> tuple[AttributeReference, ...]:
    seen: set[str] = set()
    for attribute in attributes:
        if attribute.key in seen:
            raise InvalidOperation(f"The attribute '{attribute.key}' is in the group already.")
        seen.add(attribute.key)
    if len(attributes) > ATTRIBUTES_MAX:
        raise InvalidOperation(f"An attribute group holds at most {ATTRIBUTES_MAX} attributes.")
    return attributes
