"""A small HTTP client for tests that look at the API as published: status, body and headers as they come."""

import itertools
from types import TracebackType
from typing import Any, Self

import httpx

TIMEOUT_SECONDS = 30
# Every collection there is; tests/http/test_openapi.py asks the register.
COLLECTIONS = (
    "zones",
    "tax-categories",
    "product-types",
    "types",
    "categories",
    "products",
    "channels",
    "stores",
    "customer-groups",
    "states",
    "inventory",
    "shipping-methods",
    "customers",
    "carts",
    "payments",
    "cart-discounts",
    "discount-codes",
    "gift-cards",
    "orders",
    "attribute-groups",
    "extensions",
    "subscriptions",
)

_numbers = itertools.count(1)


def fresh(prefix: str) -> str:
    """Name something that this run has not named yet."""
    return f"{prefix}-{next(_numbers)}"


class Api:
    """One project of a running shop, called with one token."""

    def __init__(self, project: dict[str, str], scope: str | None = None) -> None:
        self.project = project
        self.key = project["projectKey"]
        self._http = httpx.Client(base_url=project["apiUrl"], timeout=TIMEOUT_SECONDS)
        self.token = self.fetch_token(scope)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def fetch_token(self, scope: str | None = None) -> str:
        given = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        basic = (self.project["clientId"], self.project["clientSecret"])
        answer = self._http.post(f"{self.project['authUrl']}/oauth/token", data=given, auth=basic)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def revoke(self, token: str) -> None:
        basic = (self.project["clientId"], self.project["clientSecret"])
        given = {"token": token, "token_type_hint": "access_token"}
        answer = self._http.post(f"{self.project['authUrl']}/oauth/token/revoke", data=given, auth=basic)
        assert answer.status_code == 200, answer.text

    def send(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        raw: bytes | None = None,
        token: str | None = None,
        project: str | None = None,
        parameters: dict[str, Any] | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        """Send one request to this project's API; `raw` goes out as it is, a token of "" is left out."""
        headers = {b"Content-Type": b"application/json"}
        if key is not None:
            headers[b"Idempotency-Key"] = key.encode("latin-1")
        bearer = self.token if token is None else token
        if bearer:
            headers[b"Authorization"] = f"Bearer {bearer}".encode()
        url = f"/{project or self.key}{path}"
        if raw is not None:
            return self._http.request(method, url, content=raw, headers=headers, params=parameters)
        return self._http.request(method, url, json=json, headers=headers, params=parameters)

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        return self._good(self.send("GET", path, parameters=parameters))

    def create(self, path: str, draft: dict[str, Any]) -> dict[str, Any]:
        return self._good(self.send("POST", path, draft))

    def update(self, path: str, resource: dict[str, Any], *actions: dict[str, Any]) -> dict[str, Any]:
        body = {"version": resource["version"], "actions": list(actions)}
        return self._good(self.send("POST", f"{path}/{resource['id']}", body))

    def everything(self) -> dict[str, Any]:
        """Read all that a request could have changed: the project and every collection, whole."""
        read = {path: self.get(f"/{path}", sort="id asc", limit=500)["results"] for path in COLLECTIONS}
        return {"": self.get(""), **read}

    @staticmethod
    def _good(answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code < 400, answer.text
        body: dict[str, Any] = answer.json()
        return body


def refusal(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check the published error body and give its first error."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:2000]}"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["x-correlation-id"]
    body = answer.json()
    assert body["statusCode"] == status
    assert body["errors"]
    first: dict[str, Any] = body["errors"][0]
    assert body["message"] == first["message"]
    assert first["code"] == code, answer.text[:2000]
    return first
