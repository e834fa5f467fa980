"""References that the plain `facts.resolve` does not cover: by key, and to types known by name only."""

from __future__ import annotations

from typing import Any

from holdfast.base.errors import ReferencedResourceNotFound
from holdfast.commerce.facts import Facts, lookup_of
from holdfast.commerce.registry import REGISTRY
from holdfast.commerce.values.reference import KeyReference, Reference, ResourceIdentifier


def resolve_named(type_id: str, target: ResourceIdentifier, facts: Facts) -> Reference:
    """The stored form of an identifier whose type another module may or may not register."""
    return Reference(type_id=type_id, id=_named(type_id, target, facts).id)


def resolve_key_named(type_id: str, target: ResourceIdentifier, facts: Facts) -> KeyReference:
    """Like `resolve_named`, for the types that are published by key."""
    return KeyReference(type_id=type_id, key=_named(type_id, target, facts).key)


def _named(type_id: str, target: ResourceIdentifier, facts: Facts) -> Any:
    """The target; of a type nobody registered there is none to be found."""
    kind = REGISTRY.get(type_id)
    if kind is not None:
        return facts.get(kind, target)
    lookup_of(type_id, target)  # a malformed identifier is refused as such
    raise ReferencedResourceNotFound(type_id, id=target.id, key=target.key)
