"""Connections that are not listened to but looked at together, a moment apart: those that were refused last.

A refusal that comes alone finds neither its code nor its data in the processor's cache, and costs several times what
the next one right behind it does. So under an overload newcomers are polled, as network drivers do it (Mogul and
Ramakrishnan, "Eliminating receive livelock in an interrupt-driven kernel", 1997): they come in lumps, and who is
inside is not interrupted for each of them. Whoever is not refused is listened to again.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import Protocol, cast

# So long a newcomer may wait to be looked at: little beside what an admitted request takes in an overload.
POLL_SECONDS = 0.02
# Once nobody has been refused for so long, all are listened to again.
QUIET_SECONDS = 1.0


class Polled(Protocol):
    """A connection that is looked at."""

    def poll(self) -> bool:
        """Answer what has arrived, or be listened to again; whether it was refused."""

    def listen(self) -> None:
        """Be listened to again."""


class Polling:
    """The connections of one process that are looked at, by file descriptor."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._is_due = False
        self._refused_at = 0.0

    def add(self, descriptor: int, connection: Polled) -> None:
        """Look at a connection that was refused just now, until it is removed."""
        loop = asyncio.get_running_loop()
        self._refused_at = loop.time()
        self._selector.register(descriptor, selectors.EVENT_READ, connection)
        if not self._is_due:
            self._is_due = True
            loop.call_later(POLL_SECONDS, self._poll)

    def remove(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)

    def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        self._is_due = bool(self._selector.get_map())
        if self._is_due:
            loop.call_later(POLL_SECONDS, self._poll)
        for key, _ in self._selector.select(0):
            if cast("Polled", key.data).poll():
                self._refused_at = loop.time()
        if loop.time() - self._refused_at >= QUIET_SECONDS:
            for key in list(self._selector.get_map().values()):
                cast("Polled", key.data).listen()
