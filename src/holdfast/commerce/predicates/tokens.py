"""Predicate text to tokens, with their positions for error messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum, auto

from holdfast.base.errors import InvalidInput
from holdfast.commerce.predicates.tree import Scalar

# Far above any predicate of a person or an integration, far below what could hold a worker up.
TEXT_LENGTH_MAX = 65_536
# Tokens one error message quotes at most.
QUOTE_LENGTH_MAX = 40
# A numeric column takes more, no amount, quantity or attribute does.
NUMBER_LENGTH_MAX = 64
NUMBER_EXPONENT_MAX = 300


class Kind(Enum):
    NAME = auto()
    QUOTED_NAME = auto()
    NUMBER = auto()
    STRING = auto()
    VARIABLE = auto()
    MARK = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is a name, a variable's name, a mark or the number as written; `value` is a literal's."""

    kind: Kind
    text: str
    position: int
    value: Scalar | None = None

    def is_word(self, *words: str) -> bool:
        """Whether this is one of the given keywords; those are case-insensitive."""
        return self.kind is Kind.NAME and self.text.lower() in words

    @property
    def is_name(self) -> bool:
        """Whether this can name a field: `2`, `1e5` and keywords can, where a field is expected."""
        return self.kind in (Kind.NAME, Kind.QUOTED_NAME) or (
            self.kind is Kind.NUMBER and _NAME.fullmatch(self.text) is not None
        )

    def is_mark(self, *marks: str) -> bool:
        return self.kind is Kind.MARK and self.text in marks


_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
# A number must not run into a name: `2fa` and `550e8400-e29b` are names that start with digits.
_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_-]))
    | (?P<name>[A-Za-z0-9_][A-Za-z0-9_-]*)
    | `(?P<quoted>[^`]+)`
    | "(?P<string>(?:[^"\\]|\\.)*)"
    | :(?P<variable>[A-Za-z0-9_-]+)
    | (?P<mark><>|!=|<=|>=|[=<>(),.])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_KINDS = {
    "number": Kind.NUMBER,
    "name": Kind.NAME,
    "quoted": Kind.QUOTED_NAME,
    "string": Kind.STRING,
    "variable": Kind.VARIABLE,
    "mark": Kind.MARK,
}


def malformed(parameter: str, reason: str, position: int | None = None) -> InvalidInput:
    """The error for a query parameter that cannot be understood."""
    place = "" if position is None else f" (at position {position})"
    return InvalidInput(f"Malformed parameter: {parameter}: {reason}{place}.")


def quote(text: str) -> str:
    """Client text for an error message: one short line."""
    shown = text if len(text) <= QUOTE_LENGTH_MAX else text[:QUOTE_LENGTH_MAX] + "…"
    return shown.encode("unicode_escape").decode("ascii")


def storable(text: str) -> bool:
    """Whether PostgreSQL can hold the text: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def tokens(text: str, parameter: str) -> list[Token]:
    """All tokens of a predicate, an END last. Raises InvalidInput."""
    if len(text) > TEXT_LENGTH_MAX:
        raise malformed(parameter, f"The predicate is longer than {TEXT_LENGTH_MAX} characters")
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            reason = "A string is not closed" if text[position] == '"' else f"Unexpected '{quote(text[position])}'"
            raise malformed(parameter, reason, position)
        if match.lastgroup != "space":
            found.append(_token(match, parameter))
        position = match.end()
    found.append(Token(Kind.END, "", len(text)))
    return found


def _token(match: re.Match[str], parameter: str) -> Token:
    group = match.lastgroup
    assert group is not None
    kind, text, position = _KINDS[group], match[group], match.start()
    if kind is Kind.STRING:
        return Token(kind, text, position, _unescaped(text, position, parameter))
    if kind is Kind.NUMBER:
        return Token(kind, text, position, read_number(text, parameter, position))
    if not storable(text):
        raise malformed(parameter, "A name must not contain NUL or unpaired surrogates", position)
    return Token(kind, text, position)


def _unescaped(text: str, position: int, parameter: str) -> str:
    plain = text
    if "\\" in text:
        plain = _joined(_ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _CONTROL.get(m[2], m[2]), text))
    if not storable(plain):
        raise malformed(parameter, "A string must not contain NUL or unpaired surrogates", position)
    return plain


def _joined(text: str) -> str:
    r"""Two \u escapes may make one character beyond the basic plane, as in JSON."""
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return text


def read_number(text: str, parameter: str, position: int | None = None) -> int | Decimal:
    """The exact value of a number as JSON writes it. Raises InvalidInput for one too big to store."""
    if len(text) > NUMBER_LENGTH_MAX:
        raise malformed(parameter, f"The number '{quote(text)}' has too many digits", position)
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise malformed(parameter, f"The number '{quote(text)}' is out of range", position) from None
    if not value:
        return 0
    if abs(value.adjusted()) > NUMBER_EXPONENT_MAX:
        raise malformed(parameter, f"The number '{quote(text)}' is out of range", position)
    return int(value) if value == value.to_integral_value() else value
