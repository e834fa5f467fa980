"""Actions on a payment's method info. Each is one change of it, told by what differs afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.message import Message
from holdfast.commerce.messages.payment import (
    PaymentMethodInfoCustomFieldAdded,
    PaymentMethodInfoCustomFieldChanged,
    PaymentMethodInfoCustomFieldRemoved,
    PaymentMethodInfoCustomTypeRemoved,
    PaymentMethodInfoCustomTypeSet,
    PaymentMethodInfoInterfaceAccountSet,
    PaymentMethodInfoInterfaceSet,
    PaymentMethodInfoMethodSet,
    PaymentMethodInfoNameSet,
    PaymentMethodInfoTokenSet,
)
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.payment.shape import Payment, PaymentMethodInfo, PaymentMethodToken, payments
from holdfast.commerce.rules.custom_field_messages import Teller, custom_field_messages
from holdfast.commerce.rules.custom_fields import custom_fields, with_custom_field, with_custom_type
from holdfast.commerce.values.custom_fields import CustomFieldsDraft
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import LocalizedString

_TELLER = Teller(
    type_set=lambda custom, old: PaymentMethodInfoCustomTypeSet(custom_fields=custom, old_type_id=old),
    type_removed=lambda old: PaymentMethodInfoCustomTypeRemoved(old_type_id=old),
    field_added=lambda name, value: PaymentMethodInfoCustomFieldAdded(name=name, value=value),
    field_changed=lambda name, value, _: PaymentMethodInfoCustomFieldChanged(name=name, value=value),
    field_removed=lambda name: PaymentMethodInfoCustomFieldRemoved(name=name),
)


@payments.action("setMethodInfo")
def set_method_info(
    payment: Payment,
    facts: Facts,
    *,
    payment_interface: str | UnsetType | None = UNSET,
    method: str | UnsetType | None = UNSET,
    name: LocalizedString | UnsetType | None = UNSET,
    token: PaymentMethodToken | UnsetType | None = UNSET,
    interface_account: str | UnsetType | None = UNSET,
    custom: CustomFieldsDraft | UnsetType | None = UNSET,
) -> Changed[Payment]:
    """Update several parts in one go: only those named change; null is as if it were not named."""
    given: dict[str, Any] = {
        "payment_interface": payment_interface,
        "method": method,
        "name": name,
        "token": token,
        "interface_account": interface_account,
    }
    if not isinstance(custom, UnsetType):
        given["custom"] = custom_fields(custom, "payment-method-info", facts)
    changes = {part: value for part, value in given.items() if value is not UNSET}
    return _changed(payment, replace(payment.payment_method_info, **changes))


@payments.action("setMethodInfoInterface")
def set_method_info_interface(payment: Payment, *, interface: str) -> Changed[Payment]:
    return _changed(payment, replace(payment.payment_method_info, payment_interface=interface))


@payments.action("setMethodInfoMethod")
def set_method_info_method(payment: Payment, *, method: str | None = None) -> Changed[Payment]:
    return _changed(payment, replace(payment.payment_method_info, method=method))


@payments.action("setMethodInfoName")
def set_method_info_name(payment: Payment, *, name: LocalizedString | None = None) -> Changed[Payment]:
    return _changed(payment, replace(payment.payment_method_info, name=name))


@payments.action("setMethodInfoToken")
def set_method_info_token(payment: Payment, *, token: PaymentMethodToken | None = None) -> Changed[Payment]:
    return _changed(payment, replace(payment.payment_method_info, token=token))


@payments.action("setMethodInfoInterfaceAccount")
def set_method_info_interface_account(payment: Payment, *, interface_account: str | None = None) -> Changed[Payment]:
    return _changed(payment, replace(payment.payment_method_info, interface_account=interface_account))


@payments.action("setMethodInfoCustomType")
def set_method_info_custom_type(
    payment: Payment, facts: Facts, *, type: ResourceIdentifier | None = None, fields: dict[str, Any] | None = None
) -> Changed[Payment]:
    return _changed(payment, with_custom_type(payment.payment_method_info, type, fields, "payment-method-info", facts))


@payments.action("setMethodInfoCustomField")
def set_method_info_custom_field(payment: Payment, facts: Facts, *, name: str, value: Any = None) -> Changed[Payment]:
    return _changed(payment, with_custom_field(payment.payment_method_info, name, value, facts))


def _changed(payment: Payment, after: PaymentMethodInfo) -> Changed[Payment]:
    """The payment with another method info. The interface is part of its identity: set once, it stays."""
    before = payment.payment_method_info
    if before.payment_interface is not None and after.payment_interface != before.payment_interface:
        raise InvalidOperation(f"The payment interface of '{payment.id}' is set and cannot be changed.")
    return Changed(replace(payment, payment_method_info=after), tuple(_messages(before, after)))


def _messages(before: PaymentMethodInfo, after: PaymentMethodInfo) -> Iterator[Message]:
    if after.payment_interface != before.payment_interface:
        yield PaymentMethodInfoInterfaceSet(interface=after.payment_interface, old_interface=before.payment_interface)
    if after.interface_account != before.interface_account:
        yield PaymentMethodInfoInterfaceAccountSet(
            interface_account=after.interface_account, old_interface_account=before.interface_account
        )
    if after.method != before.method:
        yield PaymentMethodInfoMethodSet(method=after.method, old_method=before.method)
    if after.name != before.name:
        yield PaymentMethodInfoNameSet(name=after.name, old_name=before.name)
    if after.token != before.token:
        yield PaymentMethodInfoTokenSet(token=after.token, old_token=before.token)
    yield from custom_field_messages(before.custom, after.custom, _TELLER)
