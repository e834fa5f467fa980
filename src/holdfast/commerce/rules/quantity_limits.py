"""How few and how many units of an item one line of a cart may have: the limits of its inventory entry."""

from __future__ import annotations

from holdfast.base.errors import LineItemQuantityAboveLimit, LineItemQuantityBelowLimit
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.rules.stock import asking_anew, entries_of


def check_limits(before: Cart | None, cart: Cart, facts: Facts) -> None:
    """Whether new and changed lines keep to the limits; those that nobody touched are left in peace.

    Raises LineItemQuantityAboveLimit or LineItemQuantityBelowLimit.
    """
    lines = asking_anew(before, cart)
    entries = entries_of(lines, facts)
    for line in lines:
        entry = entries[line.id]
        least, most = (entry.min_cart_quantity, entry.max_cart_quantity) if entry is not None else (None, None)
        if most is not None and line.quantity > most:
            raise LineItemQuantityAboveLimit(line.id, line.quantity, most)
        if least is not None and line.quantity < least:
            raise LineItemQuantityBelowLimit(line.id, line.quantity, least)
