"""HTTP by httpcore: one exchange on a connection whose address was looked up once and checked.

No redirects, no cookies, no proxy from the environment, no compression: whoever we call gets this
request and answers within these bounds. Imported when the first call is made, not when a process starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import httpcore

from holdfast.base import tracing
from holdfast.outbound.addresses import Allowed, check
from holdfast.outbound.destination import Destination, Request, Response
from holdfast.outbound.errors import (
    AnswerTooLarge,
    BrokenAnswer,
    NoConnection,
    OutboundError,
    RequestRefused,
    TimedOut,
)

# Of a name's addresses, so many are tried.
ADDRESSES_MAX = 4
# Names looked up at once: a name server that hangs takes these threads and no others.
LOOKUPS_MAX = 8
KEPT_SECONDS = 15.0
KEPT_CONNECTIONS_MAX = 8

Resolve = Callable[[str, int], Awaitable[list[str]]]


class Resolver:
    """The machine's own look-up of names, in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS_MAX, thread_name_prefix="names")

    async def __call__(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Guarded(httpcore.AsyncNetworkBackend):
    """Connects to the address that was checked, whatever the name says by then."""

    def __init__(self, allowed: Allowed, resolve: Resolve, *, plain: bool) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._plain = plain
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,  # noqa: ARG002 - as above
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                return await self._connect(host, port)
        except TimeoutError:
            raise NoConnection(f"'{host}' did not accept a connection within {timeout} seconds.") from None

    async def _connect(self, host: str, port: int) -> httpcore.AsyncNetworkStream:
        try:
            found = await self._resolve(host, port)
        except OSError as error:
            raise NoConnection(f"'{host}' has no address: {error}") from None
        check(host, port, found, self._allowed, plain=self._plain)
        last: Exception | None = None
        for address in found[:ADDRESSES_MAX]:
            try:
                return await self._network.connect_tcp(address, port)
            except httpcore.ConnectError as error:
                last = error
        raise NoConnection(f"'{host}' did not accept a connection: {last}")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Transport:
    """Makes connections for all destinations of a process."""

    def __init__(self, allowed: Allowed, resolve: Resolve | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._allowed = allowed
        self._names = Resolver()
        self._resolve = resolve or self._names
        self._tls = tls or _usual_tls()

    def connections(self, destination: Destination) -> Connections:
        """The connections to one destination."""
        plain = destination.url.lower().startswith("http:")
        pool = httpcore.AsyncConnectionPool(
            ssl_context=self._tls,
            max_connections=destination.in_flight_max,
            max_keepalive_connections=KEPT_CONNECTIONS_MAX,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=Guarded(self._allowed, self._resolve, plain=plain),
        )
        return Connections(pool)

    def close(self) -> None:
        self._names.close()


@cache
def _usual_tls() -> ssl.SSLContext:
    """The certificates that the machine and certifi trust: one reading of them for all."""
    return httpcore.default_ssl_context()


class Connections:
    """Exchanges requests for answers with one destination."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool

    async def exchange(self, destination: Destination, request: Request, *, seconds: float) -> Response:
        """The answer, whatever its status. Raises OutboundError."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(destination, request, began)
        except OutboundError:
            raise
        except TimeoutError:
            raise TimedOut(f"No answer within {seconds:.3g} seconds.") from None
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise NoConnection(f"No connection: {error}") from None
        except httpcore.TimeoutException:
            raise TimedOut(f"No answer within {seconds:.3g} seconds.") from None
        except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, UnicodeError) as error:
            raise RequestRefused(f"The request cannot be sent: {error}") from None
        except (httpcore.ProtocolError, httpcore.NetworkError) as error:
            raise BrokenAnswer(f"The connection broke: {error}") from None

    async def _exchange(self, destination: Destination, request: Request, began: float) -> Response:
        times = {"connect": destination.connect_seconds}
        headers = [
            (name.encode("ascii"), value.encode("latin-1")) for name, value in (*request.headers, *tracing.headers())
        ]
        async with self._pool.stream(
            request.method, destination.url, headers=headers, content=request.body, extensions={"timeout": times}
        ) as answer:
            body = bytearray()
            async for chunk in answer.aiter_stream():
                body += chunk
                if len(body) > destination.answer_bytes_max:
                    raise AnswerTooLarge(f"The answer has more than {destination.answer_bytes_max} bytes.")
            told = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answer.headers)
        return Response(answer.status, told, bytes(body), time.monotonic() - began)

    async def close(self) -> None:
        with contextlib.suppress(httpcore.NetworkError, OSError):
            await self._pool.aclose()
