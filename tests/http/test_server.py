"""The server under the application: what it bounds, what it answers at once, and how it stops; over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple, cast

import pytest

from holdfast.http.kept import Reply
from holdfast.http.server import Bounds, Connection, Scope, Server
from holdfast.http.whole import whole_post
from holdfast.ops.bench.limits import free_port

PATIENCE_SECONDS = 30.0


class Asked(NamedTuple):
    at_once: Reply | None = None


class Echo:
    """Answers `/at-once` at once, and all else with its body when `gate` is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.looked: list[str] = []
        self.inside = asyncio.Event()

    def turn_away(self, data: bytes) -> Reply | None:
        post = whole_post(data)
        return (503, [(b"content-length", b"4")], b"away") if post is not None and post.path == "/away" else None

    def look(self, scope: Scope) -> Asked:
        self.looked.append(scope["path"])
        if scope["path"] == "/broken":
            raise RuntimeError("a bug of ours")
        if scope["path"] != "/at-once":
            return Asked()
        return Asked((503, [(b"content-length", b"2")], b"no" if scope["method"] != "HEAD" else b""))

    async def go_on(self, asked: Asked, scope: Scope, receive: Any, send: Any) -> None:
        status, headers, told = asked.at_once or await self._echo(scope, receive)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": told})

    async def _echo(self, scope: Scope, receive: Any) -> Reply:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.inside.set()
        await self.gate.wait()
        told = body or scope["path"].encode()
        return 200, [(b"content-length", b"%d" % len(told))], told

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await self.go_on(self.look(scope), scope, receive, send)


class Served(NamedTuple):
    application: Echo
    server: Server
    port: int
    serving: asyncio.Task[None]


@asynccontextmanager
async def served(**bounds: Any) -> AsyncIterator[Served]:
    application, port = Echo(), free_port()
    server = Server(application, "127.0.0.1", port, drain_seconds=PATIENCE_SECONDS, bounds=Bounds(**bounds))
    serving = asyncio.create_task(server.serve())
    try:
        yield Served(application, server, port, serving)
    finally:
        application.gate.set()
        server.stop()
        await serving


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """A connection that writes and reads bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self, *, bodiless: bool = False) -> Answer:
        async with asyncio.timeout(PATIENCE_SECONDS):
            line, *fields = (await self.reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name: value for name, _, value in (field.partition(": ") for field in fields)}
            body = b"" if bodiless else await self.reader.readexactly(int(headers.get("content-length", 0)))
            return Answer(int(line.split()[1]), headers, body)

    async def is_closed(self) -> bool:
        async with asyncio.timeout(PATIENCE_SECONDS):
            with contextlib.suppress(ConnectionError):
                return await self.reader.read() == b""
            return True


@asynccontextmanager
async def client(served: Served, sent: bytes) -> AsyncIterator[Client]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with contextlib.suppress(ConnectionRefusedError):  # it may not listen yet
                reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
                break
            await asyncio.sleep(0.01)
    writer.write(sent)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


def request(path: str, *headers: str, method: str = "GET", body: bytes = b"", version: str = "1.1") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: x", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


# --- answers -------------------------------------------------------------------------------


async def test_requests_of_one_connection_are_answered_in_turn() -> None:
    paths = ["/one", "/at-once", "/two", "/at-once", "/at-once", "/three"]
    async with served() as shop, client(shop, b"".join(map(request, paths))) as shopper:
        bodies = [(await shopper.answer()).body.decode() for _ in paths]
    assert bodies == ["no" if path == "/at-once" else path for path in paths]


async def test_an_answer_at_once_waits_for_the_one_before_it() -> None:
    async with served() as shop:
        shop.application.gate.clear()
        async with client(shop, request("/one") + request("/at-once")) as shopper:
            await shop.application.inside.wait()
            assert shop.application.looked == ["/one"]
            shop.application.gate.set()
            assert [(await shopper.answer()).body for _ in range(2)] == [b"/one", b"no"]


PLAIN = request("/away", method="POST", body=b"ten")


@pytest.mark.parametrize(
    ("pieces", "answers"),
    [
        ([PLAIN, PLAIN], [b"away", b"away"]),
        ([request("/at-once"), PLAIN, request("/two")], [b"no", b"away", b"/two"]),
        ([PLAIN + request("/one")], [b"ten", b"/one"]),  # more than one request: the parser's
        ([PLAIN[:20], PLAIN[20:]], [b"ten"]),
        ([request("/at-once", method="POST", body=PLAIN)[: -len(PLAIN)], PLAIN, request("/two")], [b"no", b"/two"]),
    ],
    ids=["turned away", "between others", "with another", "in pieces", "inside a body"],
)
async def test_what_is_turned_away_is_one_request_and_no_part_of_another(
    pieces: list[bytes], answers: list[bytes]
) -> None:
    async with served() as shop, client(shop, request("/hello")) as shopper:
        assert (await shopper.answer()).body == b"/hello"
        for piece in pieces:  # each as one read, as the kernel may give them
            connection_of(shop).data_received(piece)
        assert [(await shopper.answer()).body for _ in answers] == answers


def connection_of(shop: Served) -> Connection:
    (connection,) = shop.server._state.connections
    return cast("Connection", connection)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.001)


def is_polled(shop: Served) -> bool:
    """Whether the connection is looked at, and not listened to."""
    connection = connection_of(shop)
    assert connection.transport.is_reading() == (connection._polled is None)
    return connection._polled is not None


@asynccontextmanager
async def turned_away(shop: Served, quiet_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[Client]:
    """A client that was refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("holdfast.http.polling.QUIET_SECONDS", quiet_seconds)
        async with client(shop, PLAIN) as shopper:
            assert (await shopper.answer()).body == b"away"
            assert is_polled(shop)
            yield shopper


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        (PLAIN, [b"away"]),
        (request("/one"), [b"/one"]),
        (request("/one") + PLAIN, [b"/one", b"ten"]),
        (PLAIN + request("/one"), [b"ten", b"/one"]),
        (request("/one", method="POST", body=b"x" * 300_000), [b"x" * 300_000]),  # more than one look takes
    ],
    ids=["refused again", "let in", "two", "refused and let in", "large"],
)
async def test_who_was_turned_away_may_ask_again(sent: bytes, answers: list[bytes]) -> None:
    async with served() as shop, turned_away(shop) as shopper:
        for _ in range(3):
            shopper.writer.write(sent)
            assert [(await shopper.answer()).body for _ in answers] == answers
            assert is_polled(shop) == (answers == [b"away"])
            shopper.writer.write(PLAIN)
            assert (await shopper.answer()).body == b"away"


