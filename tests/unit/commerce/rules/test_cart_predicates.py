"""What cart predicates find behind the references of a cart, and how they ask for it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import BOOK, SHIRT, VIP, a_cart, shop, sku
from tests.unit.commerce.facts import NOW, a_caller

from holdfast.commerce.facts import ById, Facts, MissingFacts
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.resources.category import Category
from holdfast.commerce.resources.product.shape import Product
from holdfast.commerce.rules.cart_predicates import Records, cart_meets
from holdfast.commerce.values.reference import Reference


def a_category(name: str, *ancestors: str) -> Category:
    above = tuple(Reference(type_id="category", id=each) for each in ancestors)
    return Category(id=name, key=f"key-{name}", name={}, slug={}, order_hint="0.1", ancestors=above)


def sorted_into(product: Product, category: str) -> Product:
    data = replace(product.master_data.current, categories=(Reference(type_id="category", id=category),))
    return replace(product, master_data=replace(product.master_data, current=data))


SHIRTS = sorted_into(SHIRT, "shirts")
BOOKS = sorted_into(BOOK, "books")
CATALOGUE = (SHIRTS, BOOKS, a_category("shirts", "clothes"), a_category("clothes"), a_category("books"))


def filled(facts: Facts, **more: Any) -> Cart:
    return a_cart(facts, lineItems=[sku("shirt"), sku("book")], **more)


@pytest.mark.parametrize(
    ("predicate", "is_met"),
    [
        ('lineItemExists(categories.key = "key-shirts")', True),
        ('lineItemExists(categories.key = "key-clothes")', False),
        ('lineItemCount(categoriesWithAncestors.key = "key-clothes") = 1', True),
        ('customer.customerGroup.key = "vip"', True),
        ('customer.customerGroup.key = "other"', False),
        ("customer.firstName is defined", False),
    ],
)
def test_a_path_goes_on_behind_references(predicate: str, is_met: bool) -> None:
    facts = shop(*CATALOGUE)
    group = {"typeId": "customer-group", "id": VIP.id}
    assert cart_meets(predicate, filled(facts, customerGroup=group), facts) is is_met


def test_all_records_of_a_type_are_asked_for_at_once() -> None:
    cart = filled(shop(*CATALOGUE))
    known: dict[Any, Any] = {ById("product", product.id): product for product in (SHIRTS, BOOKS)}
    facts = Facts(caller=a_caller(), now=NOW, base_id=0, known=known)
    with pytest.raises(MissingFacts) as missing:
        Records(cart, facts)("category", "shirts")
    assert missing.value.lookups == {ById("category", "shirts"), ById("category", "books")}


def test_a_reference_that_leads_nowhere_is_no_record() -> None:
    records = Records(filled(shop(*CATALOGUE)), shop(*CATALOGUE))
    assert records("key-value-document", "one") is None
    assert records("customer-credential", "one") is None
    assert records("category", "gone") is None
