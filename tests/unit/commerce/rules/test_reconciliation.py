"""When captured money is where it belongs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.commerce.builders.payment import a_payment, a_transaction

from holdfast.base import clock
from holdfast.commerce.resources.payment.shape import Payment
from holdfast.commerce.rules.reconciliation import (
    GRACE_MINUTES,
    Break,
    Placing,
    Refunding,
    Use,
    balance,
    breaks,
)
from holdfast.commerce.values.money import money

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=1)
LATELY = NOW - timedelta(minutes=GRACE_MINUTES, seconds=-1)


def paid(*transactions: tuple[str, int, str], id: str = "payment-1", at: datetime = LONG_AGO) -> Payment:
    made = tuple(
        a_transaction(f"{id}-{n}", type=kind, amount=money(cents, "EUR"), state=state)
        for n, (kind, cents, state) in enumerate(transactions)
    )
    moment = clock.timestamp(at)
    return a_payment(id, transactions=made, created_at=moment, last_modified_at=moment)


def cart(state: str = "Active", at: datetime = LONG_AGO) -> Use:
    return Use("cart", "cart-1", state, at, 4_200, "EUR", ("payment-1", "payment-2"))


def order(due: int = 4_200, **fields: Any) -> Use:
    usual = Use("order", "order-1", "Open", LONG_AGO, due, "EUR", ("payment-1",))
    return usual._replace(**fields)


def found(payment: Payment, *uses: Use, others: tuple[Payment, ...] = ()) -> list[Break]:
    return list(breaks(payment, uses, {each.id: each for each in (payment, *others)}, NOW))


def names(*arguments: Any, **named: Any) -> list[str]:
    return [each.name for each in found(*arguments, **named)]


CHARGED = ("Charge", 4_200, "Success")


def test_only_what_succeeded_counts_and_what_is_under_way_is_known() -> None:
    payment = paid(
        ("Authorization", 5_000, "Success"),
        ("Authorization", 1, "Failure"),
        CHARGED,
        ("Charge", 10, "Pending"),
        ("Charge", 20, "Failure"),
        ("Refund", 100, "Success"),
        ("Chargeback", 200, "Success"),
        ("Refund", 300, "Initial"),
        ("CancelAuthorization", 400, "Success"),
    )
    assert balance(payment) == (5_000, 4_200, 300, 300, 10)
    assert balance(payment).kept == 3_600


@pytest.mark.parametrize(
    ("transactions", "uses"),
    [
        ([], []),
        ([("Authorization", 4_200, "Success")], []),
        ([("Charge", 4_200, "Pending")], []),
        ([CHARGED, ("Refund", 4_200, "Success")], []),
        ([CHARGED, ("Refund", 4_200, "Initial")], []),
        ([CHARGED, ("Chargeback", 4_200, "Success")], []),
        ([CHARGED], [order()]),
        ([CHARGED], [order(), cart("Ordered")]),
        ([CHARGED, ("Refund", 4_200, "Success")], [order(state="Cancelled")]),
        ([CHARGED], [order(), order(id="order-2", state="Cancelled")]),
    ],
)
def test_this_is_settled(transactions: list[tuple[str, int, str]], uses: list[Use]) -> None:
    assert found(paid(*transactions), *uses) == []


@pytest.mark.parametrize(
    ("payment", "uses"),
    [
        (paid(CHARGED, at=LATELY), []),
        (paid(CHARGED), [cart(at=LATELY)]),
        (paid(CHARGED), [order(1, modified_at=LATELY)]),
    ],
    ids=["payment", "cart", "order"],
)
def test_where_somebody_was_lately_nothing_is_missed_yet(payment: Payment, uses: list[Use]) -> None:
    assert found(payment, *uses) == []


def test_the_order_of_an_open_cart_is_to_be_placed() -> None:
    [each] = found(paid(CHARGED), cart("Merged"), cart("Active"))
    assert (each.name, each.repair) == ("payment-unmatched", Placing("cart-1", "payment-1", 4_200))


def test_an_open_cart_may_be_paid_by_several_payments() -> None:
    half, rest = paid(("Charge", 2_100, "Success")), paid(("Charge", 2_100, "Success"), id="payment-2")
    [each] = found(half, cart(), others=(rest,))
    assert each.repair == Placing("cart-1", "payment-1", 2_100)


@pytest.mark.parametrize(
    ("cents", "currency"), [(4_199, "EUR"), (4_200, "USD")], ids=["too little", "another currency"]
)
def test_a_cart_that_is_not_paid_for_is_not_ordered(cents: int, currency: str) -> None:
    [each] = found(paid(("Charge", cents, "Success")), cart()._replace(currency=currency))
    assert each.repair == Refunding("payment-1", cents)


@pytest.mark.parametrize("uses", [(), (cart("Merged"),)], ids=["no cart", "merged"])
def test_money_without_a_cart_goes_back(uses: tuple[Use, ...]) -> None:
    [each] = found(paid(CHARGED, ("Refund", 200, "Success")), *uses)
    assert (each.name, each.repair) == ("payment-unmatched", Refunding("payment-1", 4_000))


def test_money_of_an_order_that_is_not_there_waits_for_a_person() -> None:
    [each] = found(paid(CHARGED), cart("Ordered"))
    assert (each.name, each.repair) == ("payment-unmatched", None)


def test_what_was_paid_too_much_goes_back_from_the_latest_payment_that_has_it() -> None:
    first, second = paid(CHARGED), paid(("Charge", 200, "Success"), id="payment-2", at=NOW - timedelta(minutes=30))
    both = order(4_100, payments=("payment-1", "payment-2", "gone"))
    [each] = found(first, both, others=(second,))
    assert (each.name, each.subject, each.repair) == ("payment-twice", "order-1", Refunding("payment-2", 200))
    [each] = found(first, order(4_100))
    assert (each.name, each.repair) == ("payment-amount", Refunding("payment-1", 100))


@pytest.mark.parametrize(
    ("payment", "use", "expected"),
    [
        (paid(CHARGED), order(4_201), ["payment-amount"]),
        (paid(CHARGED), order(4_201, payment_state="Paid"), ["payment-amount"]),
        (paid(CHARGED), order(4_201, payment_state="BalanceDue"), []),
        (paid(CHARGED, ("Charge", 1, "Initial")), order(4_201), []),
        (paid(CHARGED, ("Authorization", 4_201, "Success")), order(4_201), []),
        (paid(CHARGED), order(4_200, currency="USD"), ["payment-amount"]),
    ],
    ids=["nothing comes", "called paid", "known", "under way", "authorized", "another currency"],
)
def test_too_little_is_missed_where_nothing_more_is_to_come(payment: Payment, use: Use, expected: list[str]) -> None:
    assert names(payment, use) == expected
    assert all(each.repair is None for each in found(payment, use))


def test_money_of_a_cancelled_order_goes_back() -> None:
    [each] = found(paid(CHARGED), order(state="Cancelled"))
    assert (each.name, each.repair) == ("payment-after-cancel", Refunding("payment-1", 4_200))


def test_one_payment_does_not_pay_two_orders() -> None:
    assert names(paid(CHARGED), order(), order(id="order-2")) == ["payment-shared"]


@pytest.mark.parametrize(
    "transactions",
    [[("Authorization", 4_000, "Success"), CHARGED], [CHARGED, ("Refund", 4_201, "Success")]],
    ids=["charged", "refunded"],
)
def test_more_than_there_was_is_told_whoever_it_pays(transactions: list[tuple[str, int, str]]) -> None:
    assert "payment-excess" in names(paid(*transactions), order())
