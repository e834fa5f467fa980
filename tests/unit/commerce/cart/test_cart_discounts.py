"""Cart discounts on carts: which apply, in which order, and what is left when they go."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import DE, a_cart, a_price, a_product, add, as_json, changed, eur, sku
from tests.unit.commerce.builders.cart_discount import (
    SHIPPING,
    TOTAL,
    a_code,
    a_discount,
    gift_of,
    less,
    off,
    shop,
)

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.discount_shapes import GiftValue
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.rules.totals import recalculated
from holdfast.commerce.values.reference import Reference

STANDARD = {"typeId": "shipping-method", "id": "standard"}
RECALCULATE = {"action": "recalculate"}


def filled(facts: Facts, *lines: dict[str, Any], **more: Any) -> Cart:
    """A cart of two shirts (1190 each) on its way to Germany (490), unless said otherwise."""
    given = {"lineItems": list(lines) or [sku("shirt", 2)], "shippingAddress": DE, "shippingMethod": STANDARD, **more}
    return a_cart(facts, **given)


def totals(cart: Cart) -> list[int]:
    return [item.total_price.cent_amount for item in cart.items]


def test_an_automatic_discount_applies_to_a_new_cart_and_says_so() -> None:
    cart = filled(shop(a_discount()))
    line = as_json(cart)["lineItems"][0]
    assert line["discountedPricePerQuantity"] == [
        {
            "quantity": 2,
            "discountedPrice": {
                "value": {"type": "centPrecision", "currencyCode": "EUR", "centAmount": 1071, "fractionDigits": 2},
                "includedDiscounts": [
                    {
                        "discount": {"typeId": "cart-discount", "id": "ten"},
                        "discountedAmount": {
                            "type": "centPrecision",
                            "currencyCode": "EUR",
                            "centAmount": 119,
                            "fractionDigits": 2,
                        },
                    }
                ],
            },
        }
    ]
    assert (line["totalPrice"]["centAmount"], line["taxedPrice"]["totalGross"]["centAmount"]) == (2142, 2142)
    assert cart.total_price.cent_amount == 2142 + 490


@pytest.mark.parametrize(
    "more",
    [
        {"isActive": False},
        {"requiresDiscountCode": True},
        {"cartPredicate": 'totalPrice > "50.00 EUR"'},
        {"validFrom": "2026-02-01T00:00:00.000Z"},
        {"validUntil": "2026-01-31T10:00:00.000Z"},
        {"stores": [{"typeId": "store", "key": "boutique"}]},
        {"recurringOrderScope": {"type": "RecurringOrdersOnly"}},
    ],
)
def test_a_discount_that_is_not_for_this_cart_leaves_it_alone(more: dict[str, Any]) -> None:
    discount = a_discount(**more)
    facts = shop(discount) if "recurringOrderScope" not in more else shop(replace(discount, is_active=False))
    assert totals(filled(facts)) == [2380]


def test_a_discount_for_a_store_applies_there() -> None:
    facts = shop(a_discount(stores=[{"typeId": "store", "key": "boutique"}]))
    assert totals(filled(facts, store={"typeId": "store", "key": "boutique"})) == [2142]


def test_higher_sort_orders_come_first_and_each_works_on_the_rest() -> None:
    later, first = a_discount("later", off(5000), sortOrder="0.25"), a_discount("first", less(380), sortOrder="0.3")
    cart = filled(shop(later, first))
    (lot,) = cart.line_items[0].discounted_price_per_quantity
    taken = [(part.discount.id, part.discounted_amount.cent_amount) for part in lot.discounted_price.included_discounts]
    assert taken == [("first", 190), ("later", 500)]
    assert totals(cart) == [1000]


@pytest.mark.parametrize(("predicate", "total"), [("1 = 1", 1190), ('sku = "nothing"', 1071 * 2)])
def test_a_final_discount_ends_the_chain_only_where_it_applied(predicate: str, total: int) -> None:
    target = {"type": "lineItems", "predicate": predicate}
    final = a_discount("half", off(5000), target=target, sortOrder="0.9", stackingMode="StopAfterThisDiscount")
    assert totals(filled(shop(final, a_discount()))) == [total]


@pytest.mark.parametrize("target", [SHIPPING, TOTAL])
def test_a_final_discount_on_shipping_or_the_total_ends_the_chain_too(target: dict[str, Any]) -> None:
    final = a_discount("final", off(1000), target=target, sortOrder="0.9", stackingMode="StopAfterThisDiscount")
    cart = filled(shop(final, a_discount()))
    assert totals(cart) == [2380]
    assert cart.total_price.cent_amount == (2380 + 441 if target == SHIPPING else 2583)


def test_predicates_see_the_cart_as_it_would_be_without_discounts() -> None:
    facts = shop(a_discount(value=off(5000), cartPredicate='totalPrice > "20.00 EUR" and lineItemCount(1 = 1) = 2'))
    cart = filled(facts)
    assert totals(cart) == [1190]
    assert changed(cart, RECALCULATE, facts=facts) == cart
    taxed = shop(a_discount(value=off(5000), cartPredicate='taxedPrice.gross > "25.00 EUR"'))
    half = filled(taxed)
    assert totals(half) == [1190]
    assert recalculated(half, taxed) == half


def test_predicates_of_targets_know_the_categories_of_products() -> None:
    shirt = a_product("shirt", a_price(1190))
    current = replace(
        shirt.master_data.current,
        categories=({"typeId": "category", "id": "sale"},),
    )
    sold = replace(shirt, master_data=replace(shirt.master_data, current=current))
    target = {"type": "lineItems", "predicate": 'categories.id = "sale"'}
    facts = shop(sold, a_discount(target=target))
    assert totals(filled(facts, sku("shirt"), sku("book"))) == [1071, 1070]


def test_what_is_off_the_total_comes_last_and_is_kept_by_a_frozen_cart() -> None:
    facts = shop(a_discount(), a_discount("voucher", less(500), target=TOTAL, sortOrder="0.9"))
    cart = filled(facts)
    assert cart.total_price.cent_amount == 2142 + 490 - 500
    assert cart.discount_on_total_price is not None
    frozen = changed(cart, {"action": "freezeCart"}, facts=facts)
    without = shop()
    kept = changed(frozen, {"action": "setKey", "key": "frozen"}, facts=without)
    assert (kept.total_price, kept.taxed_price, kept.line_items) == (
        cart.total_price,
        cart.taxed_price,
        cart.line_items,
    )
    thawed = changed(kept, {"action": "unfreezeCart"}, facts=without)
    assert (thawed.total_price.cent_amount, thawed.discount_on_total_price) == (2380 + 490, None)


def test_a_discount_that_ends_is_gone_with_the_next_change() -> None:
    cart = filled(shop(a_discount(), a_discount("ship", off(5000), target=SHIPPING, sortOrder="0.1")))
    assert cart.total_price.cent_amount == 2142 + 245
    plain = changed(cart, RECALCULATE)
    assert (plain.total_price.cent_amount, plain.line_items[0].discounted_price_per_quantity) == (2870, ())
    assert plain.shipping_info is not None
    assert plain.shipping_info.discounted_price is None


def test_direct_discounts_take_the_place_of_cart_discounts() -> None:
    facts = shop(a_discount())
    direct = {"action": "setDirectDiscounts", "discounts": [{"value": off(5000), "target": TOTAL}]}
    cart = changed(filled(facts), direct, facts=facts)
    assert (totals(cart), cart.total_price.cent_amount) == ([2380], 1435)


def test_multi_buys_discount_units_across_lines() -> None:
    target = {
        "type": "multiBuyLineItems",
        "predicate": "1 = 1",
        "triggerQuantity": 3,
        "discountedQuantity": 1,
        "selectionMode": "Cheapest",
    }
    cart = filled(shop(a_discount(value=off(10_000), target=target)), sku("shirt", 2), sku("book", 2))
    assert totals(cart) == [2380, 1070]
    lots = cart.line_items[1].discounted_price_per_quantity
    assert [(lot.quantity, lot.discounted_price.value.cent_amount) for lot in lots] == [(1, 0), (1, 1070)]
    taxed = cart.line_items[1].taxed_price
    assert taxed is not None
    assert taxed.total_gross.cent_amount == 1070


def test_multi_buys_work_on_direct_discounts_and_custom_items_alike() -> None:
    target = {
        "type": "multiBuyCustomLineItems",
        "predicate": "1 = 1",
        "triggerQuantity": 2,
        "discountedQuantity": 1,
        "selectionMode": "MostExpensive",
    }
    fee = {"name": {"en": "x"}, "slug": "fee", "quantity": 3, "money": eur(100), "priceMode": "Standard"}
    cart = filled(shop(), customLineItems=[{**fee, "taxCategory": {"typeId": "tax-category", "id": "normal"}}])
    direct = {"action": "setDirectDiscounts", "discounts": [{"value": off(10_000), "target": target}]}
    assert totals(changed(cart, direct)) == [2380, 200]


# --- gifts ---------------------------------------------------------------------------------


def test_a_gift_is_a_line_at_its_price_for_nothing() -> None:
    facts = shop(a_discount("gift", gift_of("book")))
    cart = filled(facts)
    shirt, book = cart.line_items
    assert (shirt.line_item_mode, book.line_item_mode, book.quantity) == ("Standard", "GiftLineItem", 1)
    assert (book.price.value.cent_amount, book.total_price.cent_amount) == (1070, 0)
    assert book.taxed_price is not None
    assert book.tax_rate is not None
    assert cart.total_price.cent_amount == 2380 + 490
    assert changed(cart, RECALCULATE, facts=facts) == cart


def test_gifts_count_in_no_predicate_and_take_no_discount() -> None:
    more = a_discount("more", cartPredicate="lineItemCount(1 = 1) = 2", sortOrder="0.1")
    cart = filled(shop(a_discount("gift", gift_of()), more))
    assert totals(cart) == [2142, 0]


def test_a_bought_unit_does_not_join_the_gift() -> None:
    facts = shop(a_discount("gift", gift_of()))
    cart = changed(filled(facts), add("book"), facts=facts)
    assert [(line.variant.sku, line.line_item_mode) for line in cart.line_items] == [
        ("shirt", "Standard"),
        ("book", "GiftLineItem"),
        ("book", "Standard"),
    ]


def test_a_removed_gift_stays_away() -> None:
    facts = shop(a_discount("gift", gift_of()))
    cart = filled(facts)
    gone = changed(cart, {"action": "removeLineItem", "lineItemId": cart.line_items[1].id}, facts=facts)
    assert as_json(gone)["refusedGifts"] == [{"typeId": "cart-discount", "id": "gift"}]
    assert [line.variant.sku for line in changed(gone, RECALCULATE, facts=facts).line_items] == ["shirt"]


def test_a_gift_goes_with_its_discount() -> None:
    cart = filled(shop(a_discount("gift", gift_of())))
    assert [line.variant.sku for line in changed(cart, RECALCULATE).line_items] == ["shirt"]


def test_a_gift_without_a_price_in_this_cart_is_not_given() -> None:
    facts = shop(a_product("book", a_price(1000, "USD")), a_discount("gift", gift_of()))
    assert len(filled(facts).line_items) == 1


@pytest.mark.parametrize("gone", ["product", "variant"])
def test_a_gift_that_is_no_longer_made_is_not_given(gone: str) -> None:
    discount = a_discount("gift", gift_of())
    assert isinstance(discount.value, GiftValue)
    nothing = Reference(type_id="product", id="gone")
    value = replace(discount.value, product=nothing) if gone == "product" else replace(discount.value, variant_id=9)
    assert len(filled(shop(replace(discount, value=value))).line_items) == 1


@pytest.mark.parametrize(
    "action",
    [
        {"action": "changeLineItemQuantity", "quantity": 2},
        {"action": "setLineItemPrice", "externalPrice": eur(100)},
        {"action": "setLineItemTotalPrice", "externalTotalPrice": {"price": eur(1), "totalPrice": eur(1)}},
    ],
)
def test_a_gift_can_only_be_removed(action: dict[str, Any]) -> None:
    facts = shop(a_discount("gift", gift_of()))
    cart = filled(facts)
    with pytest.raises(InvalidOperation):
        changed(cart, action | {"lineItemId": cart.line_items[1].id}, facts=facts)


def test_a_gift_may_come_with_a_code() -> None:
    facts = shop(a_discount("gift", gift_of(), requiresDiscountCode=True), a_code("FREE", "gift"))
    cart = changed(filled(facts), {"action": "addDiscountCode", "code": "FREE"}, facts=facts)
    assert [line.line_item_mode for line in cart.line_items] == ["Standard", "GiftLineItem"]
