"""The HTTP server of one API process: uvicorn's protocol, with a short way for what needs no waiting.

What is kept, or refused for want of room, is answered where its head was read: no task, no thread, no
message between them. Everything else is a task of its own behind uvicorn's ASGI.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import MutableMapping
from email.utils import formatdate
from functools import partial
from typing import Any, NamedTuple, Protocol, cast
from urllib.parse import unquote

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from holdfast.base.errors import ApiError, General, HeadTooLarge, InvalidInput, OverCapacity
from holdfast.base.log import log
from holdfast.commerce.values.value import encode
from holdfast.http.headers import USUAL, Headers
from holdfast.http.kept import Reply
from holdfast.http.polling import Polling

Scope = MutableMapping[str, Any]

# Connections that wait to be accepted, in the kernel.
BACKLOG = 1_024
TICK_SECONDS = 1.0
# Of what has arrived on a connection, at one look.
READ_BYTES_MAX = 64 * 1024
# What a path of a request may raise.
_UNREADABLE = (httptools.HttpParserError, UnicodeDecodeError)


class Bounds(NamedTuple):
    """What the clients of one process may hold.

    head_bytes: of a request's line and headers; head_seconds: how long it, or the next one, is waited for;
    unread_seconds: how long what was sent may wait to be read.
    """

    connections: int = 1_024
    head_bytes: int = 128 * 1024
    head_seconds: float = 30.0
    unread_seconds: float = 30.0


class Asked(Protocol):
    """What an application makes of the head of a request: the whole answer, if it needs no waiting."""

    @property
    def at_once(self) -> Reply | None: ...


class Application(Protocol):
    """What is served: an ASGI application whose first look waits for nothing."""

    def turn_away(self, data: bytes) -> Reply | None: ...

    def look(self, scope: Scope) -> Asked: ...

    async def go_on(self, asked: Any, scope: Scope, receive: Any, send: Any) -> None: ...

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None: ...


class Connection(HttpToolsProtocol):
    """A client's connection."""

    def __init__(
        self, application: Application, config: Config, state: ServerState, bounds: Bounds, polling: Polling
    ) -> None:
        super().__init__(config, state, {})
        self._application = application
        self._bounds = bounds
        self._polling = polling
        # Its file descriptor, while it is looked at and not listened to.
        self._polled: int | None = None
        self._is_answered = False
        self._head_bytes = 0
        self._in_head = False
        # Whether the next byte is the first of a request.
        self._is_between = True
        # Since when the head of a request is waited for, and since when nothing that was sent is read.
        self._waits_since = self.loop.time()
        self._stuck_since: float | None = None

    # --- what arrives ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._bounds.connections:
            self._end(OverCapacity())

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave_polling()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_turned_away(data):
            self._be_polled()
        else:
            self._parse(data)

    def _is_turned_away(self, data: bytes) -> bool:
        """Whether it was refused unparsed."""
        if not self._is_between or not self._is_free() or self.flow.write_paused:
            return False
        refusal = self._application.turn_away(data)
        if refusal is not None:
            self._write(refusal)
        return refusal is not None

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return  # We speak nothing else, and have answered it as it is.
        except httptools.HttpParserError as problem:
            self._end(_refusal(problem))
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._bounds.head_bytes:
                self._end(HeadTooLarge(f"The head of a request has at most {self._bounds.head_bytes} bytes."))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._is_between = False
        self._head_bytes = 0
        self._waits_since = self.loop.time()

    def on_headers_complete(self) -> None:
        self._in_head = self._is_answered = False
        self.app = self._application
        if self._may_answer_at_once():
            scope = _filled(cast("Scope", self.scope), self.parser, self.url)
            asked = self._application.look(scope)
            if asked.at_once is not None:
                self._answer(asked.at_once)
                return
            self.app = partial(self._application.go_on, asked)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._is_answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_between = True
        if not self._is_answered:
            super().on_message_complete()

    # --- who is refused again and again ------------------------------------------------------

    def poll(self) -> bool:
        """What has arrived since the last look; whether it was refused."""
        assert self._polled is not None
        try:
            data = os.read(self._polled, READ_BYTES_MAX)
        except OSError:
            return False  # nothing after all, or a reset: the next look finds the end
        if data and self._is_turned_away(data):
            return True
        self.listen()
        if data:  # otherwise the client is gone, which whoever listens is told too
            self._parse(data)
        return False

    def listen(self) -> None:
        """Read what arrives when it arrives."""
        self._leave_polling()
        self.transport.resume_reading()

    def _be_polled(self) -> None:
        """Read what arrives at the next look."""
        if self._polled is not None:
            return
        self.transport.pause_reading()
        self._polled = self.transport.get_extra_info("socket").fileno()
        self._polling.add(self._polled, self)

    def _leave_polling(self) -> None:
        if self._polled is not None:
            self._polling.remove(self._polled)
            self._polled = None

    # --- what is answered --------------------------------------------------------------------

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Its timer knows nothing of answers given at once: `look_after` is for all.
        self._unset_keepalive_if_required()
        self._waits_since = self.loop.time()

    def _may_answer_at_once(self) -> bool:
        """In turn, to somebody who reads, and where the connection goes on after it."""
        return (
            self._is_free()
            and not self.flow.write_paused
            and not self.expect_100_continue
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
        )

    def _answer(self, reply: Reply) -> None:
        self._is_answered = True
        self._write(reply)

    def _write(self, reply: Reply) -> None:
        self.transport.write(_on_the_wire(reply, self.server_state.default_headers))
        self._waits_since = self.loop.time()

    def _end(self, error: ApiError) -> None:
        """Refuse what cannot be read as a request; nothing more is read from here."""
        if not self._is_free():
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        body = encode(error.body())
        headers = [*USUAL, (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        self.transport.write(_on_the_wire((error.status, headers, body), self.server_state.default_headers))
        self.transport.close()

    # --- who stays away ----------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stuck_since = None

    def look_after(self, now: float) -> None:
        """Leave a client that sends nothing, or reads nothing."""
        if self._stuck_since is not None and now - self._stuck_since > self._bounds.unread_seconds:
            self.transport.abort()
        elif self._is_free() and now - self._waits_since > self._bounds.head_seconds:
            self.transport.close()

    def _is_free(self) -> bool:
        before_first: RequestResponseCycle | None = self.cycle
        return before_first is None or before_first.response_complete


class Server:
    """Serves an application on a port that other processes may share."""

    def __init__(
        self, application: Application, host: str, port: int, *, drain_seconds: float, bounds: Bounds | None = None
    ) -> None:
        self._application = application
        self._address = host, port
        self._drain_seconds = drain_seconds
        self._bounds = bounds or Bounds()
        self._state = ServerState()
        self._polling = Polling()
        self._config = Config(
            application,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        self._stopping = asyncio.Event()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._state.connections)

    def stop(self) -> None:
        """Accept nothing more, and end when what was begun is answered."""
        self._stopping.set()

    async def serve(self) -> None:
        """Serve until `stop`, then let requests in flight end, within the drain's seconds. Raises OSError."""
        self._config.load()
        host, port = self._address
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._connection, host, port, backlog=BACKLOG, reuse_port=True)
        ticking = asyncio.create_task(self._tick())
        await self._stopping.wait()
        server.close()
        await self._drain()
        ticking.cancel()

    def _connection(self) -> Connection:
        return Connection(self._application, self._config, self._state, self._bounds, self._polling)

    async def _tick(self) -> None:
        """Keep the date that answers bear, and look after each connection."""
        loop = asyncio.get_running_loop()
        while True:
            self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
            for connection in list(self._state.connections):
                cast("Connection", connection).look_after(loop.time())
            await asyncio.sleep(TICK_SECONDS)

    async def _drain(self) -> None:
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=self._drain_seconds)


def _filled(scope: Scope, parser: httptools.HttpRequestParser, url: bytes) -> Scope:
    """The scope with what the application looks at, beside the headers."""
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    scope["method"] = parser.get_method().decode("ascii")
    scope["path"] = unquote(path) if "%" in path else path
    scope["raw_path"] = parsed.path
    scope["query_string"] = parsed.query or b""
    return scope


def _on_the_wire(reply: Reply, usual: Headers) -> bytes:
    status, headers, body = reply
    parts = [STATUS_LINE[status]]
    for name, value in (*usual, *headers):
        parts += (name, b": ", value, b"\r\n")
    parts += (b"\r\n", body)
    return b"".join(parts)


def _refusal(problem: httptools.HttpParserError) -> ApiError:
    """The answer to what the parser did not take; what our own code raised beneath it is logged."""
    cause = problem.__context__
    if isinstance(problem, httptools.HttpParserCallbackError) and not isinstance(cause, _UNREADABLE):
        log.error("request.failed", exc_info=cause)
        return General()
    return InvalidInput("This is not a request of HTTP/1.1.")
