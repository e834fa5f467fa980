"""Predicate trees as PostgreSQL jsonpath.

Each condition is `exists(path ? (…@…))`. Three things hang on that form: it is true or false, never
unknown, so that `!` means what `Not` means; a filter looks into arrays by itself; and a GIN index on
the document finds the equalities in it. Texts and names are quoted, so nothing a client writes is
ever read as jsonpath.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import assert_never

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
    Term,
    WithinCircle,
    cases,
)


def jsonpath(tree: Predicate, root: str = "$") -> str:
    """The predicate as a jsonpath predicate about `root`; `WithinCircle` has none."""
    match tree:
        case And(parts):
            return f"({' && '.join(jsonpath(part, root) for part in parts)})"
        case Or(parts):
            return f"({' || '.join(jsonpath(part, root) for part in parts)})"
        case Not(part):
            return f"!({jsonpath(part, root)})"
        case Descend(name, inner):
            return f"exists({member(root, name)} ? ({jsonpath(inner, '@')}))"
        case Term(name, condition):
            return _condition(member(root, name), condition)
        case _:
            assert_never(tree)


def member(root: str, *names: str) -> str:
    """The path to a field below `root`."""
    return root + "".join(f".{_text(name)}" for name in names)


def _condition(path: str, condition: Condition) -> str:
    match condition:
        case Comparison(operator, value):
            return f"exists({path} ? (@ {'==' if operator == '=' else operator} {literal(value)}))"
        case Among(values):
            return f"exists({path} ? ({' || '.join(f'@ == {literal(value)}' for value in values)}))"
        case ContainsAll(values):
            return f"({' && '.join(_condition(path, Comparison('=', value)) for value in values)})"
        case Defined():
            return f'{path}.type() != "null"'
        case Empty():
            return f'!({path}[*].type() != "null")'
        case MatchesIgnoringCase(value):
            assert isinstance(value, str)
            return f"exists({path} ? (@ like_regex {_text(_pattern(value))}))"
        case WithinCircle():
            raise AssertionError("jsonpath cannot measure distances")
        case _:
            assert_never(condition)


def literal(value: Operand) -> str:
    """A value as jsonpath writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return format(value, "f") if isinstance(value, Decimal) else str(value)
        case str():
            return _text(value)
        case _:
            raise AssertionError(f"variable {value.name} has no value")


def _text(text: str) -> str:
    """Quoted with JSON's escapes, which jsonpath shares."""
    return json.dumps(text, ensure_ascii=False)


def _pattern(text: str) -> str:
    """A regular expression for exactly this text in any case.

    Both cases are spelled out: what the database's own flag for it does depends on its locale.
    """
    return f"^{''.join(map(_letter, text))}$"


def _letter(letter: str) -> str:
    forms = sorted(cases(letter))
    if len(forms) > 1:
        return f"[{''.join(forms)}]"
    return letter if letter.isalnum() or ord(letter) > 127 else f"\\{letter}" if letter.isprintable() else f"[{letter}]"
