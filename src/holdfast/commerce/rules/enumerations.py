"""Changes to the values of an enumeration, alike for custom field types and product attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from holdfast.base.errors import DuplicateEnumValues, EnumKeyAlreadyExists, EnumKeyDoesNotExist, EnumValuesMustMatch


class Keyed(Protocol):
    @property
    def key(self) -> str: ...


V = TypeVar("V", bound=Keyed)


def check_distinct(values: Sequence[Keyed], owner: str) -> None:
    """Raises DuplicateEnumValues with the keys that occur twice."""
    keys = [value.key for value in values]
    twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if twice:
        raise DuplicateEnumValues(f"The enum keys {', '.join(twice)} of '{owner}' are not unique.", duplicates=twice)


def check_known(values: Sequence[Keyed], keys: Sequence[str], owner: str) -> None:
    """Raises EnumKeyDoesNotExist for the first key that is not among the values."""
    present = {value.key for value in values}
    for key in keys:
        if key not in present:
            raise EnumKeyDoesNotExist(
                f"'{owner}' has no enum value '{key}'.", conflicting_enum_key=key, conflicting_attribute_name=owner
            )


def check_new(values: Sequence[Keyed], key: str, owner: str) -> None:
    """Raises EnumKeyAlreadyExists when the key is taken."""
    if any(value.key == key for value in values):
        raise EnumKeyAlreadyExists(
            f"'{owner}' has an enum value '{key}' already.", conflicting_enum_key=key, conflicting_attribute_name=owner
        )


def appended(values: tuple[V, ...], value: V, owner: str) -> tuple[V, ...]:
    check_new(values, value.key, owner)
    return (*values, value)


def removed(values: tuple[V, ...], keys: Sequence[str], owner: str) -> tuple[V, ...]:
    check_known(values, keys, owner)
    gone = frozenset(keys)
    return tuple(value for value in values if value.key not in gone)


def replaced(values: tuple[V, ...], value: V, owner: str) -> tuple[V, ...]:
    """The values with the one of the same key exchanged."""
    check_known(values, (value.key,), owner)
    return tuple(value if present.key == value.key else present for present in values)


def reordered(values: tuple[V, ...], keys: Sequence[str], owner: str) -> tuple[V, ...]:
    """The values in the order of `keys`, which must be exactly theirs."""
    by_key = {value.key: value for value in values}
    if sorted(keys) != sorted(by_key):
        raise EnumValuesMustMatch(f"The keys must be exactly those of '{owner}': {', '.join(sorted(by_key))}.")
    return tuple(by_key[key] for key in keys)
