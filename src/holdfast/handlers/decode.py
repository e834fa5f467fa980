"""Request bodies as values, within bounds. Whatever is wrong is said with its path."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from holdfast.base.errors import InvalidJsonInput

T = TypeVar("T")

DEPTH_MAX = 100
VALUES_MAX = 200_000
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OPENING = frozenset(b"[{")


def decode(decoder: msgspec.json.Decoder[T], body: bytes, *, absent_nulls: bool = False) -> T:
    """Decode a body; absent_nulls: fields that are null count as absent, as published.

    Raises InvalidJsonInput: not JSON, of another shape, too deep, too many values.
    """
    _check_bounds(body)
    try:
        value = decoder.decode(_without_nulls(body) if absent_nulls and b"null" in body else body)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError, OverflowError) as error:
        raise InvalidJsonInput(str(error)) from None
    except RecursionError:
        raise InvalidJsonInput(f"JSON is nested deeper than {DEPTH_MAX} levels.") from None
    if rb"\u0000" in body:
        _refuse_nul(msgspec.json.decode(body), "$")
    return value


def _without_nulls(body: bytes) -> bytes:
    """The body without the fields that are null: clients write out the whole of an empty form."""
    return msgspec.json.encode(_present(msgspec.json.decode(body)))


def _present(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _present(value) for name, value in node.items() if value is not None}
    return [_present(element) for element in node] if isinstance(node, list) else node


def _check_bounds(body: bytes) -> None:
    if body.count(b",") > VALUES_MAX:
        raise InvalidJsonInput(f"JSON has more than {VALUES_MAX} values.")
    if body.count(b"{") + body.count(b"[") > DEPTH_MAX:
        depth = deepest = 0
        for bracket in _STRINGS.sub(b"", body).translate(None, _NOT_BRACKETS):
            depth += 1 if bracket in _OPENING else -1
            deepest = max(deepest, depth)
        if deepest > DEPTH_MAX:
            raise InvalidJsonInput(f"JSON is nested deeper than {DEPTH_MAX} levels.")


def _refuse_nul(node: Any, path: str) -> None:
    """PostgreSQL texts cannot hold U+0000, so neither can ours."""
    if isinstance(node, str) and "\0" in node:
        raise InvalidJsonInput(f"The character U+0000 is not allowed - at `{path}`")
    if isinstance(node, dict):
        for name, value in node.items():
            _refuse_nul(name, f"{path}.{name}".replace("\0", "\\u0000"))
            _refuse_nul(value, f"{path}.{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            _refuse_nul(value, f"{path}[{index}]")
