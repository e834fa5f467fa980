"""What the database keeps watch over beside the documents: unique values and references."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from holdfast.base.errors import DuplicateField
from holdfast.commerce.registry import REGISTRY

if TYPE_CHECKING:
    from holdfast.commerce.registry import Resource
    from holdfast.commerce.values.value import Stored

# Longer values are claimed by their hash: an index entry has a bound, a name may not.
CLAIM_CHARACTERS_MAX = 500


class Pointer(NamedTuple):
    """A reference that keeps its target from being deleted."""

    kind: str
    id: str


def claim_value(value: str) -> str:
    """The form of a unique value that fits an index."""
    if len(value) <= CLAIM_CHARACTERS_MAX:
        return value
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()


def claims_of(kind: Resource[Any], resource: Stored) -> tuple[tuple[str, str], ...]:
    """The (field, value) pairs a resource claims in its project."""
    return tuple((field, claim_value(value)) for field, value in kind.unique_values(resource))


def duplicate(kind: str, field: str, value: str, owner: str | None) -> DuplicateField:
    """The refusal of a value that belongs to somebody else already."""
    conflicting = {"typeId": kind, "id": owner} if owner else None
    return DuplicateField(REGISTRY[kind].published.get(field, field), value, conflicting)


def pointers_of(kind: Resource[Any], body: bytes) -> frozenset[Pointer]:
    """The references of the kinds this type holds on to, found anywhere in its body."""
    held = frozenset(name for name in kind.holds if f'"typeId":"{name}"'.encode() in body)
    if not held:
        return frozenset()
    found: set[Pointer] = set()
    _walk(msgspec.json.decode(body), held, found)
    return frozenset(found)


def _walk(node: Any, held: frozenset[str], found: set[Pointer]) -> None:
    if isinstance(node, dict):
        if node.get("typeId") in held and isinstance(node.get("id"), str):
            found.add(Pointer(node["typeId"], node["id"]))
        for value in node.values():
            _walk(value, held, found)
    elif isinstance(node, list):
        for value in node:
            _walk(value, held, found)
