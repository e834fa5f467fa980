"""The shapes of payments and their drafts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import field

from holdfast.commerce.registry import Resource
from holdfast.commerce.rules.common_actions import set_key
from holdfast.commerce.rules.custom_fields import custom_actions
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.money import Money, MoneyDraft
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Instant, Key, LocalizedString, Stored, Value, empty

TransactionType = Literal["Authorization", "CancelAuthorization", "Charge", "Refund", "Chargeback"]
TransactionState = Literal["Initial", "Pending", "Success", "Failure"]


class PaymentMethodToken(Value):
    """What the payment service knows a stored payment method by."""

    value: str


class PaymentMethodInfo(Value):
    """The service a payment runs through, and how the customer pays there."""

    payment_interface: str | None = None
    method: str | None = None
    name: LocalizedString | None = None
    token: PaymentMethodToken | None = None
    interface_account: str | None = None
    custom: CustomFields | None = None


class PaymentMethodInfoDraft(Value):
    payment_interface: str | None = None
    method: str | None = None
    name: LocalizedString | None = None
    token: PaymentMethodToken | None = None
    interface_account: str | None = None
    custom: CustomFieldsDraft | None = None


class PaymentStatus(Value):
    interface_code: str | None = None
    interface_text: str | None = None
    state: Reference | None = None


class PaymentStatusDraft(Value):
    interface_code: str | None = None
    interface_text: str | None = None
    state: ResourceIdentifier | None = None


class Transaction(Value):
    """One movement of money, as the payment service reports it."""

    id: str
    timestamp: str | None = None
    type: TransactionType
    amount: Money
    interaction_id: str | None = None
    state: TransactionState
    custom: CustomFields | None = None
    interface_id: str | None = None


class MyTransactionDraft(Value):
    timestamp: Instant | None = None
    type: TransactionType
    amount: MoneyDraft
    interaction_id: str | None = None
    custom: CustomFieldsDraft | None = None
    interface_id: str | None = None


class TransactionDraft(MyTransactionDraft):
    state: TransactionState = "Initial"


class MyPaymentDraft(Value):
    """What a shopper may ask for: no status, no interactions, one transaction at most."""

    amount_planned: MoneyDraft
    payment_method_info: PaymentMethodInfoDraft | None = None
    custom: CustomFieldsDraft | None = None
    transaction: MyTransactionDraft | None = None


class PaymentDraft(Value):
    key: Key | None = None
    customer: ResourceIdentifier | None = None
    anonymous_id: str | None = None
    external_id: str | None = None
    interface_id: str | None = None
    amount_planned: MoneyDraft
    amount_authorized: MoneyDraft | None = None
    authorized_until: Instant | None = None
    amount_paid: MoneyDraft | None = None
    amount_refunded: MoneyDraft | None = None
    payment_method_info: PaymentMethodInfoDraft | None = None
    payment_status: PaymentStatusDraft | None = None
    transactions: tuple[TransactionDraft, ...] = field(default_factory=empty)
    interface_interactions: tuple[CustomFieldsDraft, ...] = field(default_factory=empty)
    custom: CustomFieldsDraft | None = None


class Payment(Stored):
    """A payment; `externalId` and the amounts authorized, paid and refunded are deprecated fields."""

    key: str | None = None
    customer: Reference | None = None
    anonymous_id: str | None = None
    external_id: str | None = None
    interface_id: str | None = None
    amount_planned: Money
    amount_authorized: Money | None = None
    authorized_until: str | None = None
    amount_paid: Money | None = None
    amount_refunded: Money | None = None
    payment_method_info: PaymentMethodInfo = field(default_factory=PaymentMethodInfo)
    payment_status: PaymentStatus = field(default_factory=PaymentStatus)
    transactions: tuple[Transaction, ...] = field(default_factory=empty)
    interface_interactions: tuple[CustomFields, ...] = field(default_factory=empty)
    custom: CustomFields | None = None


def _identities(payment: Payment) -> Iterator[tuple[str, str]]:
    """What a payment service knows its payments and transactions by names one of each only."""
    interface = payment.payment_method_info.payment_interface
    if payment.interface_id is not None and interface is not None:
        yield ("interfaceId", f"{interface}/{payment.interface_id}")
    for transaction in payment.transactions:
        if transaction.interface_id is not None:
            yield ("transactions.interfaceId", transaction.interface_id)


payments = Resource(
    "payment",
    path="payments",
    shape=Payment,
    draft=PaymentDraft,
    unique=_identities,
    holds=("state", "type"),
    indexed=("anonymousId",),
    due=("lastModifiedAt",),
    my_draft=MyPaymentDraft,
    my_actions=(
        "addTransaction",
        "changeAmountPlanned",
        "setCustomField",
        "setMethodInfoCustomField",
        "setMethodInfoCustomType",
        "setMethodInfoInterface",
        "setMethodInfoInterfaceAccount",
        "setMethodInfoMethod",
        "setMethodInfoName",
        "setTransactionCustomField",
    ),
)
payments.action("setKey")(set_key)
custom_actions(payments, "payment")
