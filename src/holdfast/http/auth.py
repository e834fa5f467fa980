"""Bearer token → caller, from memory for every token seen before.

A token seen before costs a look-up and a glance at its project's epoch, which a revocation on
this host moves (store/epochs.py). For revocations on other hosts each of them is checked
again behind the request's back every RECHECK_SECONDS. While the database is away, tokens that were
seen alive keep working until they expire: shops stay readable.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from holdfast.base.errors import InsufficientScope, InvalidToken
from holdfast.commerce.facts import Caller
from holdfast.commerce.scopes import granted
from holdfast.store.epochs import Epochs
from holdfast.store.tokens import EPOCH_KIND, Token, Tokens, project_of

if TYPE_CHECKING:
    from holdfast.http.rates import Account

SEEN_TOKENS_MAX = 20_000
RECHECK_SECONDS = 10.0

# Tokens of one client share one set of rights.
rights = lru_cache(maxsize=4_096)(granted)


class Seen:
    """A token seen alive: its caller, what its project's epoch was, and when to look again."""

    __slots__ = ("account", "caller", "epoch", "expires_at", "recheck_at", "slot")

    def __init__(self, caller: Caller, slot: int, epoch: int, recheck_at: float, expires_at: float) -> None:
        self.caller = caller
        self.slot = slot
        self.epoch = epoch
        self.recheck_at = recheck_at
        self.expires_at = expires_at
        # What its caller may spend (http/rates.py), once he has.
        self.account: Account | None = None


class Authenticator:
    """The tokens this process has seen alive, the oldest making room for new ones."""

    def __init__(self, tokens: Tokens, epochs: Epochs, clock: Callable[[], float] = time.monotonic) -> None:
        self._tokens = tokens
        self._epochs = epochs
        self._clock = clock
        self._seen: dict[bytes, Seen] = {}
        self._loading: dict[bytes, asyncio.Task[Seen | None]] = {}

    def known(self, authorization: bytes) -> Caller | None:
        """The caller of a token seen before, of whatever project; None means: ask `caller`, which may wait."""
        seen = self.seen(authorization)
        return None if seen is None else seen.caller

    def seen(self, authorization: bytes) -> Seen | None:
        """A token seen before that is still true, and all that is remembered of it."""
        seen = self._seen.get(authorization)
        if seen is None or seen.epoch != self._epochs.numbers[seen.slot]:
            return None
        now = self._clock()
        if now >= seen.recheck_at:
            if now >= seen.expires_at:
                return None
            seen.recheck_at = now + RECHECK_SECONDS
            self._load(authorization)
        return seen

    def remembered(self, authorization: bytes) -> Seen | None:
        """What is remembered of a token, still true or not: whose it is does not change. Dead ones are forgotten."""
        return self._seen.get(authorization)

    def once_seen(self, authorization: bytes) -> Seen | None:
        """A token that lived when last looked up and has not expired: for when nobody can look again."""
        seen = self._seen.get(authorization)
        return seen if seen is not None and self._clock() < seen.expires_at else None

    async def caller(self, project: str, authorization: bytes | None) -> Caller:
        """The caller behind an `Authorization` header.

        Raises InvalidToken without a living token, InsufficientScope for a token of another project.
        """
        if authorization is None or authorization[:7].lower() != b"bearer ":
            raise InvalidToken("A bearer token is required.")
        known = self.known(authorization)
        if known is not None:
            return _in_project(known, project)
        seen = await asyncio.shield(self._load(authorization))
        if seen is None:
            raise InvalidToken("The token is not known, expired or revoked.")
        return _in_project(seen.caller, project)

    def _load(self, authorization: bytes) -> asyncio.Task[Seen | None]:
        """Look a token up, once for all who wait for it."""
        task = self._loading.get(authorization)
        if task is None:
            task = asyncio.create_task(self._look_up(authorization), name="token look-up")
            self._loading[authorization] = task
            task.add_done_callback(lambda done: self._loaded(authorization, done))
        return task

    def _loaded(self, authorization: bytes, task: asyncio.Task[Seen | None]) -> None:
        del self._loading[authorization]
        # A failure is told to those who wait; a look behind the request's back has nobody waiting.
        if not task.cancelled():
            task.exception()

    async def _look_up(self, authorization: bytes) -> Seen | None:
        secret = authorization[7:].decode("latin-1")
        project = project_of(secret)
        if project is None:
            return None
        slot = Epochs.slot(project, EPOCH_KIND)
        # Read before the token: a revocation in between makes this number old, not the answer new.
        epoch = self._epochs.read(slot)
        token = await self._tokens.find(secret)
        moment = datetime.now(UTC)
        if token is None or token.kind != "access" or not token.lives(moment):
            self._seen.pop(authorization, None)
            return None
        now = self._clock()
        lifetime = (token.expires_at - moment).total_seconds()
        seen = Seen(caller_of(token), slot, epoch, now + min(RECHECK_SECONDS, lifetime), now + lifetime)
        self._remember(authorization, seen)
        return seen

    def _remember(self, authorization: bytes, seen: Seen) -> None:
        if authorization not in self._seen and len(self._seen) >= SEEN_TOKENS_MAX:
            del self._seen[next(iter(self._seen))]
        self._seen[authorization] = seen


def caller_of(token: Token) -> Caller:
    """Who a living token speaks for."""
    return Caller(
        project=token.project,
        client_id=token.client_id,
        scopes=rights(token.scope, token.project),
        customer_id=token.customer_id,
        anonymous_id=token.anonymous_id,
    )


def _in_project(caller: Caller, project: str) -> Caller:
    if caller.project != project:
        raise InsufficientScope(f"The token was not issued for project '{project}'.")
    return caller
