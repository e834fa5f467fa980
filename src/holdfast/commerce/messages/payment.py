"""What happens to payments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.commerce.messages.message import Message
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.reference import Reference

if TYPE_CHECKING:
    from holdfast.commerce.resources.payment.shape import Payment, PaymentMethodToken, Transaction, TransactionState


class PaymentCreated(Message):
    payment: Payment


class PaymentTransactionAdded(Message):
    transaction: Transaction


class PaymentTransactionStateChanged(Message):
    transaction_id: str
    state: TransactionState


class PaymentTransactionInterfaceIdSet(Message):
    transaction_id: str
    new_interface_id: str | None = None
    old_interface_id: str | None = None


class PaymentInteractionAdded(Message):
    interaction: CustomFields


class PaymentInterfaceIdSet(Message):
    interface_id: str
    old_interface_id: str | None = None


class PaymentStatusInterfaceCodeSet(Message):
    payment_id: str
    interface_code: str | None = None


class PaymentStatusStateTransition(Message):
    state: Reference
    force: bool


class PaymentMethodInfoInterfaceSet(Message):
    interface: str | None = None
    old_interface: str | None = None


class PaymentMethodInfoInterfaceAccountSet(Message):
    interface_account: str | None = None
    old_interface_account: str | None = None


class PaymentMethodInfoMethodSet(Message):
    method: str | None = None
    old_method: str | None = None


class PaymentMethodInfoNameSet(Message):
    name: dict[str, str] | None = None
    old_name: dict[str, str] | None = None


class PaymentMethodInfoTokenSet(Message):
    token: PaymentMethodToken | None = None
    old_token: PaymentMethodToken | None = None


class PaymentMethodInfoCustomTypeSet(Message):
    custom_fields: CustomFields
    old_type_id: str | None = None


class PaymentMethodInfoCustomTypeRemoved(Message):
    old_type_id: str | None = None


class PaymentMethodInfoCustomFieldAdded(Message):
    name: str
    value: Any


class PaymentMethodInfoCustomFieldChanged(Message):
    name: str
    value: Any


class PaymentMethodInfoCustomFieldRemoved(Message):
    name: str
