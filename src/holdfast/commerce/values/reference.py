"""How resources point at each other.

A draft names its target by id or key (`ResourceIdentifier`); what is stored is always the id
(`Reference`), except where the API publishes keys (`KeyReference`: stores, business units).
"""

from __future__ import annotations

from holdfast.commerce.values.value import Value


class Reference(Value):
    """`{typeId, id}`; `obj` appears only in answers that asked to expand it."""

    type_id: str
    id: str


class KeyReference(Value):
    """`{typeId, key}`."""

    type_id: str
    key: str


class ResourceIdentifier(Value):
    """`{typeId?, id}` or `{typeId?, key}` in a draft; never both."""

    type_id: str | None = None
    id: str | None = None
    key: str | None = None
