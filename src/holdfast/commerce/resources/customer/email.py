"""Emails: what counts as one, and who may use it.

A customer without stores is known in the whole project, so nobody else may have the email, in no
store. Customers of stores may share an email as long as they share no store.
"""

from __future__ import annotations

import re

import msgspec

from holdfast.base.errors import DuplicateField, InvalidField
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.customer.shape import Customer, customers

# Real mail systems accept stranger things than any expression; this refuses what none accepts.
_EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+")
EMAIL_CHARACTERS_MAX = 320


def checked_email(email: str) -> str:
    """The email as given. Raises InvalidField when it cannot be one."""
    if len(email) > EMAIL_CHARACTERS_MAX or not _EMAIL.fullmatch(email):
        raise InvalidField("email", email)
    return email


def check_email_is_free(customer: Customer, facts: Facts) -> None:
    """Raises DuplicateField when somebody else has the email where this customer is known."""
    wanted = msgspec.json.encode(customer.email.lower()).decode()
    for other in facts.matching(customers, f"lowercaseEmail = {wanted}"):
        if other.id != customer.id and _meet(other, customer):
            raise DuplicateField("email", customer.email)


def _meet(one: Customer, other: Customer) -> bool:
    return not one.stores or not other.stores or not set(one.stores).isdisjoint(other.stores)
