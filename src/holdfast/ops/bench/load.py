"""An HTTP load: each connection sends its next request when the last one was answered, or when it is due.

With a pace requests are due at a fixed rate, and a latency counts from when the request was due: what
the server delays is not hidden by asking it later. The client shares the machine with the server, so
it does as little as it can: requests are ready bytes, and of an answer only the status and the length
are read.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
STALL_SECONDS = 60.0


class Stalled(RuntimeError):
    """No answer came for STALL_SECONDS."""


@dataclass
class Result:
    """What a load saw: how many answers of which status, in what time, and how long each took."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies_seconds: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    # When each answer of status 201 came, from the start of the load.
    created_at_seconds: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.statuses.total()

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.count / self.seconds if self.seconds else 0.0

    def percentile_seconds(self, share: float) -> float:
        """The latency that `share` of the answers did not exceed."""
        ordered = sorted(self.latencies_seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def request(method: str, url: str, token: str | None = None, body: bytes | None = None) -> bytes:
    """A request as it goes over the wire."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {path} HTTP/1.1", f"host: {parts.netloc}"]
    if token:
        lines.append(f"authorization: Bearer {token}")
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def whole_answer(buffer: bytes) -> tuple[int, bytes] | None:
    """Status and body of an answer that states its length, None as long as some of it is missing."""
    head = buffer.find(_END)
    length_at = buffer.find(_LENGTH, 0, head) if head >= 0 else -1
    if length_at < 0:
        return None
    length = int(buffer[length_at + len(_LENGTH) : buffer.index(b"\r\n", length_at)])
    body, end = head + len(_END), head + len(_END) + length
    return (int(buffer[9:12]), buffer[body:end]) if len(buffer) >= end else None


async def drive(
    url: str,
    requests: Iterator[bytes] | Sequence[bytes],
    *,
    connections: int,
    keep_bodies: bool = False,
    per_second: float | None = None,
) -> Result:
    """Send all requests over `connections` connections; the bodies come back in the order of the answers.

    per_second: the pace, None for as fast as the answers come. Raises Stalled when the server stops answering.
    """
    result = Result()
    source = iter(requests)
    loop = asyncio.get_running_loop()
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    finished: list[asyncio.Future[None]] = []
    started = time.perf_counter()
    due_times = itertools.count(started, 1 / per_second) if per_second else None
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        finished.append(done)
        await loop.create_connection(
            lambda done=done: _Connection(source, result, done, started, due_times, keep_bodies=keep_bodies),  # type: ignore[misc]
            parts.hostname,
            parts.port,
        )
    await _all(finished, result)
    result.seconds = time.perf_counter() - started
    return result


async def _all(finished: Sequence[asyncio.Future[None]], result: Result) -> None:
    everyone = asyncio.gather(*finished)
    seen = -1
    while not everyone.done():
        if result.count == seen:
            everyone.cancel()
            raise Stalled(f"no answer for {STALL_SECONDS} s after {seen} answers")
        seen = result.count
        await asyncio.wait([everyone], timeout=STALL_SECONDS)
    await everyone


class _Connection(asyncio.Protocol):
    def __init__(
        self,
        source: Iterator[bytes],
        result: Result,
        done: asyncio.Future[None],
        started: float,
        due_times: Iterator[float] | None,
        *,
        keep_bodies: bool,
    ) -> None:
        self._source = source
        self._result = result
        self._done = done
        self._started = started
        self._due_times = due_times
        self._keep_bodies = keep_bodies
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        answer = whole_answer(buffer)
        self._buffer = buffer if answer is None else b""
        if answer is not None:
            self._answered(*answer)

    def _answered(self, status: int, body: bytes) -> None:
        now = time.perf_counter()
        self._result.statuses[status] += 1
        self._result.latencies_seconds.append(now - self._sent_at)
        if status == 201:
            self._result.created_at_seconds.append(now - self._started)
        if self._keep_bodies:
            self._result.bodies.append(body)
        self._next()

    def _next(self) -> None:
        assert self._transport is not None
        following = next(self._source, None)
        if following is None:
            self._transport.close()
            if not self._done.done():
                self._done.set_result(None)
            return
        now = time.perf_counter()
        self._sent_at = next(self._due_times) if self._due_times else now
        if self._sent_at <= now:
            self._transport.write(following)
        else:
            asyncio.get_running_loop().call_later(self._sent_at - now, self._transport.write, following)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server closed the connection"))
