"""Cart predicates asked about carts as they are stored."""

from __future__ import annotations

from typing import Any

from holdfast.commerce.facts import Facts
from holdfast.commerce.predicates.cart import CartPredicate, cart_matches, parse_cart_predicate
from holdfast.commerce.resources.cart.shape import Cart, CustomLineItem, LineItem
from holdfast.commerce.resources.product.shape import products
from holdfast.commerce.values.value import builtins


def cart_document(cart: Cart, facts: Facts) -> dict[str, Any]:
    """A cart as predicates see it: line items know the categories of their products."""
    document: dict[str, Any] = builtins(cart)
    for item, line in zip(document["lineItems"], cart.line_items, strict=True):
        item["categories"] = _categories(line, facts)
    return document


def _categories(line: LineItem, facts: Facts) -> Any:
    product = facts.find(products, line.product_id)
    return builtins(product.master_data.current.categories) if product is not None else []


def cart_meets(predicate: str, cart: Cart, facts: Facts) -> bool:
    """Whether a cart meets a predicate."""
    return cart_matches(parse_cart_predicate(predicate), cart_document(cart, facts))


def item_predicate(text: str, level: str, parameter: str = "target.predicate") -> CartPredicate:
    """A predicate about one item, `level` being `lineItem` or `customLineItem`. Raises InvalidInput."""
    return parse_cart_predicate(f"{level}Exists({text})", parameter)


def item_document(item: LineItem | CustomLineItem, cart: Cart, facts: Facts) -> dict[str, Any]:
    """A cart with nothing in it but this item, as predicates see it."""
    total = builtins(cart.total_price)
    if isinstance(item, CustomLineItem):
        return {"totalPrice": total, "customLineItems": [builtins(item)]}
    return {"totalPrice": total, "lineItems": [builtins(item) | {"categories": _categories(item, facts)}]}


def item_meets(text: str, level: str, document: dict[str, Any]) -> bool:
    """Whether an item meets a target predicate: whether a cart with nothing else has such an item."""
    return cart_matches(item_predicate(text, level), document)
