"""Paying with a gift card: a payment through the interface `gift-card`, its token the card's code.

Holdfast is the payment service here, so a transaction is settled in the commit that records it: a
Charge takes from the card's tally, a Refund gives back to it. Neither changes the card.
"""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.base.errors import InsufficientBalance, InvalidField, InvalidOperation, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.gift_card import GiftCard, gift_cards, tally_of
from holdfast.commerce.resources.payment.shape import Payment, PaymentMethodInfo, Transaction
from holdfast.commerce.rules.validity import is_valid_at
from holdfast.commerce.scopes import allows
from holdfast.commerce.tally import Tally

INTERFACE = "gift-card"
_TOKEN = "paymentMethodInfo.token.value"  # noqa: S105 - the name of a field


def is_by_gift_card(info: PaymentMethodInfo) -> bool:
    return info.payment_interface == INTERFACE


def card_movements(before: Payment | None, after: Payment, facts: Facts) -> tuple[Tally, ...]:
    """What a payment's new transactions take from its gift card, and give back.

    Raises InvalidOperation for what would rewrite transactions that are settled, or refund more than
    was charged; InvalidField for a card that cannot be used or a transaction cards do not have. The
    commit raises InsufficientBalance.
    """
    if not is_by_gift_card(after.payment_method_info):
        return ()
    settled = before.transactions if before is not None else ()
    if before is not None and settled:
        _check_unchanged(before, after)
    added = after.transactions[len(settled) :]
    return tuple(_movements(after, added, facts)) if added else ()


def _check_unchanged(before: Payment, after: Payment) -> None:
    """Whether the card, and what was settled with it, are still the same. Raises InvalidOperation."""
    card = (before.payment_method_info.payment_interface, before.payment_method_info.token)
    if card != (after.payment_method_info.payment_interface, after.payment_method_info.token):
        raise InvalidOperation(f"Payment '{before.id}' has transactions: its gift card cannot be changed.")
    for old, new in zip(before.transactions, after.transactions, strict=False):
        if (old.type, old.amount, old.state) != (new.type, new.amount, new.state):
            raise InvalidOperation(f"The transaction '{old.id}' is settled with the gift card and cannot be changed.")


def _movements(payment: Payment, added: tuple[Transaction, ...], facts: Facts) -> Iterator[Tally]:
    card = _card(payment, facts)
    for transaction in added:
        _check_transaction(transaction, card)
        if transaction.type == "Charge":
            yield _charge(transaction, card, facts)
        else:
            yield _refund(transaction, card, facts)
    if open_cents(payment) < 0:
        raise InvalidOperation(f"Payment '{payment.id}' cannot refund more than was charged.")


def _card(payment: Payment, facts: Facts) -> GiftCard:
    token = payment.payment_method_info.token
    if token is None:
        raise RequiredField(_TOKEN)
    card = facts.find_by(gift_cards, "code", token.value)
    if card is None:
        raise _unusable()
    return card


def _unusable() -> InvalidField:
    """One refusal for a card that is unknown, off or out of time: it tells a guesser nothing."""
    return InvalidField(_TOKEN, None, "There is no gift card with this code that could be used.")


def _check_transaction(transaction: Transaction, card: GiftCard) -> None:
    if transaction.type not in ("Charge", "Refund"):
        raise InvalidField("transaction.type", transaction.type, allowed_values=["Charge", "Refund"])
    if transaction.state != "Success":
        raise InvalidField("transaction.state", transaction.state, allowed_values=["Initial", "Success"])
    if transaction.amount.cent_amount <= 0:
        raise InvalidField("transaction.amount.centAmount", transaction.amount.cent_amount, "It must be above zero.")
    currency = card.granted.currency_code
    if transaction.amount.currency_code != currency:
        raise InvalidField(
            "transaction.amount.currencyCode", transaction.amount.currency_code, allowed_values=[currency]
        )


def _charge(transaction: Transaction, card: GiftCard, facts: Facts) -> Tally:
    if not card.is_active or not is_valid_at(card, facts.now):
        raise _unusable()
    refusal = InsufficientBalance("The balance of the gift card does not cover the amount.")
    return Tally(tally_of(card), transaction.amount.cent_amount, card.granted.cent_amount, refusal)


def _refund(transaction: Transaction, card: GiftCard, facts: Facts) -> Tally:
    """A refund comes back to the card, be it off or out of time; shoppers cannot give themselves one."""
    if not allows(facts.caller.scopes, "manage_payments", facts.store_key):
        raise InvalidOperation("A refund can only be made by the shop.")
    refusal = InvalidOperation("The refund exceeds what was charged.")
    return Tally(tally_of(card), -transaction.amount.cent_amount, None, refusal)


def open_cents(payment: Payment) -> int:
    """What was charged and not refunded."""
    signs = {"Charge": 1, "Refund": -1}
    return sum(signs.get(each.type, 0) * each.amount.cent_amount for each in payment.transactions)


def check_refunded(payment: Payment) -> None:
    """Whether deleting the payment loses nobody's money. Raises InvalidOperation."""
    if is_by_gift_card(payment.payment_method_info) and open_cents(payment):
        raise InvalidOperation(f"Payment '{payment.id}' holds money of a gift card: refund it first.")
