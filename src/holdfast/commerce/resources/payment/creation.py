"""How payments come into being, and how long a shopper may still touch them."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.payment import PaymentCreated
from holdfast.commerce.registry import Changed, born
from holdfast.commerce.resources.customer.shape import customers
from holdfast.commerce.resources.payment.shape import (
    MyPaymentDraft,
    MyTransactionDraft,
    Payment,
    PaymentDraft,
    PaymentMethodInfo,
    PaymentMethodInfoDraft,
    PaymentStatus,
    PaymentStatusDraft,
    Transaction,
    TransactionDraft,
    payments,
)
from holdfast.commerce.resources.state import check_transition, states
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.rules.gift_cards import card_movements, check_refunded, is_by_gift_card
from holdfast.commerce.scopes import allows
from holdfast.commerce.values.money import Money, MoneyDraft, cent_money
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import adopt


@payments.create
def create_payment(draft: PaymentDraft, facts: Facts) -> Changed[Payment]:
    if draft.customer is not None and draft.anonymous_id is not None:
        raise InvalidOperation("A payment belongs to a customer or to an anonymous session, not to both.")
    planned = cent_money(draft.amount_planned, "amountPlanned")
    info = method_info_of(draft.payment_method_info, facts)
    return _told(
        adopt(
            Payment,
            draft,
            customer=facts.resolve(customers, draft.customer) if draft.customer else None,
            amount_planned=planned,
            amount_authorized=_optional_money(draft.amount_authorized, "amountAuthorized"),
            amount_paid=_optional_money(draft.amount_paid, "amountPaid"),
            amount_refunded=_optional_money(draft.amount_refunded, "amountRefunded"),
            payment_method_info=info,
            payment_status=_status_of(draft.payment_status, facts),
            transactions=tuple(transaction_of(each, planned, info, facts) for each in draft.transactions),
            interface_interactions=tuple(
                custom
                for each in draft.interface_interactions
                if (custom := custom_fields(each, "payment-interface-interaction", facts))
            ),
            custom=custom_fields(draft.custom, "payment", facts),
        ),
        facts,
    )


@payments.create
def create_my_payment(draft: MyPaymentDraft, facts: Facts) -> Changed[Payment]:
    """A payment of the shopper whose token this is."""
    planned = cent_money(draft.amount_planned, "amountPlanned")
    info = method_info_of(draft.payment_method_info, facts)
    shopper = facts.caller.customer_id
    return _told(
        Payment(
            customer=Reference(type_id="customer", id=shopper) if shopper else None,
            anonymous_id=None if shopper else facts.caller.anonymous_id,
            amount_planned=planned,
            payment_method_info=info,
            transactions=(transaction_of(draft.transaction, planned, info, facts),) if draft.transaction else (),
            custom=custom_fields(draft.custom, "payment", facts),
        ),
        facts,
    )


def _told(payment: Payment, facts: Facts) -> Changed[Payment]:
    whole = born(payment, facts)
    return Changed(whole, (PaymentCreated(payment=whole),))


@payments.settle
def settle_payment(before: Payment | None, after: Payment, facts: Facts) -> Changed[Payment]:
    """Keep what was used from shoppers, and move the money of a gift card."""
    if before is not None:
        _protect_used(before, after, facts)
    return Changed(after, tallies=card_movements(before, after, facts))


def _protect_used(before: Payment, after: Payment, facts: Facts) -> None:
    """Once a transaction was added, a shopper may only fill in that transaction's custom fields."""
    if not before.transactions or not is_shopper(facts):
        return
    if _without_transaction_customs(before) != _without_transaction_customs(after):
        raise InvalidOperation(f"Payment '{before.id}' has transactions: it can no longer be changed through /me.")


@payments.delete
def delete_payment(payment: Payment, facts: Facts) -> Changed[Payment]:
    check_refunded(payment)
    if payment.transactions and is_shopper(facts):
        raise InvalidOperation(f"Payment '{payment.id}' has transactions: it can no longer be deleted through /me.")
    return Changed(payment)


def is_shopper(facts: Facts) -> bool:
    """Whether the caller may touch no payments but their own."""
    return not allows(facts.caller.scopes, "manage_payments", facts.store_key)


def _without_transaction_customs(payment: Payment) -> Payment:
    return replace(payment, transactions=tuple(replace(each, custom=None) for each in payment.transactions))


# --- parts ---------------------------------------------------------------------------------


def transaction_of(draft: MyTransactionDraft, planned: Money, info: PaymentMethodInfo, facts: Facts) -> Transaction:
    """The stored form of a drafted transaction; one from a shopper always starts as Initial.

    With a gift card there is no service to wait for: what would start is done. Raises InvalidField
    for a currency other than the planned amount's: a payment is settled in one.
    """
    amount = cent_money(draft.amount, "transaction.amount")
    if amount.currency_code != planned.currency_code:
        raise InvalidField(
            "transaction.amount.currencyCode", amount.currency_code, allowed_values=[planned.currency_code]
        )
    state = draft.state if isinstance(draft, TransactionDraft) and not is_shopper(facts) else "Initial"
    return adopt(
        Transaction,
        draft,
        id=facts.new_id(),
        amount=amount,
        state="Success" if state == "Initial" and is_by_gift_card(info) else state,
        custom=custom_fields(draft.custom, "transaction", facts),
    )


def method_info_of(draft: PaymentMethodInfoDraft | None, facts: Facts) -> PaymentMethodInfo:
    if draft is None:
        return PaymentMethodInfo()
    return adopt(PaymentMethodInfo, draft, custom=custom_fields(draft.custom, "payment-method-info", facts))


def _status_of(draft: PaymentStatusDraft | None, facts: Facts) -> PaymentStatus:
    if draft is None:
        return PaymentStatus()
    if draft.state is None:
        return PaymentStatus(interface_code=draft.interface_code, interface_text=draft.interface_text)
    state = facts.get(states, draft.state)
    # A payment that is recorded late may enter its workflow anywhere, so only the type must fit.
    check_transition(None, state, "PaymentState", force=True)
    reference = Reference(type_id="state", id=state.id)
    return PaymentStatus(interface_code=draft.interface_code, interface_text=draft.interface_text, state=reference)


def _optional_money(draft: MoneyDraft | None, path: str) -> Money | None:
    return cent_money(draft, path) if draft else None
