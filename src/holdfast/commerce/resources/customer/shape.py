"""What a customer looks like, and which values make one unique."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from holdfast.commerce.registry import Resource
from holdfast.commerce.values.address import Address, AddressDraft
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.reference import KeyReference, Reference, ResourceIdentifier
from holdfast.commerce.values.value import Key, Locale, Natural, Stored, Value, builtins, empty, no

AuthenticationMode = Literal["Password", "ExternalAuth"]
# Long enough for any pass phrase, short enough that hashing many costs the server little.
Password = Annotated[str, Meta(min_length=1, max_length=1024)]
GROUP_ASSIGNMENTS_MAX = 500
ADDRESSES_MAX = 500


class CustomerGroupAssignment(Value):
    customer_group: Reference


class CustomerGroupAssignmentDraft(Value):
    customer_group: ResourceIdentifier


AssignmentDrafts = Annotated[tuple[CustomerGroupAssignmentDraft, ...], Meta(max_length=GROUP_ASSIGNMENTS_MAX)]
AddressDrafts = Annotated[tuple[AddressDraft, ...], Meta(max_length=ADDRESSES_MAX)]


class PersonalDraft(Value):
    """What shoppers may say about themselves when they sign up."""

    email: str
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    title: str | None = None
    salutation: str | None = None
    date_of_birth: date | None = None
    company_name: str | None = None
    vat_id: str | None = None
    addresses: AddressDrafts = field(default_factory=empty)
    default_shipping_address: Natural | None = None
    default_billing_address: Natural | None = None
    locale: Locale | None = None
    stores: tuple[ResourceIdentifier, ...] | None = None
    custom: CustomFieldsDraft | None = None


class MyCustomerDraft(PersonalDraft):
    password: Password


class CustomerDraft(PersonalDraft):
    """Addresses for shipping and billing are named by their place in `addresses`."""

    key: Key | None = None
    customer_number: str | None = None
    external_id: str | None = None
    password: Password | None = None
    anonymous_cart_id: str | None = None
    anonymous_cart: ResourceIdentifier | None = None
    anonymous_id: str | None = None
    shipping_addresses: tuple[Natural, ...] = field(default_factory=empty)
    billing_addresses: tuple[Natural, ...] = field(default_factory=empty)
    is_email_verified: bool = False
    customer_group: ResourceIdentifier | None = None
    customer_group_assignments: AssignmentDrafts = field(default_factory=empty)
    authentication_mode: AuthenticationMode = "Password"


class Customer(Stored):
    key: str | None = None
    customer_number: str | None = None
    external_id: str | None = None
    email: str
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    title: str | None = None
    salutation: str | None = None
    date_of_birth: str | None = None
    company_name: str | None = None
    vat_id: str | None = None
    addresses: tuple[Address, ...] = field(default_factory=empty)
    default_shipping_address_id: str | None = None
    shipping_address_ids: tuple[str, ...] = field(default_factory=empty)
    default_billing_address_id: str | None = None
    billing_address_ids: tuple[str, ...] = field(default_factory=empty)
    is_email_verified: bool = field(default_factory=no)
    customer_group: Reference | None = None
    customer_group_assignments: tuple[CustomerGroupAssignment, ...] = field(default_factory=empty)
    locale: str | None = None
    stores: tuple[KeyReference, ...] = field(default_factory=empty)
    authentication_mode: AuthenticationMode
    custom: CustomFields | None = None


def email_claim(email: str, store_key: str | None = None) -> tuple[str, str]:
    """The unique value behind an email: one in the project, or one per store."""
    if store_key is None:
        return "lowercaseEmail", email.lower()
    return "emailInStore", f"{store_key} {email.lower()}"


def _unique(customer: Customer) -> Iterable[tuple[str, str]]:
    if customer.customer_number is not None:
        yield "customerNumber", customer.customer_number
    if not customer.stores:
        yield email_claim(customer.email)
    for store in customer.stores:
        yield email_claim(customer.email, store.key)


def _searchable(customer: Customer) -> dict[str, Any]:
    searchable: dict[str, Any] = builtins(customer)
    return searchable | {"lowercaseEmail": customer.email.lower()}


customers = Resource(
    "customer",
    path="customers",
    shape=Customer,
    draft=CustomerDraft,
    unique=_unique,
    holds=("customer-group", "type"),
    searchable=_searchable,
    indexed=("lowercaseEmail",),
    published={"lowercaseEmail": "email", "emailInStore": "email"},
    query_fields={"lowercaseEmail": str},
    my_draft=MyCustomerDraft,
    my_actions=(
        "addAddress",
        "addBillingAddressId",
        "addShippingAddressId",
        "changeAddress",
        "changeEmail",
        "removeAddress",
        "removeBillingAddressId",
        "removeShippingAddressId",
        "setCompanyName",
        "setCustomField",
        "setCustomType",
        "setDateOfBirth",
        "setDefaultBillingAddress",
        "setDefaultShippingAddress",
        "setFirstName",
        "setLastName",
        "setLocale",
        "setMiddleName",
        "setSalutation",
        "setTitle",
        "setVatId",
    ),
)
