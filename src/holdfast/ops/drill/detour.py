"""A broken way to put in between: the proxy as a process of the drill."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Literal

from holdfast.ops.drill.proxy import WHOLE, Seen, Way
from holdfast.ops.trouble import Trouble

START_SECONDS_MAX = 20.0
ANSWER_SECONDS_MAX = 5.0
END_SECONDS_MAX = 5.0


class Detour:
    """A proxy on a free port of this host, in front of `upstream` (host:port, or the path of a socket)."""

    def __init__(self, upstream: str, language: Literal["postgres", "plain"]) -> None:
        self._upstream = upstream
        self._language = language
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    async def open(self, port: int = 0) -> None:
        """Start it; everything passes."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "holdfast.ops.drill.proxy"),
            *(f"127.0.0.1:{port}", self._upstream, self._language),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self.port = (await self._heard(START_SECONDS_MAX))["port"]

    async def take(self, way: Way) -> Seen:
        """Change the way; what it has seen until now."""
        assert self._process is not None, "open() comes first"
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(way)).encode() + b"\n")
        return Seen(**await self._heard(ANSWER_SECONDS_MAX))

    async def broken(self, way: Way, seconds: float) -> Seen:
        """Break the way for a while, then mend it; what happened meanwhile."""
        before = await self.take(WHOLE)
        try:
            await self.take(way)
            await asyncio.sleep(seconds)
        finally:
            after = await self.take(WHOLE)
        return after - before

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), END_SECONDS_MAX)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _heard(self, seconds_max: float) -> dict[str, int]:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            facts: dict[str, int] = json.loads(await asyncio.wait_for(self._process.stdout.readline(), seconds_max))
        except (TimeoutError, ValueError) as error:
            raise Trouble("The drill's proxy does not answer.", why=str(error), code="drill-proxy") from error
        return facts
