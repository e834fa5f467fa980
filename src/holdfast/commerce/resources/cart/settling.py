"""What follows every change of a cart: who may change it at all, prices, taxes and totals anew, reservations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import ByField, ById, Facts, Lookup
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.life import check_lock_scope
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.inventory_entry import entry_lookup
from holdfast.commerce.resources.product.shape import products
from holdfast.commerce.rules.cart_lookups import reckoning_lookups
from holdfast.commerce.rules.quantity_limits import check_limits
from holdfast.commerce.rules.reservations import given_back, reserved
from holdfast.commerce.rules.totals import recalculated, summed


@carts.needs
def gather_for_update(cart: Cart, actions: Sequence[Any], facts: Facts) -> None:
    """The products of all lines, those to come included, shipping methods and discounts: in one go."""
    facts.gather(_lookups(cart, actions, facts.project_key))


def _lookups(cart: Cart, actions: Sequence[Any], project: str) -> Iterator[Lookup]:
    yield from reckoning_lookups(cart, project)
    for payload in actions:
        product_id, sku = getattr(payload, "product_id", None), getattr(payload, "sku", None)
        if product_id is not None:
            yield ById(products.name, product_id)
        elif sku is not None:
            yield ByField(products.name, "sku", sku)
            if getattr(payload, "supply_channel", None) is None:
                yield entry_lookup(sku, None)


@carts.settle
def settle_cart(before: Cart | None, cart: Cart, facts: Facts) -> Changed[Cart]:
    """The cart reckoned through. A frozen one keeps its prices; only its sums are made."""
    if before is not None:
        check_changeable(before, facts)
    settled = summed(cart) if cart.cart_state == "Frozen" else recalculated(cart, facts)
    check_limits(before, settled, facts)
    return reserved(before, settled, facts)


@carts.delete
def delete_cart(cart: Cart, facts: Facts) -> Changed[Cart]:
    """A cart goes as it is, a locked one only by those who may change it; what it reserved comes back."""
    if cart.lock is not None:
        check_lock_scope(facts)
    return Changed(cart, stock=given_back(cart.stock_reserved, facts))


def check_changeable(cart: Cart, facts: Facts) -> None:
    """Whether the cart can still change, and the caller may do it.

    Raises InvalidOperation for carts that became an order or part of another cart, InsufficientScope
    for locked ones.
    """
    if cart.cart_state in ("Ordered", "Merged"):
        raise InvalidOperation(f"The cart '{cart.id}' is {cart.cart_state} and can no longer be changed.")
    if cart.lock is not None:
        check_lock_scope(facts)
