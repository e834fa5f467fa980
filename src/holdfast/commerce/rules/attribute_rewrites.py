"""How products follow their product type: attributes renamed, removed or relabelled in all of them.

Rewrites of one request are gathered first and applied in order to each product once, so that several
actions that touch the same product do not overwrite each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import MATCHING_LIMIT_MAX, Facts
from holdfast.commerce.registry import Other, touched
from holdfast.commerce.resources.product.shape import (
    Attribute,
    Product,
    ProductData,
    ProductVariant,
    products,
)

# Products one update of a product type may rewrite: they are all part of its commit.
REWRITTEN_PRODUCTS_MAX = 2_000
# A predicate names no more enum keys than this; with more, all products that have the attribute are looked at.
KEYS_ASKED_MAX = 20


class Rewrite(NamedTuple):
    """A change to every attribute called `name`; `predicate` finds those it can concern.

    change: gives the new attribute, the same one, or None to remove it.
    """

    name: str
    predicate: str
    change: Callable[[Attribute], Attribute | None]


def using(name: str, *keys: str) -> str:
    """A predicate on an attribute: it is there, or has one of these enum keys."""
    if not 0 < len(keys) <= KEYS_ASKED_MAX:
        return f"name = {_quoted(name)}"
    return f"name = {_quoted(name)} and value(key in ({', '.join(map(_quoted, keys))}))"


def renaming(name: str, new_name: str) -> Rewrite:
    return Rewrite(name, using(name), lambda attribute: replace(attribute, name=new_name))


def dropping(name: str) -> Rewrite:
    return Rewrite(name, using(name), lambda _: None)


def dropping_enum_values(name: str, keys: Sequence[str]) -> Rewrite:
    """Take enum values out of products; an attribute left without any goes."""
    gone = frozenset(keys)

    def change(attribute: Attribute) -> Attribute | None:
        if not isinstance(attribute.value, list | tuple):
            return None if _key(attribute.value) in gone else attribute
        kept = [element for element in attribute.value if _key(element) not in gone]
        return replace(attribute, value=kept) if kept else None

    return Rewrite(name, using(name, *keys), change)


def enum_value_as(name: str, key: str, value: Any) -> Rewrite:
    """Give products the new form of an enum value, `{key, label}`."""

    def renewed(element: Any) -> Any:
        return value if _key(element) == key else element

    def change(attribute: Attribute) -> Attribute:
        old = attribute.value
        new = [renewed(element) for element in old] if isinstance(old, list | tuple) else renewed(old)
        return replace(attribute, value=new)

    return Rewrite(name, using(name, key), change)


def rewritten_products(type_id: str, rewrites: Sequence[Rewrite], facts: Facts) -> tuple[Other, ...]:
    """The products of a type after the rewrites, each once, in the order of their ids.

    Raises InvalidOperation when too many use what changes.
    """
    concerned: dict[str, Product] = {}
    for rewrite in rewrites:
        concerned |= {product.id: product for product in _concerned(type_id, rewrite, facts)}
        if len(concerned) > REWRITTEN_PRODUCTS_MAX:
            raise InvalidOperation(
                f"More than {REWRITTEN_PRODUCTS_MAX} products use the attribute '{rewrite.name}'; "
                "change or remove it there first."
            )
    pairs = ((before, _rewritten(before, rewrites)) for _, before in sorted(concerned.items()))
    return tuple(
        Other(products, before, touched(after, before.version + 1, facts)) for before, after in pairs if after != before
    )


def _concerned(type_id: str, rewrite: Rewrite, facts: Facts) -> list[Product]:
    found: list[Product] = []
    where = _where(type_id, rewrite.predicate)
    page = facts.matching(products, where, sort="id asc")
    while len(page) == MATCHING_LIMIT_MAX and len(found) <= REWRITTEN_PRODUCTS_MAX:
        found.extend(page)
        page = facts.matching(products, f"{where} and id > {_quoted(page[-1].id)}", sort="id asc")
    return [*found, *page]


def _where(type_id: str, predicate: str) -> str:
    somewhere = " or ".join(f"{holder}(attributes({predicate}))" for holder in ("masterVariant", "variants"))
    version = f"({somewhere} or attributes({predicate}))"
    return f"productType(id = {_quoted(type_id)}) and masterData(current{version} or staged{version})"


def _rewritten(product: Product, rewrites: Sequence[Rewrite]) -> Product:
    data = product.master_data
    current = _data(data.current, rewrites)
    staged = current if data.staged == data.current else _data(data.staged, rewrites)
    return replace(product, master_data=replace(data, current=current, staged=staged))


def _data(data: ProductData, rewrites: Sequence[Rewrite]) -> ProductData:
    return replace(
        data,
        master_variant=_variant(data.master_variant, rewrites),
        variants=tuple(_variant(variant, rewrites) for variant in data.variants),
        attributes=_attributes(data.attributes, rewrites),
    )


def _variant(variant: ProductVariant, rewrites: Sequence[Rewrite]) -> ProductVariant:
    return replace(variant, attributes=_attributes(variant.attributes, rewrites))


def _attributes(attributes: tuple[Attribute, ...], rewrites: Sequence[Rewrite]) -> tuple[Attribute, ...]:
    for rewrite in rewrites:
        changed = (rewrite.change(one) if one.name == rewrite.name else one for one in attributes)
        attributes = tuple(one for one in changed if one is not None)
    return attributes


def _key(value: Any) -> str | None:
    key = value.get("key") if isinstance(value, dict) else None
    return key if isinstance(key, str) else None


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
