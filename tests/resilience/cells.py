"""The matrix: every dependency in every way it fails, and what each of the two is made of here."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tests.outbound.sinks import Behave, answers, talks_nonsense

from holdfast.ops.drill.proxy import Way

Failure = Literal["down", "slow", "hanging", "wrong answer", "half-open"]
Dependency = Literal["PostgreSQL", "Redis", "broker", "webhook sink", "extension, fail closed", "extension, fail open"]

FAILURES: dict[Failure, str] = {
    "down": "connections are reset, new ones refused",
    "slow": "every piece is late, both ways",
    "hanging": "connections are accepted, and nothing is ever answered",
    "wrong answer": "what it says is nonsense, or an error",
    "half-open": "the connections there are lead nowhere, and neither end is told; new ones pass",
}

# Each piece, each way. Redis: longer than anybody waits for it. PostgreSQL: a statement is two, a checkout dozens.
SLOW_SECONDS: dict[Dependency, float] = {
    "PostgreSQL": 0.03,
    "Redis": 0.2,
    "broker": 0.15,
    "webhook sink": 0.15,
    "extension, fail closed": 0.15,
    "extension, fail open": 0.15,
}


class Cell(NamedTuple):
    """One dependency failing in one way. behave: for servers that answer, but not as they should."""

    dependency: Dependency
    failure: Failure
    note: str = ""
    behave: Behave | None = None

    @property
    def name(self) -> str:
        return f"{self.dependency}: {self.failure}{f' ({self.note})' if self.note else ''}"

    @property
    def way(self) -> Way:
        """What becomes of the way to it."""
        match self.failure:
            case "down":
                return Way(open=False)
            case "slow":
                return Way(delay_seconds=SLOW_SECONDS[self.dependency])
            case "hanging":
                return Way(swallow=("server", "client"))
            case "half-open":
                return Way(forget=True)
            case "wrong answer":
                return Way(garbled=self.behave is None)


def _broken(dependency: Dependency, *wrong: tuple[str, Behave]) -> list[Cell]:
    answered = [Cell(dependency, "wrong answer", *each) for each in wrong] or [Cell(dependency, "wrong answer")]
    return [*(Cell(dependency, name) for name in FAILURES if name != "wrong answer"), *answered]


_ERROR = ("500", answers(500, b"oops"))
_NONSENSE = ("nonsense", talks_nonsense)
_GONE = ("410", answers(410))

DATABASE = _broken("PostgreSQL")
SHARED = _broken("Redis")
DESTINATIONS = [*_broken("broker"), *_broken("webhook sink", _ERROR, _NONSENSE, _GONE)]
EXTENSIONS = [
    *_broken("extension, fail closed", _ERROR, _NONSENSE),
    *_broken("extension, fail open", _ERROR, _NONSENSE),
]
CELLS = [*DATABASE, *SHARED, *DESTINATIONS, *EXTENSIONS]
