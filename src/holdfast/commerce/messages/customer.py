"""What happened to customers."""

from __future__ import annotations

from typing import Any, Literal

from holdfast.commerce.messages.message import Message
from holdfast.commerce.resources.customer.shape import Customer, CustomerGroupAssignment
from holdfast.commerce.values.address import Address
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.reference import KeyReference, Reference

AddressRole = Literal["Shipping", "Billing"]


class CustomerCreated(Message):
    customer: Customer


class CustomerDeleted(Message):
    email: str


class CustomerEmailChanged(Message):
    email: str
    old_email: str


class CustomerEmailVerified(Message): ...


class CustomerPasswordUpdated(Message):
    """`reset` tells a reset by token from a change by the customer."""

    reset: bool


class CustomerPasswordTokenCreated(Message):
    """`value` is told only for tokens that live an hour or less."""

    customer_id: str
    expires_at: str
    value: str | None = None
    invalidate_older_tokens: bool


class CustomerEmailTokenCreated(Message):
    """`value` is told only for tokens that live an hour or less."""

    customer_id: str
    expires_at: str
    value: str | None = None
    invalidate_older_tokens: bool


# --- profile -------------------------------------------------------------------------------


class CustomerFirstNameSet(Message):
    first_name: str | None = None


class CustomerLastNameSet(Message):
    last_name: str | None = None


class CustomerTitleSet(Message):
    title: str | None = None


class CustomerCompanyNameSet(Message):
    company_name: str | None = None


class CustomerDateOfBirthSet(Message):
    date_of_birth: str | None = None


class CustomerExternalIdSet(Message):
    external_id: str | None = None


# --- groups and stores ---------------------------------------------------------------------


class CustomerGroupSet(Message):
    customer_group: Reference | None = None


class CustomerGroupAssignmentAdded(Message):
    customer_group_assignment: CustomerGroupAssignment


class CustomerGroupAssignmentRemoved(Message):
    customer_group_assignment: CustomerGroupAssignment


class CustomerGroupAssignmentsSet(Message):
    customer_group_assignments: tuple[CustomerGroupAssignment, ...]
    old_customer_group_assignments: tuple[CustomerGroupAssignment, ...]


class CustomerStoresSet(Message):
    stores: tuple[KeyReference, ...]
    old_stores: tuple[KeyReference, ...]


# --- addresses -----------------------------------------------------------------------------


class CustomerAddressAdded(Message):
    address: Address


class CustomerAddressChanged(Message):
    address: Address
    address_roles: tuple[AddressRole, ...]


class CustomerAddressRemoved(Message):
    address: Address
    address_roles: tuple[AddressRole, ...]


class CustomerShippingAddressAdded(Message):
    address: Address


class CustomerShippingAddressRemoved(Message):
    address: Address


class CustomerBillingAddressAdded(Message):
    address: Address


class CustomerBillingAddressRemoved(Message):
    address: Address


class CustomerDefaultShippingAddressSet(Message):
    address: Address | None = None


class CustomerDefaultBillingAddressSet(Message):
    address: Address | None = None


# --- custom fields -------------------------------------------------------------------------


class CustomerCustomTypeSet(Message):
    custom_fields: CustomFields
    previous_type_id: str | None = None


class CustomerCustomTypeRemoved(Message):
    previous_type_id: str


class CustomerCustomFieldAdded(Message):
    name: str
    value: Any


class CustomerCustomFieldChanged(Message):
    name: str
    value: Any
    previous_value: Any


class CustomerCustomFieldRemoved(Message):
    name: str


class CustomerAddressCustomTypeSet(Message):
    custom_fields: CustomFields
    previous_type_id: str | None = None
    address_id: str


class CustomerAddressCustomTypeRemoved(Message):
    previous_type_id: str
    address_id: str


class CustomerAddressCustomFieldAdded(Message):
    name: str
    value: Any
    address_id: str


class CustomerAddressCustomFieldChanged(Message):
    name: str
    value: Any
    previous_value: Any
    address_id: str


class CustomerAddressCustomFieldRemoved(Message):
    name: str
    address_id: str
