"""What follows every change of a cart: who may change it at all, and prices, taxes and totals anew."""

from __future__ import annotations

from holdfast.base.errors import InsufficientScope, InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.rules.totals import recalculated, summed
from holdfast.commerce.scopes import allows


@carts.settle
def settle_cart(before: Cart | None, cart: Cart, facts: Facts) -> Cart:
    """The cart reckoned through. A frozen one keeps its prices; only its sums are made."""
    if before is not None:
        check_changeable(before, facts)
    return summed(cart) if cart.cart_state == "Frozen" else recalculated(cart, facts)


def check_changeable(cart: Cart, facts: Facts) -> None:
    """Whether the cart can still change, and the caller may do it.

    Raises InvalidOperation for carts that became an order or part of another cart, InsufficientScope
    for locked ones.
    """
    if cart.cart_state in ("Ordered", "Merged"):
        raise InvalidOperation(f"The cart '{cart.id}' is {cart.cart_state} and can no longer be changed.")
    if cart.lock is not None and not allows(facts.caller.scopes, "manage_locked_carts"):
        raise InsufficientScope("The cart is locked; changing it needs the scope 'manage_locked_carts'.")
