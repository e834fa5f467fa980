"""What shoppers may do through /me, and that every published action can be sent."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.commerce.builders.cart import DE, a_cart, add, changed, eur, shop, sku
from tests.unit.commerce.builders.customer import a_customer

from holdfast.base.errors import InvalidJsonInput
from holdfast.commerce.resources.cart.shape import carts
from holdfast.handlers.decode import decode

CART_ACTIONS = """
addLineItem removeLineItem changeLineItemQuantity changeLineItemsOrder addCustomLineItem removeCustomLineItem
changeCustomLineItemQuantity changeCustomLineItemMoney changeCustomLineItemPriceMode addDiscountCode removeDiscountCode
setDirectDiscounts setShippingAddress setBillingAddress addItemShippingAddress updateItemShippingAddress
removeItemShippingAddress setShippingMethod setCustomShippingMethod setShippingRateInput addPayment removePayment
setCountry setLocale setCustomerEmail setCustomerId setCustomerGroup setAnonymousId setKey recalculate freezeCart
unfreezeCart lockCart unlockCart addShoppingList setPurchaseOrderNumber setDeleteDaysAfterLastModification setCustomType
setCustomField setLineItemPrice setLineItemTotalPrice setLineItemTaxRate setLineItemTaxAmount setCustomLineItemTaxRate
setCustomLineItemTaxAmount setShippingMethodTaxRate setShippingMethodTaxAmount setCartTotalTax changeTaxMode
changeTaxRoundingMode changeTaxCalculationMode changePriceRoundingMode setLineItemCustomType setLineItemCustomField
setLineItemDistributionChannel setLineItemSupplyChannel setLineItemInventoryMode setLineItemShippingDetails
setLineItemRecurrenceInfo applyDeltaToLineItemShippingDetailsTargets setCustomLineItemCustomType
setCustomLineItemCustomField setCustomLineItemShippingDetails setCustomLineItemRecurrenceInfo
applyDeltaToCustomLineItemShippingDetailsTargets setShippingAddressCustomType setShippingAddressCustomField
setBillingAddressCustomType setBillingAddressCustomField setItemShippingAddressCustomType
setItemShippingAddressCustomField setShippingCustomType setShippingCustomField addShippingMethod addCustomShippingMethod
removeShippingMethod setBusinessUnit setEstimatedDelivery setReservationExpirationInMinutes
""".split()  # noqa: SIM905 - the published list, readable


def test_every_published_action_is_there_and_no_other() -> None:
    assert set(carts.actions) == set(CART_ACTIONS)
    assert len(CART_ACTIONS) == 79
    assert len(carts.my_actions) == len(set(carts.my_actions)) == 29


def test_a_cart_of_mine_belongs_to_the_session() -> None:
    cart = a_cart(shop(anonymous_id="guest"), my=True, lineItems=[sku("shirt")])
    assert (cart.customer_id, cart.anonymous_id) == (None, "guest")
    facts = shop(a_customer("ann"), customer_id="ann", anonymous_id="guest")
    cart = a_cart(facts, my=True, lineItems=[sku("shirt")])
    assert (cart.customer_id, cart.anonymous_id, cart.customer_email) == ("ann", None, "ann@example.com")


def test_a_shopper_cannot_say_whose_cart_it_is_or_what_things_cost() -> None:
    line = sku("shirt", externalPrice=eur(1), externalTotalPrice={"price": eur(1), "totalPrice": eur(1)})
    cart = a_cart(shop(anonymous_id="guest"), my=True, customerId="ann", anonymousId="other", lineItems=[line])
    assert (cart.customer_id, cart.anonymous_id) == (None, "guest")
    assert (cart.line_items[0].price_mode, cart.total_price.cent_amount) == ("Platform", 1190)


@pytest.mark.parametrize("field", ["externalPrice", "externalTotalPrice", "externalTaxRate", "inventoryMode"])
def test_fields_that_are_not_a_shoppers_are_ignored(field: str) -> None:
    values = {
        "externalPrice": eur(1),
        "externalTotalPrice": {"price": eur(1), "totalPrice": eur(1)},
        "externalTaxRate": {"name": "none", "amount": 0.0, "country": "DE"},
        "inventoryMode": "None",
    }
    cart = a_cart(lineItems=[sku("shirt", 2)], shippingAddress=DE, inventoryMode="ReserveOnOrder", taxMode="External")
    named = {"lineItemId": cart.line_items[0].id, field: values[field]}
    for action in (
        add("book") | {field: values[field]},
        {"action": "changeLineItemQuantity", "quantity": 3, **named},
        {"action": "removeLineItem", "quantity": 1, **named},
    ):
        after = changed(cart, action, my=True)
        assert {item.price_mode for item in after.line_items} == {"Platform"}
        assert {item.tax_rate for item in after.line_items} == {None}
        assert {item.inventory_mode for item in after.line_items} == {None}


def test_shoppers_can_add_change_and_remove_lines() -> None:
    cart = changed(a_cart(), add("shirt", 3), my=True)
    named = {"lineItemId": cart.line_items[0].id}
    cart = changed(cart, {"action": "changeLineItemQuantity", **named, "quantity": 5}, my=True)
    cart = changed(cart, {"action": "removeLineItem", **named, "quantity": 1}, my=True)
    assert cart.total_price.cent_amount == 4 * 1190


def test_shoppers_cannot_switch_taxes_off() -> None:
    for body in (
        {"version": 1, "actions": [{"action": "changeTaxMode", "taxMode": "Disabled"}]},
        {"version": 1, "actions": [{"action": "setCustomerId", "customerId": "ann"}]},
        {"version": 1, "actions": [{"action": "setLineItemPrice", "lineItemId": "x", "externalPrice": eur(1)}]},
    ):
        with pytest.raises(InvalidJsonInput):
            decode(carts.update_decoder(my=True), msgspec.json.encode(body))
    with pytest.raises(InvalidJsonInput):
        decode(carts.my_drafts, b'{"currency": "EUR", "taxMode": "Disabled"}')
    assert changed(a_cart(), {"action": "changeTaxMode", "taxMode": "External"}, my=True).tax_mode == "External"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"action": "addLineItem", "sku": "shirt", "quantity": 0}, "$.actions[0].quantity"),
        ({"action": "addLineItem", "sku": "shirt", "quantity": -1}, "$.actions[0].quantity"),
        ({"action": "addLineItem", "sku": "shirt", "quantity": 10**19}, "$.actions[0]"),
        ({"action": "addLineItem", "sku": "shirt", "quantity": 1.5}, "$.actions[0].quantity"),
        ({"action": "addLineItem", "sku": 7}, "$.actions[0].sku"),
        ({"action": "changeLineItemQuantity", "lineItemId": "x"}, "$.actions[0]"),
        ({"action": "changeLineItemQuantity", "lineItemId": "x", "quantity": -1}, "$.actions[0].quantity"),
        ({"action": "setCountry", "country": "Germany"}, "$.actions[0].country"),
        ({"action": "setShippingAddress", "address": {}}, "$.actions[0].address"),
        ({"action": "doMagic"}, "$.actions[0]"),
    ],
)
@pytest.mark.parametrize("my", [True, False])
def test_values_of_the_wrong_shape_are_refused_with_their_path(body: dict[str, object], path: str, my: bool) -> None:
    with pytest.raises(InvalidJsonInput) as refused:
        decode(carts.update_decoder(my=my), msgspec.json.encode({"version": 1, "actions": [body]}))
    assert path in refused.value.fields["detailedErrorMessage"]
