"""Direct discounts: in order, per unit, rounded after each step, never below zero."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commerce.builders.cart import DE, a_cart, a_price, a_product, add, as_json, changed, eur, shop, sku

from holdfast.base.errors import ApiError, InvalidField, InvalidInput, InvalidOperation
from holdfast.commerce.resources.cart.shape import Cart

ALL_LINES = {"type": "lineItems", "predicate": "1 = 1"}
SHIPPING = {"type": "shipping"}
TOTAL = {"type": "totalPrice"}
BY_STANDARD = {"typeId": "shipping-method", "id": "standard"}


def off(permyriad: int, target: dict[str, Any] = ALL_LINES) -> dict[str, Any]:
    return {"value": {"type": "relative", "permyriad": permyriad}, "target": target}


def less(cents: int, target: dict[str, Any] = ALL_LINES, currency: str = "EUR") -> dict[str, Any]:
    money = [{"currencyCode": currency, "centAmount": cents}]
    mode = {"applicationMode": "IndividualApplication"} if target is ALL_LINES else {}
    return {"value": {"type": "absolute", "money": money} | mode, "target": target}


def fixed(cents: int, target: dict[str, Any] = ALL_LINES) -> dict[str, Any]:
    return {"value": {"type": "fixed", "money": [eur(cents)]}, "target": target}


def discounting(*discounts: dict[str, Any]) -> dict[str, Any]:
    return {"action": "setDirectDiscounts", "discounts": discounts}


def a_discounted_cart(*discounts: dict[str, Any], **draft: Any) -> Cart:
    given = {"lineItems": [sku("shirt", 3)], "shippingAddress": DE, "shippingMethod": BY_STANDARD} | draft
    return changed(a_cart(**given), discounting(*discounts))


@pytest.mark.parametrize(
    ("discounts", "unit"),
    [
        ([off(1000)], 1071),
        ([off(10_000)], 0),
        ([less(190)], 1000),
        ([less(5000)], 0),
        ([fixed(999)], 999),
        # 1190 - 10 % = 1071, - 10 % = 963.9
        ([off(1000), off(1000)], 964),
        ([less(190), off(5000)], 500),
        ([off(5000), less(190)], 405),
        ([off(1000), fixed(1000)], 1000),
    ],
)
def test_each_discount_works_on_what_the_one_before_left(discounts: list[dict[str, Any]], unit: int) -> None:
    cart = a_discounted_cart(*discounts)
    (item,) = cart.line_items
    (lot,) = item.discounted_price_per_quantity
    assert (lot.quantity, lot.discounted_price.value.cent_amount) == (3, unit)
    assert item.total_price.cent_amount == 3 * unit
    parts = [part.discounted_amount.cent_amount for part in lot.discounted_price.included_discounts]
    assert sum(parts) == 1190 - unit
    assert len(parts) == len(discounts)


@pytest.mark.parametrize("discount", [off(0), less(0), fixed(1190), fixed(2000), less(500, currency="USD")])
def test_a_discount_that_takes_nothing_off_leaves_no_trace(discount: dict[str, Any]) -> None:
    (item,) = a_discounted_cart(discount).line_items
    assert (item.discounted_price_per_quantity, item.total_price.cent_amount) == ((), 3570)


@pytest.mark.parametrize(("mode", "unit"), [("HalfEven", 594), ("HalfUp", 595), ("HalfDown", 594)])
def test_half_cents_follow_the_price_rounding_mode(mode: str, unit: int) -> None:
    facts = shop(a_product("odd", a_price(1189)))
    cart = a_cart(facts, lineItems=[sku("odd")], priceRoundingMode=mode)
    assert changed(cart, discounting(off(5000)), facts=facts).total_price.cent_amount == unit


def test_discounted_lines_are_taxed_on_what_they_cost() -> None:
    cart = a_discounted_cart(off(1000))
    (item,) = cart.line_items
    assert item.taxed_price is not None
    assert (item.taxed_price.total_net.cent_amount, item.taxed_price.total_gross.cent_amount) == (2700, 3213)
    again = changed(cart, {"action": "changeTaxCalculationMode", "taxCalculationMode": "UnitPriceLevel"})
    assert again.line_items[0].taxed_price is not None
    assert again.line_items[0].taxed_price.total_net.cent_amount == 900 * 3


@pytest.mark.parametrize(
    ("discount", "total", "unit"),
    [
        ({"value": {"type": "absolute", "money": [eur(100)]}, "target": ALL_LINES}, 500, 50),
        (off(1000), 540, 54),
        (off(5000), 300, 30),
        (off(10_000), 0, None),
    ],
)
def test_units_of_high_precision_are_discounted_in_their_own_parts(
    discount: dict[str, Any], total: int, unit: int | None
) -> None:
    """A thousand screws at 0.6 cents cost 6.00; a cent each would be 10.00, and a discount of 1.00 make them dearer."""
    fine = {"type": "highPrecision", "currencyCode": "EUR", "fractionDigits": 4, "preciseAmount": 60}
    cart = a_discounted_cart(discount, lineItems=[sku("shirt", 1000, externalPrice=fine)], shippingMethod=None)
    (line,) = cart.line_items
    (lot,) = line.discounted_price_per_quantity
    assert (line.total_price.cent_amount, lot.discounted_price.value.precise_amount) == (total, unit)


def test_discounts_follow_the_quantity_and_go_with_the_list() -> None:
    cart = changed(a_discounted_cart(off(1000)), add("shirt"))
    assert (cart.line_items[0].quantity, cart.line_items[0].total_price.cent_amount) == (4, 4 * 1071)
    plain = changed(cart, discounting())
    assert (plain.line_items[0].discounted_price_per_quantity, plain.direct_discounts) == ((), ())
    assert plain.line_items[0].total_price.cent_amount == 4760


def test_a_target_chooses_its_lines() -> None:
    by_sku = {"type": "lineItems", "predicate": 'sku = "book"'}
    cart = a_discounted_cart(off(5000, by_sku), lineItems=[sku("shirt"), sku("book")])
    assert [item.total_price.cent_amount for item in cart.line_items] == [1190, 535]


def test_custom_items_have_a_target_of_their_own() -> None:
    target = {"type": "customLineItems", "predicate": 'slug = "fee"'}
    fees = [
        {"name": {"en": "x"}, "slug": slug, "money": eur(100), "priceMode": mode, "taxCategory": {"typeId": "tax-category", "id": "normal"}}  # noqa: E501 - one row
        for slug, mode in (("fee", "Standard"), ("other", "Standard"))
    ]  # fmt: skip
    cart = a_discounted_cart(off(5000, target), lineItems=[], customLineItems=fees)
    assert [item.total_price.cent_amount for item in cart.custom_line_items] == [50, 100]
    external = {"action": "changeCustomLineItemPriceMode", "customLineItemId": cart.custom_line_items[0].id}
    after = changed(cart, external | {"mode": "External"})
    assert [item.total_price.cent_amount for item in after.custom_line_items] == [100, 100]


def test_a_total_from_outside_is_not_discounted() -> None:
    total = {"price": eur(300), "totalPrice": eur(900)}
    (item,) = a_discounted_cart(off(5000), lineItems=[sku("shirt", 3, externalTotalPrice=total)]).line_items
    assert (item.total_price.cent_amount, item.discounted_price_per_quantity) == (900, ())


def test_free_shipping_looks_at_discounted_items() -> None:
    cart = a_discounted_cart(lineItems=[sku("shirt", 5)])
    assert cart.total_price.cent_amount == 5950
    assert changed(cart, discounting(off(2000))).total_price.cent_amount == 4760 + 490


def test_shipping_can_be_discounted() -> None:
    cart = a_discounted_cart(off(5000, SHIPPING))
    info = as_json(cart)["shippingInfo"]
    assert (info["price"]["centAmount"], info["discountedPrice"]["value"]["centAmount"]) == (490, 245)
    assert info["taxedPrice"]["totalNet"]["centAmount"] == 206
    assert cart.total_price.cent_amount == 3570 + 245
    assert "discountedPrice" not in as_json(changed(cart, discounting()))["shippingInfo"]


def test_the_total_is_discounted_last_with_its_taxes_in_proportion() -> None:
    cart = a_discounted_cart(off(1000, TOTAL))
    assert cart.total_price.cent_amount == 3654  # 4060 - 10 %
    assert cart.discount_on_total_price is not None
    assert cart.discount_on_total_price.discounted_amount.cent_amount == 406
    taxed = cart.taxed_price
    assert taxed is not None
    assert taxed.total_tax is not None
    # before: net 3412, gross 4060
    figures = (taxed.total_net.cent_amount, taxed.total_gross.cent_amount, taxed.total_tax.cent_amount)
    assert figures == (3071, 3654, 583)
    assert sum(portion.amount.cent_amount for portion in taxed.tax_portions) == 583
    gross = cart.discount_on_total_price.discounted_gross_amount
    net = cart.discount_on_total_price.discounted_net_amount
    assert (net and net.cent_amount, gross and gross.cent_amount) == (3412 - 3071, 406)


def test_portions_of_several_rates_shrink_together() -> None:
    cart = a_discounted_cart(off(1000, TOTAL), lineItems=[sku("shirt"), sku("book")])
    # before: net 1000 + 1000 + 412, gross 1190 + 1070 + 490, portions 268 and 70
    taxed = cart.taxed_price
    assert taxed is not None
    assert (taxed.total_net.cent_amount, taxed.total_gross.cent_amount) == (2171, 2475)
    assert [portion.amount.cent_amount for portion in taxed.tax_portions] == [241, 63]


def test_portions_add_up_where_what_is_taken_back_is_taxed_higher_than_what_is_sold() -> None:
    def item(name: str, cents: int, rate: float) -> dict[str, Any]:
        taxed = {"name": name, "amount": rate, "country": "DE", "includedInPrice": True}
        return {"name": {"en": name}, "slug": name, "money": eur(cents), "externalTaxRate": taxed}

    items = [item("book", 10000, 0.0), item("voucher", -5000, 0.19)]
    cart = changed(a_cart(taxMode="External", shippingAddress=DE, customLineItems=items), discounting(off(1000, TOTAL)))
    taxed = cart.taxed_price
    assert taxed is not None
    # before: net 5798, gross 5000, portions 0 and -798
    assert (taxed.total_net.cent_amount, taxed.total_gross.cent_amount) == (5218, 4500)
    assert [portion.amount.cent_amount for portion in taxed.tax_portions] == [0, -718]


def test_a_discount_on_the_total_is_not_taken_twice() -> None:
    cart = a_discounted_cart(off(1000, TOTAL))
    again = changed(cart, {"action": "recalculate"})
    assert again == cart
    plain = changed(cart, discounting())
    assert (plain.total_price.cent_amount, plain.discount_on_total_price) == (4060, None)


@pytest.mark.parametrize(
    ("discount", "error"),
    [
        (off(1000, {"type": "lineItems", "predicate": "sku ="}), InvalidInput),
        (off(1000, {"type": "customLineItems", "predicate": ")"}), InvalidInput),
        ({"value": {"type": "absolute", "money": []}, "target": ALL_LINES}, InvalidOperation),
        ({"value": {"type": "absolute", "money": [eur(1), eur(2)]}, "target": ALL_LINES}, InvalidOperation),
        (less(-1), InvalidField),
        (
            {
                "value": {"type": "absolute", "money": [eur(1)], "applicationMode": "EvenDistribution"},
                "target": SHIPPING,
            },
            InvalidField,
        ),
    ],
)
def test_discounts_that_make_no_sense_are_refused(discount: dict[str, Any], error: type[ApiError]) -> None:
    with pytest.raises(error):
        a_discounted_cart(discount)


@pytest.mark.parametrize(("external", "total"), [(True, 5000), (False, None)])
def test_a_tax_total_from_outside_stands_beside_a_discount_on_the_total(external: bool, total: int | None) -> None:
    cart = a_discounted_cart(off(1000, TOTAL), taxMode="ExternalAmount")
    if external:
        cart = changed(cart, {"action": "setCartTotalTax", "externalTotalGross": eur(5000)})
    after = changed(cart, {"action": "recalculate"})
    assert (after.taxed_price and after.taxed_price.total_gross.cent_amount) == total
