"""Whether an email and a password belong together: for the sign-in and for the OAuth password flow.

An unknown email takes as long as a wrong password, so that answers do not tell who is a customer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from holdfast.commerce.facts import Caller
from holdfast.commerce.resources.customer.shape import Customer, customers, email_claim
from holdfast.commerce.resources.customer_credential import credentials
from holdfast.handlers.passwords import password_matches
from holdfast.handlers.work import Work
from holdfast.store.store import Store


async def verified_customer(work: Work, email: str, password: str) -> Customer | None:
    """The customer with these credentials: one of the request's store, or else one of the whole project."""
    customer = await work.find_by(customers, *email_claim(email, work.store_key))
    if customer is None:
        await password_matches(password, None)
        return None
    return customer if await has_password(work, customer, password) else None


async def has_password(work: Work, customer: Customer, password: str) -> bool:
    """Whether this is the customer's password."""
    document = await work.document(credentials, customer.id)
    return await password_matches(password, document.resource.password_hash if document else None)


def verifier(store: Store) -> Callable[[str, str, str, str | None], Awaitable[str | None]]:
    """The check of the OAuth password flow: project, email, password, store key → customer id."""

    async def verify(project: str, email: str, password: str, store_key: str | None) -> str | None:
        caller = Caller(project=project, client_id="oauth", scopes=frozenset())
        customer = await verified_customer(Work(store, caller, store_key), email, password)
        return customer.id if customer else None

    return verify
