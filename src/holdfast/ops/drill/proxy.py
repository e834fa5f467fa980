"""Stands between the shop and its database, or a buyer and the shop, and breaks the way as told.

    python -m holdfast.ops.drill.proxy LISTEN_HOST:PORT UPSTREAM_HOST:PORT|UPSTREAM_SOCKET postgres|plain

A process of its own, so that it outlives what it breaks and its work slows nobody down. It obeys
one JSON object a line on its standard input (a `Way`), answers each with one line of what it has
seen so far, and ends when its input does.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from holdfast.ops.drill import wire

CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 5.0
BACKLOG = 1_024
# No beginning of anything in PostgreSQL's protocol, in Redis's or in HTTP.
NONSENSE = b"\x15"
# As long as a system keeps a connection nobody answers on, if nobody asks it to look.
FORGOTTEN_SECONDS_MAX = 7_200.0
# SO_LINGER on, zero seconds: closing resets the connection instead of ending it in good order.
RESET = struct.pack("ii", 1, 0)

# What happens to a connection that was chosen at its COMMIT.
DROP_COMMIT, DROP_ANSWER = "drop commit", "drop answer"


@dataclass(frozen=True, kw_only=True)
class Way:
    """The state of the way. As it is by default, everything passes at once.

    open            False: connections are reset and new ones refused
    delay_seconds   each piece waits that long, both ways
    bytes_per_second  0: no limit; else the pace of each connection, each way
    forget          the connections there are lead nowhere any more, as when a firewall forgets them: neither
                    end is told, whatever the other does; new ones pass
    swallow         directions in which bytes vanish while connections stay: "server", "client"
    garbled         what the server says arrives as nonsense of the same length
    at_commit       "", "drop commit" (it never reaches the server) or "drop answer" (it does; its
                    answer is lost): the connection is reset there
    share           the part of the commits that this happens to, drawn by `seed`
    commits_max     after so many the way is whole again; 0: no bound
    """

    open: bool = True
    delay_seconds: float = 0.0
    bytes_per_second: int = 0
    forget: bool = False
    swallow: tuple[str, ...] = ()
    garbled: bool = False
    at_commit: str = ""
    share: float = 1.0
    commits_max: int = 0
    seed: int = 0


WHOLE = Way()


@dataclass(kw_only=True)
class Seen:
    """What passed and what was broken since the start."""

    connections: int = 0
    refused: int = 0
    reset: int = 0
    forgotten: int = 0
    swallowed_bytes: int = 0
    delayed: int = 0
    commits: int = 0
    commits_dropped: int = 0
    answers_dropped: int = 0

    def __sub__(self, earlier: Seen) -> Seen:
        return Seen(**{name: count - getattr(earlier, name) for name, count in asdict(self).items()})


class Proxy:
    """Listens, forwards, and breaks."""

    def __init__(self, upstream: str, *, postgres: bool) -> None:
        self._upstream = upstream
        self._postgres = postgres
        self._links: set[Link] = set()
        self._chance = random.Random(0)  # noqa: S311 - a drill is to be repeatable
        self._broken_at_commit = 0
        self.way = WHOLE
        self.seen = Seen()

    async def listen(self, host: str, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._accept, host, port, backlog=BACKLOG, limit=CHUNK_BYTES)

    def take(self, way: Way) -> None:
        """Change the way: what runs feels it at once. Connections that bytes were taken from cannot go on."""
        self.way = way
        self._chance = random.Random(way.seed)  # noqa: S311 - as above
        self._broken_at_commit = 0
        if way.forget:
            self.forget()
        self.reset(link for link in tuple(self._links) if not way.open or (link.is_torn and not way.swallow))

    def forget(self) -> None:
        for link in self._links:
            self.seen.forgotten += not link.is_forgotten
            link.is_forgotten = True

    def reset(self, links: Iterable[Link]) -> None:
        for link in links:
            self.seen.reset += 1
            link.reset()

    def breaks_here(self) -> str:
        """What happens at this COMMIT."""
        way = self.way
        self.seen.commits += 1
        spent = way.commits_max and self._broken_at_commit >= way.commits_max
        if not way.at_commit or spent or self._chance.random() >= way.share:
            return ""
        self._broken_at_commit += 1
        return way.at_commit

    async def close(self) -> None:
        """End every connection, and wait until it has."""
        self.take(Way(open=False))
        while self._links:  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.way.open:
            self.seen.refused += 1
            abort(writer)
            return
        try:
            there = await asyncio.wait_for(self._connect(), CONNECT_SECONDS)
        except (OSError, TimeoutError):
            abort(writer)
            return
        self.seen.connections += 1
        link = Link(self, (reader, writer), there, postgres=self._postgres)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = self._upstream.rpartition(":")
        if self._upstream.startswith("/"):
            return await asyncio.open_unix_connection(self._upstream, limit=CHUNK_BYTES)
        return await asyncio.open_connection(host, int(port), limit=CHUNK_BYTES)


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Link:
    """One connection and its continuation to the server."""

    def __init__(self, proxy: Proxy, near: Stream, far: Stream, *, postgres: bool) -> None:
        self._proxy = proxy
        self._near = near
        self._far = far
        self._postgres = postgres
        self._client = wire.Client()
        self._server = wire.Server()
        self._answer_is_lost = False
        self.is_torn = False
        self.is_forgotten = False

    async def run(self) -> None:
        """Forward until either side ends."""
        ways = (
            self._pump(self._near[0], self._far[1], "server", self._from_client),
            self._pump(self._far[0], self._near[1], "client", self._from_server),
        )
        tasks = [asyncio.create_task(way) for way in ways]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if self.is_forgotten:
            await asyncio.wait(tasks, timeout=FORGOTTEN_SECONDS_MAX)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _, writer in (self._near, self._far):
            writer.close()

    def reset(self) -> None:
        abort(self._near[1])
        abort(self._far[1])

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, towards: str, look: Callable[[bytes], bytes]
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(CHUNK_BYTES):
                await self._pass_on(look(piece) if self._postgres else piece, target, towards)

    async def _pass_on(self, piece: bytes, target: asyncio.StreamWriter, towards: str) -> None:
        way = self._proxy.way
        if way.delay_seconds or way.bytes_per_second:
            self._proxy.seen.delayed += 1
            trickle_seconds = len(piece) / way.bytes_per_second if way.bytes_per_second else 0.0
            await asyncio.sleep(way.delay_seconds + trickle_seconds)
        if self.is_forgotten:
            return
        if towards in self._proxy.way.swallow:
            self._proxy.seen.swallowed_bytes += len(piece)
            self.is_torn = True
            return
        if self._proxy.way.garbled and towards == "client":
            self.is_torn = True
            piece = NONSENSE * len(piece)
        target.write(piece)
        await target.drain()

    def _from_client(self, piece: bytes) -> bytes:
        """What of a piece goes on to the server; a chosen COMMIT is where it ends."""
        for end in self._client.commits(piece):
            match self._proxy.breaks_here():
                case "drop commit":
                    self._proxy.seen.commits_dropped += 1
                    self.reset()
                    raise ConnectionResetError
                case "drop answer":
                    self._answer_is_lost = True
                    return piece[:end]
        return piece

    def _from_server(self, piece: bytes) -> bytes:
        """What of a piece goes back to the client; a lost answer is where the connection ends."""
        if self._server.answers_commit(piece) and self._answer_is_lost:
            self._proxy.seen.answers_dropped += 1
            self.reset()
            raise ConnectionResetError
        return piece


def abort(writer: asyncio.StreamWriter) -> None:
    """End a connection as a broken way does: with a reset, whatever is still to be sent."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


async def main(listen: str, upstream: str, language: str) -> None:
    host, _, port = listen.rpartition(":")
    proxy = Proxy(upstream, postgres=language == "postgres")
    server = await proxy.listen(host, int(port))
    tell(proxy, port=server.sockets[0].getsockname()[1])
    orders = await standard_input()
    async with server:
        while line := await orders.readline():
            proxy.take(replace(WHOLE, **orders_of(line)))
            tell(proxy)
    await proxy.close()


def orders_of(line: bytes) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(line)
    return told | {"swallow": tuple(told.get("swallow", ()))}


def tell(proxy: Proxy, **more: int) -> None:
    sys.stdout.write(json.dumps(asdict(proxy.seen) | more) + "\n")
    sys.stdout.flush()


async def standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
