"""`/-/ops/…`: the doors behind the operations page."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from holdfast.base.errors import InvalidJsonInput, InvalidToken, ResourceNotFound, TooManyRequests
from holdfast.commerce.values.value import encode
from holdfast.http.operations.access import WRONG_TOKEN_SECONDS, Access
from holdfast.http.operations.state import State

Headers = list[tuple[bytes, bytes]]

# Nobody's cache may hold it, and no other origin may read it.
_USUAL: Headers = [(b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"no-store")]


class SignIn(msgspec.Struct, frozen=True):
    """What the page sends once."""

    token: str


class Operations:
    """Signing in and out, and how the host stands."""

    def __init__(self, access: Access, state: State) -> None:
        self._access = access
        self._state = state

    async def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        """Answer a request. Raises ApiError."""
        match (method, path):
            case ("GET", "/-/ops/session"):
                # Asked before anything else: a refusal would stand as an error in the browser's console.
                return 200, [*_USUAL], encode({"isOperator": self._is_operator(method, headers)})
            case ("POST", "/-/ops/session"):
                return self._sign_in(headers, _signing(body).token)
            case ("DELETE", "/-/ops/session"):
                self._access.check(method, headers)
                return _with_cookie(self._access.sign_out())
        self._access.check(method, headers)
        if (method, path) == ("GET", "/-/ops/state"):
            return 200, [*_USUAL], encode(await self._state.told())
        raise ResourceNotFound(f"There is nothing at '{method} {path[:200]}'.")

    def _sign_in(self, headers: Mapping[str, str], token: str) -> tuple[int, Headers, bytes]:
        try:
            return _with_cookie(self._access.sign_in(headers, token))
        except TooManyRequests as error:
            wait = b"%d" % WRONG_TOKEN_SECONDS
            return error.status, [*_USUAL, (b"retry-after", wait)], encode(error.body())

    def _is_operator(self, method: str, headers: Mapping[str, str]) -> bool:
        try:
            self._access.check(method, headers)
        except InvalidToken:
            return False
        return True


def _signing(body: bytes) -> SignIn:
    try:
        return msgspec.json.decode(body, type=SignIn)
    except msgspec.MsgspecError as error:
        raise InvalidJsonInput(str(error)) from error


def _with_cookie(cookie: str) -> tuple[int, Headers, bytes]:
    return 204, [*_USUAL, (b"set-cookie", cookie.encode())], b""
