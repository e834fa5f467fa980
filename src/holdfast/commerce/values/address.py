"""Addresses as carts, orders, customers and channels carry them."""

from __future__ import annotations

from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.value import Country, Value


class AddressFields(Value):
    """Everything about an address but its custom fields."""

    id: str | None = None
    key: str | None = None
    country: Country
    title: str | None = None
    salutation: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    street_name: str | None = None
    street_number: str | None = None
    additional_street_info: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    state: str | None = None
    company: str | None = None
    department: str | None = None
    building: str | None = None
    apartment: str | None = None
    p_o_box: str | None = None
    phone: str | None = None
    mobile: str | None = None
    email: str | None = None
    fax: str | None = None
    additional_address_info: str | None = None
    external_id: str | None = None


class Address(AddressFields):
    """An address as stored and served."""

    custom: CustomFields | None = None


class AddressDraft(AddressFields):
    """An address as clients write it."""

    custom: CustomFieldsDraft | None = None
