"""Servers of other people, each in a thread beside the test: they behave as they are told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.outbound.sinks import Asked, Behave, Sink, answers, sink

PATIENT_SECONDS = 30.0


class Theirs:
    """A server in a thread of its own."""

    def __init__(self, server: Sink, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop

    @property
    def url(self) -> str:
        return self._server.url

    def behave(self, behave: Behave) -> None:
        """From now on behave so, with nothing remembered."""
        self._server.behave = behave
        self._server.asked.clear()

    def adds(self, *actions: dict[str, Any]) -> None:
        """From now on answer with these update actions."""
        self.behave(answers(200, json.dumps({"actions": list(actions)}).encode()))

    def until_asked(self, times: int = 1) -> None:
        """Wait until so many requests have come."""
        asyncio.run_coroutine_threadsafe(self._server.until_asked(times), self._loop).result()

    @property
    def asked(self) -> list[Asked]:
        return list(self._server.asked)

    @property
    def told(self) -> list[dict[str, Any]]:
        """The bodies it was sent."""
        return [json.loads(asked.body) for asked in self._server.asked]


@contextmanager
def their_server() -> Iterator[Theirs]:
    """A server that says yes until it is told otherwise."""
    began = threading.Event()
    served: list[Any] = []

    async def serve() -> None:
        over = asyncio.Event()
        async with sink(answers(200)) as server:
            loop = asyncio.get_running_loop()
            served.extend((Theirs(server, loop), loop, over))
            began.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert began.wait(PATIENT_SECONDS)
    theirs, loop, over = served
    try:
        yield theirs
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(PATIENT_SECONDS)
