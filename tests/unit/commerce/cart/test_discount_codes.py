"""Discount codes on carts: the states they are in, and what ordering counts."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import DE, a_cart, as_json, changed, sku
from tests.unit.commerce.builders.cart_discount import a_code, a_discount, off, shop
from tests.unit.commerce.builders.order import CART_ID, placed

from holdfast.base.errors import (
    DiscountCodeNonApplicable,
    InvalidOperation,
    MaxResourceLimitExceeded,
    PriceChanged,
)
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.resources.customer.shape import Customer

BY_CODE = a_discount(requiresDiscountCode=True)
ADA = Customer(id="ada", email="ada@example.com", authentication_mode="Password")
FUTURE, PAST = "2026-02-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"


def adding(code: str) -> dict[str, Any]:
    return {"action": "addDiscountCode", "code": code}


def with_codes(facts: Facts, *codes: str, **more: Any) -> Cart:
    given = {"lineItems": [sku("shirt", 2)], "shippingAddress": DE, **more}
    return replace(a_cart(facts, discountCodes=list(codes), **given), id=CART_ID)


def states(cart: Cart) -> list[str]:
    return [info.state for info in cart.discount_codes]


def test_a_code_brings_its_discounts_and_takes_them_along() -> None:
    facts = shop(BY_CODE, a_code())
    cart = changed(with_codes(facts), adding("SALE"), facts=facts)
    assert as_json(cart)["discountCodes"] == [
        {"discountCode": {"typeId": "discount-code", "id": "sale"}, "state": "MatchesCart"}
    ]
    assert cart.total_price.cent_amount == 2142
    assert changed(cart, adding("SALE"), facts=facts) == cart
    removed = changed(
        cart,
        {"action": "removeDiscountCode", "discountCode": {"typeId": "discount-code", "id": "sale"}},
        facts=facts,
    )
    assert (removed.discount_codes, removed.total_price.cent_amount) == ((), 2380)


@pytest.mark.parametrize(
    ("code", "discount", "state"),
    [
        ({"is_active": False}, {}, "NotActive"),
        ({"cart_predicate": "lineItemCount(1 = 1) = 3"}, {}, "DoesNotMatchCart"),
        ({}, {"cartPredicate": "lineItemCount(1 = 1) = 3"}, "DoesNotMatchCart"),
        ({}, {"stores": [{"typeId": "store", "key": "boutique"}]}, "DoesNotMatchCart"),
        ({}, {"isActive": False}, "NotValid"),
        ({}, {"validFrom": FUTURE}, "NotValid"),
        ({"max_applications": 0}, {}, "MaxApplicationReached"),
        ({"max_applications": 3}, {}, "MatchesCart"),
    ],
)
def test_a_code_stays_on_the_cart_with_its_state(code: dict[str, Any], discount: dict[str, Any], state: str) -> None:
    facts = shop(a_discount(requiresDiscountCode=True, **discount), a_code(**code))
    cart = with_codes(facts, "SALE")
    assert states(cart) == [state]
    assert cart.total_price.cent_amount == (2142 if state == "MatchesCart" else 2380)


def test_a_code_whose_discounts_come_after_a_final_one_is_stopped() -> None:
    final = a_discount("final", off(500), sortOrder="0.9", stackingMode="StopAfterThisDiscount")
    facts = shop(final, BY_CODE, a_code())
    assert states(with_codes(facts, "SALE")) == ["ApplicationStoppedByPreviousDiscount"]


def test_a_code_that_is_deleted_is_not_valid_any_more() -> None:
    facts = shop(BY_CODE, a_code())
    cart = with_codes(facts, "SALE")
    gone = changed(cart, {"action": "recalculate"}, facts=shop(BY_CODE))
    assert (states(gone), gone.total_price.cent_amount) == (["NotValid"], 2380)


def test_a_limit_that_is_known_to_be_reached_shows_on_the_cart() -> None:
    facts = shop(BY_CODE, a_code(max_applications=3), used={"discount-code/sale": 3})
    assert states(with_codes(facts, "SALE")) == ["MaxApplicationReached"]


def test_a_limit_per_customer_binds_that_customer_only() -> None:
    facts = shop(BY_CODE, ADA, a_code(max_applications_per_customer=1), used={"discount-code/sale/ada": 1})
    assert states(with_codes(facts, "SALE", customerId="ada")) == ["MaxApplicationReached"]
    assert states(with_codes(facts, "SALE")) == ["MatchesCart"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("NOPE", "DoesNotExist"),
        ("EARLY", "TimeRangeNonApplicable"),
        ("LATE", "TimeRangeNonApplicable"),
    ],
)
def test_a_code_that_is_unknown_or_not_of_today_is_refused(code: str, reason: str) -> None:
    facts = shop(BY_CODE, a_code("EARLY", valid_from=FUTURE), a_code("LATE", valid_until=PAST))
    with pytest.raises(DiscountCodeNonApplicable) as refused:
        changed(with_codes(facts), adding(code), facts=facts)
    assert (refused.value.fields["reason"], refused.value.fields["discountCode"]) == (reason, code)
    with pytest.raises(DiscountCodeNonApplicable):
        with_codes(facts, code)


def test_a_cart_has_ten_codes_at_most() -> None:
    codes = [a_code(f"CODE{number}") for number in range(11)]
    facts = shop(BY_CODE, *codes)
    cart = with_codes(facts, *(code.code for code in codes[:10]))
    assert changed(cart, adding("CODE3"), facts=facts) == cart
    with pytest.raises(MaxResourceLimitExceeded):
        changed(cart, adding("CODE10"), facts=facts)


def test_codes_and_direct_discounts_exclude_each_other() -> None:
    facts = shop(BY_CODE, a_code())
    direct = {"action": "setDirectDiscounts", "discounts": [{"value": off(1), "target": {"type": "totalPrice"}}]}
    with pytest.raises(InvalidOperation):
        changed(with_codes(facts, "SALE"), direct, facts=facts)
    with pytest.raises(InvalidOperation):
        changed(changed(with_codes(facts), direct, facts=facts), adding("SALE"), facts=facts)


# --- ordering ------------------------------------------------------------------------------


def test_an_order_counts_each_code_once_in_all_and_by_customer() -> None:
    facts = shop(BY_CODE, ADA, a_code(max_applications=5, max_applications_per_customer=2), a_code("OTHER"))
    by_ada = placed(with_codes(facts, "SALE", "OTHER", customerId="ada"), facts)
    assert [(tally.name, tally.amount, tally.limit) for tally in by_ada.tallies] == [
        ("discount-code/sale", 1, 5),
        ("discount-code/sale/ada", 1, 2),
        ("discount-code/other", 1, None),
        ("discount-code/other/ada", 1, None),
    ]
    refusal = by_ada.tallies[0].refusal
    assert isinstance(refusal, DiscountCodeNonApplicable)
    assert refusal.fields == {"discountCode": "SALE", "discountCodeId": "sale", "reason": "MaxApplicationReached"}
    by_guest = placed(with_codes(facts, "SALE"), facts)
    assert [tally.name for tally in by_guest.tallies] == ["discount-code/sale"]


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ({"valid_until": PAST}, "TimeRangeNonApplicable"),
        ({"is_active": False}, "NotActive"),
        ({"cart_predicate": "lineItemCount(1 = 1) = 3"}, "DoesNotMatchCart"),
        ({"max_applications": 0}, "MaxApplicationReached"),
        (None, "DoesNotExist"),
    ],
)
def test_a_code_that_stopped_applying_stops_the_order(then: dict[str, Any] | None, reason: str) -> None:
    cart = with_codes(shop(BY_CODE, a_code()), "SALE")
    now = shop(BY_CODE, *([a_code(**then)] if then is not None else []))
    with pytest.raises(DiscountCodeNonApplicable) as refused:
        placed(cart, now)
    assert (refused.value.fields["discountCodeId"], refused.value.fields["reason"]) == ("sale", reason)


def test_a_frozen_cart_keeps_what_its_code_gave_and_still_counts() -> None:
    facts = shop(BY_CODE, a_code(max_applications=1))
    frozen = changed(with_codes(facts, "SALE"), {"action": "freezeCart"}, facts=facts)
    changed_order = placed(frozen, shop(BY_CODE, a_code(max_applications=1, valid_until=PAST)))
    assert changed_order.resource.total_price.cent_amount == 2142
    assert [(tally.name, tally.limit) for tally in changed_order.tallies] == [("discount-code/sale", 1)]


@pytest.mark.parametrize("before", [True, False])
def test_a_discount_or_gift_that_came_or_went_since_is_a_changed_price(before: bool) -> None:
    book = {"type": "giftLineItem", "product": {"typeId": "product", "id": "book-id"}, "variantId": 1}
    for discount in (a_discount(), a_discount(value=book)):
        then, now = (shop(discount), shop()) if before else (shop(), shop(discount))
        with pytest.raises(PriceChanged):
            placed(with_codes(then), now)


def test_shoppers_add_and_remove_codes_themselves() -> None:
    facts = shop(BY_CODE, a_code())
    cart = changed(with_codes(facts), adding("SALE"), facts=facts, my=True)
    assert states(cart) == ["MatchesCart"]
    gone = {"action": "removeDiscountCode", "discountCode": {"typeId": "discount-code", "id": "sale"}}
    assert changed(cart, gone, facts=facts, my=True).discount_codes == ()
