"""Actions that many resource types share, registered there by one line each."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec.structs import replace

from holdfast.commerce.values.value import Key, LocalizedString, Stored

R = TypeVar("R", bound=Stored)


def _with(resource: R, **changes: Any) -> R:
    return replace(resource, **changes)


def set_key(resource: R, *, key: Key | None = None) -> R:
    """Set or remove the user-defined key."""
    return _with(resource, key=key)


def change_key(resource: R, *, key: Key) -> R:
    """Change the key of a resource that cannot be without one."""
    return _with(resource, key=key)


def change_name(resource: R, *, name: str) -> R:
    """Change a name that is plain text."""
    return _with(resource, name=name)


def change_localized_name(resource: R, *, name: LocalizedString) -> R:
    """Change a name in all its languages."""
    return _with(resource, name=name)


def set_description(resource: R, *, description: str | None = None) -> R:
    """Set or remove a description that is plain text."""
    return _with(resource, description=description)


def set_localized_description(resource: R, *, description: LocalizedString | None = None) -> R:
    """Set or remove a description in all its languages."""
    return _with(resource, description=description)
