"""A receiver of webhooks on a port of its own, as small as HTTP allows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from tests.delivery.sink import PATIENCE_SECONDS


class Got(NamedTuple):
    head: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers each request with what `choose` says, and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.accepted: list[Got] = []
        self.choose: Callable[[], str] = lambda: "204 No Content"
        self.url = ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                pairs = (line.split(": ", 1) for line in head[1:] if line)
                headers = {name.lower(): value for name, value in pairs}
                got = Got(head[0], headers, await reader.readexactly(int(headers.get("content-length", "0"))))
                answer = self.choose()
                self.got.append(got)
                if answer.startswith("2"):
                    self.accepted.append(got)
                writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def has(self, count: int) -> None:
        """Wait until so many requests were accepted."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.accepted) < count:  # noqa: ASYNC110 - what is waited for is a fact, not an event of ours
                await asyncio.sleep(0.005)

    async def has_different(self, count: int) -> None:
        """Wait until so many different notifications were accepted."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len({got.headers["webhook-id"] for got in self.accepted}) < count:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
