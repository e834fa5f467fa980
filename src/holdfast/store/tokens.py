"""API clients and tokens: who may call, kept so that a copy of the database opens nothing.

A client id and a token begin with their project's key (`shop.Zk3…`), so that every look-up stays
within one project's part of the database, also where a request names no project (`/oauth/token`).
What follows is random; client secrets and tokens hold 256 bits and only their SHA-256 is stored
(a fast hash will do: there is nothing to guess).
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import NamedTuple

from holdfast.store.epochs import Epochs
from holdfast.store.pool import Database
from holdfast.store.queries import queries

# The kind of things under which revocations are told to the processes of this host.
EPOCH_KIND = "token"
PURGE_BATCH_MAX = 1_000

_NAME = re.compile(r"([A-Za-z0-9_-]{2,36})\.[A-Za-z0-9_-]{16,64}")


class Client(NamedTuple):
    """An API client. `scope` is the published text: everything a token of it can be asked for."""

    project: str
    id: str
    secret_hash: bytes
    name: str
    scope: str


class Token(NamedTuple):
    """What a token stands for; `customer_id` or `anonymous_id` where it belongs to a shopper's session."""

    project: str
    kind: str
    client_id: str
    scope: str
    customer_id: str | None
    anonymous_id: str | None
    expires_at: datetime
    revoked: bool = False

    def lives(self, at: datetime) -> bool:
        return not self.revoked and at < self.expires_at


def hashed(secret: str) -> bytes:
    """What is stored of a secret or token."""
    return hashlib.sha256(secret.encode()).digest()


def project_of(name: str) -> str | None:
    """The project a client id or token says it belongs to; None for what was never one of ours."""
    found = _NAME.fullmatch(name)
    return found[1] if found else None


class Tokens:
    """The clients and tokens of all projects."""

    def __init__(self, database: Database, epochs: Epochs) -> None:
        self._database = database
        self._epochs = epochs
        self._sql = queries("tokens")

    async def add_client(self, client: Client) -> None:
        await self._database.execute(self._sql["add_client"], *client)

    async def find_client(self, client_id: str) -> Client | None:
        project = project_of(client_id)
        row = await self._database.fetchrow(self._sql["find_client"], project, client_id) if project else None
        return Client(*row) if row else None

    async def add(self, secret: str, token: Token, refresh_secret: str | None = None) -> None:
        """Keep a new access token, tied to the session whose refresh token it came from."""
        await self._database.execute(
            self._sql["add_token"],
            token.project,
            hashed(secret),
            token.client_id,
            token.scope,
            token.customer_id,
            token.anonymous_id,
            token.expires_at,
            hashed(refresh_secret) if refresh_secret else None,
        )

    async def open_session(
        self, access_secret: str, access: Token, refresh_secret: str, refresh_expires_at: datetime
    ) -> bool:
        """Keep the two tokens of a new session; False if its anonymous id belongs to another one."""
        await self._database.execute(
            self._sql["open_session"],
            access.project,
            hashed(refresh_secret),
            hashed(access_secret),
            access.client_id,
            access.scope,
            access.customer_id,
            access.anonymous_id,
            access.expires_at,
            refresh_expires_at,
        )
        # The statement may have run twice over a lost connection; the second time it finds its own row.
        return await self.find(access_secret) is not None

    async def find(self, secret: str) -> Token | None:
        """What a token stands for, dead ones included."""
        project = project_of(secret)
        row = await self._database.fetchrow(self._sql["find_token"], project, hashed(secret)) if project else None
        if row is None:
            return None
        customer_id = str(row["customer_id"]) if row["customer_id"] else None
        return Token(**{**dict(row), "customer_id": customer_id})

    async def revoke(self, client: Client, secret: str) -> None:
        """End a token of this client, or a whole session by its refresh token.

        On this host it ends at once, on others within the re-check interval of http/auth.py.
        """
        await self._database.execute(self._sql["revoke_token"], client.project, hashed(secret), client.id)
        self._tell(client.project)

    async def revoke_customer(self, project: str, customer_id: str) -> None:
        """End all sessions of a customer."""
        await self._database.execute(self._sql["revoke_tokens_of_customer"], project, customer_id)
        self._tell(project)

    def _tell(self, project: str) -> None:
        self._epochs.bump(Epochs.slot(project, EPOCH_KIND))

    async def purge(self) -> int:
        """Delete a batch of expired tokens; answers how many."""
        done = await self._database.execute(self._sql["purge_tokens"], PURGE_BATCH_MAX)
        return int(done.rpartition(" ")[2])
