"""Which fields a resource can be asked about, read off its shape.

Wire names, as clients write them. A union offers the fields of all its branches, an array those of
its elements; a dict (localized texts, custom fields, attribute values) has any field.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin

import msgspec

from holdfast.commerce.values.value import Instant

# What a value can be; a `moment` is a text that names a point in time.
Kind = Literal["text", "number", "boolean", "moment"]
ANY_KIND: frozenset[Kind] = frozenset(("text", "number", "boolean"))
# Stored shapes keep moments as plain texts, so only their names tell them from other texts.
_MOMENT_NAMES = frozenset(("validFrom", "validUntil", "timestamp", "expectedDelivery", "estimatedDelivery"))

# The types a value may have: unions and arrays taken apart. `Any` among them stands for anything.
Branches = tuple[Any, ...]


@cache
def branches(kind: Any) -> Branches:
    """The types behind an annotation that fields or values can be read from."""
    return tuple(dict.fromkeys(_branches(kind)))


def _branches(kind: Any) -> Iterator[Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _branches(arguments[0])
    elif origin in (Union, types.UnionType):
        for branch in arguments:
            yield from _branches(branch)
    elif origin in (tuple, list, set, frozenset):
        for element in arguments:
            yield from _branches(element)
    elif isinstance(kind, NewType):
        yield from _branches(kind.__supertype__)
    elif kind not in (None, type(None), Ellipsis):
        yield kind


@cache
def fields_of(shape: Any) -> Mapping[str, Branches]:
    """The wire fields of a Struct with the types of their values."""
    found: dict[str, Branches] = {}
    for field in msgspec.structs.fields(shape):
        found[field.encode_name] = _named(field.encode_name, branches(field.type))
    tag_field = shape.__struct_config__.tag_field
    return found | ({tag_field: (str,)} if tag_field else {})


def _named(name: str, found: Branches) -> Branches:
    is_moment = name.endswith("At") or name in _MOMENT_NAMES
    return tuple(Instant if is_moment and branch is str else branch for branch in found)


def step(found: Branches, name: str) -> Branches | None:
    """The types of a field of any of the branches; None when none of them has it."""
    inner: list[Any] = []
    known = False
    for branch in found:
        if _is_open(branch):
            return (Any,)
        if _is_dict(branch):
            known = True
            inner.extend(branches(get_args(branch)[1]))
        elif isinstance(branch, type) and issubclass(branch, msgspec.Struct) and name in fields_of(branch):
            known = True
            inner.extend(fields_of(branch)[name])
    return tuple(dict.fromkeys(inner)) if known else None


def kinds(found: Branches) -> frozenset[Kind]:
    """What values the branches can hold directly; empty for objects."""
    return frozenset().union(*map(_kinds, found))


def _kinds(branch: Any) -> frozenset[Kind]:
    if _is_open(branch):
        return ANY_KIND
    if get_origin(branch) is Literal:
        return frozenset().union(*(_kinds(type(value)) for value in get_args(branch)))
    if not isinstance(branch, type):
        return frozenset()
    scalars: tuple[tuple[type | tuple[type, ...], Kind], ...] = (
        (Instant, "moment"),
        (bool, "boolean"),
        ((str, Enum), "text"),
        ((int, float, Decimal), "number"),
    )
    return frozenset(next(([kind] for types_, kind in scalars if issubclass(branch, types_)), []))


def _is_dict(branch: Any) -> bool:
    origin: Any = get_origin(branch)
    return origin is dict


def _is_open(branch: object) -> bool:
    return branch in (Any, object, dict, list, tuple, msgspec.Raw)
