"""Customers for tests."""

from __future__ import annotations

from typing import Any

from tests.unit.commerce.facts import facts_with

from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Resource
from holdfast.commerce.resources.customer import addresses, creation, membership, profile
from holdfast.commerce.resources.customer.shape import Customer
from holdfast.commerce.resources.customer_credential import Credential, credentials
from holdfast.commerce.values.address import Address
from holdfast.commerce.values.reference import KeyReference
from holdfast.commerce.values.value import Stored

# Importing them registers the customer's actions.
ACTIONS = (addresses, creation, membership, profile)

HOME = Address(id="home", key="at-home", country="DE")
WORK = Address(id="work", country="AT")


def a_customer(id: str = "anna", **fields: Any) -> Customer:
    given: dict[str, Any] = {"id": id, "email": f"{id}@example.com", "authentication_mode": "Password"}
    return Customer(**(given | fields))


def a_credential(id: str = "anna", **fields: Any) -> Credential:
    return Credential(**({"id": id, "password_hash": "hash of secret"} | fields))


def store(key: str) -> KeyReference:
    return KeyReference(type_id="store", key=key)


def knowing(
    *others: Customer, email: str, records: tuple[tuple[Resource[Any], Stored], ...] = (), **more: Any
) -> Facts:
    """Facts that know who else has `email` (in lower case), and Anna's credential."""
    matching = {("customer", f'lowercaseEmail = "{email}"'): others}
    return facts_with((credentials, a_credential()), *records, matching=matching, **more)
