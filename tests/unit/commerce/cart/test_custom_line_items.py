from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commerce.builders.cart import DE, a_cart, changed, eur

from holdfast.base.errors import ApiError, DuplicateField, InvalidField, InvalidOperation, RequiredField
from holdfast.commerce.resources.cart.shape import Cart

NORMALLY = {"taxCategory": {"typeId": "tax-category", "id": "normal"}}
WRAP = {"name": {"en": "Wrap"}, "slug": "wrap", "money": eur(250), **NORMALLY}


def added(cart: Cart, **more: Any) -> Cart:
    return changed(cart, {"action": "addCustomLineItem", **WRAP, **more})


def a_wrapped_cart(**more: Any) -> Cart:
    return added(a_cart(shippingAddress=DE), **more)


def named(cart: Cart) -> dict[str, str]:
    return {"customLineItemId": cart.custom_line_items[0].id}


def test_a_custom_item_is_money_times_quantity_with_its_tax() -> None:
    (item,) = a_wrapped_cart(quantity=3).custom_line_items
    assert (item.total_price.cent_amount, item.price_mode) == (750, "Standard")
    assert item.taxed_price is not None
    assert item.taxed_price.total_net.cent_amount == 630
    assert [state.quantity for state in item.state] == [3]


def test_custom_items_do_not_count_as_line_items() -> None:
    assert a_wrapped_cart().total_line_item_quantity is None


def test_a_voucher_lowers_the_total() -> None:
    cart = a_wrapped_cart(slug="voucher", money=eur(-100))
    assert cart.total_price.cent_amount == -100
    assert cart.taxed_price is not None
    assert cart.taxed_price.total_net.cent_amount == -84


def test_adding_the_same_item_raises_its_quantity() -> None:
    cart = added(a_wrapped_cart(quantity=2), quantity=3)
    assert [(item.quantity, item.total_price.cent_amount) for item in cart.custom_line_items] == [(5, 1250)]


@pytest.mark.parametrize(
    "difference", [{"money": eur(251)}, {"name": {"en": "Other"}}, {"priceMode": "External"}, {"key": "own"}]
)
def test_a_slug_belongs_to_one_item(difference: dict[str, Any]) -> None:
    with pytest.raises(InvalidOperation):
        added(a_wrapped_cart(), **difference)


@pytest.mark.parametrize(("rate", "quantity"), [(None, 2), (0.1, 2), (0.2, None)])
def test_items_of_another_rate_from_outside_are_not_the_same(rate: float | None, quantity: int | None) -> None:
    outside = {"externalTaxRate": {"name": "x", "amount": 0.1, "country": "DE"}}
    cart = added(a_cart(taxMode="External"), **outside)
    more = {"externalTaxRate": {"name": "x", "amount": rate, "country": "DE"}} if rate is not None else {}
    if quantity is None:
        with pytest.raises(InvalidOperation):
            added(cart, **more)
    else:
        assert [item.quantity for item in added(cart, **more).custom_line_items] == [quantity]


def test_a_key_belongs_to_one_item() -> None:
    with pytest.raises(DuplicateField):
        added(a_wrapped_cart(key="mine"), slug="other", key="mine")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"taxCategory": None}, RequiredField),
        ({"money": {"currencyCode": "USD", "centAmount": 1}}, InvalidField),
        ({"externalTaxRate": {"name": "x", "amount": 0.1, "country": "DE"}}, InvalidOperation),
    ],
)
def test_an_item_that_does_not_fit_the_cart_is_refused(change: dict[str, Any], error: type[ApiError]) -> None:
    with pytest.raises(error):
        added(a_cart(), **change)


def test_without_the_platform_no_tax_category_is_needed() -> None:
    assert len(added(a_cart(taxMode="Disabled"), taxCategory=None).custom_line_items) == 1


@pytest.mark.parametrize(("quantity", "totals"), [(4, [1000]), (1, [250]), (0, [])])
def test_a_quantity_can_be_set_and_zero_removes_the_item(quantity: int, totals: list[int]) -> None:
    cart = a_wrapped_cart(quantity=2)
    after = changed(cart, {"action": "changeCustomLineItemQuantity", **named(cart), "quantity": quantity})
    assert [item.total_price.cent_amount for item in after.custom_line_items] == totals


def test_money_price_mode_and_presence_can_change() -> None:
    cart = a_wrapped_cart(quantity=2, key="mine")
    dearer = changed(cart, {"action": "changeCustomLineItemMoney", **named(cart), "money": eur(300)})
    assert dearer.total_price.cent_amount == 600
    external = changed(cart, {"action": "changeCustomLineItemPriceMode", **named(cart), "mode": "External"})
    assert external.custom_line_items[0].price_mode == "External"
    assert changed(cart, {"action": "removeCustomLineItem", "customLineItemKey": "mine"}).custom_line_items == ()


def test_custom_fields_can_be_set_and_changed() -> None:
    cart = a_wrapped_cart()
    gift = {"type": {"typeId": "type", "id": "gift"}, "fields": {"note": "a"}}
    cart = changed(
        cart,
        {"action": "setCustomLineItemCustomType", **named(cart), **gift},
        {"action": "setCustomLineItemCustomField", **named(cart), "name": "note", "value": "b"},
    )
    custom = cart.custom_line_items[0].custom
    assert custom is not None
    assert custom.fields == {"note": "b"}


@pytest.mark.parametrize("action", ["removeCustomLineItem", "changeCustomLineItemQuantity"])
def test_an_item_that_is_not_there_is_refused(action: str) -> None:
    with pytest.raises(InvalidOperation):
        changed(a_wrapped_cart(), {"action": action, "customLineItemId": "nobody", "quantity": 1})
    with pytest.raises(RequiredField):
        changed(a_wrapped_cart(), {"action": action, "quantity": 1})


@pytest.mark.parametrize(("units", "cents"), [(1, 0), (2, 1), (200, 100)])
def test_a_high_precision_amount_is_rounded_once(units: int, cents: int) -> None:
    half = {"type": "highPrecision", "currencyCode": "EUR", "preciseAmount": 5, "fractionDigits": 3}
    assert a_wrapped_cart(money=half, quantity=units).total_price.cent_amount == cents


def test_the_price_rounding_mode_decides_half_cents() -> None:
    half = {"type": "highPrecision", "currencyCode": "EUR", "preciseAmount": 5, "fractionDigits": 3}
    cart = a_wrapped_cart(money=half)
    assert cart.total_price.cent_amount == 0
    assert (
        changed(cart, {"action": "changePriceRoundingMode", "priceRoundingMode": "HalfUp"}).total_price.cent_amount == 1
    )
