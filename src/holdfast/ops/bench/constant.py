"""The HTTP server's limit: `python -m holdfast.ops.bench.constant PORT BYTES` answers the same bytes always."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server

_HEADERS = [(b"content-type", b"application/json; charset=utf-8")]


async def serve(port: int, size: int) -> None:
    body = b"x" * size

    async def app(
        scope: Mapping[str, Any], _receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]
    ) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send({"type": "http.response.body", "body": body})

    server = Server(app, port=port, interface=Interfaces.ASGI, websockets=False, log_enabled=False)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
