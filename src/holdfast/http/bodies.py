"""Request bodies, bounded in size, in time and in what all of them hold together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from holdfast.base.errors import ContentTooLarge, OverCapacity, RequestTimeout

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

BODY_BYTES_MAX = 4 * 1024 * 1024
# A body that does not come in one piece arrives whole within this time, or its connection is closed. The
# first piece has as long as the request (base/deadline.py): most bodies are one, and need no clock of their own.
BODY_SECONDS_MAX = 8.0
# What the bodies of one process hold, from their first byte to their answer.
BODIES_BYTES_MAX = 64 * 1024 * 1024


class Bodies:
    """Reads bodies and knows how many bytes of them are held; `release` each when its request is answered."""

    def __init__(self) -> None:
        self.held_bytes = 0

    async def read(self, receive: Receive) -> bytes:
        """The whole body. Raises ContentTooLarge, RequestTimeout, or OverCapacity when too much is held."""
        chunks: list[bytes] = []
        try:
            size, more = self._take(await receive(), chunks, 0)
            if more:
                async with asyncio.timeout(BODY_SECONDS_MAX):
                    while more:
                        size, more = self._take(await receive(), chunks, size)
            _check_size(size)
        except BaseException as problem:
            self.held_bytes -= sum(map(len, chunks))
            if isinstance(problem, TimeoutError):
                raise RequestTimeout(f"A request body must arrive within {BODY_SECONDS_MAX:g} s.") from None
            raise
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def release(self, body: bytes) -> None:
        self.held_bytes -= len(body)

    def _take(self, message: Mapping[str, Any], chunks: list[bytes], size: int) -> tuple[int, bool]:
        """The size with this piece, and whether there is more.

        What is too much of a body is read, so that its sender can read the answer, and dropped.
        """
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= BODY_BYTES_MAX:
            if self.held_bytes + len(chunk) > BODIES_BYTES_MAX:
                raise OverCapacity
            self.held_bytes += len(chunk)
            chunks.append(chunk)
        return size, bool(message.get("more_body")) and message["type"] == "http.request"


def _check_size(size: int) -> None:
    if size > BODY_BYTES_MAX:
        raise ContentTooLarge(f"A request body has at most {BODY_BYTES_MAX} bytes.")
