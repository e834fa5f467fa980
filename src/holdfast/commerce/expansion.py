"""Reference expansion: which references `expand=` paths lead to, and putting their targets in place.

A path walks the document as it is served (`lineItems[*].productType`); where it meets a reference
it goes on in the referenced resource, so every reference on the way is expanded too. The caller
loads what is `pending`, puts it in with `expanded`, and asks again until nothing new is pending.
Paths that lead nowhere are ignored, as published; paths that are none are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from holdfast.commerce.predicates.tokens import malformed, quote

PATHS_MAX = 50
PATH_LENGTH_MAX = 512
STEPS_MAX = 20
# References visited in one document: `ancestors[*]` behind `ancestors[*]` multiplies.
REFERENCES_MAX = 5_000

_STEP = re.compile(r"(?P<name>[A-Za-z0-9_-]+)(?:\[(?P<place>\*|[0-9]{1,9})\])?")

# What a reference names: its type and its id.
Target = tuple[str, str]


class Step(NamedTuple):
    """A field; of an array `*` takes each element, a number one of them."""

    name: str
    place: str | None = None


# Steps and what follows each: paths that begin alike are walked together.
Paths = Mapping[Step, "Paths"]


def parse_paths(texts: Sequence[str]) -> Paths:
    """What `expand` parameters ask for. Raises InvalidInput."""
    if len(texts) > PATHS_MAX:
        raise malformed("expand", f"More than {PATHS_MAX} paths")
    root: dict[Step, Any] = {}
    for text in texts:
        place = root
        for step in _steps(text.strip()):
            place = place.setdefault(step, {})
    return root


def _steps(text: str) -> list[Step]:
    if len(text) > PATH_LENGTH_MAX:
        raise malformed("expand", f"A path is longer than {PATH_LENGTH_MAX} characters")
    parts = text.split(".") if text else []
    if len(parts) > STEPS_MAX:
        raise malformed("expand", f"The path '{quote(text)}' has more than {STEPS_MAX} steps")
    matches = [_STEP.fullmatch(part) for part in parts]
    found = [Step(match["name"], match["place"]) for match in matches if match]
    if len(found) != len(parts):
        raise malformed("expand", f"'{quote(text)}' is not a path")
    return found


def pending(document: Mapping[str, Any], paths: Paths) -> set[Target]:
    """The references on the paths that have no `obj` yet."""
    walk = _Walk({})
    walk.below(document, paths)
    return walk.missing


def expanded(document: Mapping[str, Any], paths: Paths, loaded: Mapping[Target, Mapping[str, Any]]) -> dict[str, Any]:
    """The document with the loaded resources as `obj` of the references on the paths.

    Nothing given is changed; what the paths do not touch is shared with the result.
    """
    return _Walk(loaded).below(document, paths)


class _Walk:
    def __init__(self, loaded: Mapping[Target, Mapping[str, Any]]) -> None:
        self._loaded = loaded
        self._visited = 0
        self.missing: set[Target] = set()

    def below(self, document: Mapping[str, Any], paths: Paths) -> dict[str, Any]:
        """An object with everything its paths lead to in place."""
        result = dict(document)
        for step, rest in paths.items():
            if step.name in result:
                result[step.name] = self._taken(result[step.name], step.place, rest)
        return result

    def _taken(self, value: Any, place: str | None, rest: Paths) -> Any:
        if place is None:
            return self._reached(value, rest)
        if not isinstance(value, list):
            return value
        return [
            self._reached(element, rest) if place == "*" or int(place) == index else element
            for index, element in enumerate(value)
        ]

    def _reached(self, value: Any, rest: Paths) -> Any:
        if not isinstance(value, dict):
            return value
        kind, resource_id = value.get("typeId"), value.get("id")
        if not (isinstance(kind, str) and isinstance(resource_id, str)):
            return self.below(value, rest)
        self._visited += 1
        if self._visited > REFERENCES_MAX:
            raise malformed("expand", f"The paths lead to more than {REFERENCES_MAX} references")
        found = value.get("obj") or self._loaded.get((kind, resource_id))
        if found is None:
            self.missing.add((kind, resource_id))
            return value
        return {**value, "obj": self.below(found, rest)}
