"""Request bodies, bounded in size, in time and in what all of them hold together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from holdfast.base.errors import ContentTooLarge, OverCapacity, RequestTimeout

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

BODY_BYTES_MAX = 4 * 1024 * 1024
# A body arrives whole within this time, or its connection is closed.
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
            async with asyncio.timeout(BODY_SECONDS_MAX):
                size = await self._read_into(chunks, receive)
            _check_size(size)
        except BaseException as problem:
            self.held_bytes -= sum(map(len, chunks))
            if isinstance(problem, TimeoutError):
                raise RequestTimeout(f"A request body must arrive within {BODY_SECONDS_MAX:g} s.") from None
            raise
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def release(self, body: bytes) -> None:
        self.held_bytes -= len(body)

    async def _read_into(self, chunks: list[bytes], receive: Receive) -> int:
        """The size of the body; what is too much of it is read, so that its sender can read the answer, and dropped."""
        size = 0
        while True:
            message = await receive()
            chunk = message.get("body", b"")
            size += len(chunk)
            if size <= BODY_BYTES_MAX:
                if self.held_bytes + len(chunk) > BODIES_BYTES_MAX:
                    raise OverCapacity
                self.held_bytes += len(chunk)
                chunks.append(chunk)
            if not message.get("more_body") or message["type"] != "http.request":
                return size


def _check_size(size: int) -> None:
    if size > BODY_BYTES_MAX:
        raise ContentTooLarge(f"A request body has at most {BODY_BYTES_MAX} bytes.")
