"""A query predicate against one document in memory.

Serves extension conditions and checks on resources that are not stored yet. It says the same as
the SQL of the same tree (`store/where.py`); a property test compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, assert_never

from holdfast.commerce.predicates.tree import (
    Among,
    And,
    Comparison,
    Condition,
    ContainsAll,
    Defined,
    Descend,
    Empty,
    MatchesIgnoringCase,
    Not,
    Operand,
    Operator,
    Or,
    Predicate,
    Term,
    Variable,
    WithinCircle,
    cases,
)

EARTH_RADIUS_METRES = 6_371_000
# Degrees to a tenth of a millimetre: the squares of much smaller differences leave the range of numbers.
COORDINATE_DIGITS = 9


def matches(tree: Predicate, document: Any) -> bool:
    """Whether the predicate, its variables replaced, holds for the document (a dict with wire names)."""
    match tree:
        case And(parts):
            return all(matches(part, document) for part in parts)
        case Or(parts):
            return any(matches(part, document) for part in parts)
        case Not(part):
            return not matches(part, document)
        case Descend(name, inner):
            return any(matches(inner, element) for element in _elements(_members(document, name)))
        case Term(name, condition):
            return meets(list(_members(document, name)), condition)
        case _:
            assert_never(tree)


def meets(values: list[Any], condition: Condition) -> bool:
    """Whether one of the values, or one of the elements where a value is an array, meets the condition."""
    match condition:
        case Comparison(operator, value):
            return any(compare(found, operator, value) for found in _scalars(values))
        case Among(operands):
            return any(compare(found, "=", value) for found in _scalars(values) for value in operands)
        case ContainsAll(operands):
            return all(any(compare(found, "=", value) for found in _scalars(values)) for value in operands)
        case Defined():
            return any(value is not None for value in values)
        case Empty():
            return all(element is None for element in _elements(values))
        case MatchesIgnoringCase(value):
            return any(_same_letters(found, value) for found in _scalars(values))
        case WithinCircle():
            return any(_within(point, condition) for point in _elements(values))
        case _:
            assert_never(condition)


def _members(item: Any, name: str) -> Iterator[Any]:
    """The field of an object, or of each object in an array."""
    for element in item if isinstance(item, list | tuple) else (item,):
        if isinstance(element, dict) and name in element:
            yield element[name]


def _elements(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from value
        else:
            yield value


def _scalars(values: list[Any]) -> Iterator[Any]:
    """Elements, and those of arrays in arrays: attributes of set types hold such."""
    return _elements(_elements(values))


def compare(found: Any, operator: Operator, value: Operand) -> bool:
    """Values of the same kind are compared; a value of another kind, and null, is neither equal, less nor more."""
    assert not isinstance(value, Variable), f"variable {value.name} has no value"
    if _kind(found) is not _kind(value):
        return False
    left: Any = Decimal(repr(found)) if isinstance(found, float) else found
    match operator:
        case "=":
            return bool(left == value)
        case "<":
            return bool(left < value)
        case ">":
            return bool(left > value)
        case "<=":
            return bool(left <= value)
        case ">=":
            return bool(left >= value)
        case _:
            assert_never(operator)


def _kind(value: Any) -> type | None:
    for kind, types in ((bool, bool), (str, str), (int, (int, float, Decimal))):
        if isinstance(value, types):
            return kind
    return None


def _same_letters(found: Any, value: str | Variable) -> bool:
    assert isinstance(value, str)
    if not isinstance(found, str) or len(found) != len(value):
        return False
    return all(letter in cases(wanted) for letter, wanted in zip(found, value, strict=True))


def _within(point: Any, circle: WithinCircle) -> bool:
    coordinates = point.get("coordinates") if isinstance(point, dict) else None
    if not isinstance(coordinates, list | tuple) or len(coordinates) < 2:
        return False
    longitude, latitude = coordinates[:2]
    if _kind(longitude) is not int or _kind(latitude) is not int or abs(longitude) > 180 or abs(latitude) > 90:
        return False
    assert not isinstance(circle.metres, Variable)
    return _distance_metres(float(longitude), float(latitude), circle) <= float(circle.metres)


def _distance_metres(longitude: float, latitude: float, circle: WithinCircle) -> float:
    """The haversine formula."""
    assert not isinstance(circle.longitude, Variable)
    assert not isinstance(circle.latitude, Variable)
    centre = round(float(circle.longitude), COORDINATE_DIGITS), round(float(circle.latitude), COORDINATE_DIGITS)
    south, north = math.radians(round(latitude, COORDINATE_DIGITS)), math.radians(centre[1])
    east = math.radians(centre[0] - round(longitude, COORDINATE_DIGITS))
    chord = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_METRES * math.asin(min(1.0, math.sqrt(chord)))
