"""Carts ready to be ordered, and the orders they become, in the small shop of `builders/cart.py`."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from tests.unit.commerce.builders import cart as shop_of
from tests.unit.commerce.builders.inventory_entry import an_entry
from tests.unit.commerce.builders.state import a_state
from tests.unit.commerce.builders.type import a_type
from tests.unit.commerce.facts import PROJECT

from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.resources.order.drafts import OrderFromCartDraft
from holdfast.commerce.resources.order.placing import place_order
from holdfast.commerce.resources.order.shape import Order
from holdfast.commerce.resources.state import initial_line_item_state
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import Stored

CART_ID = "0193b2f0-0000-7000-8000-00000000cafe"
INITIAL_ID = initial_line_item_state(PROJECT).id

INITIAL = a_state(INITIAL_ID, key="Initial", type="LineItemState", built_in=True)
PICKED = a_state("picked", type="LineItemState", initial=False)
RETURNED = a_state("returned", type="LineItemState", initial=False, roles=("Return",))
REFUNDED = a_state("refunded", type="LineItemState", initial=False)
STATES = (INITIAL, PICKED, RETURNED, REFUNDED)
SHIRTS = an_entry("entry-shirt", sku="shirt", on_stock=10)
BOOKS = an_entry("entry-book", sku="book", on_stock=10)
HOLDERS = ("order", "line-item", "custom-line-item", "address", "shipping", "order-delivery", "order-parcel")
TYPES = (*(a_type(f"for-{of}", of=of) for of in HOLDERS), a_type("for-return", of="order-return-item"))


def shop(*records: Stored, **session: Any) -> Facts:
    """Facts that know the shop, its states, its stock and its custom types."""
    return shop_of.shop(*STATES, SHIRTS, BOOKS, *TYPES, *records, **session)


def a_ready_cart(*lines: dict[str, Any], **draft: Any) -> Cart:
    """A cart somebody could order: two shirts to Germany, unless said otherwise."""
    given = {"lineItems": list(lines) or [shop_of.sku("shirt", 2)], "shippingAddress": shop_of.DE, **draft}
    return replace(shop_of.a_cart(shop(), **given), id=CART_ID)


def placed(cart: Cart, facts: Facts | None = None, **draft: Any) -> Changed[Order]:
    """What placing an order decides."""
    return place_order(cart, OrderFromCartDraft(version=cart.version, **draft), facts or shop())


def an_order(*lines: dict[str, Any], **draft: Any) -> Order:
    """The order of a ready cart."""
    return placed(a_ready_cart(*lines, **draft)).resource


def state(name: str) -> Reference:
    return Reference(type_id="state", id=INITIAL_ID if name == "Initial" else name)
