"""Cart predicates asked about carts as they are stored."""

from __future__ import annotations

from typing import Any

from holdfast.commerce.facts import Facts
from holdfast.commerce.predicates.cart import CartPredicate, cart_matches, parse_cart_predicate
from holdfast.commerce.resources.cart.shape import Cart, CustomLineItem, LineItem
from holdfast.commerce.resources.product.shape import products
from holdfast.commerce.values.value import builtins


def cart_meets(predicate: str, cart: Cart, facts: Facts) -> bool:
    """Whether a cart meets a predicate; line items know the categories of their products."""
    document = builtins(cart)
    for item, line in zip(document["lineItems"], cart.line_items, strict=True):
        product = facts.find(products, line.product_id)
        item["categories"] = builtins(product.master_data.current.categories) if product is not None else []
    return cart_matches(parse_cart_predicate(predicate), document)


def item_predicate(text: str, level: str) -> CartPredicate:
    """A predicate about one item, `level` being `lineItem` or `customLineItem`. Raises InvalidInput."""
    return parse_cart_predicate(f"{level}Exists({text})", "target.predicate")


def item_meets(text: str, item: LineItem | CustomLineItem, cart: Cart) -> bool:
    """Whether an item meets a target predicate: whether a cart with nothing else has such an item."""
    level = "lineItem" if isinstance(item, LineItem) else "customLineItem"
    document: dict[str, Any] = {"totalPrice": builtins(cart.total_price), f"{level}s": [builtins(item)]}
    return cart_matches(item_predicate(text, level), document)
