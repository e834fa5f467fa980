"""What a predicate says, without its spelling.

Every node is either true or false for a document, there is no third value: a comparison with a
missing field is false, and `not` turns that into true. Therefore `a != "x"`, `a not in (…)` and
`a is not defined` need no nodes of their own: they are `Not` around the positive question. That is
also what the reference does for documents without the field (docs/decisions/predicates.md).

A field that holds an array is asked about its elements: a condition holds when one element meets
it, a `Descend` when one element meets the whole inner predicate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, Literal, TypeVar

Operator = Literal["=", "<", ">", "<=", ">="]
Scalar = str | int | Decimal | bool


@dataclass(frozen=True, slots=True)
class Variable:
    """`:name`, to be replaced by the values of the query parameter `var.name`."""

    name: str
    position: int = field(default=0, compare=False)


Operand = Scalar | Variable


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: Operator
    value: Operand


@dataclass(frozen=True, slots=True)
class Among:
    """`in (…)`, and on arrays `contains any (…)`, which is the same question."""

    values: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class ContainsAll:
    values: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Defined:
    """The field is there and not null; an empty array is there."""


@dataclass(frozen=True, slots=True)
class Empty:
    """The field has no elements: an empty array, or nothing at all."""


@dataclass(frozen=True, slots=True)
class MatchesIgnoringCase:
    """The whole text is equal, upper and lower case being the same letter."""

    value: str | Variable


@dataclass(frozen=True, slots=True)
class WithinCircle:
    """The GeoJSON point is at most `metres` away, along the surface of a spherical Earth."""

    longitude: int | Decimal | Variable
    latitude: int | Decimal | Variable
    metres: int | Decimal | Variable


def cases(letter: str) -> frozenset[str]:
    """The one-character forms of a letter; `ß` has no upper one, whatever the locale."""
    forms = (letter, letter.lower(), letter.upper(), letter.title())
    return frozenset(form for form in forms if len(form) == 1)


Condition = Comparison | Among | ContainsAll | Defined | Empty | MatchesIgnoringCase | WithinCircle

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class And(Generic[T]):
    parts: tuple[T, ...]


@dataclass(frozen=True, slots=True)
class Or(Generic[T]):
    parts: tuple[T, ...]


@dataclass(frozen=True, slots=True)
class Not(Generic[T]):
    part: T


@dataclass(frozen=True, slots=True)
class Term:
    """A field and what is asked of its value."""

    name: str
    condition: Condition
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Descend:
    """`field(…)`: the object, or one element of the array, meets the inner predicate."""

    name: str
    inner: Predicate
    position: int = field(default=0, compare=False)


Predicate = And["Predicate"] | Or["Predicate"] | Not["Predicate"] | Term | Descend
