"""A connection that breaks says whether what was asked for may have happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from holdfast.ops.bench.limits import free_port
from holdfast.ops.drill.caller import Caller, Unanswered

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-Thing: Some\r\n\r\n{}"
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


@asynccontextmanager
async def answering(*pieces: bytes, hang: bool = False) -> AsyncIterator[str]:
    """A server that answers every request with the same pieces, then keeps the connection if it hangs."""
    released = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if hang:
                await released.wait()
            if pieces != (ANSWER,):
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        released.set()
        server.close()


async def test_answers_come_one_after_the_other_over_one_connection() -> None:
    async with answering(ANSWER) as url:
        caller = Caller(url)
        for _ in range(3):
            answer = await caller.send(REQUEST, 5)
            assert (answer.status, answer.body, answer.header("x-thing")) == (201, b"{}", "Some")
        caller.close()


async def test_an_answer_cut_short_leaves_a_doubt() -> None:
    async with answering(ANSWER[:-1]) as url:
        with pytest.raises(Unanswered) as failure:
            await Caller(url).send(REQUEST, 5)
        assert failure.value.sent


async def test_silence_leaves_a_doubt() -> None:
    async with answering(hang=True) as url:
        with pytest.raises(Unanswered) as failure:
            await Caller(url).send(REQUEST, 0.05)
        assert failure.value.sent


async def test_a_closed_door_leaves_none() -> None:
    with pytest.raises(Unanswered) as failure:
        await Caller(f"http://127.0.0.1:{free_port()}").send(REQUEST, 5)
    assert not failure.value.sent
