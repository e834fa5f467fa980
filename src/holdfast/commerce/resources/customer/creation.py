"""How a draft becomes a customer, and how a customer goes."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.base.errors import InvalidField, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import customer as told
from holdfast.commerce.registry import Changed, Other, born
from holdfast.commerce.resources.customer.addresses import new_address, used_by_default, used_for, with_addresses
from holdfast.commerce.resources.customer.custom_messages import custom_messages
from holdfast.commerce.resources.customer.email import check_email_is_free, checked_email
from holdfast.commerce.resources.customer.membership import assignments, store_references
from holdfast.commerce.resources.customer.shape import Customer, CustomerDraft, MyCustomerDraft, customers
from holdfast.commerce.resources.customer_credential import credentials, new_credential
from holdfast.commerce.resources.customer_group import customer_groups
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.values.reference import KeyReference, ResourceIdentifier
from holdfast.commerce.values.value import adopt


@customers.create
def create_customer(draft: CustomerDraft, facts: Facts) -> Changed[Customer]:
    return _created(draft, facts)


@customers.create
def create_my_customer(draft: MyCustomerDraft, facts: Facts) -> Changed[Customer]:
    """What shoppers may say about themselves makes a customer like any other."""
    return _created(adopt(CustomerDraft, draft), facts)


def _created(draft: CustomerDraft, facts: Facts) -> Changed[Customer]:
    """A customer with a password, or one whom somebody else vouches for (`ExternalAuth`)."""
    if draft.authentication_mode == "Password" and draft.password is None:
        raise RequiredField("password", "The authentication mode 'Password' needs a password.")
    customer = adopt(
        Customer,
        draft,
        email=checked_email(draft.email),
        date_of_birth=draft.date_of_birth.isoformat() if draft.date_of_birth else None,
        addresses=(),
        customer_group=facts.resolve(customer_groups, draft.customer_group) if draft.customer_group else None,
        customer_group_assignments=assignments(draft.customer_group_assignments, facts),
        stores=_stores(draft.stores, facts),
        custom=custom_fields(draft.custom, "customer", facts),
    )
    customer = born(_with_addresses(customer, draft, facts), facts)
    check_email_is_free(customer, facts)
    password = draft.password if draft.authentication_mode == "Password" else None
    credential = new_credential(customer.id, facts.password_hash(password) if password else None, facts)
    return Changed(customer, (told.CustomerCreated(customer=customer),), others=(credential,))


def _stores(drafts: tuple[ResourceIdentifier, ...] | None, facts: Facts) -> tuple[KeyReference, ...]:
    """The drafted stores; whoever signs up in a store without naming any belongs to that one."""
    if drafts is None and facts.store_key is not None:
        drafts = (ResourceIdentifier(type_id="store", key=facts.store_key),)
    return store_references(drafts or (), facts)


def _with_addresses(customer: Customer, draft: CustomerDraft, facts: Facts) -> Customer:
    """The customer with the drafted addresses and their uses; a default is also among those for its use."""
    addresses = tuple(new_address(address, facts) for address in draft.addresses)
    ids = [address.id or "" for address in addresses]
    customer = with_addresses(customer, addresses)
    for index in draft.shipping_addresses:
        customer = used_for(customer, "shipping", _at(ids, index, "shippingAddresses"))
    for index in draft.billing_addresses:
        customer = used_for(customer, "billing", _at(ids, index, "billingAddresses"))
    if draft.default_shipping_address is not None:
        default = _at(ids, draft.default_shipping_address, "defaultShippingAddress")
        customer = used_by_default(customer, "shipping", default)
    if draft.default_billing_address is not None:
        default = _at(ids, draft.default_billing_address, "defaultBillingAddress")
        customer = used_by_default(customer, "billing", default)
    return customer


def _at(ids: Sequence[str], index: int, field: str) -> str:
    if index >= len(ids):
        raise InvalidField(field, index, f"There is no address at place {index} of 'addresses'.")
    return ids[index]


@customers.settle
def settle_customer(before: Customer | None, after: Customer, facts: Facts) -> Changed[Customer]:
    """An email that is new here must be free here; custom fields that changed are told."""
    if before is None:
        return Changed(after)
    if (before.email.lower(), before.stores) != (after.email.lower(), after.stores):
        check_email_is_free(after, facts)
    return Changed(after, tuple(custom_messages(before, after)))


@customers.delete
def delete_customer(customer: Customer, facts: Facts) -> Changed[Customer]:
    """The credential goes with its customer."""
    credential = facts.find(credentials, customer.id)
    others = (Other(credentials, credential, None),) if credential else ()
    return Changed(customer, (told.CustomerDeleted(email=customer.email),), others=others)