async def test_who_was_turned_away_may_ask_in_pieces() -> None:
    async with served() as shop, turned_away(shop) as shopper:
        shopper.writer.write(PLAIN[:20])
        await until(lambda: not is_polled(shop))
        shopper.writer.write(PLAIN[20:])
        assert (await shopper.answer()).body == b"ten"


@pytest.mark.parametrize("rudely", [False, True])
async def test_who_goes_after_he_was_turned_away_is_gone(rudely: bool) -> None:
    async with served() as shop, turned_away(shop) as shopper:
        if rudely:
            linger = struct.pack("ii", 1, 0)  # reset, not closed
            shopper.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        shopper.writer.close()
        await all_gone(shop.server)


async def test_who_stays_after_he_was_turned_away_is_left() -> None:
    async with served(head_seconds=0.1) as shop, turned_away(shop) as shopper:
        assert await shopper.is_closed()
        await all_gone(shop.server)
        assert not shop.server._polling._selector.get_map()  # the next client's descriptor may be the same


async def test_all_are_listened_to_when_nobody_is_turned_away_any_more() -> None:
    async with served() as shop, turned_away(shop, quiet_seconds=0.05) as shopper:
        await until(lambda: not is_polled(shop))
        shopper.writer.write(request("/one"))
        assert (await shopper.answer()).body == b"/one"


async def test_a_crowd_that_was_turned_away_is_answered_to_the_last() -> None:
    async with served() as shop, AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(client(shop, PLAIN)) for _ in range(50)]
        for sent in (PLAIN, PLAIN, request("/one")):
            assert {(await shopper.answer()).body for shopper in crowd} == {b"away"}
            for shopper in crowd:
                shopper.writer.write(sent)
        assert {(await shopper.answer()).body for shopper in crowd} == {b"/one"}


async def test_nobody_is_turned_away_before_who_asked_first_is_answered() -> None:
    async with served() as shop:
        shop.application.gate.clear()
        async with client(shop, request("/one")) as shopper:
            await shop.application.inside.wait()
            connection_of(shop).data_received(PLAIN)
            shop.application.gate.set()
            assert [(await shopper.answer()).body for _ in range(2)] == [b"/one", b"ten"]


async def test_the_body_of_what_is_answered_at_once_is_passed_over() -> None:
    large = b"x" * 300_000  # more than the head of a request may have
    sent = request("/at-once", method="POST", body=large) + request("/one", method="POST", body=b"told")
    async with served() as shop, client(shop, sent) as shopper:
        assert [(await shopper.answer()).body for _ in range(2)] == [b"no", b"told"]


async def test_answers_bear_the_date() -> None:
    async with served() as shop, client(shop, request("/one") + request("/at-once")) as shopper:
        dates = [(await shopper.answer()).headers["date"] for _ in range(2)]
    assert all(date.endswith(" GMT") for date in dates)


async def test_head_is_answered_without_a_body_on_both_ways() -> None:
    sent = request("/one", method="HEAD") + request("/at-once", method="HEAD")
    async with served() as shop, client(shop, sent + request("/two")) as shopper:
        lengths = [(await shopper.answer(bodiless=True)).headers["content-length"] for _ in range(2)]
        assert (await shopper.answer()).body == b"/two"
    assert lengths == ["4", "2"]


