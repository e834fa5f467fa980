"""Query predicate text to a tree, by recursive descent.

    predicate := and ("or" and)*
    and       := unit ("and" unit)*
    unit      := "not" "(" predicate ")" | "(" predicate ")" | term
    term      := field "(" predicate ")" | field condition
    condition := ("=" | "!=" | "<>" | "<" | ">" | "<=" | ">=") value
               | ["not"] "in" values | "contains" ("all" | "any") values
               | "is" ["not"] ("defined" | "empty")
               | "matches" "ignore" "case" value
               | "within" "circle" "(" longitude "," latitude "," metres ")"
    values    := "(" value ("," value)* ")" | variable

Keywords are known by where they stand, so `name(is = "…")` and `name(or = "…")` are the Icelandic
and the Oriya name. Only `not` before a bracket is never a field; backticks make it one.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Generic, TypeVar, cast

from holdfast.base.errors import InvalidInput
from holdfast.commerce.predicates.tokens import Kind, Token, malformed, quote, tokens
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
)

# Brackets inside brackets. Deeper than any published shape; each level costs four Python frames.
DEPTH_MAX = 50
# Conditions plus values: room for a page of 500 ids in several clauses, none for a denial of service.
NODES_MAX = 4_000
# `where` parameters of one request.
PARTS_MAX = 20

_NEGATED = ("!=", "<>")
_COMPARED = ("=", "<", ">", "<=", ">=", *_NEGATED)

# The whole tree type of a language, which has And[T], Or[T] and Not[T] among its branches.
T = TypeVar("T")


class Parser(Generic[T]):
    """The part both predicate languages share: and, or, not, brackets, conditions and the bounds."""

    def __init__(self, text: str, parameter: str) -> None:
        self.parameter = parameter
        self._tokens = tokens(text, parameter)
        self._next = 0
        self._depth = 0
        self._nodes = 0

    def whole(self) -> T:
        """The predicate; anything after it is an error."""
        tree = self.predicate()
        if self.token.kind is not Kind.END:
            raise self.unexpected(self.token, "'and', 'or' or the end")
        return tree

    def term(self) -> T:
        raise NotImplementedError

    # --- structure -------------------------------------------------------------------------

    def predicate(self) -> T:
        parts = [self._and()]
        while self.took_word("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else cast("T", Or(tuple(parts)))

    def _and(self) -> T:
        parts = [self._unit()]
        while self.took_word("and"):
            parts.append(self._unit())
        return parts[0] if len(parts) == 1 else cast("T", And(tuple(parts)))

    def _unit(self) -> T:
        self.count()
        if self.token.is_word("not") and self.ahead.is_mark("("):
            self.take()
            return cast("T", Not(self.bracketed()))
        return self.bracketed() if self.token.is_mark("(") else self.term()

    def bracketed(self) -> T:
        """A predicate in brackets, one level deeper."""
        if self._depth == DEPTH_MAX:
            raise malformed(self.parameter, f"More than {DEPTH_MAX} nested brackets", self.token.position)
        self._depth += 1
        self.take_mark("(")
        tree = self.predicate()
        self.take_mark(")")
        self._depth -= 1
        return tree

    # --- conditions ------------------------------------------------------------------------

    def condition(self) -> tuple[Condition, bool]:
        """What follows a field, and whether it is negated."""
        token = self.take()
        if token.is_mark(*_COMPARED):
            operator = "=" if token.text in _NEGATED else token.text
            return Comparison(cast("Operator", operator), self.value()), token.text in _NEGATED
        if token.is_word("is"):
            return self._is()
        if token.is_word("in"):
            return Among(self._values()), False
        if token.is_word("not"):
            self.take_word("in")
            return Among(self._values()), True
        return self._rarely(token), False

    def _is(self) -> tuple[Condition, bool]:
        negated = self.took_word("not")
        return (Defined() if self.take_word("defined", "empty") == "defined" else Empty()), negated

    def _rarely(self, token: Token) -> Condition:
        if token.is_word("contains"):
            return ContainsAll(self._values()) if self.take_word("all", "any") == "all" else Among(self._values())
        if token.is_word("matches"):
            self.take_word("ignore")
            self.take_word("case")
            return MatchesIgnoringCase(self._text())
        if token.is_word("within"):
            self.take_word("circle")
            return self._circle()
        raise self.unexpected(token, "a comparison")

    def _circle(self) -> WithinCircle:
        self.take_mark("(")
        longitude = self._number()
        self.take_mark(",")
        latitude = self._number()
        self.take_mark(",")
        metres = self._number()
        self.take_mark(")")
        return WithinCircle(longitude, latitude, metres)

    def _values(self) -> tuple[Operand, ...]:
        if self.token.kind is Kind.VARIABLE:
            return (self.value(),)
        self.take_mark("(")
        values = [self.value()]
        while self.took_mark(","):
            values.append(self.value())
        self.take_mark(")")
        return tuple(values)

    def _text(self) -> str | Variable:
        token, value = self.token, self.value()
        if isinstance(value, str | Variable):
            return value
        raise self.unexpected(token, "a text")

    def _number(self) -> int | Decimal | Variable:
        token, value = self.token, self.value()
        if isinstance(value, str | bool):
            raise self.unexpected(token, "a number")
        return value

    def value(self) -> Operand:
        """A literal or a variable."""
        self.count()
        token = self.token
        if token.is_word("true", "false"):
            self.take()
            return token.text.lower() == "true"
        if token.kind is Kind.VARIABLE:
            self.take()
            return Variable(token.text, token.position)
        if token.kind in (Kind.STRING, Kind.NUMBER):
            self.take()
            assert token.value is not None
            return token.value
        raise self.unexpected(token, "a value")

    # --- tokens ----------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self._tokens[self._next]

    @property
    def ahead(self) -> Token:
        return self._tokens[min(self._next + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        token = self.token
        self._next += token.kind is not Kind.END
        return token

    def took_word(self, word: str) -> bool:
        found = self.token.is_word(word)
        self._next += found
        return found

    def took_mark(self, mark: str) -> bool:
        found = self.token.is_mark(mark)
        self._next += found
        return found

    def take_word(self, *words: str) -> str:
        if not self.token.is_word(*words):
            raise self.unexpected(self.token, " or ".join(f"'{word}'" for word in words))
        return self.take().text.lower()

    def take_mark(self, mark: str) -> None:
        if not self.took_mark(mark):
            raise self.unexpected(self.token, f"'{mark}'")

    def count(self) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise malformed(self.parameter, f"More than {NODES_MAX} conditions and values", self.token.position)

    def unexpected(self, token: Token, wanted: str) -> InvalidInput:
        found = "the end" if token.kind is Kind.END else f"'{quote(token.text)}'"
        return malformed(self.parameter, f"Expected {wanted}, found {found}", token.position)


class QueryParser(Parser[Predicate]):
    """Terms of query predicates: one field name, a condition or a step into it."""

    def term(self) -> Predicate:
        token = self.take()
        if not token.is_name:
            raise self.unexpected(token, "a field")
        if self.token.is_mark("("):
            return Descend(token.text, self.bracketed(), token.position)
        condition, negated = self.condition()
        term = Term(token.text, condition, token.position)
        return Not(term) if negated else term


def parse(text: str, parameter: str = "where") -> Predicate:
    """A query predicate. Raises InvalidInput with the position of the first mistake."""
    return QueryParser(text, parameter).whole()


def parse_all(texts: Sequence[str]) -> Predicate | None:
    """Several `where` parameters must all hold; None when there are none, or only blank ones."""
    if len(texts) > PARTS_MAX:
        raise malformed("where", f"More than {PARTS_MAX} predicates")
    parts = tuple(parse(text) for text in texts if text.strip())
    if len(parts) > 1:
        return And(parts)
    return parts[0] if parts else None
