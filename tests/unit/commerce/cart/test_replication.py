"""Copies of carts, at the prices of today."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commerce.builders.cart import DE, a_cart, a_price, a_product, changed, eur, ordered, shop, sku
from tests.unit.commerce.builders.payment import a_payment

from holdfast.base.errors import ReferencedResourceNotFound
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.drafts import ReplicaCartDraft
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.values.reference import ResourceIdentifier

BY_STANDARD = {"typeId": "shipping-method", "id": "standard"}
GIFT = {"type": {"typeId": "type", "id": "gift"}, "fields": {"note": "hi"}}


def an_original() -> Cart:
    cart = a_cart(
        key="original",
        lineItems=[sku("shirt", 2, custom=GIFT), sku("book", externalPrice=eur(500))],
        shippingAddress=DE,
        shippingMethod=BY_STANDARD,
        custom=GIFT,
        anonymousId="guest",
        purchaseOrderNumber="PO1",
    )
    payment = {"action": "addPayment", "payment": {"typeId": "payment", "id": "pay"}}
    return ordered(changed(cart, payment, facts=shop(a_payment(id="pay"))))


def replica(original: Cart, facts: Facts | None = None, **draft: Any) -> Cart:
    reference = ResourceIdentifier(type_id="cart", id=original.id)
    return carts.created(ReplicaCartDraft(reference=reference, **draft), facts or shop(original)).resource


def test_a_copy_is_an_active_cart_with_the_same_goods_at_the_same_place() -> None:
    original = an_original()
    copy = replica(original)
    assert (copy.cart_state, copy.version, copy.id != original.id) == ("Active", 1, True)
    assert [(item.variant.sku, item.quantity, item.custom) for item in copy.line_items] == [
        (item.variant.sku, item.quantity, item.custom) for item in original.line_items
    ]
    assert (copy.shipping_address, copy.custom, copy.anonymous_id) == (
        original.shipping_address,
        original.custom,
        "guest",
    )
    assert (copy.total_price, copy.taxed_price) == (original.total_price, original.taxed_price)


def test_items_of_a_copy_are_new() -> None:
    original = an_original()
    assert not {item.id for item in original.line_items} & {item.id for item in replica(original).line_items}


def test_key_payments_and_order_number_stay_with_the_original() -> None:
    copy = replica(an_original(), key="copy")
    assert (copy.key, copy.payment_info, copy.purchase_order_number) == ("copy", None, None)


def test_a_copy_costs_what_it_costs_today() -> None:
    original = an_original()
    copy = replica(original, shop(original, a_product("shirt", a_price(1290))))
    assert [item.total_price.cent_amount for item in copy.line_items] == [2580, 500]


def test_what_is_not_there_cannot_be_copied() -> None:
    with pytest.raises(ReferencedResourceNotFound):
        replica(an_original(), shop())
