"""Finding the customer behind a one-time token, and verifying emails with one."""

from __future__ import annotations

import secrets
from functools import partial
from typing import NamedTuple

import msgspec

from holdfast.base.errors import ResourceNotFound, TokenNotFound
from holdfast.commerce.resources.customer.identity import (
    CustomerToken,
    EmailConfirmation,
    EmailTokenDraft,
    check_lives,
    confirm_email,
    issue_token,
)
from holdfast.commerce.resources.customer.shape import Customer, customers
from holdfast.commerce.resources.customer_credential import (
    OneTimeToken,
    TokenKind,
    credentials,
    digest_of,
    token_claim,
)
from holdfast.commerce.visibility import View
from holdfast.handlers.crud import check_version, shown
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.work import Work

# 256 bits: there is nothing to guess.
TOKEN_BYTES = 32

_drafts = msgspec.json.Decoder(EmailTokenDraft)
_confirmations = msgspec.json.Decoder(EmailConfirmation)


class Presented(NamedTuple):
    """A token somebody brought back, and whose it is."""

    customer: Customer
    token: OneTimeToken


async def visible_customer(work: Work, customer_id: str) -> Customer:
    """A customer this request may know of. Raises ResourceNotFound."""
    customer = await work.get(customers, customer_id)
    if not View(work.caller, store_key=work.store_key).shows("customer", customer):
        raise ResourceNotFound.by_id(customer_id)
    return customer


async def customer_by_token(work: Work, kind: TokenKind, value: str) -> Customer:
    """The customer who may use this token now.

    Raises TokenNotFound (400), ExpiredCustomerPasswordToken or ExpiredCustomerEmailToken.
    """
    presented = await _presented(work, kind, value)
    if presented is None:
        raise TokenNotFound(value)
    check_lives(presented.token, work.now)
    return presented.customer


async def _presented(work: Work, kind: TokenKind, value: str) -> Presented | None:
    """The token with this value. It stays with the email it was made for: after a change it is nobody's."""
    credential = await work.find_by(credentials, *token_claim(kind, value))
    if credential is None:
        return None
    token = next(token for token in credential.tokens if token.digest == digest_of(value))
    customer = await work.get(customers, credential.id)
    visible = View(work.caller, store_key=work.store_key).shows("customer", customer)
    return Presented(customer, token) if visible and customer.email.lower() == token.email else None


@endpoint("GET", "customers", "password-token=*", scope="view_customers", in_store=True, answer=customers)
async def read_by_password_token(work: Work, request: Request) -> Answer:
    """The customer a password token was made for."""
    return await _read(work, "password", request)


@endpoint("GET", "customers", "email-token=*", scope="view_customers", in_store=True, answer=customers)
async def read_by_email_token(work: Work, request: Request) -> Answer:
    """The customer an email token was made for."""
    return await _read(work, "email", request)


async def _read(work: Work, kind: TokenKind, request: Request) -> Answer:
    (value,) = request.path_values
    presented = await _presented(work, kind, value)
    if presented is None or work.now >= presented.token.expires_at:
        raise ResourceNotFound(TokenNotFound(value).message)
    return Answer(await shown(work, request, presented.customer))


@endpoint(
    "POST",
    "customers",
    "email-token",
    scope="manage_customers",
    in_store=True,
    body=EmailTokenDraft,
    answer=CustomerToken,
    replay="never",
)
async def create_email_token(work: Work, request: Request) -> Answer:
    """Make a token that verifies the customer's email."""
    draft = work.decode(_drafts, request.body)
    customer = await visible_customer(work, draft.id)
    if draft.version is not None:
        check_version(customer, draft.version)
    value = secrets.token_urlsafe(TOKEN_BYTES)
    issued = await work.decide(lambda facts: issue_token("email", customer, draft, value, facts))
    await work.commit(customers, customer, issued.changed)
    return Answer(issued.token)


@endpoint(
    "POST",
    "customers",
    "email/confirm",
    scope="manage_customers",
    in_store=True,
    body=EmailConfirmation,
    answer=customers,
)
@endpoint(
    "POST",
    "email",
    "confirm",
    scope="manage_my_profile",
    me=True,
    session=False,
    in_store=True,
    body=EmailConfirmation,
    answer=customers,
)
async def confirm(work: Work, request: Request) -> Answer:
    """Verify a customer's email in exchange for a token."""
    draft = work.decode(_confirmations, request.body)
    customer = await customer_by_token(work, "email", draft.token_value)
    if draft.version is not None:
        check_version(customer, draft.version)
    changed = await work.decide(lambda facts: confirm_email(customer, facts))
    return await work.answer(customers, customer, changed, partial(shown, work, request))
