"""Whom to call and what to say, within which bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from holdfast.outbound.errors import RequestRefused

URL_CHARACTERS_MAX = 2_048
REQUEST_BYTES_MAX = 16 * 1024 * 1024
HEADERS_MAX = 64
HEADER_CHARACTERS_MAX = 8_192

# May be repeated by what they mean (RFC 9110 §9.2.2); anything else by a key the other side can know it again by.
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
KEY_HEADERS = frozenset({"idempotency-key", "webhook-id"})


class Destination(NamedTuple):
    """Somebody to call. `name` says who in figures and logs, and whose breaker, queue and budget it is.

    in_flight_max: calls under way at once in one process; queue_max: calls that wait for one of those to end.
    """

    name: str
    url: str
    connect_seconds: float = 2.0
    total_seconds: float = 10.0
    in_flight_max: int = 32
    queue_max: int = 64
    answer_bytes_max: int = 1024 * 1024

    @property
    def host(self) -> str:
        """Where it is, without what an address may hold of secrets."""
        return urlsplit(self.url).hostname or ""


class Request(NamedTuple):
    """What to say. Retried where that is safe, up to `attempts_max` calls in all.

    repeatable: the other side knows a repetition by one of KEY_HEADERS, which must be there.
    """

    method: str = "POST"
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    attempts_max: int = 1
    repeatable: bool = False

    @property
    def is_repeatable(self) -> bool:
        return self.repeatable or self.method in IDEMPOTENT


class Response(NamedTuple):
    """What was answered, header names in small letters, after so many seconds."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    seconds: float

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)


def check_sendable(destination: Destination, request: Request) -> None:
    """Bounds on what leaves us. Raises RequestRefused."""
    problem = url_problem(destination.url)
    if problem is None and len(request.body) > REQUEST_BYTES_MAX:
        problem = f"The body has more than {REQUEST_BYTES_MAX} bytes."
    if problem is None and len(request.headers) > HEADERS_MAX:
        problem = f"There are more than {HEADERS_MAX} headers."
    if problem is None and any(len(name) + len(value) > HEADER_CHARACTERS_MAX for name, value in request.headers):
        problem = f"A header has more than {HEADER_CHARACTERS_MAX} characters."
    if problem is not None:
        raise RequestRefused(problem)
    keyed = any(name.lower() in KEY_HEADERS for name, _ in request.headers)
    assert keyed or not request.repeatable, "what may be repeated carries a key to be known again by"


def url_problem(url: str) -> str | None:
    """Why a URL cannot be called, None when it can."""
    if len(url) > URL_CHARACTERS_MAX:
        return f"A URL has at most {URL_CHARACTERS_MAX} characters."
    if not url.isascii() or not url.isprintable() or " " in url:
        return "A URL has no spaces, no control characters and no letters beyond ASCII."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"This is not a URL: {error}."
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "A URL begins with https:// and a host."
    if parts.username is not None or parts.password is not None:
        return "A URL holds no user name and no password."
    if parts.fragment:
        return "A URL that is called has no fragment."
    return "Port 0 cannot be called." if port == 0 else None
