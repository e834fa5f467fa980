"""One HTTP connection as an SDK holds it: kept alive, opened anew after every failure, never waiting for ever."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, cast
from urllib.parse import urlsplit

CONNECT_SECONDS_MAX = 2.0
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Unanswered(Exception):
    """No answer came. If the request was sent, what it asked for may have happened or not."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("sent" if sent else "not sent")
        self.sent = sent


class Answer(NamedTuple):
    """An answer as it came over the wire."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, its name in lower case; empty when it is not there."""
        for line in self.head.split(b"\r\n"):
            field, _, value = line.partition(b":")
            if field.lower() == name.encode():
                return value.strip().decode("latin-1")
        return ""


class Caller:
    """Sends one request at a time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._wire: _Wire | None = None

    async def send(self, request: bytes, timeout_seconds: float) -> Answer:
        """The answer to one request. Raises Unanswered."""
        wire = self._wire if self._wire and self._wire.is_open else await self._connect()
        try:
            async with asyncio.timeout(timeout_seconds):
                return await wire.ask(request)
        except (OSError, TimeoutError):
            self.close()
            raise Unanswered(sent=True) from None
        except asyncio.CancelledError:
            self.close()
            raise

    async def _connect(self) -> _Wire:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                _, self._wire = await loop.create_connection(_Wire, self._host, self._port)
        except (OSError, TimeoutError):
            raise Unanswered(sent=False) from None
        return self._wire

    def close(self) -> None:
        if self._wire:
            self._wire.close()
        self._wire = None


class _Wire(asyncio.Protocol):
    def __init__(self) -> None:
        self.is_open = False
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None

    async def ask(self, request: bytes) -> Answer:
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        self.is_open = False
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(_END)
        if end < 0:
            return
        head = self._buffer[:end]
        length_at = head.lower().find(_LENGTH)
        length = int(head[length_at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if length_at >= 0 else 0
        body_end = end + len(_END) + length
        if len(self._buffer) < body_end:
            return
        answer = Answer(int(self._buffer[9:12]), head, self._buffer[end + len(_END) : body_end])
        self._buffer = self._buffer[body_end:]
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(exc if isinstance(exc, OSError) else ConnectionError("closed"))
