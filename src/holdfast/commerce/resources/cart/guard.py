"""Registering cart actions with what a frozen cart thinks of them.

A frozen cart keeps its prices: actions that would change them are refused until it is unfrozen.
Shipping may still be chosen on a softly frozen one. Everything else is registered plainly.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.resources.cart.shape import Cart, carts

F = TypeVar("F", bound=Callable[..., Any])


def pricing_action(name: str) -> Callable[[F], F]:
    """Register an action that may change prices or taxes: refused while the cart is frozen."""
    return _guarded(name, lambda cart: cart.cart_state == "Frozen")


def shipping_action(name: str) -> Callable[[F], F]:
    """Register a choice of shipping: refused while the cart is frozen hard."""
    return _guarded(name, lambda cart: cart.cart_state == "Frozen" and cart.freeze_strategy == "HardFreeze")


def _guarded(name: str, refuses: Callable[[Cart], bool]) -> Callable[[F], F]:
    def register(function: F) -> F:
        @wraps(function)
        def guarded(cart: Cart, *facts: Any, **fields: Any) -> Any:
            if refuses(cart):
                raise InvalidOperation(f"'{name}' is not allowed: the cart '{cart.id}' is frozen.")
            return function(cart, *facts, **fields)

        carts.action(name)(guarded)
        return function

    return register
