"""Product types and products, filled only as far as needed."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from tests.unit.commerce.facts import facts_with

from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Resource
from holdfast.commerce.resources.product.shape import Product, products
from holdfast.commerce.resources.product_type import ProductType, product_types
from holdfast.commerce.values.value import Stored


def an_attribute(name: str, type_: str | dict[str, Any] = "text", **more: Any) -> dict[str, Any]:
    """An attribute definition as JSON."""
    kind = {"name": type_} if isinstance(type_, str) else type_
    return {"name": name, "label": {"en": name}, "isRequired": False, "type": kind, **more}


def a_product_type(*attributes: dict[str, Any], id: str = "shirt") -> ProductType:
    draft = {"name": "Shirt", "key": id, "description": "", "attributes": attributes}
    decoded = product_types.drafts.decode(_json(draft))
    return ProductType(id=id, key=id, name=decoded.name, description="", attributes=decoded.attributes)


def a_product(
    product_type: ProductType, *records: tuple[Resource[Any], Stored], id: str = "product-1", **draft: Any
) -> Product:
    """A product of the type, made from a draft whose fields are given as on the wire."""
    body = {
        "productType": {"typeId": "product-type", "id": product_type.id},
        "name": {"en": "Shirt"},
        "slug": {"en": "shirt"},
        **draft,
    }
    made = products.created(products.drafts.decode(_json(body)), facts_with((product_types, product_type), *records))
    return replace(made.resource, id=id)


def facts_about(product_type: ProductType, *records: tuple[Resource[Any], Stored]) -> Facts:
    return facts_with((product_types, product_type), *records)


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)
