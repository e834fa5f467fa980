"""An API process of the product, whole, in simulated time; and the network between it and its clients."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from contextvars import Context
from typing import Any, NamedTuple
from unittest.mock import patch

import msgspec
from tests.simulation.database import Server, Simulated
from tests.simulation.faults import LOST_AFTER, LOST_BEFORE
from tests.simulation.loop import PROCESS, Alive

from holdfast.base.config import Config
from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.facts import Caller
from holdfast.handlers.catalogue import load_handlers
from holdfast.http.auth import Seen, rights
from holdfast.http.worker import build
from holdfast.store.epochs import Epochs
from holdfast.store.reader import Document
from holdfast.store.store import Store
from holdfast.store.tokens import EPOCH_KIND

PROJECT = "shop"
AUTHORIZATION = b"Bearer shop.simulated-token-0000"
_CONFIG = Config(database_url="simulated")
_SCOPE = f"manage_project:{PROJECT}"

load_resources()
load_handlers()
_CALLER = Caller(PROJECT, "shop.client", rights(_SCOPE, PROJECT))


class Answer(NamedTuple):
    """What a client got back."""

    status: int
    body: Any
    raw: bytes
    headers: Mapping[bytes, bytes]


class Lost(Exception):
    """The connection to the process broke: the client cannot tell what became of the request."""


class ApiProcess:
    """One worker process; `kill` ends it and everything it was about to do."""

    def __init__(self, server: Server, epochs: Epochs, known: Mapping[str, Document]) -> None:
        self.alive = Alive()
        self._server = server
        self._context = Context()
        self._context.run(PROCESS.set, self.alive)
        self._open: dict[asyncio.Future[Answer], None] = {}
        with patch("holdfast.store.store.Database", lambda _dsn: Simulated(server, self.alive)):
            self.store = Store("simulated")
        self.store.epochs = epochs
        for resource_id, document in known.items():
            self.store._reader.memory.put(PROJECT, resource_id, document)
        self._app = build(self.store, _CONFIG)
        slot = Epochs.slot(PROJECT, EPOCH_KIND)
        seen = Seen(_CALLER, slot, epochs.read(slot), math.inf, math.inf)
        self._app._authenticator._seen[AUTHORIZATION] = seen

    def kill(self) -> None:
        """SIGKILL: no task of it runs again, its sockets close."""
        self.alive.running = False
        for wire in [wire for wire in self._server.wires if wire.owner is self.alive]:
            wire.hang_up()
        for answer in self._open:
            if not answer.done():
                answer.set_exception(Lost("the process died"))

    async def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request and wait for its answer. Raises Lost."""
        faults = self._server.faults
        trouble = faults.of_network()
        await asyncio.sleep(faults.delay())
        if trouble == LOST_BEFORE or not self.alive.running:
            raise Lost
        answer: asyncio.Future[Answer] = self._server.loop.create_future()
        self._open[answer] = None
        self._server.loop.create_task(
            self._serve(answer, method, path, body, headers or {}), context=self._context.copy()
        )
        try:
            found = await answer
        finally:
            del self._open[answer]
        await asyncio.sleep(faults.delay())
        if trouble == LOST_AFTER:
            self._server.tables.seen["answer lost on its way to a client"] += 1
            raise Lost
        return found

    async def _serve(
        self, answer: asyncio.Future[Answer], method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> None:
        path, _, query = path.partition("?")
        given = [(name.encode(), text.encode()) for name, text in headers.items()]
        scope = {
            "type": "http",
            "method": method,
            "path": f"/{PROJECT}/{path}",
            "raw_path": f"/{PROJECT}/{path}".encode(),
            "query_string": query.encode(),
            "headers": [(b"authorization", AUTHORIZATION), *given],
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": msgspec.json.encode(body) if body is not None else b""}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        raw: bytes = sent[1]["body"]
        if not answer.done():
            value = msgspec.json.decode(raw) if raw else None
            answer.set_result(Answer(sent[0]["status"], value, raw, dict(sent[0]["headers"])))
