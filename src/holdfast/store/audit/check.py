"""What a check is, what it finds, and in which order a walk goes through a table.

A walk pages through the keys of one project and looks at a page at a time, in one snapshot: what is
committed together is seen together, so a difference between two tables is never only a moment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from holdfast.store.audit.reading import Reading

# What tells the rows of a walk apart, within their project: an id, or the parts of a longer key.
Place = tuple[str, ...]

NO_REPAIR = "no automatic repair: "


class Check(NamedTuple):
    """One promise, put as a question to the database.

    promise: its number in the list of promises. meaning: what a finding says. remedy: what mends it.
    mends: whether `holdfast audit --apply` does that by itself.
    """

    name: str
    promise: str
    meaning: str
    remedy: str
    mends: bool = False

    def found(self, project: str, kind: str, subject: str, place: Place, detail: str, *, remedy: str = "") -> Finding:
        return Finding(project, self.name, kind, subject, place, detail, remedy or self.remedy)


class Finding(NamedTuple):
    """A broken promise: whose, which, and what was seen. `place` leads the walk back to it."""

    project: str
    check: str
    kind: str
    subject: str
    place: Place
    detail: str
    remedy: str

    @property
    def identity(self) -> tuple[str, str, str, str]:
        return self.project, self.check, self.kind, self.subject


class Walk(NamedTuple):
    """A way through one table.

    page: the places after one, in order, at most so many. look: what is wrong at these places.
    start: the place before the first. page_max: how many places are looked at together.
    """

    name: str
    checks: Sequence[Check]
    start: Place
    page: Callable[[Reading, Place, int], Awaitable[Sequence[Place]]]
    look: Callable[[Reading, Sequence[Place]], Awaitable[Sequence[Finding]]]
    page_max: int = 100


def by_name(checks: Sequence[Check]) -> Mapping[str, Check]:
    return {check.name: check for check in checks}
