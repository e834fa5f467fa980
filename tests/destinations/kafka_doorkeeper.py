"""A Kafka broker that lets nobody in: its whole protocol up to the answer to a wrong password (KIP-152)."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

API_VERSIONS, HANDSHAKE, AUTHENTICATE = 18, 17, 36
AUTHENTICATION_FAILED = 58


@asynccontextmanager
async def doorkeeper() -> AsyncIterator[int]:
    """The port it listens on."""
    server = await asyncio.start_server(_turn_away, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            [size] = struct.unpack(">i", await reader.readexactly(4))
            request = await reader.readexactly(size)
            api, version, correlation = struct.unpack_from(">hhi", request)
            answer = struct.pack(">i", correlation) + _answer(api, version)
            writer.write(struct.pack(">i", len(answer)) + answer)
    except asyncio.IncompleteReadError:
        writer.close()


def _answer(api: int, version: int) -> bytes:
    if api == API_VERSIONS:
        known = ((API_VERSIONS, 0, 2), (HANDSHAKE, 0, 1), (AUTHENTICATE, 0, 0))
        listed = b"".join(struct.pack(">hhh", *each) for each in known)
        return struct.pack(">hi", 0, len(known)) + listed + (struct.pack(">i", 0) if version else b"")
    if api == HANDSHAKE:
        return struct.pack(">hi", 0, 1) + _text("PLAIN")
    assert api == AUTHENTICATE, api
    return struct.pack(">h", AUTHENTICATION_FAILED) + _text("Invalid username or password") + struct.pack(">i", 0)


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()
