"""A parsed predicate meets the resource it asks about.

Unknown fields are refused, variables replaced by values of the type of the field they meet, and
points in time brought to the form they are stored in, so that comparing texts compares times.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_never

from holdfast.base import clock
from holdfast.base.errors import InvalidInput
from holdfast.commerce.predicates.fields import Branches, Kind, branches, kinds, step
from holdfast.commerce.predicates.parser import NODES_MAX
from holdfast.commerce.predicates.tokens import malformed, quote, read_number, storable
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
    Or,
    Predicate,
    Scalar,
    Term,
    Variable,
    WithinCircle,
)

# A pattern of more letters is refused by the regular expressions the database matches with.
IGNORE_CASE_LENGTH_MAX = 512
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_KIND_NAMES: dict[Kind, str] = {
    "text": "a text",
    "number": "a number",
    "boolean": "true or false",
    "moment": "a date and time",
}

Variables = Mapping[str, Sequence[str]]


def bind(
    tree: Predicate,
    shape: Any,
    variables: Variables | None = None,
    *,
    extra: Mapping[str, Any] | None = None,
    parameter: str = "where",
) -> Predicate:
    """The predicate checked against `shape`, without variables.

    `extra` names fields that exist for queries only, with their types. Raises InvalidInput.
    """
    return _Binder(variables or {}, parameter).bind(tree, branches(shape), extra or {})


class _Binder:
    def __init__(self, variables: Variables, parameter: str) -> None:
        self._variables = variables
        self._parameter = parameter
        self._values = 0

    def bind(self, tree: Predicate, found: Branches, extra: Mapping[str, Any]) -> Predicate:
        match tree:
            case And(parts):
                return And(tuple(self.bind(part, found, extra) for part in parts))
            case Or(parts):
                return Or(tuple(self.bind(part, found, extra) for part in parts))
            case Not(part):
                return Not(self.bind(part, found, extra))
            case Descend(name, inner):
                return replace(tree, inner=self.bind(inner, self._step(tree, found, extra, name), {}))
            case Term(name, condition):
                return self._term(tree, condition, kinds(self._step(tree, found, extra, name)))
            case _:
                assert_never(tree)

    def _step(self, at: Term | Descend, found: Branches, extra: Mapping[str, Any], name: str) -> Branches:
        inner = branches(extra[name]) if name in extra else step(found, name)
        if inner is None:
            raise self._malformed(f"The field '{quote(name)}' does not exist", at.position)
        return inner

    def _term(self, term: Term, condition: Condition, allowed: frozenset[Kind]) -> Predicate:
        match condition:
            case Defined() | Empty():
                return term
            case WithinCircle():
                return replace(term, condition=self._circle(condition, term))
            case Comparison(operator, value):
                readings = self._one(value, allowed, term)
                if operator == "=" or len(readings) == 1:
                    return replace(
                        term, condition=_equal(readings) if operator == "=" else Comparison(operator, *readings)
                    )
                return Or(tuple(replace(term, condition=Comparison(operator, reading)) for reading in readings))
            case Among(values):
                listed = [reading for value in values for read in self._read(value, allowed, term) for reading in read]
                return replace(term, condition=Among(tuple(listed)))
            case ContainsAll(values):
                wanted = [read for value in values for read in self._read(value, allowed, term)]
                return And(tuple(replace(term, condition=_equal(readings)) for readings in wanted))
            case MatchesIgnoringCase(value):
                return replace(term, condition=MatchesIgnoringCase(self._text(value, allowed, term)))
            case _:
                assert_never(condition)

    # --- values ----------------------------------------------------------------------------

    def _read(self, operand: Operand, allowed: frozenset[Kind], term: Term) -> list[tuple[Scalar, ...]]:
        """Each value of an operand as the scalars it can mean: `5` in an open field is a text or a number."""
        if not allowed:
            name = quote(term.name)
            raise self._malformed(f"The field '{name}' holds an object, ask for its fields: {name}(…)", term.position)
        if isinstance(operand, Variable):
            return [self._meanings(text, allowed, operand) for text in self._texts(operand)]
        self._count(1, term.position)
        return [(self._literal(operand, allowed, term),)]

    def _one(self, operand: Operand, allowed: frozenset[Kind], term: Term) -> tuple[Scalar, ...]:
        read = self._read(operand, allowed, term)
        if len(read) != 1:
            raise self._malformed(f"The field '{quote(term.name)}' is compared with several values", term.position)
        return read[0]

    def _texts(self, variable: Variable) -> Sequence[str]:
        texts = self._variables.get(variable.name)
        if not texts:
            raise self._malformed(f"The variable '{quote(variable.name)}' has no value", variable.position)
        self._count(len(texts), variable.position)
        if not all(map(storable, texts)):
            raise self._malformed("A value must not contain NUL or unpaired surrogates", variable.position)
        return texts

    def _meanings(self, text: str, allowed: frozenset[Kind], variable: Variable) -> tuple[Scalar, ...]:
        found: list[Scalar] = []
        if "text" in allowed:
            found.append(text)
        elif "moment" in allowed:
            found.append(self._moment(text, variable.position))
        if "boolean" in allowed and text.lower() in ("true", "false"):
            found.append(text.lower() == "true")
        if "number" in allowed and _NUMBER.fullmatch(text):
            found.append(read_number(text, self._parameter, variable.position))
        if not found:
            raise self._mismatch(text, allowed, variable.position)
        return tuple(found)

    def _literal(self, value: Scalar, allowed: frozenset[Kind], term: Term) -> Scalar:
        if isinstance(value, str) and "moment" in allowed:
            return self._moment(value, term.position)
        kind: Kind = "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
        if kind not in allowed:
            raise self._mismatch(str(value), allowed, term.position)
        return value

    def _moment(self, text: str, position: int) -> str:
        try:
            return clock.timestamp(clock.parse(text))
        except (ValueError, OverflowError):
            raise self._mismatch(text, frozenset(("moment",)), position) from None

    def _text(self, value: str | Variable, allowed: frozenset[Kind], term: Term) -> str:
        texts = self._texts(value) if isinstance(value, Variable) else (value,)
        if len(texts) != 1 or "text" not in allowed:
            raise self._malformed(f"'matches ignore case' compares one text, not '{quote(term.name)}'", term.position)
        if len(texts[0]) > IGNORE_CASE_LENGTH_MAX:
            raise self._malformed(f"'matches ignore case' takes {IGNORE_CASE_LENGTH_MAX} characters", term.position)
        return texts[0]

    def _circle(self, circle: WithinCircle, term: Term) -> WithinCircle:
        numbers = []
        for operand, least, most in (
            (circle.longitude, -180, 180),
            (circle.latitude, -90, 90),
            (circle.metres, 0, 10**9),
        ):
            (number,) = self._one(operand, frozenset(("number",)), term)
            assert not isinstance(number, str)
            if not least <= number <= most:
                raise self._malformed(f"{number} is not between {least} and {most}", term.position)
            numbers.append(number)
        return WithinCircle(*numbers)

    # --- refusals --------------------------------------------------------------------------

    def _count(self, added: int, position: int) -> None:
        self._values += added
        if self._values > NODES_MAX:
            raise self._malformed(f"More than {NODES_MAX} values", position)

    def _mismatch(self, text: str, allowed: frozenset[Kind], position: int) -> InvalidInput:
        wanted = " or ".join(sorted(_KIND_NAMES[kind] for kind in allowed))
        return self._malformed(f"The value '{quote(text)}' is not {wanted}", position)

    def _malformed(self, reason: str, position: int) -> InvalidInput:
        return malformed(self._parameter, reason, position)


def _equal(readings: tuple[Scalar, ...]) -> Condition:
    return Comparison("=", readings[0]) if len(readings) == 1 else Among(readings)


def relocated(tree: Predicate, places: Mapping[str, tuple[str, ...]], elsewhere: tuple[str, ...] = ()) -> Predicate:
    """A predicate on a projection as one on the stored document.

    `places` tells where a top-level field lives (its own path, the field included); fields not
    named there are below `elsewhere`: `name` of a current product is `masterData(current(name))`.
    """
    match tree:
        case And(parts):
            return And(tuple(relocated(part, places, elsewhere) for part in parts))
        case Or(parts):
            return Or(tuple(relocated(part, places, elsewhere) for part in parts))
        case Not(part):
            return Not(relocated(part, places, elsewhere))
        case Term(name) | Descend(name):
            *path, last = places.get(name, (*elsewhere, name))
            moved: Predicate = replace(tree, name=last)
            for step_name in reversed(path):
                moved = Descend(step_name, moved, tree.position)
            return moved
        case _:
            assert_never(tree)
