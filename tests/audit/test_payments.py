"""Money that was captured ends as one order or as a refund; what does not is found and settled."""

from __future__ import annotations

from typing import Any

import pytest
from tests.audit.conftest import Desk

from holdfast.base.ids import order_id
from holdfast.delivery.mending import Mended, mend
from holdfast.store.audit.check import Finding
from holdfast.store.audit.payments import PAYMENTS
from holdfast.store.audit.reading import connect

PAID = ("Charge", 2380, "Success")


async def only_finding(desk: Desk, check: str) -> Finding:
    findings = await desk.audit()
    assert [finding.check for finding in findings] == [check], findings
    return findings[0]


async def mended(desk: Desk, finding: Finding) -> Mended:
    connection = await connect(desk.dsn)
    try:
        return await mend(desk.store, connection, PAYMENTS, finding)
    finally:
        await connection.close()


async def transactions(desk: Desk, payment: dict[str, Any]) -> list[tuple[str, int, str]]:
    found = await desk.get(f"/payments/{payment['id']}")
    return [(each["type"], each["amount"]["centAmount"], each["state"]) for each in found["transactions"]]


async def test_captured_money_that_nobody_names_is_found_and_sent_back(desk: Desk) -> None:
    payment = await desk.payment(PAID)
    assert await desk.audit() == []
    await desk.age(payment)
    finding = await only_finding(desk, "payment-unmatched")
    assert (finding.subject, finding.remedy) == (payment["id"], f"refund 2380 of payment {payment['id']}")
    done = await mended(desk, finding)
    assert done.done == f"asked for a refund of 2380 EUR of payment {payment['id']}"
    assert await transactions(desk, payment) == [PAID, ("Refund", 2380, "Initial")]
    assert await desk.audit() == []


async def test_a_refund_that_fails_is_found_again(desk: Desk) -> None:
    payment = await desk.payment(PAID, ("Refund", 2380, "Failure"))
    await desk.age(payment)
    await only_finding(desk, "payment-unmatched")


async def test_a_paid_cart_becomes_the_order_its_shopper_would_have_got(desk: Desk) -> None:
    sku, _ = await desk.sku()
    payment = await desk.payment(PAID)
    cart = await desk.pay(await desk.cart(sku), payment)
    assert await desk.audit() == []
    await desk.age(payment)
    finding = await only_finding(desk, "payment-unmatched")
    assert f"cart {cart['id']} over 2380 EUR never became an order" in finding.detail
    placed = order_id(desk.project, cart["id"])
    assert (await mended(desk, finding)).done == f"placed order {placed}"
    assert (await desk.order(cart))["id"] == placed
    assert await desk.audit() == []


async def test_a_paid_cart_that_cannot_be_ordered_is_refunded(desk: Desk) -> None:
    sku, _ = await desk.sku(1)
    payment = await desk.payment(PAID)
    cart = await desk.pay(await desk.cart(sku, 2), payment)
    await desk.age(payment)
    done = await mended(desk, await only_finding(desk, "payment-unmatched"))
    assert done.done == f"order not placed (OutOfStock), asked for a refund of 2380 EUR of payment {payment['id']}"
    assert (await desk.get(f"/carts/{cart['id']}"))["cartState"] == "Active"
    assert await desk.audit() == []


async def test_a_finding_is_mended_once(desk: Desk) -> None:
    payment = await desk.payment(PAID)
    await desk.age(payment)
    finding = await only_finding(desk, "payment-unmatched")
    assert (await mended(desk, finding)).done
    assert (await mended(desk, finding)).why_not == "it is gone already"
    assert await transactions(desk, payment) == [PAID, ("Refund", 2380, "Initial")]


async def test_an_order_paid_twice_is_found_and_the_later_payment_sent_back(desk: Desk) -> None:
    sku, _ = await desk.sku()
    first, second = await desk.payment(PAID), await desk.payment(PAID)
    order = await desk.order(await desk.pay(await desk.cart(sku), first, second))
    await desk.age(first, second)
    finding = (await desk.audit())[0]
    assert (finding.check, finding.subject) == ("payment-twice", order["id"])
    assert (await mended(desk, finding)).done == f"asked for a refund of 2380 EUR of payment {second['id']}"
    assert await desk.audit() == []


async def test_two_payments_that_make_the_price_together_are_fine(desk: Desk) -> None:
    sku, _ = await desk.sku()
    first, second = await desk.payment(("Charge", 2000, "Success")), await desk.payment(("Charge", 380, "Success"))
    await desk.order(await desk.pay(await desk.cart(sku), first, second))
    await desk.age(first, second)
    assert await desk.audit() == []


async def test_an_order_paid_too_much_is_found_and_the_rest_sent_back(desk: Desk) -> None:
    sku, _ = await desk.sku()
    payment = await desk.payment(("Charge", 2400, "Success"))
    order = await desk.order(await desk.pay(await desk.cart(sku), payment))
    await desk.age(payment)
    finding = await only_finding(desk, "payment-amount")
    assert (finding.subject, finding.detail) == (order["id"], "costs 2380 EUR, paid 2400")
    await mended(desk, finding)
    assert (await transactions(desk, payment))[-1] == ("Refund", 20, "Initial")
    assert await desk.audit() == []


@pytest.mark.parametrize(
    ("also", "draft", "found"),
    [
        ([], {}, ["payment-amount"]),
        ([("Authorization", 2380, "Success")], {}, []),
        ([("Charge", 1380, "Pending")], {}, []),
        ([], {"paymentState": "BalanceDue"}, []),
    ],
    ids=["nothing more comes", "authorized", "under way", "known"],
)
async def test_an_order_paid_too_little_is_found_when_nothing_more_is_to_come(
    desk: Desk, also: list[tuple[str, int, str]], draft: dict[str, str], found: list[str]
) -> None:
    sku, _ = await desk.sku()
    payment = await desk.payment(("Charge", 1000, "Success"), *also)
    await desk.order(await desk.pay(await desk.cart(sku), payment), **draft)
    await desk.age(payment)
    assert await desk.names() == found


async def test_money_kept_for_a_cancelled_order_is_found_and_sent_back(desk: Desk) -> None:
    sku, _ = await desk.sku()
    payment = await desk.payment(PAID)
    order = await desk.order(await desk.pay(await desk.cart(sku), payment))
    await desk.update("/orders", order, {"action": "changeOrderState", "orderState": "Cancelled"})
    await desk.age(payment)
    await mended(desk, await only_finding(desk, "payment-after-cancel"))
    assert await desk.audit() == []


async def test_a_payment_that_pays_two_orders_is_found(desk: Desk) -> None:
    sku, _ = await desk.sku()
    payment = await desk.payment(PAID)
    await desk.order(await desk.pay(await desk.cart(sku), payment))
    await desk.order(await desk.pay(await desk.cart(sku), payment))
    await desk.age(payment)
    finding = await only_finding(desk, "payment-shared")
    assert (await mended(desk, finding)).why_not == finding.remedy


@pytest.mark.parametrize(
    "beyond",
    [
        [("Authorization", 2000, "Success"), PAID],
        [PAID, ("Refund", 2381, "Success")],
    ],
    ids=["charged more than authorized", "refunded more than charged"],
)
async def test_more_than_there_was_is_found(desk: Desk, beyond: list[tuple[str, int, str]]) -> None:
    await desk.payment(*beyond)
    await only_finding(desk, "payment-excess")
