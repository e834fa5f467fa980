"""Actions on a payment itself: whose it is, how much it shall be, what the service says of it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.payment import (
    PaymentInteractionAdded,
    PaymentInterfaceIdSet,
    PaymentStatusInterfaceCodeSet,
    PaymentStatusStateTransition,
)
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.customer.shape import customers
from holdfast.commerce.resources.payment.shape import Payment, payments
from holdfast.commerce.resources.state import check_transition, states
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.values.custom_fields import CustomFieldsDraft
from holdfast.commerce.values.money import MoneyDraft, cent_money
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Instant


@payments.action("changeAmountPlanned")
def change_amount_planned(payment: Payment, *, amount: MoneyDraft) -> Payment:
    """Change what shall be paid; transactions already there fix the currency."""
    planned = cent_money(amount, "amount")
    currency = payment.amount_planned.currency_code
    if payment.transactions and planned.currency_code != currency:
        raise InvalidField("amount.currencyCode", planned.currency_code, allowed_values=[currency])
    return replace(payment, amount_planned=planned)


@payments.action("setCustomer")
def set_customer(payment: Payment, facts: Facts, *, customer: ResourceIdentifier | None = None) -> Payment:
    """Set or remove the customer; a payment with a customer leaves its anonymous session."""
    if customer is None:
        return replace(payment, customer=None)
    return replace(payment, customer=facts.resolve(customers, customer), anonymous_id=None)


@payments.action("setAnonymousId")
def set_anonymous_id(payment: Payment, *, anonymous_id: str | None = None) -> Payment:
    if payment.customer is not None:
        raise InvalidOperation(f"Payment '{payment.id}' belongs to a customer already.")
    return replace(payment, anonymous_id=anonymous_id)


@payments.action("setInterfaceId")
def set_interface_id(payment: Payment, *, interface_id: str) -> Changed[Payment]:
    """Set the service's own identifier: once, for it is part of the payment's identity."""
    old = payment.interface_id
    if old == interface_id:
        return Changed(payment)
    if old is not None:
        raise InvalidOperation(f"The interface id of payment '{payment.id}' is set and cannot be changed.")
    return Changed(replace(payment, interface_id=interface_id), (PaymentInterfaceIdSet(interface_id=interface_id),))


@payments.action("addInterfaceInteraction")
def add_interface_interaction(
    payment: Payment, facts: Facts, *, type: ResourceIdentifier, fields: dict[str, Any] | None = None
) -> Changed[Payment]:
    """Log what was exchanged with the payment service."""
    draft = CustomFieldsDraft(type=type, fields=fields or {})
    interaction = custom_fields(draft, "payment-interface-interaction", facts)
    assert interaction is not None
    after = replace(payment, interface_interactions=(*payment.interface_interactions, interaction))
    return Changed(after, (PaymentInteractionAdded(interaction=interaction),))


# --- status --------------------------------------------------------------------------------


@payments.action("setStatusInterfaceCode")
def set_status_interface_code(payment: Payment, *, interface_code: str | None = None) -> Changed[Payment]:
    if interface_code == payment.payment_status.interface_code:
        return Changed(payment)
    status = replace(payment.payment_status, interface_code=interface_code)
    told = PaymentStatusInterfaceCodeSet(payment_id=payment.id, interface_code=interface_code)
    return Changed(replace(payment, payment_status=status), (told,))


@payments.action("setStatusInterfaceText")
def set_status_interface_text(payment: Payment, *, interface_text: str | None = None) -> Payment:
    """Set what the service says in words; an empty text removes it."""
    return replace(payment, payment_status=replace(payment.payment_status, interface_text=interface_text or None))


@payments.action("transitionState")
def transition_state(
    payment: Payment, facts: Facts, *, state: ResourceIdentifier, force: bool = False
) -> Changed[Payment]:
    """Take a step in the payment's own workflow."""
    following = facts.get(states, state)
    present = payment.payment_status.state
    # A vanished state cannot forbid anything, so it counts as none at all.
    check_transition(facts.find(states, present) if present else None, following, "PaymentState", force=force)
    reference = Reference(type_id="state", id=following.id)
    after = replace(payment, payment_status=replace(payment.payment_status, state=reference))
    return Changed(after, (PaymentStatusStateTransition(state=reference, force=force),))


# --- deprecated ----------------------------------------------------------------------------


@payments.action("setExternalId")
def set_external_id(payment: Payment, *, external_id: str | None = None) -> Payment:
    """Deprecated, as are the next three: transactions tell this better."""
    return replace(payment, external_id=external_id)


@payments.action("setAuthorization")
def set_authorization(payment: Payment, *, amount: MoneyDraft | None = None, until: Instant | None = None) -> Payment:
    authorized = cent_money(amount, "amount") if amount else None
    return replace(payment, amount_authorized=authorized, authorized_until=until)


@payments.action("setAmountPaid")
def set_amount_paid(payment: Payment, *, amount: MoneyDraft | None = None) -> Payment:
    return replace(payment, amount_paid=cent_money(amount, "amount") if amount else None)


@payments.action("setAmountRefunded")
def set_amount_refunded(payment: Payment, *, amount: MoneyDraft | None = None) -> Payment:
    return replace(payment, amount_refunded=cent_money(amount, "amount") if amount else None)
