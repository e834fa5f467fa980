"""A customer's addresses, and what each is used for."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Literal

from msgspec.structs import replace

from holdfast.base.errors import DuplicateField, InvalidOperation, MaxResourceLimitExceeded, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import customer as told
from holdfast.commerce.messages.message import Message
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.customer.shape import ADDRESSES_MAX, Customer, customers
from holdfast.commerce.rules.addresses import address_of
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.values.address import Address, AddressDraft
from holdfast.commerce.values.reference import ResourceIdentifier

Use = Literal["shipping", "billing"]


def new_address(draft: AddressDraft, facts: Facts) -> Address:
    """The stored form of a draft under an id of ours, whatever id it came with (as published)."""
    return replace(address_of(draft, facts), id=_short_id(facts))


def _short_id(facts: Facts) -> str:
    """Eight characters, as clients know them; 48 bits are plenty among the addresses of one customer."""
    return base64.urlsafe_b64encode(hashlib.sha256(facts.new_id().encode()).digest()[:6]).decode()


def with_addresses(customer: Customer, addresses: tuple[Address, ...]) -> Customer:
    """The customer with these addresses. Raises DuplicateField when two share a key."""
    keys = [address.key for address in addresses if address.key is not None]
    if len(set(keys)) < len(keys):
        raise DuplicateField("addresses.key", next(key for key in keys if keys.count(key) > 1))
    if len(addresses) > ADDRESSES_MAX:
        raise MaxResourceLimitExceeded(f"A customer has at most {ADDRESSES_MAX} addresses.")
    return replace(customer, addresses=addresses)


def used_for(customer: Customer, use: Use, address_id: str) -> Customer:
    """The customer with the address among those for this use."""
    ids = _ids(customer, use)
    return customer if address_id in ids else _with_ids(customer, use, (*ids, address_id))


def used_by_default(customer: Customer, use: Use, address_id: str | None) -> Customer:
    """The customer with this default for a use; the default is always among the addresses for it."""
    customer = used_for(customer, use, address_id) if address_id is not None else customer
    return replace(customer, **{f"default_{use}_address_id": address_id})


def not_used_for(customer: Customer, use: Use, address_id: str | None) -> Customer:
    """The customer without the address among those for this use; it cannot stay the default either."""
    kept = _with_ids(customer, use, tuple(id_ for id_ in _ids(customer, use) if id_ != address_id))
    return used_by_default(kept, use, None) if _default(kept, use) == address_id else kept


def _ids(customer: Customer, use: Use) -> tuple[str, ...]:
    return customer.shipping_address_ids if use == "shipping" else customer.billing_address_ids


def _with_ids(customer: Customer, use: Use, ids: tuple[str, ...]) -> Customer:
    return replace(customer, **{f"{use}_address_ids": ids})


def _default(customer: Customer, use: Use) -> str | None:
    return customer.default_shipping_address_id if use == "shipping" else customer.default_billing_address_id


def _find(customer: Customer, address_id: str | None, address_key: str | None) -> Address:
    """The address named by id or key. Raises RequiredField without either, InvalidOperation without such an address."""
    if address_id is None and address_key is None:
        raise RequiredField("addressId", "An address is named by 'addressId' or 'addressKey'.")
    for address in customer.addresses:
        if address_id in (None, address.id) and address_key in (None, address.key):
            return address
    raise InvalidOperation(
        f"Customer {customer.id} has no address '{address_key if address_id is None else address_id}'."
    )


def _exchanged(customer: Customer, old: Address, new: Address) -> Customer:
    return with_addresses(customer, tuple(new if address is old else address for address in customer.addresses))


def _roles(customer: Customer, address: Address) -> tuple[told.AddressRole, ...]:
    shipping: tuple[told.AddressRole, ...] = ("Shipping",) if address.id in customer.shipping_address_ids else ()
    return (*shipping, "Billing") if address.id in customer.billing_address_ids else shipping


# --- the addresses -------------------------------------------------------------------------


@customers.action("addAddress")
def add_address(customer: Customer, facts: Facts, *, address: AddressDraft) -> Changed[Customer]:
    added = new_address(address, facts)
    message = told.CustomerAddressAdded(address=added)
    return Changed(with_addresses(customer, (*customer.addresses, added)), (message,))


@customers.action("changeAddress")
def change_address(
    customer: Customer,
    facts: Facts,
    *,
    address_id: str | None = None,
    address_key: str | None = None,
    address: AddressDraft,
) -> Changed[Customer]:
    """Replace an address in all its parts; it keeps its id."""
    old = _find(customer, address_id, address_key)
    new = replace(address_of(address, facts), id=old.id)
    if new == old:
        return Changed(customer)
    message = told.CustomerAddressChanged(address=new, address_roles=_roles(customer, old))
    return Changed(_exchanged(customer, old, new), (message,))


@customers.action("removeAddress")
def remove_address(
    customer: Customer, *, address_id: str | None = None, address_key: str | None = None
) -> Changed[Customer]:
    """Remove an address from wherever it is used."""
    gone = _find(customer, address_id, address_key)
    message = told.CustomerAddressRemoved(address=gone, address_roles=_roles(customer, gone))
    kept = not_used_for(not_used_for(customer, "shipping", gone.id), "billing", gone.id)
    addresses = tuple(address for address in kept.addresses if address is not gone)
    return Changed(replace(kept, addresses=addresses), (message,))


# --- what they are used for ----------------------------------------------------------------


def _told(before: Customer, after: Customer, message: Message) -> Changed[Customer]:
    return Changed(after, (message,) if after != before else ())


@customers.action("setDefaultShippingAddress")
def set_default_shipping_address(
    customer: Customer, *, address_id: str | None = None, address_key: str | None = None
) -> Changed[Customer]:
    """Set the default shipping address, or none."""
    address = _find(customer, address_id, address_key) if address_id is not None or address_key is not None else None
    after = used_by_default(customer, "shipping", address.id if address else None)
    return _told(customer, after, told.CustomerDefaultShippingAddressSet(address=address))


@customers.action("setDefaultBillingAddress")
def set_default_billing_address(
    customer: Customer, *, address_id: str | None = None, address_key: str | None = None
) -> Changed[Customer]:
    """Set the default billing address, or none."""
    address = _find(customer, address_id, address_key) if address_id is not None or address_key is not None else None
    after = used_by_default(customer, "billing", address.id if address else None)
    return _told(customer, after, told.CustomerDefaultBillingAddressSet(address=address))


@customers.action("addShippingAddressId")
def add_shipping_address_id(
    customer: Customer, *, address_id: str | None = None, address_key: str | None = None
) -> Changed[Customer]:
    address = _find(customer, address_id, address_key)
    after = used_for(customer, "shipping", address.id or "")
    return _told(customer, after, told.CustomerShippingAddressAdded(address=address))


@customers.action("removeShippingAddressId")
def remove_shipping_address_id(
    customer: Customer, *, address_id: str | None = None, address_key: str | None = None
) -> Changed[Customer]:
    address = _find(customer, address_id, address_key)
    after = not_used_for(customer, "shipping", address.id)
    return _told(customer, after, told.CustomerShippingAddressRemoved(address=address))


@customers.action("addBillingAddressId")
def add_billing_address_id(
    customer: Customer, *, address_id: str | None = None, address_key: str | None = None
) -> Changed[Customer]:
    address = _find(customer, address_id, address_key)
    after = used_for(customer, "billing", address.id or "")
    return _told(customer, after, told.CustomerBillingAddressAdded(address=address))


@customers.action("removeBillingAddressId")
def remove_billing_address_id(
    customer: Customer, *, address_id: str | None = None, address_key: str | None = None
) -> Changed[Customer]:
    address = _find(customer, address_id, address_key)
    after = not_used_for(customer, "billing", address.id)
    return _told(customer, after, told.CustomerBillingAddressRemoved(address=address))


# --- their custom fields -------------------------------------------------------------------


@customers.action("setAddressCustomType")
def set_address_custom_type(
    customer: Customer,
    facts: Facts,
    *,
    address_id: str,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Customer:
    """Set type and fields of an address, or remove both."""
    address = _find(customer, address_id, None)
    return _exchanged(customer, address, with_custom_type(address, type, fields, "address", facts))


@customers.action("setAddressCustomField")
def set_address_custom_field(
    customer: Customer, facts: Facts, *, address_id: str, name: str, value: Any = None
) -> Customer:
    """Set or remove one custom field of an address."""
    address = _find(customer, address_id, None)
    return _exchanged(customer, address, with_custom_field(address, name, value, facts))
