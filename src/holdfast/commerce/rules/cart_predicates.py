"""Cart predicates asked about carts as they are stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from holdfast.commerce.facts import ById, Facts
from holdfast.commerce.predicates.cart import CartPredicate, cart_matches, parse_cart_predicate
from holdfast.commerce.registry import REGISTRY
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


class Records:
    """A cart's items and the records that it and they point at, as predicates see them.

    Most predicates ask for no record. The first that does has all of a type gathered at once, not one for each line.
    """

    def __init__(self, cart: Cart, facts: Facts) -> None:
        self._cart = cart
        self._facts = facts
        self._shown: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        self._items: dict[int, dict[str, Any]] = {}

    def item_meets(self, place: int, item: LineItem | CustomLineItem, predicate: str, level: str) -> bool:
        """Whether the item at this place meets a target predicate: a cart with nothing else would have such an item."""
        if place not in self._items:
            self._items[place] = item_document(item, self._cart, self._facts)
        return cart_matches(item_predicate(predicate, level), self._items[place], self)

    def __call__(self, kind: str, record_id: str) -> Mapping[str, Any] | None:
        key = (kind, record_id)
        if key not in self._shown:
            self._shown[key] = self._read(kind, record_id)
        return self._shown[key]

    def _read(self, kind: str, record_id: str) -> Mapping[str, Any] | None:
        resource = REGISTRY.get(kind)
        if resource is None or resource.path is None:
            return None
        self._facts.gather(ById(kind, each) for each in {record_id, *self._named.get(kind, ())})
        found = self._facts.find(resource, record_id)
        return None if found is None else builtins(found)

    @cached_property
    def _named(self) -> dict[str, set[str]]:
        named: dict[str, set[str]] = {}
        for kind, record_id in _references(cart_document(self._cart, self._facts)):
            named.setdefault(kind, set()).add(record_id)
        return named


def _references(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, list | tuple):
        for element in node:
            yield from _references(element)
    elif isinstance(node, dict):
        if isinstance(node.get("typeId"), str) and isinstance(node.get("id"), str):
            yield node["typeId"], node["id"]
        for value in node.values():
            yield from _references(value)


def cart_meets(predicate: str, cart: Cart, facts: Facts) -> bool:
    """Whether a cart meets a predicate."""
    return cart_matches(parse_cart_predicate(predicate), cart_document(cart, facts), Records(cart, facts))


def item_predicate(text: str, level: str, parameter: str = "target.predicate") -> CartPredicate:
    """A predicate about one item, `level` being `lineItem` or `customLineItem`. Raises InvalidInput."""
    return parse_cart_predicate(f"{level}Exists({text})", parameter)


def item_document(item: LineItem | CustomLineItem, cart: Cart, facts: Facts) -> dict[str, Any]:
    """A cart with nothing in it but this item, as predicates see it."""
    total = builtins(cart.total_price)
    if isinstance(item, CustomLineItem):
        return {"totalPrice": total, "customLineItems": [builtins(item)]}
    return {"totalPrice": total, "lineItems": [builtins(item) | {"categories": _categories(item, facts)}]}
