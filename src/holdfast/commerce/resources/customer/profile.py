"""Names and other facts about a customer."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.messages import customer as told
from holdfast.commerce.messages.message import Message
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.customer.email import checked_email
from holdfast.commerce.resources.customer.shape import Customer, customers
from holdfast.commerce.rules.common_actions import set_key
from holdfast.commerce.rules.custom_fields import custom_actions
from holdfast.commerce.values.value import Locale

customers.action("setKey")(set_key)
custom_actions(customers, "customer")


def _telling(before: Customer, after: Customer, message: Message) -> Changed[Customer]:
    return Changed(after, (message,) if after != before else ())


@customers.action("changeEmail")
def change_email(customer: Customer, *, email: str) -> Changed[Customer]:
    """Change the email; the new one is not verified yet."""
    if email == customer.email:
        return Changed(customer)
    message = told.CustomerEmailChanged(email=email, old_email=customer.email)
    return Changed(replace(customer, email=checked_email(email), is_email_verified=False), (message,))


@customers.action("setFirstName")
def set_first_name(customer: Customer, *, first_name: str | None = None) -> Changed[Customer]:
    message = told.CustomerFirstNameSet(first_name=first_name)
    return _telling(customer, replace(customer, first_name=first_name), message)


@customers.action("setLastName")
def set_last_name(customer: Customer, *, last_name: str | None = None) -> Changed[Customer]:
    message = told.CustomerLastNameSet(last_name=last_name)
    return _telling(customer, replace(customer, last_name=last_name), message)


@customers.action("setMiddleName")
def set_middle_name(customer: Customer, *, middle_name: str | None = None) -> Customer:
    return replace(customer, middle_name=middle_name)


@customers.action("setTitle")
def set_title(customer: Customer, *, title: str | None = None) -> Changed[Customer]:
    return _telling(customer, replace(customer, title=title), told.CustomerTitleSet(title=title))


@customers.action("setSalutation")
def set_salutation(customer: Customer, *, salutation: str | None = None) -> Customer:
    return replace(customer, salutation=salutation)


@customers.action("setLocale")
def set_locale(customer: Customer, *, locale: Locale | None = None) -> Customer:
    return replace(customer, locale=locale)


@customers.action("setDateOfBirth")
def set_date_of_birth(customer: Customer, *, date_of_birth: date | None = None) -> Changed[Customer]:
    day = date_of_birth.isoformat() if date_of_birth else None
    message = told.CustomerDateOfBirthSet(date_of_birth=day)
    return _telling(customer, replace(customer, date_of_birth=day), message)


@customers.action("setCompanyName")
def set_company_name(customer: Customer, *, company_name: str | None = None) -> Changed[Customer]:
    message = told.CustomerCompanyNameSet(company_name=company_name)
    return _telling(customer, replace(customer, company_name=company_name), message)


@customers.action("setVatId")
def set_vat_id(customer: Customer, *, vat_id: str | None = None) -> Customer:
    return replace(customer, vat_id=vat_id)


@customers.action("setExternalId")
def set_external_id(customer: Customer, *, external_id: str | None = None) -> Changed[Customer]:
    message = told.CustomerExternalIdSet(external_id=external_id)
    return _telling(customer, replace(customer, external_id=external_id), message)


@customers.action("setCustomerNumber")
def set_customer_number(customer: Customer, *, customer_number: str | None = None) -> Customer:
    """Give the customer a number; it stays for good."""
    if customer.customer_number not in (None, customer_number):
        raise InvalidOperation(f"Customer {customer.id} has a customer number already; it cannot be changed.")
    return replace(customer, customer_number=customer_number)
