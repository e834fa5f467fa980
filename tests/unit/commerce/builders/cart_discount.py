"""Cart discounts, codes for them, and carts they apply to."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from tests.unit.commerce.builders import order as shop_of
from tests.unit.commerce.builders.cart import eur
from tests.unit.commerce.facts import PROJECT, create

from holdfast.base.ids import automatic_discounts_id
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.automatic_discounts import AutomaticDiscounts
from holdfast.commerce.resources.cart_discount import CartDiscount, cart_discounts, terms_of
from holdfast.commerce.resources.discount_code import DiscountCode
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import Stored

ALL_LINES = {"type": "lineItems", "predicate": "1 = 1"}
SHIPPING = {"type": "shipping"}
TOTAL = {"type": "totalPrice"}


def off(permyriad: int) -> dict[str, Any]:
    return {"type": "relative", "permyriad": permyriad}


def less(cents: int) -> dict[str, Any]:
    return {"type": "absolute", "money": [eur(cents)]}


def gift_of(product: str = "book") -> dict[str, Any]:
    return {"type": "giftLineItem", "product": {"typeId": "product", "id": f"{product}-id"}, "variantId": 1}


def a_draft(value: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What a client sends; ten percent off all lines, unless said otherwise."""
    chosen = value or off(1000)
    target = {} if chosen["type"] == "giftLineItem" else {"target": ALL_LINES}
    return {"name": {"en": "d"}, "value": chosen, "cartPredicate": "1 = 1", "sortOrder": "0.5", **target, **more}


def a_discount(id: str = "ten", value: dict[str, Any] | None = None, **more: Any) -> CartDiscount:
    return replace(create(cart_discounts, a_draft(value, **more), shop_of.shop()).resource, id=id)


def a_code(code: str = "SALE", *discounts: str, **more: Any) -> DiscountCode:
    """A code with an id that is its word in small letters."""
    references = tuple(Reference(type_id="cart-discount", id=id) for id in discounts or ("ten",))
    return DiscountCode(id=code.lower(), code=code, cart_discounts=references, **more)


def shop(*records: Stored, **session: Any) -> Facts:
    """Facts that know the shop, these records, and which of the discounts apply by themselves."""
    automatic = [
        terms_of(each)
        for each in records
        if isinstance(each, CartDiscount) and each.is_active and not each.requires_discount_code
    ]
    ranked = tuple(sorted(automatic, key=lambda each: each.sort_order, reverse=True))
    listed = AutomaticDiscounts(id=automatic_discounts_id(PROJECT), discounts=ranked)
    return shop_of.shop(listed, *records, **session)
