"""Whatever is done to a cart, in whatever order: its sums hold, and reckoning it again changes nothing."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any, TypeVar

import pytest
from tests.unit.commerce.builders.cart import DE, a_cart, eur, sku
from tests.unit.commerce.builders.cart_discount import a_code, a_discount, gift_of, shop

from holdfast.base.errors import ApiError, DiscountCodeNonApplicable, InvalidOperation, ShippingMethodDoesNotMatchCart
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.rules.stock import check_current
from holdfast.commerce.rules.sums import misreckoned
from holdfast.commerce.rules.totals import shipping_infos
from holdfast.commerce.values.taxed_price import TaxedPrice
from holdfast.commerce.values.value import Stored, encode
from holdfast.handlers.decode import decode

T = TypeVar("T")

HISTORIES = 40
STEPS = 40
HOME, WORK = {"key": "home", "country": "DE"}, {"key": "work", "country": "FR"}
RATE = {"name": "outside", "amount": 0.2, "country": "DE"}
NORMALLY = {"taxCategory": {"typeId": "tax-category", "id": "normal"}}
MODES = ("HalfEven", "HalfUp", "HalfDown")


class Chance:
    """Random actions on a cart, many of them nonsense."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one(self, *values: T) -> T:
        return self.random.choice(values)

    def some(self, **fields: Any) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if self.random.random() < 0.6}

    def money(self) -> dict[str, Any]:
        precise = {"type": "highPrecision", "currencyCode": "EUR", "fractionDigits": self.one(3, 5)}
        return self.one(
            eur(self.one(0, 1, -5, 199, 123_456, 2**53 - 1)),
            precise | {"preciseAmount": self.random.randint(-(10**6), 10**6)},
        )

    def details(self) -> dict[str, Any]:
        return {
            "targets": [
                {"addressKey": key, "quantity": self.one(0, 1, 2), "shippingMethodKey": self.key()}
                for key in self.one((), ("home",), ("home", "work"))
            ]
        }

    def key(self) -> str:
        return str(self.one("one", "two"))

    def discount(self) -> dict[str, Any]:
        """A value and what it is taken off; many of the pairs do not go together."""
        mode = self.one("IndividualApplication", "ProportionateDistribution", "EvenDistribution")
        value = self.one(
            {"type": "relative", "permyriad": 3333},
            {"type": "absolute", "money": [eur(501)]} | self.some(applicationMode=mode),
            {"type": "fixed", "money": [eur(700)]},
        )
        everything: dict[str, Any] = {"predicate": "1 = 1"}
        target = self.one("lineItems", "customLineItems", "shipping", "totalPrice", "multiBuyLineItems")
        if target == "multiBuyLineItems":
            everything |= {"triggerQuantity": 3, "discountedQuantity": 2, "selectionMode": "Cheapest"}
        return {"value": value, "target": {"type": target} | (everything if "Items" in target else {})}

    def cart_discount(self, number: int) -> Stored | None:
        """A discount of the shop, by itself or by a code; None where what was drawn makes no sense."""
        terms: dict[str, Any] = self.one(self.discount(), self.discount(), {"value": gift_of("book")})
        predicate = self.one("1 = 1", 'totalPrice > "20.00 EUR"', "lineItemCount(1 = 1) > 2", "lineItemExists(1 = 1)")
        more: dict[str, Any] = {
            "cartPredicate": predicate,
            "sortOrder": f"0.{number}1",
            "requiresDiscountCode": self.one(True, False),
            "stackingMode": self.one("Stacking", "Stacking", "StopAfterThisDiscount"),
        }
        with suppress(ApiError):
            return a_discount(f"d{number}", **terms, **more)
        return None

    def shop(self) -> tuple[Stored, ...]:
        """The discounts and codes of a shop; every other shop has none."""
        drawn = [self.cart_discount(number) for number in range(self.one(0, 5))]
        found = [each for each in drawn if each is not None]
        codes = [a_code(f"CODE{number}", each.id, **self.some(max_applications=3)) for number, each in enumerate(found)]
        return (*found, *codes)

    def on_line(self, cart: Cart) -> dict[str, Any]:
        line = {"lineItemId": self.one(*(item.id for item in cart.line_items), "nobody")}
        total = {"price": self.money(), "totalPrice": eur(self.one(0, 7, 1000))}
        tax = {"totalGross": eur(self.one(0, 100, 2380)), "taxRate": RATE}
        return (
            self.one(
                {"action": "removeLineItem", **self.some(quantity=1, shippingDetailsToRemove=self.details())},
                {"action": "changeLineItemQuantity", "quantity": self.one(0, 1, 3, 10**9)},
                {"action": "setLineItemPrice", **self.some(externalPrice=self.money())},
                {"action": "setLineItemTotalPrice", **self.some(externalTotalPrice=total)},
                {"action": "setLineItemTaxRate", **self.some(externalTaxRate=RATE, shippingKey=self.key())},
                {"action": "setLineItemTaxAmount", **self.some(externalTaxAmount=tax, shippingKey=self.key())},
                {"action": "setLineItemShippingDetails", **self.some(shippingDetails=self.details())},
            )
            | line
        )

    def on_cart(self) -> dict[str, Any]:
        method = {"typeId": "shipping-method", "id": self.one("standard", "express")}
        rate = {"price": eur(600), **self.some(freeAbove=eur(3000))}
        own = {"shippingMethodName": "own", "shippingRate": rate, **self.some(externalTaxRate=RATE), **NORMALLY}
        placed = {"shippingKey": self.key(), "shippingAddress": self.one(HOME, WORK)}
        fee = {"name": {"en": "x"}, "slug": self.one("one", "two"), "money": self.money(), **NORMALLY}
        external = self.one({}, {}, self.some(externalPrice=self.money(), externalTaxRate=RATE))
        return self.one(
            {"action": "addLineItem", **sku(self.one("shirt", "book"), self.one(1, 2, 5)), **external},
            {"action": "addLineItem", **sku("shirt"), "shippingDetails": self.details()},
            {"action": "addCustomLineItem", **fee, "quantity": self.one(1, 3)},
            {"action": "setShippingAddress", "address": self.one(DE, {"country": "FR"}, {"country": "AT"}, None)},
            {"action": "setShippingMethod", **self.some(shippingMethod=method)},
            {"action": "setCustomShippingMethod", **own},
            {"action": "addShippingMethod", **placed, "shippingMethod": method},
            {"action": "addCustomShippingMethod", **placed, **own},
            {"action": "removeShippingMethod", "shippingKey": self.key()},
            {"action": "changeTaxMode", "taxMode": self.one("Platform", "External", "ExternalAmount", "Disabled")},
            {"action": "changeTaxRoundingMode", "taxRoundingMode": self.one(*MODES)},
            {"action": "changePriceRoundingMode", "priceRoundingMode": self.one(*MODES)},
            {"action": "changeTaxCalculationMode", "taxCalculationMode": self.one("LineItemLevel", "UnitPriceLevel")},
            {"action": "setShippingMethodTaxRate", **self.some(externalTaxRate=RATE, shippingKey=self.key())},
            {"action": "setCartTotalTax", "externalTotalGross": eur(self.one(0, 5000))},
            {"action": "setDirectDiscounts", "discounts": [self.discount() for _ in range(self.one(0, 1, 3))]},
            {"action": "addDiscountCode", "code": self.one("CODE0", "CODE1", "CODE2")},
            {"action": "removeDiscountCode", "discountCode": {"typeId": "discount-code", "id": "code0"}},
            {"action": "setCountry", **self.some(country="DE")},
            {"action": "freezeCart"},
            {"action": "unfreezeCart"},
            {"action": "unfreezeCart"},
        )

    def actions(self, cart: Cart) -> list[dict[str, Any]]:
        return [self.one(self.on_line(cart), self.on_cart()) for _ in range(self.one(1, 1, 2))]


