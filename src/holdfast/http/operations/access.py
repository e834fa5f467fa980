"""Who is the operator: whoever has the token that lies beside the data, or signed in with it a while ago.

A browser gives the token once and gets a signed cookie. Any process of any host with the same token takes it, no
process remembers it, and a new token ends them all. A page of another site cannot use it: browsers send it to nobody
else's requests (SameSite), and what changes anything also needs a header that only our own pages can set.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from holdfast.base.errors import InsufficientScope, InvalidToken, TooManyRequests

COOKIE = "holdfast-operator"
# Sent by our own pages with what changes something. Other origins would have to ask first, and are told no.
PAGE_HEADER = "x-holdfast-page"
SESSION_SECONDS = 8 * 3600
# Wrong tokens one process listens to: so many at once, then one in so many seconds.
WRONG_TOKENS_MAX = 10
WRONG_TOKEN_SECONDS = 6.0
_READING = ("GET", "HEAD")


class Access:
    """The operator's token and the cookies made from it. Without a token file nobody is the operator."""

    def __init__(self, token_file: str, *, secure: bool = False, clock: Callable[[], float] = time.time) -> None:
        token = Path(token_file).read_bytes().strip() if token_file else None
        self._token_hash = sha256(token).digest() if token else None
        # Not the token itself: a cookie's signature must be of use for nothing else.
        self._key = hmac.digest(token, b"holdfast operator session", "sha256") if token else b""
        self._secure = secure
        self._clock = clock
        # When the wrong tokens heard so far are forgotten.
        self._wrong_until = 0.0

    def check(self, method: str, headers: Mapping[str, str]) -> None:
        """Raises InvalidToken for anybody but the operator, InsufficientScope when his browser was sent by others."""
        authorization = headers.get("authorization")
        if authorization is not None:
            kind, _, token = authorization.partition(" ")
            if kind.lower() != "bearer" or not self._is_token(token):
                raise InvalidToken("The operator token is required.")
            return
        if not self._is_session(headers.get("cookie", "")):
            raise InvalidToken("The operator token is required.")
        if method not in _READING:
            check_own_page(headers)

    def sign_in(self, headers: Mapping[str, str], token: str) -> str:
        """The cookie for whoever has the token. Raises InvalidToken, TooManyRequests."""
        check_own_page(headers)
        now = self._clock()
        if self._wrong_until - now > (WRONG_TOKENS_MAX - 1) * WRONG_TOKEN_SECONDS:
            raise TooManyRequests("Too many wrong tokens were given; try again in a moment.")
        if not self._is_token(token):
            self._wrong_until = max(self._wrong_until, now) + WRONG_TOKEN_SECONDS
            raise InvalidToken("This is not the operator token.")
        said = f"{int(now) + SESSION_SECONDS}.{secrets.token_urlsafe(12)}"
        return self._cookie(f"{said}.{self._signature(said)}", SESSION_SECONDS)

    def sign_out(self) -> str:
        """What makes a browser forget the cookie."""
        return self._cookie("", 0)

    def _cookie(self, value: str, seconds: int) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{COOKIE}={value}; Path=/-/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"

    def _is_token(self, token: str) -> bool:
        given = sha256(token.strip().encode()).digest()
        return self._token_hash is not None and hmac.compare_digest(given, self._token_hash)

    def _is_session(self, cookies: str) -> bool:
        value = _cookie_in(cookies)
        said, _, signature = value.rpartition(".")
        ends_at = said.partition(".")[0]
        if not self._key or not hmac.compare_digest(signature.encode(), self._signature(said).encode()):
            return False
        return int(ends_at) > self._clock()

    def _signature(self, said: str) -> str:
        return hmac.new(self._key, said.encode(), "sha256").hexdigest()


def check_own_page(headers: Mapping[str, str]) -> None:
    """Raises InsufficientScope unless one of our own pages sent this."""
    if PAGE_HEADER not in headers or headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise InsufficientScope(f"The header '{PAGE_HEADER}' is required.")


def _cookie_in(cookies: str) -> str:
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
