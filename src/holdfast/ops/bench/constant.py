"""The HTTP server's limit: `python -m holdfast.ops.bench.constant PORT BYTES` answers the same bytes always."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import uvicorn


def serve(port: int, size: int) -> None:
    body = b"x" * size
    headers = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", b"%d" % size)]

    async def app(
        _scope: Mapping[str, Any], _receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]
    ) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", ws="none", lifespan="off", log_config=None, access_log=False
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
