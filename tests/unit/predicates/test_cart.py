"""Cart predicates decide about carts."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.errors import InvalidInput
from holdfast.commerce.predicates.cart import cart_matches, parse_cart_predicate


def eur(cents: int) -> dict[str, Any]:
    return {"type": "centPrecision", "currencyCode": "EUR", "centAmount": cents, "fractionDigits": 2}


def ref(kind: str, record_id: str) -> dict[str, Any]:
    return {"typeId": kind, "id": record_id}


def line(sku: str, cents: int, quantity: int, **extra: Any) -> dict[str, Any]:
    attributes = [{"name": "color", "value": {"key": "red", "label": "Red"}}, {"name": "my-size", "value": 3}]
    return {
        "productId": f"product-{sku}",
        "productKey": f"key-{sku}",
        "productType": ref("product-type", "apparel"),
        "variant": {"id": 1, "sku": sku, "attributes": attributes},
        "price": {"value": eur(cents), "country": "DE"},
        "quantity": quantity,
        "totalPrice": eur(cents * quantity),
        **extra,
    }


CART: dict[str, Any] = {
    "totalPrice": eur(11_499),  # with 4.99 for shipping
    "country": "DE",
    "customerId": "customer-1",
    "customerEmail": "ada@example.com",
    "customerGroup": {"typeId": "customer-group", "id": "group-1"},
    "store": {"typeId": "store", "key": "berlin"},
    "lineItems": [
        line("A", 2_000, 2, categories=[ref("category", "shoes"), ref("category", "sale")]),
        line("B", 5_000, 1, taxedPrice={"totalNet": eur(4_202), "totalGross": eur(5_000)}),
    ],
    "customLineItems": [{"slug": "wrap", "money": eur(1_500), "quantity": 1, "totalPrice": eur(1_500)}],
    "shippingInfo": {"shippingMethodName": "Post", "price": eur(499)},
    "shippingAddress": {"country": "DE", "city": "Berlin"},
    "taxedPrice": {"totalNet": eur(9_663), "totalGross": eur(11_499)},
    "custom": {"type": {"typeId": "type", "id": "type-1"}, "fields": {"gift": True, "tags": ["x", "y"]}},
}

RECORDS: dict[tuple[str, str], dict[str, Any]] = {
    ("customer-group", "group-1"): {"key": "vip"},
    ("customer", "customer-1"): {
        "email": "her-own@example.com",
        "firstName": "Ada",
        "stores": [{"typeId": "store", "key": "paris"}],
        "custom": {"type": ref("type", "type-2"), "fields": {"tier": "gold", "mentor": ref("customer", "customer-2")}},
    },
    ("customer", "customer-2"): {"firstName": "Grace"},
    ("category", "shoes"): {"key": "all-shoes", "ancestors": [ref("category", "women")]},
    ("category", "sale"): {"key": "sale", "ancestors": []},
    ("category", "women"): {"key": "ladies"},
    ("product-type", "apparel"): {"key": "clothes"},
}


def meets(text: str, cart: dict[str, Any] = CART) -> bool:
    return cart_matches(parse_cart_predicate(text), cart, lambda kind, record_id: RECORDS.get((kind, record_id)))


TRUE = (
    "1 = 1",
    "true",
    'totalPrice = "105.00 EUR"',
    'totalPrice > "100 EUR"',
    'totalPrice != "105.00 USD"',
    'totalPrice in ("1 USD", "105 EUR")',
    "totalPrice.centAmount = 10500",
    'currency = "EUR" and country = "DE"',
    'customer.id = "customer-1" and customer.email = "ada@example.com"',
    'customer.customerGroup.id = "group-1" and customer.customerGroup.key = "vip"',
    'store.key = "berlin"',
    'shippingAddress.city matches ignore case "BERLIN"',
    'shippingInfo.price < "5 EUR"',
    'taxedPrice.net = "96.63 EUR" and taxedPrice.gross = "114.99 EUR"',
    'custom.gift = true and custom.type.id = "type-1"',
    'custom.tags contains all ("x", "y") and custom.tags contains any ("z", "y")',
    "custom.nothing is not defined",
    'lineItemTotal(sku = "A") = "40 EUR"',
    'lineItemTotal(1 = 1) = "90.00 EUR"',
    'lineItemTotal(sku = "nothing") = "0 EUR"',
    'lineItemNetTotal(sku = "B") = "42.02 EUR" and lineItemGrossTotal(sku = "B") = "50 EUR"',
    "lineItemCount(1 = 1) = 3",
    'lineItemCount(price >= "20 EUR" and price.country = "DE") = 3',
    'lineItemExists(categories.id contains all ("shoes", "sale")) = true',
    'lineItemExists(categories.key = "all-shoes" and productType.key = "clothes")',
    'lineItemExists(categoriesWithAncestors.id contains all ("shoes", "women"))',
    'lineItemCount(categoriesWithAncestors.key = "ladies") = 2',
    'customer.firstName = "Ada" and customer.stores.key = "paris"',
    'customer.custom.tier = "gold" and customer.custom.mentor.firstName = "Grace"',
    'lineItemExists(product.id = "product-A" and variant.id = 1)',
    'lineItemExists(product.key = "nothing") = false',
    'forAllLineItems(attributes.color.key = "red") = true',
    "forAllLineItems(attributes.`my-size` = 3 and attributes.my-size < 4)",
    'customLineItemTotal(slug = "wrap") = "15 EUR" and customLineItemCount(true) = 1',
    'customLineItemExists(price = "15 EUR") and forAllCustomLineItems(money = "15 EUR")',
    'NOT (country = "US") AND (lineItemCount(true) > 2 OR 1 = 2)',
)

FALSE = (
    "1 = 2",
    "false",
    'totalPrice > "105 EUR"',
    'totalPrice > "100 USD"',
    'totalPrice > "100"',
    "totalPrice > 100",
    'nothing = "x"',
    "customer.nothing is defined or customer.custom.nothing is defined",
    'lineItemExists(categories.key = "ladies")',
    'lineItemExists(sku = "B" and categoriesWithAncestors.id is defined)',
    'lineItemNetTotal(1 = 1) > "0 EUR"',  # one line has no tax yet
    'forAllLineItems(sku = "A")',
    'lineItemCount(sku = "A") > "1"',
    'not (1 = 1 or country = "US")',
)


@pytest.mark.parametrize("text", TRUE)
def test_a_cart_meets(text: str) -> None:
    assert meets(text)


@pytest.mark.parametrize("text", FALSE)
def test_a_cart_does_not_meet(text: str) -> None:
    assert not meets(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "country",
        '"DE"',
        "1",
        "lineItemTotal(1 = 1)",
        "lineItemTotal()",
        "lineItemExists(sku = )",
        "a..b = 1",
        ".a = 1",
        "a. = 1",
        "country = :country",
        'country = "DE" extra',
        'not country = "DE"',
        "(" * 60 + "1 = 1" + ")" * 60,
        "a" + ".a" * 30 + " = 1",
        " or ".join(["1 = 1"] * 10_000),
        'country = "\0"',
    ],
)
def test_what_is_no_cart_predicate_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Malformed parameter: predicate: "):
        parse_cart_predicate(text)


def test_amounts_of_high_precision_are_compared_exactly() -> None:
    money = {"currencyCode": "EUR", "centAmount": 13, "preciseAmount": 12_345, "fractionDigits": 5}
    cart = {**CART, "customLineItems": [{"money": money, "quantity": 1, "totalPrice": eur(13)}]}
    assert meets('customLineItemExists(money = "0.12345 EUR")', cart)
    assert not meets('customLineItemExists(money = "0.13 EUR")', cart)


def test_an_empty_cart_has_no_items_and_all_of_them_match() -> None:
    cart = {"totalPrice": {"currencyCode": "JPY", "centAmount": 0}, "lineItems": [], "customLineItems": []}
    assert meets('totalPrice = "0 JPY" and lineItemCount(1 = 1) = 0', cart)
    assert meets('forAllLineItems(sku = "A") and not (lineItemExists(1 = 1))', cart)


WORDS = st.sampled_from(
    ("lineItemTotal", "forAllLineItems", "(", ")", "=", ">", '"1 EUR"', "1", "and", "or", "not", ".", "sku", "in", ",")
)


@given(st.text() | st.lists(WORDS, max_size=15).map(" ".join))
def test_any_text_is_understood_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert meets(text) in (True, False)
