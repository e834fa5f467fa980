"""The parameters beside `where`: how many, from where, in which order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from holdfast.commerce.predicates.fields import Branches, branches, kinds, step
from holdfast.commerce.predicates.tokens import Kind, Token, malformed, quote, tokens

LIMIT_DEFAULT = 20
LIMIT_MAX = 500
OFFSET_MAX = 10_000
SORTS_MAX = 10
SORT_DEPTH_MAX = 20
_WHOLE = re.compile(r"-?[0-9]{1,18}")


class Paging(NamedTuple):
    limit: int = LIMIT_DEFAULT
    offset: int = 0
    with_total: bool = True


class SortKey(NamedTuple):
    """A field by its path from the top of the document."""

    path: tuple[str, ...]
    descending: bool = False


def paging(limit: str | None = None, offset: str | None = None, with_total: str | None = None) -> Paging:
    """The page a request asks for. Raises InvalidInput beyond the published bounds."""
    return Paging(
        limit=_bounded("limit", limit, LIMIT_DEFAULT, LIMIT_MAX),
        offset=_bounded("offset", offset, 0, OFFSET_MAX),
        with_total=_flag("withTotal", with_total),
    )


def _bounded(parameter: str, text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    if not _WHOLE.fullmatch(text):
        raise malformed(parameter, f"'{quote(text)}' is not a whole number")
    if not 0 <= int(text) <= most:
        raise malformed(parameter, f"{int(text)} is not between 0 and {most}")
    return int(text)


def _flag(parameter: str, text: str | None) -> bool:
    if text is not None and text.lower() not in ("true", "false"):
        raise malformed(parameter, f"'{quote(text)}' is neither true nor false")
    return text is None or text.lower() == "true"


def sort_keys(sorts: Sequence[str], shape: Any, extra: Mapping[str, Any] | None = None) -> tuple[SortKey, ...]:
    """What `sort` parameters ask for: `createdAt desc`, `name.en`. Raises InvalidInput for unknown fields."""
    if len(sorts) > SORTS_MAX:
        raise malformed("sort", f"More than {SORTS_MAX} sort expressions")
    keys = []
    for text in sorts:
        key = _sort_key(tokens(text, "sort"))
        _check(key, branches(shape), extra or {})
        keys.append(key)
    return tuple(keys)


def relocated_keys(
    keys: Sequence[SortKey], places: Mapping[str, tuple[str, ...]], elsewhere: tuple[str, ...] = ()
) -> tuple[SortKey, ...]:
    """Sort keys of a projection as those of the stored document; see `binding.relocated`."""
    return tuple(
        key._replace(path=(*places.get(key.path[0], (*elsewhere, key.path[0])), *key.path[1:])) for key in keys
    )


def _sort_key(found: list[Token]) -> SortKey:
    path = [_name(found[0])]
    position = 1
    while found[position].is_mark("."):
        path.append(_name(found[position + 1]))
        position += 2
    descending = found[position].is_word("desc")
    position += found[position].is_word("asc", "desc")
    rest = found[position]
    if rest.kind is not Kind.END:
        raise malformed("sort", f"Expected 'asc', 'desc' or the end, found '{quote(rest.text)}'", rest.position)
    if len(path) > SORT_DEPTH_MAX:
        raise malformed("sort", f"A path has at most {SORT_DEPTH_MAX} names")
    return SortKey(tuple(path), descending)


def _name(token: Token) -> str:
    if token.is_name:
        return token.text
    raise malformed("sort", "Expected a field", token.position)


def _check(key: SortKey, found: Branches, extra: Mapping[str, Any]) -> None:
    for depth, name in enumerate(key.path):
        inner = branches(extra[name]) if depth == 0 and name in extra else step(found, name)
        if inner is None:
            raise malformed("sort", f"The field '{quote('.'.join(key.path))}' does not exist")
        found = inner
    if not kinds(found):
        raise malformed("sort", f"The field '{quote('.'.join(key.path))}' holds an object, which has no order")