@pytest.mark.parametrize("path", ["/one", "/at-once"])
@pytest.mark.parametrize(("version", "header"), [("1.1", "Connection: close"), ("1.0", "Accept: */*")])
async def test_who_wants_the_connection_closed_has_it_closed(path: str, version: str, header: str) -> None:
    async with served() as shop, client(shop, request(path, header, version=version)) as shopper:
        assert (await shopper.answer()).body == (b"no" if path == "/at-once" else path.encode())
        assert await shopper.is_closed()


@pytest.mark.parametrize("path", ["/one", "/at-once"])
async def test_an_offer_to_speak_http_2_is_passed_over(path: str) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
    async with served() as shop, client(shop, request(path, *offer)) as shopper:
        first = await shopper.answer()
        shopper.writer.write(request("/two"))
        second = await shopper.answer()
    assert (first.body, second.body) == (b"no" if path == "/at-once" else b"/one", b"/two")


async def test_who_waits_to_be_told_to_go_on_is_told() -> None:
    async with served() as shop:
        head = request("/one", "Expect: 100-continue", "Content-Length: 4", method="POST")
        async with client(shop, head) as shopper:
            assert (await shopper.answer()).status == 100
            shopper.writer.write(b"told")
            assert (await shopper.answer()).body == b"told"


async def test_a_bug_of_ours_is_a_server_error_not_the_client_s() -> None:
    async with served() as shop, client(shop, request("/broken")) as shopper:
        answer = await shopper.answer()
    assert answer.status == json.loads(answer.body)["statusCode"] == 500


# --- bounds --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"what is this\r\n\r\n",
        b"GET /one HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST /one HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /größe HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_in_the_published_form(sent: bytes) -> None:
    async with served() as shop, client(shop, sent) as shopper:
        answer = await shopper.answer()
        assert await shopper.is_closed()
    assert answer.status == json.loads(answer.body)["statusCode"] == 400
    assert json.loads(answer.body)["errors"][0]["code"] == "InvalidInput"
    assert shop.application.looked == []


async def test_rubbish_behind_a_request_does_not_cost_it_its_answer() -> None:
    async with served() as shop:
        shop.application.gate.clear()
        async with client(shop, request("/one") + b"what is this\r\n\r\n") as shopper:
            await shop.application.inside.wait()
            shop.application.gate.set()
            assert (await shopper.answer()).body == b"/one"
            assert await shopper.is_closed()


async def test_a_head_has_a_length_it_may_have() -> None:
    async with served(head_bytes=2_000) as shop:
        async with client(shop, request("/one", f"X-Long: {'x' * 1_500}")) as shopper:
            assert (await shopper.answer()).status == 200
        async with client(shop, request("/one")[:-2] + b"X-Long: " + b"x" * 2_000) as shopper:
            assert (await shopper.answer()).status == 431
            assert await shopper.is_closed()


@pytest.mark.parametrize("sent", [b"", b"GET /one HT", request("/one"), request("/at-once")])
async def test_who_sends_no_request_is_left(sent: bytes) -> None:
    async with served(head_seconds=0.1) as shop, client(shop, sent) as shopper:
        if sent.endswith(b"\r\n\r\n"):
            await shopper.answer()
        assert await shopper.is_closed()


async def test_who_is_being_answered_is_not_left() -> None:
    async with served(head_seconds=0.1) as shop:
        shop.application.gate.clear()
        async with client(shop, request("/one")) as shopper, client(shop, b"") as other:
            assert await other.is_closed()
            shop.application.gate.set()
            assert (await shopper.answer()).body == b"/one"


async def test_who_reads_no_answer_is_left() -> None:
    async with served(unread_seconds=0.1) as shop:
        large = b"x" * 4_000_000
        async with client(shop, request("/one", method="POST", body=large) * 4) as shopper:
            shopper.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await all_gone(shop.server)


async def all_gone(server: Server) -> None:
    await until(lambda: not server.connections)


async def test_too_many_connections_are_told_so_and_those_before_go_on() -> None:
    async with (
        served(connections=2) as shop,
        client(shop, request("/one")) as first,
        client(shop, request("/two")) as second,
    ):
        assert [(await one.answer()).status for one in (first, second)] == [200, 200]
        async with client(shop, b"") as third:
            answer = await third.answer()
            assert answer.status == 503
            assert json.loads(answer.body)["errors"][0]["code"] == "OverCapacity"
            assert await third.is_closed()
        first.writer.write(request("/three"))
        assert (await first.answer()).body == b"/three"


# --- the end -------------------------------------------------------------------------------


async def test_what_was_begun_is_answered_before_the_end() -> None:
    async with served() as shop:
        shop.application.gate.clear()
        async with client(shop, request("/one")) as shopper, client(shop, b"") as idle:
            await shop.application.inside.wait()
            shop.server.stop()
            assert await idle.is_closed()
            assert not shop.serving.done()
            shop.application.gate.set()
            answer = await shopper.answer()
            assert answer.body == b"/one"
            assert answer.headers["connection"] == "close"
        await shop.serving
