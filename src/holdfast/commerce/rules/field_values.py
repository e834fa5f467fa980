"""The values of custom fields and product attributes: what each published type accepts.

Each function takes the JSON value a client sent and gives the value that is stored, or raises
InvalidField with the path. What is stored is always built anew, so nothing unchecked gets in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, time
from typing import Any, NoReturn

import msgspec

from holdfast.base import clock
from holdfast.base.errors import InvalidField, ReferencedResourceNotFound
from holdfast.commerce.facts import ByField, ById, Facts, Lookup
from holdfast.commerce.registry import REGISTRY
from holdfast.commerce.values.money import MoneyDraft, typed
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import LocalizedString, builtins, encode

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?")
# What a 64-bit integer column or encoder can carry; larger numbers must be written as decimals.
_INTEGER_MAX = 2**63 - 1


def boolean_value(value: Any, path: str) -> bool:
    return value if isinstance(value, bool) else _refuse(value, path, "a boolean")


def text_value(value: Any, path: str) -> str:
    return value if isinstance(value, str) else _refuse(value, path, "a string")


def localized_value(value: Any, path: str) -> dict[str, str]:
    texts: dict[str, str] = _converted(value, LocalizedString, path, "an object of texts by locale")
    return texts


def number_value(value: Any, path: str) -> int | float:
    """An integer or decimal number; `true` is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(value, path, "a number")
    if isinstance(value, int) and abs(value) > _INTEGER_MAX:
        raise InvalidField(path, str(value)[:40], f"The number in '{path}' is too large.")
    return value


def money_value(value: Any, path: str) -> dict[str, Any]:
    draft = _converted(value, MoneyDraft, path, "an amount of money")
    stored: dict[str, Any] = builtins(typed(draft, path))
    return stored


def date_value(value: Any, path: str) -> str:
    """`YYYY-MM-DD`, an existing day."""
    return _parsed(value, path, _DATE, lambda text: date.fromisoformat(text).isoformat(), "a date (YYYY-MM-DD)")


def time_value(value: Any, path: str) -> str:
    """`HH:MM:SS.mmm`; seconds and milliseconds may be left out."""
    return _parsed(value, path, _TIME, _milliseconds, "a time (HH:MM:SS.mmm)")


def date_time_value(value: Any, path: str) -> str:
    """Any ISO 8601 moment, kept as UTC with milliseconds."""
    return _parsed(value, path, None, lambda text: clock.timestamp(clock.parse(text)), "a date and time (ISO 8601)")


def enum_key(value: Any, keys: Iterable[str], path: str) -> str:
    """The key of an enumeration; `{key, label}`, the form attributes are read in, is accepted too."""
    key = value.get("key") if isinstance(value, dict) else value
    known = tuple(keys)
    if not isinstance(key, str) or key not in known:
        raise InvalidField(path, _shown(key), allowed_values=list(known))
    return key


def reference_value(value: Any, type_id: str, path: str, facts: Facts) -> dict[str, str]:
    """`{typeId, id}` of an existing resource; a key is resolved to the id."""
    target = _converted(value, ResourceIdentifier, path, f"a reference to a {type_id}")
    if target.type_id != type_id or (target.id is None) == (target.key is None):
        _refuse(value, path, f"a reference with typeId '{type_id}' and an id")
    kind = REGISTRY.get(type_id)
    if kind is None:
        raise ReferencedResourceNotFound(type_id, id=target.id, key=target.key)
    return {"typeId": type_id, "id": facts.get(kind, target).id}


def references_in(value: Any) -> Iterator[Lookup]:
    """What a value from a client may point at, however deep, to be gathered at once."""
    if isinstance(value, list | tuple):
        for element in value:
            yield from references_in(element)
    elif isinstance(value, dict):
        kind = value.get("typeId")
        if isinstance(kind, str) and kind in REGISTRY:
            if isinstance(value.get("id"), str):
                yield ById(kind, value["id"])
            elif isinstance(value.get("key"), str):
                yield ByField(kind, "key", value["key"])
        for inner in value.values():
            yield from references_in(inner)


def set_value(value: Any, path: str, element: Callable[[Any, str], Any]) -> list[Any]:
    """A list of distinct elements, in the order first given."""
    if not isinstance(value, list | tuple):
        _refuse(value, path, "a list")
    distinct = {encode(checked): checked for checked in (element(one, path) for one in value)}
    return list(distinct.values())


def _milliseconds(text: str) -> str:
    return time.fromisoformat(text).isoformat(timespec="milliseconds")


def _parsed(value: Any, path: str, form: re.Pattern[str] | None, parse: Callable[[str], str], wanted: str) -> str:
    if not isinstance(value, str) or (form is not None and not form.fullmatch(value)):
        _refuse(value, path, wanted)
    try:
        return parse(value)
    except (ValueError, OverflowError):
        _refuse(value, path, wanted)


def _converted(value: Any, shape: Any, path: str, wanted: str) -> Any:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError:
        _refuse(value, path, wanted)


def _refuse(value: Any, path: str, wanted: str) -> NoReturn:
    raise InvalidField(path, _shown(value), f"The value of '{path}' must be {wanted}.")


def _shown(value: Any) -> Any:
    """The value as an error may repeat it: scalars as they are, the rest cut short."""
    if value is None or isinstance(value, str | bool | float):
        return value
    return str(value)[:200]
