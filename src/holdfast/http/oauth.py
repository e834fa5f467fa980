"""The OAuth 2 endpoints: understand the request, leave the flows to handlers/oauth.py.

Clients prove themselves by HTTP Basic; parameters come form-encoded in the body or in the query
string, the body counting where both name one (RFC 6749 §3.2, and what published SDKs do).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from holdfast.base.errors import InsufficientScope, InvalidClient, OAuthRejected, ResourceNotFound
from holdfast.handlers.oauth import OAuth
from holdfast.store.tokens import Client

PARAMETERS_MAX = 50
BODY_BYTES_MAX = 65_536


class Place(NamedTuple):
    """What a path below `/oauth/` asks for, and whose project and store it names."""

    purpose: str
    project: str | None = None
    store_key: str | None = None


class OAuthRoutes:
    """`/oauth/…`, answered with a status and a value to encode."""

    def __init__(self, flows: OAuth) -> None:
        self._flows = flows

    async def answer(
        self, path: str, headers: Mapping[str, str], query: str, body: bytes
    ) -> tuple[int, dict[str, Any]]:
        """Answer a POST. `headers` are named in lower case, `path` and `query` are still encoded.

        Raises ApiError.
        """
        place = _place(path)
        client = await self._flows.authenticate(*_basic(headers.get("authorization")))
        if place.project not in (None, client.project):
            raise InsufficientScope(f"The API client does not belong to project '{place.project}'.")
        return 200, await self._dispatch(place, client, _parameters(query, body))

    async def _dispatch(self, place: Place, client: Client, given: Mapping[str, str]) -> dict[str, Any]:
        match place.purpose:
            case "token":
                return await self._token(client, given)
            case "customer":
                _check_grant(given, "password")
                return await self._flows.password(
                    client, _needed(given, "username"), _needed(given, "password"), given.get("scope"), place.store_key
                )
            case "anonymous":
                _check_grant(given, "client_credentials")
                return await self._flows.anonymous(client, given.get("anonymous_id"), given.get("scope"))
            case "introspect":
                return await self._flows.introspect(client, _needed(given, "token"))
            case _:
                await self._flows.revoke(client, _needed(given, "token"))
                return {}

    async def _token(self, client: Client, given: Mapping[str, str]) -> dict[str, Any]:
        grant = _check_grant(given, "client_credentials", "refresh_token")
        if grant == "refresh_token":
            return await self._flows.refresh(client, _needed(given, "refresh_token"))
        return await self._flows.client_credentials(client, given.get("scope"))


def _place(path: str) -> Place:
    """Raises ResourceNotFound for a path that is none of the published ones."""
    segments = [unquote(segment) for segment in path.strip("/").split("/")]
    if any("\0" in segment for segment in segments):
        raise OAuthRejected("invalid_request", "The path holds a NUL character.")
    match segments:
        case ["oauth", "token"]:
            return Place("token")
        case ["oauth", "introspect"]:
            return Place("introspect")
        case ["oauth", "token", "revoke"]:
            return Place("revoke")
        case ["oauth", project, "customers", "token"]:
            return Place("customer", project)
        case ["oauth", project, "anonymous", "token"]:
            return Place("anonymous", project)
        case ["oauth", project, "in-store", store, "customers", "token"] if store.startswith("key="):
            return Place("customer", project, store.removeprefix("key="))
        case ["oauth", project, "in-store", store, "anonymous", "token"] if store.startswith("key="):
            return Place("anonymous", project, store.removeprefix("key="))
        case _:
            raise ResourceNotFound(f"There is nothing at '{path[:200]}'.")


def _basic(authorization: str | None) -> tuple[str, str]:
    """Client id and secret. Both are form-encoded before base64 by the book (RFC 6749 §2.3.1)."""
    kind, _, encoded = (authorization or "").partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode() if kind.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        pair = ""
    client_id, colon, secret = pair.partition(":")
    if colon:
        return unquote(client_id), unquote(secret)
    raise InvalidClient("Please provide valid client credentials using HTTP Basic Authentication.")


def _parameters(query: str, body: bytes) -> dict[str, str]:
    """The first value of each parameter. Raises OAuthRejected (`invalid_request`)."""
    found: dict[str, str] = {}
    if len(body) > BODY_BYTES_MAX:
        raise OAuthRejected("invalid_request", f"A token request takes at most {BODY_BYTES_MAX} bytes.")
    try:
        for text in (body.decode(), query):
            for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=PARAMETERS_MAX):
                found.setdefault(name, value)
    except ValueError as error:
        raise OAuthRejected("invalid_request", "The parameters are not form-encoded UTF-8, or too many.") from error
    if any("\0" in value for value in found.values()):
        raise OAuthRejected("invalid_request", "A parameter holds a NUL character.")
    return found


def _needed(given: Mapping[str, str], name: str) -> str:
    value = given.get(name)
    if not value:
        raise OAuthRejected("invalid_request", f"The parameter '{name}' is missing.")
    return value


def _check_grant(given: Mapping[str, str], *supported: str) -> str:
    grant = _needed(given, "grant_type")
    if grant not in supported:
        raise OAuthRejected(
            "unsupported_grant_type", f"'grant_type' must be one of {', '.join(supported)} here, not '{grant}'."
        )
    return grant
