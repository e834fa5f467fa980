"""The time a request may take, known to whatever runs on its behalf.

A timer ends the request wherever it waits: for a place, for its body, for the database, for a batch.
The one thing it does not end is a transaction: what is about to be committed is awaited for a
bounded time more, and then the client is told that the outcome is unknown, not that nothing happened.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType

from holdfast.base.errors import DeadlineExceeded, PendingOperation

# How long the outcome of a begun transaction is awaited: longer than a committer holds out in an outage.
COMMIT_GRACE_SECONDS = 12.0


class Deadline:
    """Bounds what runs inside: `async with Deadline(seconds): …`.

    Raises DeadlineExceeded when nothing was changed, PendingOperation when that is not known.
    """

    __slots__ = ("_begun", "_timer")

    def __init__(self, seconds: float) -> None:
        self._timer = asyncio.timeout(max(0.0, seconds))
        self._begun = False

    def begin_commit(self) -> None:
        """From here on the request may change something, so its outcome is awaited."""
        if not self._begun:
            self._begun = True
            with suppress(RuntimeError):  # the request is over, or about to be
                self._timer.reschedule(asyncio.get_running_loop().time() + COMMIT_GRACE_SECONDS)

    async def __aenter__(self) -> None:
        await self._timer.__aenter__()
        # Every request is a task of its own, so what is set here ends with it.
        _current.set(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timer.__aexit__(kind, problem, trace)
        except TimeoutError:
            raise (PendingOperation if self._begun else DeadlineExceeded) from None


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current() -> Deadline | None:
    """The deadline of the request this runs for; None for what runs on nobody's behalf."""
    return _current.get()
