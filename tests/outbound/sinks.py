"""Servers of other people, as they are: quick, slow, hanging, half open, failing, talking nonsense."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

PATIENT_SECONDS = 30.0


class Asked(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Behave = Callable[["Sink", Asked, asyncio.StreamWriter], Awaitable[None]]


class Sink:
    """A server on this machine that behaves as it is told, and remembers what it was asked."""

    def __init__(self, behave: Behave) -> None:
        self.behave = behave
        self.asked: list[Asked] = []
        self.connections = 0
        self.at_once = 0
        self.at_once_most = 0
        self.port = 0
        self.let_go = asyncio.Event()
        self.writers: set[asyncio.StreamWriter] = set()
        self._came = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/called"

    async def until_asked(self, times: int = 1) -> None:
        """Wait until so many requests have come."""
        async with self._came, asyncio.timeout(PATIENT_SECONDS):
            await self._came.wait_for(lambda: len(self.asked) >= times)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                asked = await _read(reader)
                self.asked.append(asked)
                async with self._came:
                    self._came.notify_all()
                self.at_once += 1
                self.at_once_most = max(self.at_once_most, self.at_once)
                try:
                    await self.behave(self, asked, writer)
                finally:
                    self.at_once -= 1
        self.writers.discard(writer)
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path, headers, body)


@asynccontextmanager
async def sink(behave: Behave) -> AsyncIterator[Sink]:
    """A server that behaves so; what still hangs in it at the end is let go."""
    sink = Sink(behave)
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        sink.let_go.set()
        while sink.writers:
            sink.writers.pop().close()
        await asyncio.sleep(0)  # what was let go sees that nobody listens


def answers(status: int, body: bytes = b"", *headers: str) -> Behave:
    """Answers every request like this."""

    async def behave(_sink: Sink, _asked: Asked, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return behave


async def hangs(sink: Sink, _asked: Asked, _writer: asyncio.StreamWriter) -> None:
    """Takes the request and says nothing."""
    await sink.let_go.wait()


async def dribbles(sink: Sink, _asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Begins to answer, and never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    await sink.let_go.wait()


async def hangs_up(_sink: Sink, _asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Closes the connection instead of answering."""
    writer.close()
    raise ConnectionResetError


async def talks_nonsense(_sink: Sink, _asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answers something that is not HTTP."""
    writer.write(b"\x00\x01 220 mail.example ESMTP\r\n\r\n")
    await writer.drain()
    writer.close()
    raise ConnectionResetError


def one_after_the_other(*behaviours: Behave) -> Behave:
    """Behaves like each of these once, then like the last."""
    left = list(behaviours)

    async def behave(sink: Sink, asked: Asked, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(sink, asked, writer)

    return behave
