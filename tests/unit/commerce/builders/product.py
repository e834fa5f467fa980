"""Product types and products, filled only as far as needed."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import msgspec
from msgspec.structs import replace
from tests.unit.commerce.facts import create, facts_with, update

from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import REGISTRY, Changed, Resource
from holdfast.commerce.resources import product
from holdfast.commerce.resources.category import Category
from holdfast.commerce.resources.channel import Channel
from holdfast.commerce.resources.customer_group import CustomerGroup
from holdfast.commerce.resources.product.shape import Product, products
from holdfast.commerce.resources.product_type import ProductType, product_types
from holdfast.commerce.resources.tax_category import TaxCategory
from holdfast.commerce.resources.type import Type, types
from holdfast.commerce.values.value import Stored, encode

for _module in pkgutil.iter_modules(product.__path__, f"{product.__name__}."):
    importlib.import_module(_module.name)


def an_attribute(name: str, type_: str | dict[str, Any] = "text", **more: Any) -> dict[str, Any]:
    """An attribute definition as JSON."""
    kind = {"name": type_} if isinstance(type_, str) else type_
    return {"name": name, "label": {"en": name}, "isRequired": False, "type": kind, **more}


def a_product_type(*attributes: dict[str, Any], id: str = "shirt") -> ProductType:
    draft = {"name": id, "description": "", "attributes": attributes}
    decoded = product_types.drafts.decode(msgspec.json.encode(draft))
    return ProductType(id=id, key=id, name=id, description="", attributes=decoded.attributes)


PLAIN = a_product_type()
BERLIN = Channel(id="berlin", key="berlin", roles=("ProductDistribution",))
B2B = CustomerGroup(id="b2b", key="b2b", name="b2b")
STANDARD = TaxCategory(id="standard", key="standard", name="standard")
SHIRTS = Category(id="shirts", key="shirts", name={"en": "Shirts"}, slug={"en": "shirts"}, order_hint="0.1")
SALE = Category(id="sale", key="sale", name={"en": "Sale"}, slug={"en": "sale"}, order_hint="0.2")


def shop(*records: Stored, product_type: ProductType = PLAIN) -> Facts:
    """Facts that know the records of this file, and more."""
    known = (product_type, BERLIN, B2B, STANDARD, SHIRTS, SALE, *records)
    return facts_with(*((_kind(record), record) for record in known))


def made(facts: Facts | None = None, product_type: ProductType = PLAIN, **draft: Any) -> Changed[Product]:
    """What a draft becomes; its fields are given as on the wire."""
    body = {
        "productType": {"typeId": "product-type", "id": product_type.id},
        "name": {"en": "Shirt"},
        "slug": {"en": "shirt"},
        **draft,
    }
    return create(products, body, facts or shop(product_type=product_type))


def a_product(facts: Facts | None = None, product_type: ProductType = PLAIN, **draft: Any) -> Product:
    return replace(made(facts, product_type, **draft).resource, id="product-1")


def changed(before: Product, *actions: dict[str, Any], facts: Facts | None = None) -> Changed[Product]:
    return update(products, before, *actions, facts=facts or shop())


def as_json(value: Any) -> Any:
    """A value as clients see it."""
    return msgspec.json.decode(encode(value))


def _kind(record: Stored) -> Resource[Any]:
    return next(kind for kind in REGISTRY.values() if kind.shape is type(record))


def a_type_for(resource_type_id: str) -> Type:
    """A type with one text field, `note`."""
    draft = {
        "key": "gift",
        "name": {},
        "resourceTypeIds": [resource_type_id],
        "fieldDefinitions": [{"name": "note", "label": {}, "required": False, "type": {"name": "String"}}],
    }
    return create(types, draft).resource
