"""A session that remembers what it was told to do, and answers and fails as a test wants it to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.zone import Zone, zones
from holdfast.store.change import Change, change_of
from holdfast.store.session import Part

NOW = "2026-01-31T10:00:00.000Z"


class Recorded:
    """Instead of a Session. `rows`: what parts find, by name. `misses`: how many rows a part fails to write.

    `fails`: what a step, or a part by its name, raises, one after the other; None lets one pass.
    """

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.parts: list[Part] = []
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.misses: defaultdict[str, list[int]] = defaultdict(list)
        self.fails: defaultdict[str, list[BaseException | None]] = defaultdict(list)
        self.closed = False

    async def begin(self) -> None:
        self._step("begin")

    async def commit(self) -> None:
        self._step("commit")

    async def rollback(self) -> None:
        self._step("rollback")

    async def read(self, parts: Sequence[Part]) -> list[list[dict[str, Any]]]:
        self._run("read", parts)
        return [self.rows.get(part.name, []) for part in parts]

    async def write(self, parts: Sequence[Part]) -> list[int]:
        self._run("write", parts)
        return [_given(part) - (self.misses[part.name].pop(0) if self.misses[part.name] else 0) for part in parts]

    def is_closed(self) -> bool:
        return self.closed

    async def close(self) -> None:
        self._step("close")
        self.closed = True

    def terminate(self) -> None:
        self._step("terminate")
        self.closed = True

    def named(self, name: str) -> list[Sequence[Any]]:
        """The arguments of the parts with this name."""
        return [part.arguments for part in self.parts if part.name == name]

    def _run(self, step: str, parts: Sequence[Part]) -> None:
        if parts:
            self._step(step)
        self.parts += parts
        for part in parts:
            self._fail(part.name)

    def _step(self, name: str) -> None:
        self.steps.append(name)
        self._fail(name)

    def _fail(self, name: str) -> None:
        problem = self.fails[name].pop(0) if self.fails[name] else None
        if problem is not None:
            raise problem


def _given(part: Part) -> int:
    return len(part.arguments[0]) if isinstance(part.arguments[0], list) else 1


def a_zone(id: str = "z", version: int = 1, **fields: Any) -> Zone:
    return Zone(id=id, version=version, created_at=NOW, last_modified_at=NOW, name="Z", **fields)


def creation(id: str = "z", project: str = "shop", **side: Any) -> Change:
    return change_of(project, zones, None, Changed(a_zone(id), **side))
