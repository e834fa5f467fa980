"""Gift cards: what payments take from them and give back."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import as_json, eur
from tests.unit.commerce.facts import create, facts_with, update

from holdfast.base.errors import (
    ApiError,
    InsufficientBalance,
    InvalidField,
    InvalidOperation,
    RequiredField,
)
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.gift_card import GiftCard, gift_cards
from holdfast.commerce.resources.payment.shape import Payment, payments
from holdfast.commerce.values.money import money

CODE = "GIFT-0001-AAAA"
TOKEN = "paymentMethodInfo.token.value"
DOLLARS = {"currencyCode": "USD", "centAmount": 5}
CARD = GiftCard(id="card", code=CODE, granted=money(5000, "EUR"))


def facts(card: GiftCard | None = CARD, **session: Any) -> Facts:
    return facts_with(*([(gift_cards, card)] if card is not None else []), **session)


def charge(cents: int, **more: Any) -> dict[str, Any]:
    return {"type": "Charge", "amount": eur(cents), **more}


def refund(cents: int, **more: Any) -> dict[str, Any]:
    return {"type": "Refund", "amount": eur(cents), **more}


def draft(*transactions: dict[str, Any], **more: Any) -> dict[str, Any]:
    info = {"paymentInterface": "gift-card", "token": {"value": CODE}}
    return {"amountPlanned": eur(5000), "paymentMethodInfo": info, "transactions": transactions} | more


def paid(*transactions: dict[str, Any], known: Facts | None = None, **more: Any) -> Changed[Payment]:
    return create(payments, draft(*transactions, **more), known or facts())


def adding(transaction: dict[str, Any]) -> dict[str, Any]:
    return {"action": "addTransaction", "transaction": transaction}


def counted(changed: Changed[Any]) -> list[tuple[str, int, int | None]]:
    return [(tally.name, tally.amount, tally.limit) for tally in changed.tallies]


def test_a_charge_takes_from_the_card_and_is_done() -> None:
    changed = paid(charge(1200))
    assert counted(changed) == [("gift-card/card", 1200, 5000)]
    assert isinstance(changed.tallies[0].refusal, InsufficientBalance)
    (transaction,) = changed.resource.transactions
    assert (transaction.state, as_json(changed.messages[0])["payment"]["transactions"][0]["state"]) == (
        "Success",
        "Success",
    )


def test_a_refund_gives_back_exactly_what_is_new() -> None:
    payment = paid(charge(1200)).resource
    changed = update(payments, payment, adding(refund(200)), facts=facts())
    assert counted(changed) == [("gift-card/card", -200, None)]
    with pytest.raises(InvalidOperation):
        update(payments, changed.resource, adding(refund(1001)), facts=facts())
    rest = update(payments, changed.resource, adding(refund(1000)), facts=facts())
    assert counted(rest) == [("gift-card/card", -1000, None)]
    assert counted(update(payments, rest.resource, {"action": "setKey", "key": "paid"}, facts=facts())) == []


@pytest.mark.parametrize(
    "card", [replace(CARD, is_active=False), replace(CARD, valid_until="2026-01-01T00:00:00.000Z")]
)
def test_a_card_that_is_off_takes_refunds_but_no_charges(card: GiftCard) -> None:
    payment = paid(charge(1200)).resource
    assert counted(update(payments, payment, adding(refund(1)), facts=facts(card))) == [("gift-card/card", -1, None)]
    with pytest.raises(InvalidField):
        update(payments, payment, adding(charge(1)), facts=facts(card))


@pytest.mark.parametrize(
    ("given", "error", "field"),
    [
        (draft(charge(0)), InvalidField, "transaction.amount.centAmount"),
        (draft(charge(-5)), InvalidField, "transaction.amount.centAmount"),
        (draft(charge(5) | {"type": "Authorization"}), InvalidField, "transaction.type"),
        (draft(charge(5, state="Pending")), InvalidField, "transaction.state"),
        (draft(charge(5, state="Failure")), InvalidField, "transaction.state"),
        (draft(refund(5)), InvalidOperation, None),
        (draft(charge(5), paymentMethodInfo={"paymentInterface": "gift-card"}), RequiredField, TOKEN),
        (
            draft(charge(5), paymentMethodInfo={"paymentInterface": "gift-card", "token": {"value": "guess"}}),
            InvalidField,
            TOKEN,
        ),
        (
            draft({"type": "Charge", "amount": DOLLARS}, amountPlanned=DOLLARS),
            InvalidField,
            "transaction.amount.currencyCode",
        ),
    ],
)  # fmt: skip
def test_what_a_card_cannot_do_is_refused(given: dict[str, Any], error: type[ApiError], field: str | None) -> None:
    with pytest.raises(error) as refused:
        create(payments, given, facts())
    assert refused.value.fields.get("field") == field


@pytest.mark.parametrize(
    "action",
    [
        {"action": "changeTransactionState", "state": "Failure"},
        {"action": "setMethodInfoToken", "token": {"value": "GIFT-0002-BBBB"}},
        {"action": "setMethodInfoToken"},
    ],
)
def test_what_is_settled_stays_settled(action: dict[str, Any]) -> None:
    payment = paid(charge(1200)).resource
    wanted = action | ({"transactionId": payment.transactions[0].id} if "state" in action else {})
    other = replace(CARD, id="other", code="GIFT-0002-BBBB")
    with pytest.raises(InvalidOperation):
        update(payments, payment, wanted, facts=facts_with((gift_cards, CARD), (gift_cards, other)))


def test_transactions_of_another_service_do_not_become_the_cards() -> None:
    payment = create(
        payments, {"amountPlanned": eur(10), "transactions": [charge(10, state="Success")]}, facts()
    ).resource
    actions = (
        {"action": "setMethodInfoToken", "token": {"value": CODE}},
        {"action": "setMethodInfoInterface", "interface": "gift-card"},
    )
    with pytest.raises(InvalidOperation):
        update(payments, payment, *actions, facts=facts())


def test_a_transaction_that_came_before_the_card_in_one_request_is_refused() -> None:
    info = {"token": {"value": CODE}}
    payment = create(payments, draft(paymentMethodInfo=info), facts()).resource
    actions = (adding(charge(10)), {"action": "setMethodInfoInterface", "interface": "gift-card"})
    with pytest.raises(InvalidField):
        update(payments, payment, *actions, facts=facts())


def test_other_payments_count_nothing() -> None:
    assert counted(paid(charge(10), paymentMethodInfo={"paymentInterface": "card", "method": "gift-card"})) == []


def test_a_shopper_pays_with_a_card_but_does_not_refund_himself() -> None:
    shopper = facts(customer_id="ada", scopes=["manage_my_payments"])
    mine = {name: value for name, value in draft().items() if name != "transactions"}
    changed = create(payments, mine | {"transaction": charge(700)}, shopper, my=True)
    assert counted(changed) == [("gift-card/card", 700, 5000)]
    assert changed.resource.transactions[0].state == "Success"
    with pytest.raises(InvalidOperation):
        update(payments, changed.resource, adding(refund(700)), facts=shopper, my=True)


def test_a_new_payment_of_a_shopper_cannot_begin_with_a_refund() -> None:
    shopper = facts(customer_id="ada", scopes=["manage_my_payments"])
    mine = {name: value for name, value in draft().items() if name != "transactions"}
    with pytest.raises(InvalidOperation, match="only be made by the shop"):
        create(payments, mine | {"transaction": refund(700)}, shopper, my=True)


def test_a_payment_that_holds_a_cards_money_is_not_deleted() -> None:
    payment = paid(charge(1200)).resource
    with pytest.raises(InvalidOperation):
        payments.deleted(payment, facts())
    refunded = update(payments, payment, adding(refund(1200)), facts=facts()).resource
    assert payments.deleted(refunded, facts()).resource == refunded


# --- the card itself -----------------------------------------------------------------------


def test_a_card_grants_what_it_was_given_and_what_was_added() -> None:
    card = create(gift_cards, {"code": CODE, "amount": eur(5000)}, facts(None)).resource
    assert (card.granted, card.is_active, card.balance) == (money(5000, "EUR"), True, None)
    more = update(gift_cards, card, {"action": "topUp", "amount": eur(500)}, facts=facts(None)).resource
    assert more.granted == money(5500, "EUR")
    assert gift_cards.counted is not None
    assert gift_cards.counted.shown(more, 5400).balance == money(100, "EUR")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": eur(0)}, "amount.centAmount"),
        ({"amount": eur(-1)}, "amount.centAmount"),
        ({"validFrom": "2026-02-01T00:00:00Z", "validUntil": "2026-01-01T00:00:00Z"}, "validUntil"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        create(gift_cards, {"code": CODE, "amount": eur(5000)} | change, facts(None))
    assert refused.value.fields["field"] == field


def test_a_card_is_topped_up_in_its_own_currency() -> None:
    with pytest.raises(InvalidField):
        update(gift_cards, CARD, {"action": "topUp", "amount": {"currencyCode": "USD", "centAmount": 5}}, facts=facts())


def test_deleting_a_card_takes_all_of_it_so_that_one_that_was_used_stays() -> None:
    assert counted(gift_cards.deleted(CARD, facts())) == [("gift-card/card", 5000, 5000)]
