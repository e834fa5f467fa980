"""Actions on a payment's transactions."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.payment import (
    PaymentTransactionAdded,
    PaymentTransactionInterfaceIdSet,
    PaymentTransactionStateChanged,
)
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.payment.creation import transaction_of
from holdfast.commerce.resources.payment.shape import (
    Payment,
    Transaction,
    TransactionDraft,
    TransactionState,
    payments,
)
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Instant


@payments.action("addTransaction")
def add_transaction(payment: Payment, facts: Facts, *, transaction: TransactionDraft) -> Changed[Payment]:
    added = transaction_of(transaction, payment.amount_planned, payment.payment_method_info, facts)
    after = replace(payment, transactions=(*payment.transactions, added))
    return Changed(after, (PaymentTransactionAdded(transaction=added),))


@payments.action("changeTransactionState")
def change_transaction_state(payment: Payment, *, transaction_id: str, state: TransactionState) -> Changed[Payment]:
    before = _transaction(payment, transaction_id)
    if before.state == state:
        return Changed(payment)
    told = PaymentTransactionStateChanged(transaction_id=transaction_id, state=state)
    return Changed(_with(payment, before, replace(before, state=state)), (told,))


@payments.action("changeTransactionTimestamp")
def change_transaction_timestamp(payment: Payment, *, transaction_id: str, timestamp: Instant) -> Payment:
    before = _transaction(payment, transaction_id)
    return _with(payment, before, replace(before, timestamp=timestamp))


@payments.action("changeTransactionInteractionId")
def change_transaction_interaction_id(payment: Payment, *, transaction_id: str, interaction_id: str) -> Payment:
    before = _transaction(payment, transaction_id)
    return _with(payment, before, replace(before, interaction_id=interaction_id))


@payments.action("setTransactionInterfaceId")
def set_transaction_interface_id(
    payment: Payment, *, transaction_id: str, interface_id: str | None = None
) -> Changed[Payment]:
    """Set or remove the service's own identifier, which no two transactions share."""
    before = _transaction(payment, transaction_id)
    if before.interface_id == interface_id:
        return Changed(payment)
    told = PaymentTransactionInterfaceIdSet(
        transaction_id=transaction_id, new_interface_id=interface_id, old_interface_id=before.interface_id
    )
    return Changed(_with(payment, before, replace(before, interface_id=interface_id)), (told,))


@payments.action("setTransactionCustomType")
def set_transaction_custom_type(
    payment: Payment,
    facts: Facts,
    *,
    transaction_id: str,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Payment:
    before = _transaction(payment, transaction_id)
    return _with(payment, before, with_custom_type(before, type, fields, "transaction", facts))


@payments.action("setTransactionCustomField")
def set_transaction_custom_field(
    payment: Payment, facts: Facts, *, transaction_id: str, name: str, value: Any = None
) -> Payment:
    before = _transaction(payment, transaction_id)
    return _with(payment, before, with_custom_field(before, name, value, facts))


def _transaction(payment: Payment, transaction_id: str) -> Transaction:
    for transaction in payment.transactions:
        if transaction.id == transaction_id:
            return transaction
    raise InvalidOperation(f"Payment '{payment.id}' has no transaction '{transaction_id}'.")


def _with(payment: Payment, before: Transaction, after: Transaction) -> Payment:
    return replace(payment, transactions=tuple(after if each is before else each for each in payment.transactions))