def applied(cart: Cart, *actions: dict[str, Any], known: tuple[Stored, ...]) -> Cart:
    body = json.dumps({"version": cart.version, "actions": actions}).encode()
    return carts.updated(cart, decode(carts.update_decoder(), body).actions, shop(*known)).resource


def check_sums(cart: Cart) -> None:
    infos = shipping_infos(cart)
    cents = sum(item.total_price.cent_amount for item in cart.items)
    cents += sum((info.discounted_price.value if info.discounted_price else info.price).cent_amount for info in infos)
    if cart.discount_on_total_price is not None:
        cents -= cart.discount_on_total_price.discounted_amount.cent_amount
    assert cart.total_price.cent_amount == cents
    assert misreckoned(cart) == []
    for part in (*cart.items, *infos):
        check_taxes(cart, part.taxed_price)
    check_taxes(cart, cart.taxed_price)
    check_taxes(cart, cart.taxed_shipping_price)
    for item in cart.items:
        assert sum(state.quantity for state in item.state) == item.quantity > 0
        lots = item.discounted_price_per_quantity
        assert not lots or sum(lot.quantity for lot in lots) == item.quantity


def check_taxes(cart: Cart, price: TaxedPrice | None) -> None:
    if price is None:
        return
    assert price.total_tax is not None
    assert price.total_net.cent_amount + price.total_tax.cent_amount == price.total_gross.cent_amount
    if cart.tax_mode != "ExternalAmount":
        assert sum(portion.amount.cent_amount for portion in price.tax_portions) == price.total_tax.cent_amount


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_sums_hold_after_every_change_and_reckoning_again_changes_nothing(seed: int) -> None:
    chance = Chance(seed)
    mode = chance.one("Single", "Multiple")
    lines = [sku("shirt", 2)]
    known = chance.shop()
    cart = a_cart(
        shop(*known), shippingMode=mode, itemShippingAddresses=[HOME, WORK], lineItems=lines, shippingAddress=DE
    )
    changes = 0
    for _ in range(STEPS):
        actions = chance.actions(cart)
        try:
            after = applied(cart, *actions, known=known)
        except ApiError:
            continue
        check_sums(after)
        cart = carts.decode(encode(after))
        changes += 1
        assert applied(cart, known=known) == cart, f"seed {seed}: not settled after {actions}"
    assert changes >= STEPS // 8
    check_price_holds(cart, known)


def check_price_holds(cart: Cart, known: tuple[Stored, ...]) -> None:
    """An order may be refused for what a cart lacks, never for a price that nothing changed."""
    with suppress(InvalidOperation, ShippingMethodDoesNotMatchCart, DiscountCodeNonApplicable):
        check_current(cart, shop(*known))
