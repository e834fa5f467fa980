"""What customers prove their identity with. Never published: it lives beside the customer, under the same id.

A password is kept as its argon2id hash. One-time tokens, for a new password or to verify an email,
are kept as their SHA-256 (they are random, there is nothing to guess). A token counts only for the
email it was made for, so that nobody resets a password from an address the customer has left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base import clock
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Other, Resource, born, touched
from holdfast.commerce.values.value import Stored, Value, empty

TokenKind = Literal["password", "email"]
# One year; nobody means a longer one.
TTL_MINUTES_MAX = 525_600
PASSWORD_TOKEN_TTL_MINUTES = 1_440
TtlMinutes = Annotated[int, Meta(ge=1, le=TTL_MINUTES_MAX)]
# Of each kind; the oldest go.
TOKENS_MAX = 10


class OneTimeToken(Value):
    """A token somebody may bring back once. Expired ones stay a while, so that they are known as expired."""

    kind: TokenKind
    digest: str
    email: str
    expires_at: str


class Credential(Stored):
    password_hash: str | None = None
    tokens: tuple[OneTimeToken, ...] = field(default_factory=empty)


def digest_of(value: str) -> str:
    """What is kept of a token's value."""
    return hashlib.sha256(value.encode()).hexdigest()


def token_claim(kind: TokenKind, value: str) -> tuple[str, str]:
    """The unique value a token is found by."""
    return f"{kind}Token", digest_of(value)


def _unique(credential: Credential) -> Iterable[tuple[str, str]]:
    return ((f"{token.kind}Token", token.digest) for token in credential.tokens)


def _nothing(_: Credential) -> dict[str, str]:
    return {}


credentials = Resource("customer-credential", path=None, shape=Credential, unique=_unique, searchable=_nothing)


def new_credential(customer_id: str, password_hash: str | None, facts: Facts) -> Other:
    """The credential of a new customer; without a password there may still be tokens one day."""
    return Other(credentials, None, born(Credential(id=customer_id, password_hash=password_hash), facts))


def with_password(customer_id: str, password_hash: str | None, facts: Facts) -> Other:
    """The credential with another password, or none. Tokens for a new password end with the old one."""
    before = facts.get(credentials, customer_id)
    kept = tuple(token for token in before.tokens if token.kind != "password")
    return _changed(before, replace(before, password_hash=password_hash, tokens=kept), facts)


def with_token(customer_id: str, token: OneTimeToken, facts: Facts, *, only: bool) -> Other:
    """The credential with one more token; with `only` all older ones of its kind end."""
    before = facts.get(credentials, customer_id)
    others = tuple(other for other in before.tokens if other.kind != token.kind)
    older = () if only else tuple(other for other in before.tokens if other.kind == token.kind)
    return _changed(before, replace(before, tokens=(*others, *older[1 - TOKENS_MAX :], token)), facts)


def without_tokens(customer_id: str, kind: TokenKind, facts: Facts) -> Other:
    """The credential after a token of this kind was used: it ends, and all older ones with it."""
    before = facts.get(credentials, customer_id)
    return _changed(before, replace(before, tokens=tuple(one for one in before.tokens if one.kind != kind)), facts)


def _changed(before: Credential, after: Credential, facts: Facts) -> Other:
    return Other(credentials, before, touched(after, before.version + 1, facts))


def new_token(kind: TokenKind, value: str, email: str, ttl_minutes: int, facts: Facts) -> OneTimeToken:
    """A token for the holder of `email`, good for `ttl_minutes` from now."""
    expires_at = clock.parse(facts.now) + timedelta(minutes=ttl_minutes)
    return OneTimeToken(kind=kind, digest=digest_of(value), email=email.lower(), expires_at=clock.timestamp(expires_at))
