"""Changing a password, or replacing a forgotten one with a token."""

from __future__ import annotations

import secrets
from functools import partial

import msgspec

from holdfast.base.errors import InvalidCurrentPassword, ResourceNotFound
from holdfast.commerce.resources.customer.identity import (
    CustomerToken,
    MyPasswordChange,
    PasswordChange,
    PasswordReset,
    PasswordTokenDraft,
    change_password,
    issue_token,
)
from holdfast.commerce.resources.customer.shape import Customer, customers, email_claim
from holdfast.handlers.crud import check_version, shown
from holdfast.handlers.customer_tokens import TOKEN_BYTES, customer_by_token, visible_customer
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.verify_credentials import has_password
from holdfast.handlers.work import Work
from holdfast.store.tokens import Tokens

_changes = msgspec.json.Decoder(PasswordChange)
_my_changes = msgspec.json.Decoder(MyPasswordChange)
_resets = msgspec.json.Decoder(PasswordReset)
_tokens = msgspec.json.Decoder(PasswordTokenDraft)


@endpoint(
    "POST", "customers", "password", scope="manage_customers", in_store=True, body=PasswordChange, answer=customers
)
async def change(work: Work, request: Request) -> Answer:
    """Change a customer's password; the current one must be shown."""
    draft = work.decode(_changes, request.body)
    return await _changed(work, request, await visible_customer(work, draft.id), draft)


@endpoint(
    "POST",
    "password",
    scope="manage_my_profile",
    me=True,
    in_store=True,
    body=MyPasswordChange,
    answer=customers,
)
async def change_mine(work: Work, request: Request) -> Answer:
    """Change the shopper's own password; the current one must be shown."""
    draft = work.decode(_my_changes, request.body)
    return await _changed(work, request, await visible_customer(work, work.caller.customer_id or ""), draft)


async def _changed(work: Work, request: Request, customer: Customer, draft: MyPasswordChange) -> Answer:
    check_version(customer, draft.version)
    if not await has_password(work, customer, draft.current_password):
        raise InvalidCurrentPassword
    changed = await work.decide(lambda facts: change_password(customer, draft.new_password, facts, reset=False))
    return await work.answer(customers, customer, changed, partial(shown, work, request))


@endpoint(
    "POST",
    "customers",
    "password-token",
    scope="manage_customers",
    in_store=True,
    body=PasswordTokenDraft,
    answer=CustomerToken,
    replay="never",
)
async def create_token(work: Work, request: Request) -> Answer:
    """Make a token that replaces the password of the customer with this email."""
    draft = work.decode(_tokens, request.body)
    customer = await work.find_by(customers, *email_claim(draft.email, work.store_key))
    if customer is None:
        raise ResourceNotFound(f"The Customer with email '{draft.email}' was not found.")
    value = secrets.token_urlsafe(TOKEN_BYTES)
    issued = await work.decide(lambda facts: issue_token("password", customer, draft, value, facts))
    await work.commit(customers, customer, issued.changed)
    return Answer(issued.token)


@endpoint(
    "POST",
    "customers",
    "password/reset",
    scope="manage_customers",
    in_store=True,
    body=PasswordReset,
    answer=customers,
)
@endpoint(
    "POST",
    "password",
    "reset",
    scope="manage_my_profile",
    me=True,
    session=False,
    in_store=True,
    body=PasswordReset,
    answer=customers,
)
async def reset(work: Work, request: Request) -> Answer:
    """Give a customer a new password in exchange for a token; all sessions of the old one end.

    They end before the commit, so that no crash leaves them alive behind a new password, and once
    more after it: the old one could still open some in between.
    """
    draft = work.decode(_resets, request.body)
    customer = await customer_by_token(work, "password", draft.token_value)
    if draft.version is not None:
        check_version(customer, draft.version)
    changed = await work.decide(lambda facts: change_password(customer, draft.new_password, facts, reset=True))
    tokens = Tokens(work.store.database, work.store.epochs)
    await tokens.revoke_customer(work.caller.project, customer.id)
    answer = await work.answer(customers, customer, changed, partial(shown, work, request))
    await tokens.revoke_customer(work.caller.project, customer.id)
    return answer
