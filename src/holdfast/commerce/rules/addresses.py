"""Drafted addresses become stored ones."""

from __future__ import annotations

from holdfast.commerce.facts import Facts
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.values.address import Address, AddressDraft
from holdfast.commerce.values.value import adopt


def address_of(draft: AddressDraft, facts: Facts) -> Address:
    """The stored form of a drafted address, its custom fields checked."""
    return adopt(Address, draft, custom=custom_fields(draft.custom, "address", facts))
