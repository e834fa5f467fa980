"""What all adapters share: a client that is replaced when it broke, and errors told without what they must not tell."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

# To reach a broker and be let in.
CONNECT_SECONDS = 5.0
# From handing a broker a batch to its word that it has it.
ANSWER_SECONDS = 10.0
# To hang up in good order; after it the line is just dropped.
CLOSE_SECONDS = 2.0
REASON_CHARACTERS_MAX = 300

# What may stand in a message of a client library and opens a door: user:password@ and key=value of secrets.
_USERINFO = re.compile(r"(?<=//)[^/@\s]*@")
_SECRET = re.compile(r"(?i)\b(password|secret|token|signature|sharedaccesskey)(\s*[=:]\s*)\S+")

C = TypeVar("C")


class Closed(ConnectionError):
    """The destination was hung up on."""


class Connection(Generic[C]):
    """One client, opened by the first who asks and again after it was dropped.

    Clients that mend their connection themselves keep what was not sent, and send it when nobody waits for it
    any more: later than what came after it. So a broken one is thrown away, and the relay repeats.
    """

    def __init__(self, opened: Callable[[], Awaitable[C]], close: Callable[[C], Awaitable[object]]) -> None:
        self._opened = opened
        self._close = close
        self._client: C | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    async def get(self) -> C:
        """The client, connected. Raises what opening one raises, TimeoutError after CONNECT_SECONDS."""
        async with self._turn:
            if self._closed:
                raise Closed("The destination is closed.")
            if self._client is None:
                async with asyncio.timeout(CONNECT_SECONDS):
                    self._client = await self._opened()
            return self._client

    async def drop(self, broken: C) -> None:
        """Hang up on a client; whoever asks next gets a new one. One that was replaced already is left alone."""
        if self._client is broken:
            self._client = None
            await self._hang_up(broken)

    async def close(self) -> None:
        """Hang up for good."""
        self._closed = True
        async with self._turn:
            client, self._client = self._client, None
        if client is not None:
            await self._hang_up(client)

    async def _hang_up(self, client: C) -> None:
        # What a client says of its end changes nothing: nothing is sent over it any more.
        with suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._close(client)


def quieten(*loggers: str) -> None:
    """Keep client libraries from writing lines of their own: what they have to say is in the outcomes."""
    for name in loggers:
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


def told(error: BaseException) -> str:
    """An error as a reason that operators and owners of subscriptions read: short, and without secrets."""
    text = " ".join(str(error).split())
    text = _SECRET.sub(r"\1\2****", _USERINFO.sub("****@", text))
    name = type(error).__name__
    return f"{name}: {text}"[:REASON_CHARACTERS_MAX] if text else name
