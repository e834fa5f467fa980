"""Every checker finds the violation it is for, planted behind the API's back, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from tests.audit.conftest import Desk

from holdfast.base.ids import uuid7
from holdfast.store.audit.check import Finding
from holdfast.store.bodies import packed


async def test_a_shop_that_sold_has_no_findings(desk: Desk) -> None:
    sku, _ = await desk.sku()
    paid = await desk.payment(("Authorization", 2380, "Success"), ("Charge", 2380, "Success"))
    order = await desk.order(await desk.pay(await desk.cart(sku), paid), orderNumber="N-1")
    await desk.order(await desk.cart(sku, 3))
    await desk.cart(sku)
    await desk.update("/orders", order, {"action": "changeOrderState", "orderState": "Confirmed"})
    assert await desk.audit() == []


async def only_finding(desk: Desk, check: str) -> Finding:
    """The one finding of an audit, which must be of this check."""
    findings = await desk.audit()
    assert [finding.check for finding in findings] == [check], findings
    return findings[0]


# --- documents -----------------------------------------------------------------------------


async def test_a_damaged_body_is_found(desk: Desk) -> None:
    await desk.create("/zones", {"key": "zone", "name": "z" * 2000})
    [row] = await desk.sql("SELECT id::text AS id, body FROM zone WHERE project = $1", desk.project)
    damaged = bytearray(row["body"])
    damaged[-6] ^= 1
    await desk.sql("UPDATE zone SET body = $2 WHERE id = $1", row["id"], bytes(damaged))
    assert (await only_finding(desk, "body-damaged")).subject == row["id"]


async def test_a_body_of_another_version_is_found(desk: Desk) -> None:
    zone = await desk.create("/zones", {"key": "zone", "name": "Zone"})
    await desk.sql("UPDATE zone SET version = 7 WHERE id = $1", zone["id"])
    assert "row says" in (await only_finding(desk, "version")).detail


async def test_a_searchable_document_that_differs_from_the_body_is_found(desk: Desk) -> None:
    zone = await desk.create("/zones", {"key": "zone", "name": "Zone"})
    await desk.sql('UPDATE zone SET query = query || \'{"name": "Other"}\' WHERE id = $1', zone["id"])
    assert (await only_finding(desk, "searchable")).detail == "differs in name"


async def test_a_unique_value_that_nobody_owns_is_found(desk: Desk) -> None:
    zone = await desk.create("/zones", {"key": "zone", "name": "Zone"})
    await desk.sql("DELETE FROM unique_value WHERE id = $1", zone["id"])
    assert (await only_finding(desk, "unique-value-missing")).detail == "key = zone belongs to nobody"


async def test_an_order_number_on_two_orders_is_found(desk: Desk) -> None:
    sku, _ = await desk.sku()
    first = await desk.order(await desk.cart(sku), orderNumber="N-1")
    second = await desk.order(await desk.cart(sku))
    await desk.rewrite("order", second["id"], lambda body: body.update(orderNumber="N-1"))
    finding = await only_finding(desk, "unique-value-missing")
    assert (finding.subject, finding.detail) == (second["id"], f"orderNumber = N-1 belongs to {first['id']} as well")


async def test_a_value_its_owner_does_not_have_is_found(desk: Desk) -> None:
    zone = await desk.create("/zones", {"key": "zone", "name": "Zone"})
    await desk.sql("UPDATE unique_value SET value = 'other' WHERE id = $1", zone["id"])
    assert await desk.names() == ["unique-value-missing", "unique-value-stale"]


async def test_a_value_whose_owner_is_gone_is_found(desk: Desk) -> None:
    zone = await desk.create("/zones", {"key": "zone", "name": "Zone"})
    await desk.sql("DELETE FROM zone WHERE id = $1", zone["id"])
    assert (await only_finding(desk, "unique-value-orphan")).subject == "key=zone"


async def test_a_reference_that_is_not_kept_is_found(desk: Desk) -> None:
    await desk.sku()
    await desk.sql("DELETE FROM reference WHERE project = $1 AND target_kind = 'tax-category'", desk.project)
    await only_finding(desk, "reference-missing")


async def test_a_reference_to_nothing_is_found(desk: Desk) -> None:
    await desk.sku()
    await desk.sql("DELETE FROM tax_category WHERE project = $1", desk.project)
    await desk.sql("DELETE FROM unique_value WHERE project = $1 AND kind = 'tax-category'", desk.project)
    await only_finding(desk, "reference-dangling")


async def test_a_gap_in_the_messages_is_found(desk: Desk) -> None:
    sku, _ = await desk.sku()
    order = await desk.order(await desk.cart(sku))
    for state in ("Confirmed", "Complete"):
        order = await desk.update("/orders", order, {"action": "changeOrderState", "orderState": state})
    await desk.sql("DELETE FROM outbox WHERE resource_id = $1 AND sequence_number = 2", order["id"])
    assert (await only_finding(desk, "message-numbers")).subject == order["id"]


async def test_a_message_too_many_is_found(desk: Desk) -> None:
    sku, _ = await desk.sku()
    order = await desk.order(await desk.cart(sku))
    await desk.sql(
        "INSERT INTO outbox (project, kind, resource_id, sequence_number, id, resource_version, type, created_at, body)"
        " SELECT project, kind, resource_id, 2, gen_random_uuid(), 2, 'OrderStateChanged', now(), body"
        " FROM outbox WHERE resource_id = $1",
        order["id"],
    )
    await only_finding(desk, "message-numbers")


# --- orders and carts ----------------------------------------------------------------------


async def test_an_order_that_vanished_is_found_by_what_was_told_of_it(desk: Desk) -> None:
    sku, _ = await desk.sku()
    order = await desk.order(await desk.cart(sku, inventoryMode="None"))
    await desk.sql('DELETE FROM "order" WHERE id = $1', order["id"])
    assert await desk.names() == ["cart-without-order", "order-lost"]


async def test_an_ordered_cart_without_its_order_is_found(desk: Desk) -> None:
    sku, _ = await desk.sku()
    cart = await desk.cart(sku)
    await desk.rewrite("cart", cart["id"], lambda body: body.update(cartState="Ordered"))
    assert (await only_finding(desk, "cart-without-order")).subject == cart["id"]


async def test_an_order_that_was_deleted_is_not_missed(desk: Desk) -> None:
    sku, _ = await desk.sku()
    order = await desk.order(await desk.cart(sku))
    assert (await desk.send("DELETE", f"/orders/{order['id']}?version=1")).status_code == 200
    assert await desk.audit() == []


async def test_a_second_order_of_a_cart_is_found(desk: Desk) -> None:
    sku, _ = await desk.sku()
    order = await desk.order(await desk.cart(sku, inventoryMode="None"))
    twin = uuid7()
    await desk.sql(
        'INSERT INTO "order" (project, id, version, sequence_number, created_at, modified_at, body, query)'
        ' SELECT project, $2, version, 1, created_at, modified_at, body, query FROM "order" WHERE id = $1',
        order["id"],
        twin,
    )
    await desk.sql(
        "INSERT INTO outbox (project, kind, resource_id, sequence_number, id, resource_version, type, created_at, body)"
        " SELECT project, kind, $2, 1, $3, 1, type, now(), body FROM outbox WHERE resource_id = $1",
        order["id"],
        twin,
        uuid7(),
    )
    await desk.rewrite("order", twin, lambda body: body.update(id=twin))
    finding = await only_finding(desk, "order-identity")
    assert finding.subject == twin
    assert f"is order {order['id']} as well" in finding.detail


async def test_a_cart_that_became_an_order_and_can_be_changed_is_found(desk: Desk) -> None:
    sku, _ = await desk.sku()
    cart = await desk.cart(sku)
    order = await desk.order(cart)
    await desk.rewrite("cart", cart["id"], lambda body: body.update(cartState="Active"))
    assert (await only_finding(desk, "cart-state")).subject == order["id"]


async def test_an_order_nobody_was_told_of_is_found(desk: Desk) -> None:
    sku, _ = await desk.sku()
    order = await desk.order(await desk.cart(sku))
    await desk.sql("UPDATE outbox SET type = 'OrderStateChanged' WHERE resource_id = $1", order["id"])
    assert (await only_finding(desk, "order-untold")).subject == order["id"]


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("order", lambda body: body["totalPrice"].update(centAmount=2381)),
        ("order", lambda body: body["lineItems"][0]["totalPrice"].update(centAmount=2379)),
        ("order", lambda body: body["taxedPrice"]["taxPortions"][0]["amount"].update(centAmount=1)),
        ("order", lambda body: body["taxedPrice"]["totalGross"].update(centAmount=2381)),
        ("cart", lambda body: body["lineItems"][0].update(quantity=3)),
    ],
    ids=["total", "line", "tax portions", "gross", "quantity"],
)
async def test_a_cent_too_much_or_too_little_is_found(desk: Desk, kind: str, wrong: Any) -> None:
    sku, _ = await desk.sku()
    cart = await desk.cart(sku)
    sold = await desk.order(cart) if kind == "order" else cart
    await desk.rewrite(kind, sold["id"], wrong)
    assert (await only_finding(desk, "totals")).subject == sold["id"]


# --- stock ---------------------------------------------------------------------------------


async def test_counters_that_are_not_the_sum_of_their_movements_are_found(desk: Desk) -> None:
    _, entry = await desk.sku()
    await desk.sql("UPDATE stock SET on_stock = on_stock + 1 WHERE entry_id = $1", entry["id"])
    finding = await only_finding(desk, "stock-ledger")
    assert finding.detail == "on stock 11, reserved 0; the ledger says 10 and 0"


async def test_reserved_units_that_nobody_holds_are_found(desk: Desk) -> None:
    sku, entry = await desk.sku()
    await desk.order(await desk.cart(sku))
    await desk.sql("UPDATE stock SET reserved = reserved + 1 WHERE entry_id = $1", entry["id"])
    await desk.sql(
        "INSERT INTO stock_ledger (project, entry_id, at, movement, on_stock, reserved, reference_kind, reference_id,"
        " reference_version) VALUES ($1, $2, now(), 'reserve', 0, 1, 'order', $2, 1)",
        desk.project,
        entry["id"],
    )
    assert (await only_finding(desk, "stock-holdings")).detail == "reserved 3, held 2"


async def test_an_oversold_entry_is_found(desk: Desk) -> None:
    _, entry = await desk.sku(0)
    [row] = await desk.sql(
        "SELECT conname, pg_get_constraintdef(oid) AS text FROM pg_constraint"
        " WHERE conrelid = 'stock'::regclass AND contype = 'c' AND pg_get_constraintdef(oid) LIKE '%unguarded%'"
    )
    await desk.sql(f"ALTER TABLE stock DROP CONSTRAINT {row['conname']}")
    try:
        await desk.sql("UPDATE stock SET on_stock = -1 WHERE entry_id = $1", entry["id"])
        await desk.sql("UPDATE stock_ledger SET on_stock = -1 WHERE entry_id = $1", entry["id"])
        await only_finding(desk, "stock-levels")
    finally:
        await desk.sql("UPDATE stock SET on_stock = 0 WHERE entry_id = $1", entry["id"])
        await desk.sql(f"ALTER TABLE stock ADD CONSTRAINT {row['conname']} {row['text']}")


# --- discount codes ------------------------------------------------------------------------


async def test_a_code_used_more_often_than_counted_is_found(desk: Desk) -> None:
    sku, _ = await desk.sku()
    discount = await desk.create(
        "/cart-discounts",
        {
            "name": {"en": "10 %"},
            "value": {"type": "relative", "permyriad": 1000},
            "cartPredicate": "1 = 1",
            "target": {"type": "lineItems", "predicate": "1 = 1"},
            "sortOrder": f"0.{desk.number()}",
            "requiresDiscountCode": True,
        },
    )
    code = await desk.create(
        "/discount-codes",
        {"code": "TEN", "maxApplications": 1, "cartDiscounts": [{"typeId": "cart-discount", "id": discount["id"]}]},
    )
    await desk.order(await desk.cart(sku, discountCodes=["TEN"]))
    assert await desk.audit() == []
    await desk.sql("UPDATE tally SET used = 0 WHERE project = $1", desk.project)
    finding = await only_finding(desk, "code-uses")
    assert (finding.subject, finding.detail) == (code["id"], "counted 0, orders 1")


async def test_money_taken_off_a_gift_card_that_nobody_counted_is_found(desk: Desk) -> None:
    card = await desk.create(
        "/gift-cards", {"code": "CARD-0001", "amount": {"currencyCode": "EUR", "centAmount": 5000}}
    )
    amount = {"currencyCode": "EUR", "centAmount": 2000}
    payment = await desk.create(
        "/payments",
        {
            "amountPlanned": amount,
            "paymentMethodInfo": {"paymentInterface": "gift-card", "token": {"value": "CARD-0001"}},
            "transactions": [{"type": "Charge", "amount": amount, "state": "Initial"}],
        },
    )
    refund = {"type": "Refund", "amount": amount | {"centAmount": 500}}
    await desk.update("/payments", payment, {"action": "addTransaction", "transaction": refund})
    assert await desk.audit() == []
    await desk.sql("UPDATE tally SET used = 0 WHERE project = $1", desk.project)
    finding = await only_finding(desk, "card-uses")
    assert (finding.subject, finding.detail) == (card["id"], "counted 0, charged 1500")


# --- kept replies --------------------------------------------------------------------------


async def test_a_reply_about_an_order_that_is_not_there_is_found(desk: Desk) -> None:
    await desk.sql(
        "INSERT INTO idempotency (project, client_id, key, fingerprint, status, kind, resource_id, version, body)"
        " VALUES ($1, 'client', 'key', '', 201, 'order', $2, 1, '{}')",
        desk.project,
        uuid7(),
    )
    assert (await only_finding(desk, "reply-without-order")).detail == "idempotency key key"


async def test_a_reply_that_cannot_be_read_is_found(desk: Desk) -> None:
    zone = await desk.create("/zones", {"key": "zone", "name": "Zone"})
    damaged = bytearray(packed(b"z" * 2000))
    damaged[-1] ^= 1
    await desk.sql(
        "INSERT INTO idempotency (project, client_id, key, fingerprint, status, kind, resource_id, version, body)"
        " VALUES ($1, 'client', 'key', '', 201, 'zone', $2, 1, $3)",
        desk.project,
        zone["id"],
        bytes(damaged),
    )
    await only_finding(desk, "reply-damaged")
