from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders import cart as shop_of
from tests.unit.commerce.builders.cart import DE, eur, sku
from tests.unit.commerce.builders.order import CART_ID, a_ready_cart, placed, shop, state
from tests.unit.commerce.builders.state import a_state
from tests.unit.commerce.facts import PROJECT

from holdfast.base.errors import (
    ApiError,
    DiscountCodeNonApplicable,
    InvalidField,
    InvalidItemShippingDetails,
    InvalidOperation,
    OutOfStock,
    PriceChanged,
    ShippingMethodDoesNotMatchCart,
)
from holdfast.base.ids import order_id
from holdfast.commerce.messages.order import OrderCreated
from holdfast.commerce.registry import Other
from holdfast.commerce.resources.cart.shape import Cart, DiscountCodeInfo, ItemShippingDetails, carts
from holdfast.commerce.resources.order.drafts import OrderFromCartDraft
from holdfast.commerce.resources.order.shape import orders
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.money import money
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import encode

CART = a_ready_cart(shippingMethod={"id": "standard"})


def test_an_order_takes_over_what_its_cart_was() -> None:
    order = placed(CART).resource
    for name in ("line_items", "total_price", "taxed_price", "shipping_info", "shipping_address", "tax_mode", "origin"):
        assert getattr(order, name) is getattr(CART, name), name
    assert order.cart == Reference(type_id="cart", id=CART_ID)
    assert (order.order_state, order.version, order.total_price) == ("Open", 1, money(2 * 1190 + 490, "EUR"))


def test_every_field_a_cart_and_an_order_share_is_taken_over() -> None:
    cart = replace(CART, locale="de", customer_email="ada@example.com", purchase_order_number="po-1", country="DE")
    body, order = msgspec.json.decode(encode(cart)), msgspec.json.decode(encode(placed(cart).resource))
    own = {"id", "version", "createdAt", "lastModifiedAt", "createdBy", "lastModifiedBy"}
    cart_only = {"cartState", "totalLineItemQuantity", "deleteDaysAfterLastModification"}
    assert set(body) - set(order) == cart_only
    assert {name: order[name] for name in body if name not in own | cart_only} == {
        name: body[name] for name in body if name not in own | cart_only
    }


def test_the_same_cart_always_becomes_the_same_order() -> None:
    first, second = placed(CART, shop()), placed(CART, shop(now="2027-01-01T00:00:00.000Z"))
    assert first.resource.id == second.resource.id == order_id(PROJECT, CART_ID)
    assert first.resource.id != order_id("another", CART_ID)


def test_the_cart_becomes_ordered_in_the_same_change() -> None:
    (other,) = placed(CART).others
    assert isinstance(other, Other)
    assert (other.kind, other.before) == (carts, CART)
    assert isinstance(other.after, Cart)
    assert (other.after.cart_state, other.after.version) == ("Ordered", CART.version + 1)


def test_a_placed_order_tells_of_itself_as_a_whole() -> None:
    changed = placed(CART)
    assert changed.messages == (OrderCreated(order=changed.resource),)
    assert changed.resource.created_at


def test_a_new_order_shows_its_empty_lists() -> None:
    body = msgspec.json.decode(encode(placed(CART).resource))
    for name in ("syncInfo", "returnInfo", "customLineItems", "discountCodes", "directDiscounts", "refusedGifts"):
        assert body[name] == [], name


def test_a_draft_says_what_the_order_starts_with() -> None:
    fields: dict[str, Any] = {
        "order_number": "2026-1",
        "purchase_order_number": "po-2",
        "order_state": "Confirmed",
        "payment_state": "Paid",
        "shipment_state": "Ready",
    }
    order = placed(replace(CART, purchase_order_number="po-1"), **fields).resource
    assert {name: getattr(order, name) for name in fields} == fields
    assert orders.unique_values(order) == (("orderNumber", "2026-1"),)


def test_the_purchase_order_number_of_the_cart_stands_unless_the_draft_has_one() -> None:
    assert placed(replace(CART, purchase_order_number="po-1")).resource.purchase_order_number == "po-1"


def test_an_order_may_start_in_any_state_for_orders() -> None:
    facts = shop(a_state("review", initial=False))
    given = ResourceIdentifier(type_id="state", key="review")
    assert placed(CART, facts, state=given).resource.state == state("review")
    with pytest.raises(InvalidOperation):
        placed(CART, facts, state=ResourceIdentifier(id="returned"))


# --- custom fields -------------------------------------------------------------------------

NOTED = CustomFields(type=Reference(type_id="type", id="for-order"), fields={"note": "from the cart"})


def test_custom_fields_of_the_cart_go_along() -> None:
    assert placed(replace(CART, custom=NOTED)).resource.custom == NOTED


def test_drafted_custom_fields_are_laid_over_those_of_the_cart() -> None:
    draft = CustomFieldsDraft(type=ResourceIdentifier(key="for-order"), fields={"note": "from the draft"})
    merged = placed(replace(CART, custom=NOTED), custom=draft).resource.custom
    assert merged == replace(NOTED, fields={"note": "from the draft"})
    assert placed(CART, custom=draft).resource.custom == merged


def test_custom_fields_of_another_type_do_not_merge() -> None:
    draft = CustomFieldsDraft(type=ResourceIdentifier(key="gift"), fields={})
    with pytest.raises(InvalidField):
        placed(replace(CART, custom=NOTED), custom=draft)


