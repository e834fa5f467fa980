"""The time a request may take, known to whatever runs on its behalf.

A timer ends the request wherever it waits: for a place, for its body, for the database, for a batch.
The one thing it does not end is a transaction: what is about to be committed is awaited for a
bounded time more, and then the client is told that the outcome is unknown, not that nothing happened.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from types import TracebackType

from holdfast.base.errors import DeadlineExceeded, PendingOperation

# How long the outcome of a begun transaction is awaited: longer than a committer holds out in an outage.
COMMIT_GRACE_SECONDS = 12.0


class Deadline:
    """Bounds what runs inside: `with Deadline(seconds): …`.

    Raises DeadlineExceeded when nothing was changed, PendingOperation when that is not known. Does what
    asyncio.timeout does with one timer that is set once: whoever begins a commit leaves a note, and
    the timer reads it when it rings.
    """

    __slots__ = ("_begun_at", "_cancelling", "_loop", "_rang", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = max(0.0, seconds)
        self._begun_at: float | None = None
        self._rang = False

    def begin_commit(self) -> None:
        """From here on the request may change something, so its outcome is awaited."""
        if self._begun_at is None:
            self._begun_at = asyncio.get_running_loop().time()

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "a deadline bounds a task"
        self._task = task
        self._cancelling = task.cancelling()
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._seconds, self._ring)
        # Every request is a task of its own, so what is set here ends with it.
        _current.set(self)

    def _ring(self) -> None:
        if self._begun_at is not None:
            left = self._begun_at + COMMIT_GRACE_SECONDS - self._loop.time()
            if left > 0:
                self._timer = self._loop.call_later(left, self._ring)
                return
        self._rang = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        task = self._task
        # The task's context knows this deadline: let go of it, or only the garbage collector frees the two.
        del self._task, self._timer
        if self._rang and task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise (DeadlineExceeded if self._begun_at is None else PendingOperation) from problem


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current() -> Deadline | None:
    """The deadline of the request this runs for; None for what runs on nobody's behalf."""
    return _current.get()
