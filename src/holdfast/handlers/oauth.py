"""Issue, look into and end tokens: the OAuth 2 flows of the published API.

Storefront code looks for the shopper's session in the token's scope text, so `customer_id:{id}` or
`anonymous_id:{id}` is written there on the way out. It is never read back from there: whoever asks
for a token cannot write themselves into somebody else's session.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from holdfast.base.errors import InsufficientScope, InvalidClient, InvalidInput, OAuthRejected
from holdfast.base.ids import uuid7
from holdfast.commerce.scopes import allows, granted, narrowed
from holdfast.store.tokens import Client, Token, Tokens, hashed

ACCESS_LIFETIME_SECONDS = 172_800
REFRESH_LIFETIME_SECONDS = 200 * 86_400
SECRET_BYTES = 32
CLIENT_ID_BYTES = 18
CLIENT_NAME_CHARACTERS_MAX = 256
SCOPE_CHARACTERS_MAX = 16_384
# Visible ASCII: it travels inside a space-separated scope text.
ANONYMOUS_ID = re.compile(r"[!-~]{1,256}")

# (project, email, password, store key) → customer id, None where they do not belong together.
VerifyCustomer = Callable[[str, str, str, str | None], Awaitable[str | None]]


class Credentials(NamedTuple):
    """A new API client; the secret is shown this once."""

    client: Client
    secret: str


class OAuth:
    """The token flows. Every one of them begins with a client that has proved itself."""

    def __init__(self, tokens: Tokens, verify_customer: VerifyCustomer) -> None:
        self._tokens = tokens
        self._verify_customer = verify_customer

    async def register(self, project: str, name: str, scope: str) -> Credentials:
        """Make an API client. Raises InvalidInput for a name or scope that cannot be."""
        if not 0 < len(name) <= CLIENT_NAME_CHARACTERS_MAX or "\0" in name:
            raise InvalidInput(f"An API client needs a name of 1 to {CLIENT_NAME_CHARACTERS_MAX} characters.")
        if not 0 < len(scope.split()) <= len(scope) <= SCOPE_CHARACTERS_MAX:
            raise InvalidInput(f"An API client needs scopes, in at most {SCOPE_CHARACTERS_MAX} characters.")
        try:
            granted(scope, project)
        except OAuthRejected as error:
            raise InvalidInput(error.message) from error
        secret = secrets.token_urlsafe(SECRET_BYTES)
        client_id = f"{project}.{secrets.token_urlsafe(CLIENT_ID_BYTES)}"
        client = Client(project, client_id, hashed(secret), name, " ".join(scope.split()))
        await self._tokens.add_client(client)
        return Credentials(client, secret)

    async def authenticate(self, client_id: str, secret: str) -> Client:
        """The client that proves itself with its secret. Raises InvalidClient."""
        client = await self._tokens.find_client(client_id)
        if client is None or not hmac.compare_digest(client.secret_hash, hashed(secret)):
            raise InvalidClient("Please provide valid client credentials using HTTP Basic Authentication.")
        return client

    async def client_credentials(self, client: Client, scope: str | None) -> dict[str, Any]:
        """A token for the client itself."""
        token = _access(client, narrowed(client.scope, scope, client.project))
        secret = _new_secret(client.project)
        await self._tokens.add(secret, token)
        return _issued(secret, token)

    async def password(
        self, client: Client, email: str, password: str, scope: str | None, store_key: str | None
    ) -> dict[str, Any]:
        """A session for the customer of these credentials. Raises OAuthRejected."""
        text = narrowed(client.scope, scope, client.project)
        customer_id = await self._verify_customer(client.project, email, password, store_key)
        if customer_id is None:
            raise OAuthRejected(
                "invalid_customer_account_credentials", "Customer account with the given credentials not found."
            )
        issued = await self._session(_access(client, text, customer_id=customer_id))
        assert issued is not None, "only anonymous ids are claimed"
        return issued

    async def anonymous(self, client: Client, anonymous_id: str | None, scope: str | None) -> dict[str, Any]:
        """A session for a shopper who has not said who they are. Raises OAuthRejected, InsufficientScope."""
        text = narrowed(client.scope, scope, client.project)
        if not allows(granted(client.scope, client.project), "create_anonymous_token"):
            raise InsufficientScope("The API client needs the scope 'create_anonymous_token'.")
        if anonymous_id is not None and not ANONYMOUS_ID.fullmatch(anonymous_id):
            raise OAuthRejected("invalid_request", "'anonymous_id' takes 1 to 256 visible ASCII characters.")
        issued = await self._session(_access(client, text, anonymous_id=anonymous_id or uuid7()))
        if issued is None:
            raise OAuthRejected("anonymous_id_already_in_use", f"The anonymous id '{anonymous_id}' is already in use.")
        return issued

    async def _session(self, token: Token) -> dict[str, Any] | None:
        secret, refresh = _new_secret(token.project), _new_secret(token.project)
        expires_at = datetime.now(UTC) + timedelta(seconds=REFRESH_LIFETIME_SECONDS)
        if not await self._tokens.open_session(secret, token, refresh, expires_at):
            return None
        return _issued(secret, token) | {"refresh_token": refresh}

    async def refresh(self, client: Client, refresh_token: str) -> dict[str, Any]:
        """A new access token for a session; the refresh token stays. Raises OAuthRejected."""
        session = await self._tokens.find(refresh_token)
        if session is None or not _usable(session, client, "refresh"):
            raise OAuthRejected("invalid_grant", "The refresh token was not found. It may have expired.")
        token = _access(client, session.scope, session.customer_id, session.anonymous_id)
        secret = _new_secret(client.project)
        await self._tokens.add(secret, token, refresh_token)
        return _issued(secret, token)

    async def introspect(self, client: Client, secret: str) -> dict[str, Any]:
        """What a token stands for. Raises InsufficientScope for another client's, unless the scopes allow it."""
        token = await self._tokens.find(secret)
        if token is None or token.project != client.project or not token.lives(datetime.now(UTC)):
            return {"active": False}
        if token.client_id != client.id and not allows(
            granted(client.scope, client.project), "introspect_oauth_tokens"
        ):
            raise InsufficientScope("The API client needs the scope 'introspect_oauth_tokens'.")
        return {
            "active": True,
            "scope": _scope_text(token),
            "exp": int(token.expires_at.timestamp() * 1000),
            "client_id": token.client_id,
        }

    async def revoke(self, client: Client, secret: str) -> None:
        """End one of the client's tokens; another's, or none, is left alone without a word (RFC 7009 §2.2)."""
        await self._tokens.revoke(client, secret)


def _new_secret(project: str) -> str:
    return f"{project}.{secrets.token_urlsafe(SECRET_BYTES)}"


def _access(client: Client, scope: str, customer_id: str | None = None, anonymous_id: str | None = None) -> Token:
    expires_at = datetime.now(UTC) + timedelta(seconds=ACCESS_LIFETIME_SECONDS)
    return Token(client.project, "access", client.id, scope, customer_id, anonymous_id, expires_at)


def _usable(token: Token, client: Client, kind: str) -> bool:
    return (token.project, token.client_id, token.kind) == (client.project, client.id, kind) and token.lives(
        datetime.now(UTC)
    )


def _issued(secret: str, token: Token) -> dict[str, Any]:
    return {
        "access_token": secret,
        "token_type": "Bearer",
        "expires_in": ACCESS_LIFETIME_SECONDS,
        "scope": _scope_text(token),
    }


def _scope_text(token: Token) -> str:
    if token.customer_id is not None:
        return f"{token.scope} customer_id:{token.customer_id}"
    if token.anonymous_id is not None:
        return f"{token.scope} anonymous_id:{token.anonymous_id}"
    return token.scope