# --- carts that cannot be ordered ----------------------------------------------------------


def _unready() -> dict[str, tuple[Cart, type[ApiError]]]:
    line = CART.line_items[0]
    half = ItemShippingDetails(targets=(), valid=False)
    info = CART.shipping_info
    assert info is not None
    code = DiscountCodeInfo(discount_code=Reference(type_id="discount-code", id="c"), state="DoesNotMatchCart")
    external = a_ready_cart(taxMode="External")
    return {
        "empty": (replace(CART, line_items=(), shipping_info=None), InvalidOperation),
        "without an address": (replace(CART, shipping_address=None), InvalidOperation),
        "ordered already": (replace(CART, cart_state="Ordered"), InvalidOperation),
        "merged": (replace(CART, cart_state="Merged"), InvalidOperation),
        "half addressed": (
            replace(CART, line_items=(replace(line, shipping_details=half),)),
            InvalidItemShippingDetails,
        ),
        "badly shipped": (
            replace(CART, shipping_info=replace(info, shipping_method_state="DoesNotMatchCart")),
            ShippingMethodDoesNotMatchCart,
        ),
        "badly discounted": (replace(CART, discount_codes=(code,)), DiscountCodeNonApplicable),
        "without external rates": (external, InvalidOperation),
    }


@pytest.mark.parametrize(("cart", "refusal"), _unready().values(), ids=_unready().keys())
def test_a_cart_that_is_not_ready_is_refused(cart: Cart, refusal: type[ApiError]) -> None:
    with pytest.raises(refusal):
        placed(cart)


def test_a_price_that_changed_meanwhile_is_refused_by_line() -> None:
    facts = shop(shop_of.a_product("shirt", shop_of.a_price(1290)))
    with pytest.raises(PriceChanged) as refusal:
        placed(CART, facts)
    assert refusal.value.fields["lineItems"] == [CART.line_items[0].id]


def test_a_frozen_cart_is_ordered_at_its_own_prices() -> None:
    facts = shop(shop_of.a_product("shirt", shop_of.a_price(1290)))
    frozen = replace(CART, cart_state="Frozen")
    assert placed(frozen, facts).resource.total_price == CART.total_price


def test_external_taxes_that_have_come_are_enough() -> None:
    rate = {"name": "19 %", "amount": 0.19, "country": "DE"}
    cart = a_ready_cart(sku("shirt", 2, externalTaxRate=rate), taxMode="External")
    assert placed(cart).resource.taxed_price == cart.taxed_price
    assert cart.taxed_price is not None


def test_amounts_from_outside_include_that_of_the_whole_cart() -> None:
    cart = a_ready_cart(taxMode="ExternalAmount")
    amount = {"externalTaxAmount": {"totalGross": eur(2856), "taxRate": {"name": "", "amount": 0.2, "country": "DE"}}}
    line = {"action": "setLineItemTaxAmount", "lineItemId": cart.line_items[0].id, **amount}
    taxed = shop_of.changed(cart, line, facts=shop())
    with pytest.raises(InvalidOperation, match="total tax"):
        placed(taxed)
    total = {"action": "setCartTotalTax", "externalTotalGross": eur(2856)}
    assert placed(shop_of.changed(taxed, total, facts=shop())).resource.taxed_price is not None


def test_a_cart_of_custom_line_items_alone_can_be_ordered() -> None:
    wrap = {"name": {"en": "Wrap"}, "slug": "wrap", "money": eur(250), "taxCategory": {"id": "normal"}}
    cart = replace(shop_of.a_cart(shop(), customLineItems=[wrap], shippingAddress=DE), id=CART_ID)
    order = placed(cart).resource
    assert (len(order.custom_line_items), order.total_price) == (1, money(250, "EUR"))


# --- stock ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [("None", []), ("TrackOnly", ["track", "track"]), ("ReserveOnOrder", ["reserve", "reserve"])],
)
def test_an_order_takes_stock_as_its_inventory_mode_says(mode: str, kinds: list[str]) -> None:
    cart = a_ready_cart(sku("shirt", 2), sku("book", 3), inventoryMode=mode)
    assert [moved.kind for moved in placed(cart).stock] == kinds


def test_an_order_names_the_lines_that_take_the_stock() -> None:
    cart = a_ready_cart(inventoryMode="ReserveOnOrder")
    line = cart.line_items[0]
    assert placed(cart).stock == (StockMovement("reserve", "entry-shirt", 2, "shirt", line.id),)


def test_an_order_without_an_inventory_entry_is_out_of_stock() -> None:
    other = shop_of.a_product("cap")
    cart = replace(
        shop_of.a_cart(shop(other), lineItems=[sku("cap")], inventoryMode="ReserveOnOrder", shippingAddress=DE),
        id=CART_ID,
    )
    with pytest.raises(OutOfStock):
        placed(cart, shop(other))


def test_an_order_that_starts_cancelled_takes_no_stock() -> None:
    cart = a_ready_cart(inventoryMode="ReserveOnOrder")
    assert placed(cart, order_state="Cancelled").stock == ()


# --- shapes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": -1},
        {"version": "1"},
        {"version": 1, "orderState": "Lost"},
        {"version": 1, "orderNumber": ""},
        {"version": 1, "cart": "x"},
    ],
)
def test_a_malformed_draft_is_refused_by_its_shape(body: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=OrderFromCartDraft)
