"""Where customers belong: their groups, their stores, and how they prove who they are."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import MaxResourceLimitExceeded, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import customer as told
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.customer.shape import (
    GROUP_ASSIGNMENTS_MAX,
    AssignmentDrafts,
    AuthenticationMode,
    Customer,
    CustomerGroupAssignment,
    CustomerGroupAssignmentDraft,
    Password,
    customers,
)
from holdfast.commerce.resources.customer_credential import with_password
from holdfast.commerce.resources.customer_group import customer_groups
from holdfast.commerce.resources.store import store_reference
from holdfast.commerce.values.reference import KeyReference, ResourceIdentifier
from holdfast.commerce.values.value import distinct

# --- groups --------------------------------------------------------------------------------


def assignments(drafts: AssignmentDrafts, facts: Facts) -> tuple[CustomerGroupAssignment, ...]:
    """The stored form of drafted assignments, each group once."""
    return distinct(tuple(_assignment(draft.customer_group, facts) for draft in drafts))


def _assignment(group: ResourceIdentifier, facts: Facts) -> CustomerGroupAssignment:
    return CustomerGroupAssignment(customer_group=facts.resolve(customer_groups, group))


@customers.action("setCustomerGroup")
def set_customer_group(
    customer: Customer, facts: Facts, *, customer_group: ResourceIdentifier | None = None
) -> Changed[Customer]:
    group = facts.resolve(customer_groups, customer_group) if customer_group else None
    if group == customer.customer_group:
        return Changed(customer)
    return Changed(replace(customer, customer_group=group), (told.CustomerGroupSet(customer_group=group),))


@customers.action("setCustomerGroupAssignments")
def set_customer_group_assignments(
    customer: Customer, facts: Facts, *, customer_group_assignments: AssignmentDrafts
) -> Changed[Customer]:
    before, after = customer.customer_group_assignments, assignments(customer_group_assignments, facts)
    if after == before:
        return Changed(customer)
    message = told.CustomerGroupAssignmentsSet(customer_group_assignments=after, old_customer_group_assignments=before)
    return Changed(replace(customer, customer_group_assignments=after), (message,))


@customers.action("addCustomerGroupAssignment")
def add_customer_group_assignment(
    customer: Customer, facts: Facts, *, customer_group_assignment: CustomerGroupAssignmentDraft
) -> Changed[Customer]:
    """Assign one more group; one the customer has already changes nothing."""
    added = _assignment(customer_group_assignment.customer_group, facts)
    before = customer.customer_group_assignments
    if added in before:
        return Changed(customer)
    if len(before) >= GROUP_ASSIGNMENTS_MAX:
        raise MaxResourceLimitExceeded(f"A customer has at most {GROUP_ASSIGNMENTS_MAX} group assignments.")
    message = told.CustomerGroupAssignmentAdded(customer_group_assignment=added)
    return Changed(replace(customer, customer_group_assignments=(*before, added)), (message,))


@customers.action("removeCustomerGroupAssignment")
def remove_customer_group_assignment(
    customer: Customer, facts: Facts, *, customer_group: ResourceIdentifier
) -> Changed[Customer]:
    """Take a group away; one the customer does not have changes nothing."""
    gone = _assignment(customer_group, facts)
    before = customer.customer_group_assignments
    if gone not in before:
        return Changed(customer)
    message = told.CustomerGroupAssignmentRemoved(customer_group_assignment=gone)
    after = tuple(kept for kept in before if kept != gone)
    return Changed(replace(customer, customer_group_assignments=after), (message,))


# --- stores --------------------------------------------------------------------------------


def store_references(targets: tuple[ResourceIdentifier, ...], facts: Facts) -> tuple[KeyReference, ...]:
    """The stored form of drafted stores, each once."""
    return distinct(tuple(store_reference(target, facts) for target in targets))


def _in_stores(customer: Customer, stores: tuple[KeyReference, ...]) -> Changed[Customer]:
    if stores == customer.stores:
        return Changed(customer)
    message = told.CustomerStoresSet(stores=stores, old_stores=customer.stores)
    return Changed(replace(customer, stores=stores), (message,))


@customers.action("setStores")
def set_stores(customer: Customer, facts: Facts, *, stores: tuple[ResourceIdentifier, ...]) -> Changed[Customer]:
    """Bind the customer to these stores; without any they are known in the whole project."""
    return _in_stores(customer, store_references(stores, facts))


@customers.action("addStore")
def add_store(customer: Customer, facts: Facts, *, store: ResourceIdentifier) -> Changed[Customer]:
    return _in_stores(customer, distinct((*customer.stores, store_reference(store, facts))))


@customers.action("removeStore")
def remove_store(customer: Customer, facts: Facts, *, store: ResourceIdentifier) -> Changed[Customer]:
    gone = store_reference(store, facts)
    return _in_stores(customer, tuple(kept for kept in customer.stores if kept != gone))


# --- proof ---------------------------------------------------------------------------------


@customers.action("setAuthenticationMode")
def set_authentication_mode(
    customer: Customer, facts: Facts, *, auth_mode: AuthenticationMode, password: Password | None = None
) -> Changed[Customer]:
    """Choose how the customer proves who they are. Leaving `Password` forgets the password."""
    if auth_mode == "Password" and password is None:
        raise RequiredField("password", "The authentication mode 'Password' needs a password.")
    hashed = facts.password_hash(password) if auth_mode == "Password" and password is not None else None
    credential = with_password(customer.id, hashed, facts)
    return Changed(replace(customer, authentication_mode=auth_mode), others=(credential,))
