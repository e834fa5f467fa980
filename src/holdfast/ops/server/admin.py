"""Speaks to a running shop as its operator: over HTTP, with the token kept in the data folder."""

import base64
import http.client
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from holdfast.ops.server.layout import Layout, flush_folder, read_json, write_json, write_private
from holdfast.ops.trouble import Trouble

TIMEOUT_SECONDS = 15.0
TOKEN_BYTES = 32


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]

    @property
    def message(self) -> str:
        return str(self.body.get("message") or self.body or f"HTTP {self.status}")


@dataclass(frozen=True)
class Client:
    """Credentials of an API client, as they were handed out once."""

    project_key: str
    client_id: str
    client_secret: str

    def facts(self) -> dict[str, str]:
        return {"projectKey": self.project_key, "clientId": self.client_id, "clientSecret": self.client_secret}


@dataclass(frozen=True)
class Shop:
    """A running shop, its folder and its address."""

    layout: Layout
    api_url: str

    def create_project(self, key: str, **facts: Any) -> Client:
        """A project with an all-rights client of its own."""
        answer = self.operate("/-/projects", {"key": key, **facts})
        if answer.status not in (200, 201):
            raise refused(f"Project {key} was not created.", answer)
        return client_from(answer, key)

    def create_client(self, project_key: str, name: str, scope: str) -> Client:
        answer = self.operate(f"/-/projects/{project_key}/clients", {"name": name, "scope": scope})
        if answer.status not in (200, 201):
            raise refused(f"No client was created for project {project_key}.", answer)
        return client_from(answer, project_key)

    def limits(self, project_key: str, change: dict[str, Any] | None = None) -> dict[str, Any]:
        """The usage tiers of a project, after a change if there is one."""
        answer = self.operate(f"/-/projects/{project_key}/limits", change)
        if answer.status != 200:
            raise refused(f"The limits of project {project_key} were not {'set' if change else 'read'}.", answer)
        return answer.body

    def ensure_client(self, project_key: str, **facts: Any) -> Client:
        """The client remembered for a project, or a new one; the project is made when missing."""
        remembered = read_json(self.layout.clients).get(project_key)
        if remembered and self.accepts(
            client := Client(project_key, remembered["clientId"], remembered["clientSecret"])
        ):
            return client
        try:
            client = self.create_project(project_key, **facts)
        except Trouble as trouble:
            if trouble.code != "DuplicateField":
                raise
            client = self.create_client(project_key, "holdfast up", f"manage_project:{project_key}")
        write_json(self.layout.clients, read_json(self.layout.clients) | {project_key: client.facts()})
        return client

    def accepts(self, client: Client) -> bool:
        """Whether the shop still knows these credentials."""
        pair = base64.b64encode(f"{client.client_id}:{client.client_secret}".encode()).decode()
        form = urlencode({"grant_type": "client_credentials"})
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", "/oauth/token", form, headers).status == 200

    def operate(self, path: str, body: dict[str, Any] | None) -> Answer:
        """Ask for something, or with a body change it."""
        try:
            token = self.layout.operator_token.read_text().strip()
        except OSError as error:
            raise Trouble(
                "This shop's operator token cannot be read.",
                why=str(error),
                remedy="Run the command as the user who started `holdfast up`, with the same --data.",
                code="no-operator-token",
            ) from error
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self.send("GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers)

    def is_ready(self) -> bool:
        """Whether it serves everything: a shop that has lost its database still says what it knows."""
        answer = self.send("GET", "/-/ready")
        return answer.status == 200 and database_is_up(answer.body)

    def send(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> Answer:
        parts = urlsplit(self.api_url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, decoded(response.read()))
        except (OSError, http.client.HTTPException) as error:
            raise Trouble(
                f"The shop at {self.api_url} does not answer.",
                why=str(error) or type(error).__name__,
                remedy="See `holdfast status` and `holdfast logs`.",
                code="unreachable",
            ) from error
        finally:
            connection.close()


def database_is_up(report: dict[str, Any]) -> bool:
    """Whether the database answers, by what `/-/ready` says."""
    return bool(report.get("parts", {}).get("database", {}).get("status") == "up")


def decoded(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def client_from(answer: Answer, project_key: str) -> Client:
    return Client(project_key, str(answer.body["clientId"]), str(answer.body["clientSecret"]))


def refused(what: str, answer: Answer) -> Trouble:
    code = next((error["code"] for error in answer.body.get("errors") or () if "code" in error), "refused")
    return Trouble(what, why=answer.message, code=code)


def ensure_operator_token(layout: Layout) -> None:
    """A token only the owner of the data folder can read; it opens the shop's /-/ paths."""
    if not layout.operator_token.exists():
        write_private(layout.operator_token, secrets.token_urlsafe(TOKEN_BYTES) + "\n")


def ensure_metrics_token(layout: Layout) -> None:
    """A token that reads the metrics and nothing else, for whatever collects them."""
    if not layout.metrics_token.exists():
        write_private(layout.metrics_token, secrets.token_urlsafe(TOKEN_BYTES) + "\n")


def ensure_receipt_key(layout: Layout) -> None:
    """A key to sign receipts with, made once and durable before the first receipt: 32 random bytes are one."""
    if not layout.receipt_key.exists():
        write_private(layout.receipt_key, secrets.token_urlsafe(TOKEN_BYTES) + "\n")
        flush_folder(layout.data)
