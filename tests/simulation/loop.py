"""An event loop that is nothing but a list: no sockets, no waiting, and the seed decides who runs next.

Time is a number that jumps to the next timer when nobody is ready. Callbacks that are ready run in
an order drawn by lot, so every interleaving the product could meet is some seed's. Callbacks of a
process that was killed never run again, not even their clean-up, as after SIGKILL.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any

# A schedule that runs this many callbacks spins.
CALLBACKS_MAX = 200_000


class Alive:
    """What a simulated process and all its tasks share: whether it still runs."""

    __slots__ = ("running",)

    def __init__(self) -> None:
        self.running = True


PROCESS: ContextVar[Alive] = ContextVar("PROCESS", default=Alive())  # noqa: B039 - the outside world never dies


class Handle:
    """A callback that waits for its turn."""

    __slots__ = ("_args", "_callback", "_cancelled", "_context", "_when")

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context, when: float) -> None:
        self._callback = callback
        self._args = args
        self._context = context
        self._when = when
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True

    def cancelled(self) -> bool:
        return self._cancelled

    def when(self) -> float:
        return self._when

    def run(self) -> None:
        if not self._cancelled and self._context.get(PROCESS, _OUTSIDE).running:
            self._context.run(self._callback, *self._args)


_OUTSIDE = Alive()


class Spinning(Exception):
    """The schedule does not come to an end."""


# Typed as anything: of a loop's eighty methods the product calls ten.
_Base: Any = asyncio.AbstractEventLoop


class SeededLoop(_Base):  # type: ignore[misc]
    """A loop for one schedule; `chance` decides every order."""

    def __init__(self, chance: Random) -> None:
        self._draw = chance.random
        self._now = 0.0
        self._ready: list[Handle] = []
        self._timers: list[tuple[float, int, Handle]] = []
        self._numbers = itertools.count()

    # --- what asyncio asks of a loop -------------------------------------------------------

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        handle = Handle(callback, args, copy_context() if context is None else context, self._now)
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        handle = Handle(callback, args, copy_context() if context is None else context, when)
        heapq.heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> Any:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Tasks of killed processes are never awaited; nobody needs to hear of it."""

    # --- running ---------------------------------------------------------------------------

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run until `main` is done. Raises Spinning when it never will be."""
        asyncio._set_running_loop(self)
        try:
            task = self.create_task(main)
            for _ in range(CALLBACKS_MAX):
                if task.done():
                    return task.result()
                self._step()
            raise Spinning(f"more than {CALLBACKS_MAX} callbacks")
        finally:
            asyncio._set_running_loop(None)

    def _step(self) -> None:
        ready = self._ready
        if not ready:
            if not self._timers:
                raise Spinning("everybody waits for something that will never happen")
            self._advance()
        if len(ready) > 1:
            chosen = int(self._draw() * len(ready))
            ready[chosen], ready[-1] = ready[-1], ready[chosen]
        ready.pop().run()

    def _advance(self) -> None:
        """Jump to the next timer, and to all that are due with it."""
        timers = self._timers
        self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(timers)[2])
