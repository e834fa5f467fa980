"""Time a request spends waiting for somebody else's machine.

It holds a place among the requests under way that others could use, and its latency says nothing
about us. Whoever lets requests in gives each of them a door; who waits for the outside steps out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Door(Protocol):
    """What a request goes out and comes back through."""

    def step_out(self) -> None: ...

    def step_in(self) -> None: ...


# Every request is a task of its own, so what is set here ends with it.
door: ContextVar[Door | None] = ContextVar("door", default=None)


@contextmanager
def outside() -> Iterator[None]:
    """Wait for the outside without a place."""
    ours = door.get()
    if ours is None:
        yield
        return
    ours.step_out()
    try:
        yield
    finally:
        ours.step_in()
