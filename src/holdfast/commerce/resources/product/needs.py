"""What the actions of one update point at, gathered at once instead of action by action."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from holdfast.commerce.facts import Facts, Lookup, lookup_of
from holdfast.commerce.resources.category import categories
from holdfast.commerce.resources.product.shape import Product, products
from holdfast.commerce.resources.state import states
from holdfast.commerce.resources.tax_category import tax_categories
from holdfast.commerce.resources.type import types
from holdfast.commerce.rules.field_values import references_in
from holdfast.commerce.rules.price_drafts import lookups_of
from holdfast.commerce.values.reference import ResourceIdentifier

# Fields of actions that name a resource, by the type they name.
_TARGETS = {
    "category": categories.name,
    "state": states.name,
    "tax_category": tax_categories.name,
    "type": types.name,
}


@products.needs
def gather_references(product: Product, actions: Sequence[Any], facts: Facts) -> None:
    """Ask for everything the actions name."""
    facts.gather(lookup for payload in actions for lookup in _lookups(payload))


def _lookups(payload: Any) -> Iterator[Lookup]:
    for name in payload.__struct_fields__:
        value = getattr(payload, name)
        if isinstance(value, ResourceIdentifier) and name in _TARGETS:
            yield lookup_of(_TARGETS[name], value)
        elif name == "price":
            yield from lookups_of((value,))
        elif name == "prices":
            yield from lookups_of(value)
        elif name == "attributes":
            yield from references_in([attribute.value for attribute in value])
        elif name in {"value", "fields"}:
            yield from references_in(value)
