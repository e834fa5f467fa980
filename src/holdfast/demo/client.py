"""A few lines of HTTP client on the standard library: all that the loader needs, so that no dependency comes along."""

from __future__ import annotations

import base64
import http.client
import json
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

TIMEOUT_SECONDS: Final = 30
ATTEMPTS_MAX: Final = 4
RETRY_PAUSE_SECONDS: Final = 0.25


@dataclass(frozen=True)
class Shop:
    """Where the shop answers and who asks."""

    api_url: str
    project_key: str
    client_id: str
    client_secret: str


class Refused(Exception):
    """The shop answered with an error."""

    def __init__(self, method: str, path: str, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{method} {path} answered {status}: {json.dumps(body, ensure_ascii=False)[:2000]}")
        self.status = status
        self.codes = {error.get("code") for error in body.get("errors", [])}


class Client:
    """One connection that is kept open; not for use by several threads at a time."""

    def __init__(self, shop: Shop, token: str | None = None) -> None:
        self._shop = shop
        self._address = urlsplit(shop.api_url)
        self._connection = self._connect()
        self.token = token or self._fetch_token()

    def get(self, path: str) -> dict[str, Any]:
        return self._project("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._project("POST", path, body)

    def exists(self, path: str) -> bool:
        try:
            self.get(path)
        except Refused as refused:
            if refused.status != http.HTTPStatus.NOT_FOUND:
                raise
            return False
        return True

    def _project(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        payload = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        return self._send(method, f"/{self._shop.project_key}{path}", headers, payload)

    def _fetch_token(self) -> str:
        basic = base64.b64encode(f"{self._shop.client_id}:{self._shop.client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        answer = self._send("POST", "/oauth/token", headers, b"grant_type=client_credentials")
        return str(answer["access_token"])

    def _send(self, method: str, path: str, headers: dict[str, str], payload: bytes | None) -> dict[str, Any]:
        """Send one request; connections that break and a shop that is too busy are tried again.

        A create that was carried out although its answer got lost is refused as a duplicate the second time, which
        the loader takes for what it is.
        """
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                self._connection.request(method, self._address.path + path, payload, headers)
                response = self._connection.getresponse()
                text = response.read()
            except (OSError, http.client.HTTPException):
                self._connection.close()
                if attempt == ATTEMPTS_MAX:
                    raise
            else:
                if response.status != http.HTTPStatus.SERVICE_UNAVAILABLE or attempt == ATTEMPTS_MAX:
                    return self._answer(method, path, response.status, text)
            time.sleep(RETRY_PAUSE_SECONDS * attempt)
        raise AssertionError("the last attempt returns or raises")

    def _answer(self, method: str, path: str, status: int, text: bytes) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(text) if text else {}
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise Refused(method, path, status, body)
        return body

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
        return kind(self._address.hostname or "localhost", self._address.port, timeout=TIMEOUT_SECONDS)
