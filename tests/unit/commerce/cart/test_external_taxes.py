"""Taxes that come from outside: rates (External) and amounts (ExternalAmount)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commerce.builders.cart import DE, a_cart, add, changed, eur, sku

from holdfast.base.errors import InvalidField, InvalidOperation, RequiredField
from holdfast.commerce.resources.cart.shape import Cart, LineItem
from holdfast.commerce.values.taxed_price import TaxedPrice

RATE = {"name": "outside", "amount": 0.2, "country": "DE"}
BY_STANDARD = {"typeId": "shipping-method", "id": "standard"}
NO_CENTS = (None, None)


def only(cart: Cart) -> LineItem:
    (item,) = cart.line_items
    return item


def line(cart: Cart) -> dict[str, str]:
    return {"lineItemId": only(cart).id}


def net_and_gross(price: TaxedPrice | None) -> tuple[int | None, int | None]:
    return (price.total_net.cent_amount, price.total_gross.cent_amount) if price is not None else NO_CENTS


def an_external_cart(**draft: Any) -> Cart:
    return a_cart(**{"taxMode": "External", "lineItems": [sku("shirt", 2)], "shippingAddress": DE} | draft)


# --- rates ---------------------------------------------------------------------------------


def test_without_a_rate_from_outside_there_is_no_tax() -> None:
    cart = an_external_cart()
    assert (only(cart).tax_rate, cart.taxed_price) == (None, None)


def test_a_rate_comes_with_the_line_or_later_and_goes_again() -> None:
    drafted = an_external_cart(lineItems=[sku("shirt", 2, externalTaxRate=RATE)])
    action = {"action": "setLineItemTaxRate", **line(an_external_cart())}
    cart = an_external_cart()
    action = {"action": "setLineItemTaxRate", **line(cart)}
    later = changed(cart, action | {"externalTaxRate": RATE})
    for taxed in (drafted, later):
        assert net_and_gross(only(taxed).taxed_price) == net_and_gross(taxed.taxed_price) == (2380, 2856)
    rate = only(later).tax_rate
    assert rate is not None
    assert (rate.id, rate.included_in_price) == (None, False)
    gone = changed(later, action)
    assert (only(gone).tax_rate, gone.taxed_price) == (None, None)


def test_a_rate_from_outside_survives_price_changes_and_recalculation() -> None:
    cart = an_external_cart(lineItems=[sku("shirt", 2, externalTaxRate=RATE | {"includedInPrice": True})])
    assert net_and_gross(cart.taxed_price) == (1983, 2380)
    cart = changed(cart, add("shirt"), {"action": "recalculate"})
    assert net_and_gross(cart.taxed_price) == (2975, 3570)


def test_one_part_without_a_rate_leaves_the_cart_without_a_taxed_price() -> None:
    cart = changed(an_external_cart(lineItems=[sku("shirt", externalTaxRate=RATE)]), add("book"))
    assert cart.line_items[0].taxed_price is not None
    assert cart.taxed_price is None


def test_shipping_has_a_rate_of_its_own() -> None:
    cart = an_external_cart(
        lineItems=[sku("shirt", 2, externalTaxRate=RATE)],
        shippingMethod=BY_STANDARD,
        externalTaxRateForShippingMethod=RATE,
    )
    assert net_and_gross(cart.taxed_shipping_price) == (490, 588)
    assert net_and_gross(cart.taxed_price) == (2870, 3444)
    gone = changed(cart, {"action": "setShippingMethodTaxRate"})
    assert gone.taxed_price is None
    back = changed(gone, {"action": "setShippingMethodTaxRate", "externalTaxRate": RATE | {"amount": 0.1}})
    assert net_and_gross(back.taxed_shipping_price) == (490, 539)


def test_custom_items_have_rates_of_their_own() -> None:
    fee = {"name": {"en": "x"}, "slug": "fee", "money": eur(100), "externalTaxRate": RATE}
    cart = changed(an_external_cart(lineItems=[]), {"action": "addCustomLineItem", **fee})
    assert net_and_gross(cart.taxed_price) == (100, 120)
    named = {"customLineItemId": cart.custom_line_items[0].id}
    cart = changed(cart, {"action": "setCustomLineItemTaxRate", **named, "externalTaxRate": RATE | {"amount": 0.5}})
    assert net_and_gross(cart.taxed_price) == (100, 150)


@pytest.mark.parametrize("mode", ["Platform", "Disabled", "ExternalAmount"])
@pytest.mark.parametrize("action", ["setLineItemTaxRate", "setShippingMethodTaxRate", "addLineItem"])
def test_rates_from_outside_are_refused_in_other_modes(mode: str, action: str) -> None:
    cart = an_external_cart(taxMode=mode, shippingMethod=BY_STANDARD)
    fields = {"setLineItemTaxRate": line(cart), "addLineItem": sku("book")}.get(action, {})
    with pytest.raises(InvalidOperation):
        changed(cart, {"action": action, **fields, "externalTaxRate": RATE})


def test_leaving_the_mode_forgets_its_rates() -> None:
    cart = an_external_cart(lineItems=[sku("shirt", 2, externalTaxRate=RATE)])
    cart = changed(cart, {"action": "changeTaxMode", "taxMode": "Platform"})
    assert net_and_gross(cart.taxed_price) == (2000, 2380)
    back = changed(cart, {"action": "changeTaxMode", "taxMode": "External"})
    assert (only(back).tax_rate, back.taxed_price) == (None, None)


def test_staying_in_the_mode_keeps_its_rates() -> None:
    cart = an_external_cart(lineItems=[sku("shirt", 2, externalTaxRate=RATE)])
    assert changed(cart, {"action": "changeTaxMode", "taxMode": "External"}) == cart


def test_a_rate_needs_an_amount_that_its_sub_rates_agree_with() -> None:
    cart = an_external_cart()
    action = {"action": "setLineItemTaxRate", **line(cart)}
    with pytest.raises(RequiredField):
        changed(cart, action | {"externalTaxRate": {"name": "x", "country": "DE"}})
    parts = [{"name": "a", "amount": 0.1}]
    with pytest.raises(InvalidField):
        changed(cart, action | {"externalTaxRate": RATE | {"subRates": parts}})
    with_parts = changed(cart, action | {"externalTaxRate": {"name": "x", "country": "DE", "subRates": parts}})
    assert net_and_gross(with_parts.taxed_price) == (2380, 2618)


# --- amounts -------------------------------------------------------------------------------


def an_amount_cart(**draft: Any) -> Cart:
    return an_external_cart(**{"taxMode": "ExternalAmount"} | draft)


def a_tax_amount(gross: int) -> dict[str, Any]:
    return {"externalTaxAmount": {"totalGross": eur(gross), "taxRate": RATE}}


def test_an_amount_from_outside_is_told_as_it_came() -> None:
    cart = an_amount_cart()
    cart = changed(cart, {"action": "setLineItemTaxAmount", **line(cart), **a_tax_amount(2856)})
    assert net_and_gross(only(cart).taxed_price) == (2380, 2856)
    assert only(cart).tax_rate is not None
    assert (cart.taxed_price, cart.taxed_shipping_price) == (None, None)


def test_the_total_tax_makes_the_taxed_price_of_the_cart() -> None:
    cart = an_amount_cart()
    line_tax = {"action": "setLineItemTaxAmount", **line(cart), **a_tax_amount(2856)}
    total = {"action": "setCartTotalTax", "externalTotalGross": eur(2856)}
    assert net_and_gross(changed(cart, line_tax, total).taxed_price) == (2380, 2856)


def test_given_portions_are_what_the_net_amount_is_without() -> None:
    portions = [{"name": "a", "rate": 0.19, "amount": eur(300)}, {"rate": 0.07, "amount": eur(56)}]
    total = {"action": "setCartTotalTax", "externalTotalGross": eur(2856), "externalTaxPortions": portions}
    cart = changed(an_amount_cart(), total)
    assert net_and_gross(cart.taxed_price) == (2500, 2856)
    assert cart.taxed_price is not None
    assert [portion.amount.cent_amount for portion in cart.taxed_price.tax_portions] == [300, 56]


def a_fully_taxed_cart() -> Cart:
    cart = an_amount_cart(shippingMethod=BY_STANDARD)
    return changed(
        cart,
        {"action": "setLineItemTaxAmount", **line(cart), **a_tax_amount(2856)},
        {"action": "setShippingMethodTaxAmount", **a_tax_amount(588)},
        {"action": "setCartTotalTax", "externalTotalGross": eur(3444)},
    )


def test_amounts_stand_while_nothing_changes_the_price() -> None:
    cart = a_fully_taxed_cart()
    assert net_and_gross(cart.taxed_price) == (2870, 3444)
    after = changed(cart, {"action": "setLocale", "locale": "de"}, {"action": "recalculate"})
    assert (after.taxed_price, after.line_items, after.shipping_info) == (
        cart.taxed_price,
        cart.line_items,
        cart.shipping_info,
    )


def test_a_change_of_price_voids_the_amounts_it_touches() -> None:
    cart = changed(a_fully_taxed_cart(), add("shirt"))
    assert (only(cart).taxed_price, only(cart).tax_rate, cart.taxed_price) == (None, None, None)
    assert cart.shipping_info is not None
    assert net_and_gross(cart.shipping_info.taxed_price) == (490, 588)


def test_shipping_that_becomes_free_voids_its_amount() -> None:
    cart = changed(a_fully_taxed_cart(), add("book", 5))
    assert cart.shipping_info is not None
    assert (cart.shipping_info.price.cent_amount, cart.shipping_info.taxed_price) == (0, None)


def test_amounts_given_together_with_the_change_stand() -> None:
    cart = a_fully_taxed_cart()
    quantity = {"action": "changeLineItemQuantity", **line(cart), "quantity": 3}
    amounts = [
        {"action": "setLineItemTaxAmount", **line(cart), **a_tax_amount(4284)},
        {"action": "setCartTotalTax", "externalTotalGross": eur(4872)},
    ]
    after = changed(cart, quantity, *amounts)
    assert net_and_gross(only(after).taxed_price) == (3570, 4284)
    assert net_and_gross(after.taxed_price) == (4060, 4872)
    undone = changed(cart, *amounts, quantity)
    assert (only(undone).taxed_price, undone.taxed_price) == (None, None)


@pytest.mark.parametrize("action", ["setLineItemTaxAmount", "setShippingMethodTaxAmount"])
def test_amounts_can_be_taken_back(action: str) -> None:
    cart = a_fully_taxed_cart()
    fields = line(cart) if action == "setLineItemTaxAmount" else {}
    after = changed(cart, {"action": action, **fields})
    assert after.shipping_info is not None
    prices = {only(after).taxed_price, after.shipping_info.taxed_price}
    assert None in prices
    assert len(prices) == 2


@pytest.mark.parametrize("mode", ["Platform", "Disabled", "External"])
def test_amounts_are_refused_in_other_modes(mode: str) -> None:
    cart = an_external_cart(taxMode=mode, shippingMethod=BY_STANDARD)
    for action in (
        {"action": "setLineItemTaxAmount", **line(cart), **a_tax_amount(1)},
        {"action": "setShippingMethodTaxAmount", **a_tax_amount(1)},
        {"action": "setCartTotalTax", "externalTotalGross": eur(1)},
    ):
        with pytest.raises(InvalidOperation):
            changed(cart, action)


def test_custom_items_take_amounts_too() -> None:
    fee = {"name": {"en": "x"}, "slug": "fee", "money": eur(100)}
    cart = changed(an_amount_cart(lineItems=[]), {"action": "addCustomLineItem", **fee})
    named = {"customLineItemId": cart.custom_line_items[0].id}
    cart = changed(cart, {"action": "setCustomLineItemTaxAmount", **named, **a_tax_amount(120)})
    assert net_and_gross(cart.custom_line_items[0].taxed_price) == (100, 120)
    cart = changed(cart, {"action": "changeCustomLineItemMoney", **named, "money": eur(101)})
    assert cart.custom_line_items[0].taxed_price is None
