"""Proving who one is: passwords, and the one-time tokens that replace a password or verify an email."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from holdfast.base.errors import ApiError, ExpiredCustomerEmailToken, ExpiredCustomerPasswordToken
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import customer as told
from holdfast.commerce.registry import Changed, touched
from holdfast.commerce.resources.customer.shape import Customer, Password
from holdfast.commerce.resources.customer_credential import (
    PASSWORD_TOKEN_TTL_MINUTES,
    OneTimeToken,
    TokenKind,
    TtlMinutes,
    new_token,
    with_password,
    with_token,
    without_tokens,
)
from holdfast.commerce.values.value import Value

# A message carries the token's value up to this lifetime, as published.
TOLD_TTL_MINUTES_MAX = 60

_MESSAGES = {
    "password": told.CustomerPasswordTokenCreated,
    "email": told.CustomerEmailTokenCreated,
}


class MyPasswordChange(Value):
    version: int
    current_password: str
    new_password: Password


class PasswordChange(MyPasswordChange):
    id: str


class PasswordReset(Value):
    token_value: str
    new_password: Password
    version: int | None = None


class PasswordTokenDraft(Value):
    email: str
    ttl_minutes: TtlMinutes = PASSWORD_TOKEN_TTL_MINUTES
    invalidate_older_tokens: bool = False


class EmailTokenDraft(Value):
    id: str
    version: int | None = None
    ttl_minutes: TtlMinutes
    invalidate_older_tokens: bool = False


class EmailConfirmation(Value):
    token_value: str
    version: int | None = None


class CustomerToken(Value):
    """A new token; its value is shown this once."""

    id: str
    customer_id: str
    value: str
    expires_at: str
    invalidate_older_tokens: bool
    created_at: str
    last_modified_at: str


class Issued(NamedTuple):
    """A token, and the change that makes it count."""

    token: CustomerToken
    changed: Changed[Customer]


def change_password(customer: Customer, password: str, facts: Facts, *, reset: bool) -> Changed[Customer]:
    """The customer with a new password, right after the old one or a token was shown."""
    return Changed(
        touched(customer, customer.version + 1, facts),
        (told.CustomerPasswordUpdated(reset=reset),),
        others=(with_password(customer.id, facts.password_hash(password), facts),),
    )


def issue_token(
    kind: TokenKind, customer: Customer, draft: PasswordTokenDraft | EmailTokenDraft, value: str, facts: Facts
) -> Issued:
    """A one-time token with this random value. The customer's version stays: nothing about them changed."""
    kept = new_token(kind, value, customer.email, draft.ttl_minutes, facts)
    message = _MESSAGES[kind](
        customer_id=customer.id,
        expires_at=kept.expires_at,
        value=value if draft.ttl_minutes <= TOLD_TTL_MINUTES_MAX else None,
        invalidate_older_tokens=draft.invalidate_older_tokens,
    )
    token = CustomerToken(
        id=facts.new_id(),
        customer_id=customer.id,
        value=value,
        expires_at=kept.expires_at,
        invalidate_older_tokens=draft.invalidate_older_tokens,
        created_at=facts.now,
        last_modified_at=facts.now,
    )
    credential = with_token(customer.id, kept, facts, only=draft.invalidate_older_tokens)
    return Issued(token, Changed(customer, (message,), others=(credential,)))


def check_lives(token: OneTimeToken, now: str) -> None:
    """Raises ExpiredCustomerPasswordToken or ExpiredCustomerEmailToken."""
    if now >= token.expires_at:
        expired: type[ApiError] = (
            ExpiredCustomerPasswordToken if token.kind == "password" else ExpiredCustomerEmailToken
        )
        raise expired(f"The token expired at {token.expires_at}.")


def confirm_email(customer: Customer, facts: Facts) -> Changed[Customer]:
    """The customer whose email is verified, right after its token was shown."""
    return Changed(
        touched(replace(customer, is_email_verified=True), customer.version + 1, facts),
        (told.CustomerEmailVerified(),),
        others=(without_tokens(customer.id, "email", facts),),
    )
