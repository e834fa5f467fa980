"""A cent that is changed anywhere in a sum is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.unit.commerce.builders.cart import changed, eur, sku
from tests.unit.commerce.builders.order import a_ready_cart, placed, shop

from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.rules.sums import misreckoned
from holdfast.commerce.values.value import encode

Path = tuple[str | int, ...]
# Amounts that are told beside the sums and are part of none.
BESIDE = {"variant", "shippingRate", "includedDiscounts", "directDiscounts", "price"}


def a_rich_cart() -> Cart:
    """Lines with and without a discount, a custom line, shipping, something off the total; all taxed."""
    fee = {"name": {"en": "fee"}, "slug": "fee", "money": eur(250), "quantity": 3, "taxCategory": {"key": "normal"}}
    cart = a_ready_cart(sku("shirt", 2), sku("book", 3), customLineItems=[fee])
    method = {"typeId": "shipping-method", "id": "standard"}
    off_shirts = {"type": "lineItems", "predicate": 'sku = "shirt"'}
    return changed(
        cart,
        {"action": "setShippingMethod", "shippingMethod": method},
        {
            "action": "setDirectDiscounts",
            "discounts": [
                {"value": {"type": "relative", "permyriad": 1_000}, "target": off_shirts},
                {"value": {"type": "relative", "permyriad": 500}, "target": {"type": "totalPrice"}},
            ],
        },
        facts=shop(),
    )


def amounts(node: Any, path: Path = ()) -> Iterator[Path]:
    """Where amounts stand in a document."""
    if isinstance(node, dict):
        if "centAmount" in node:
            yield path
        for name, value in node.items():
            yield from amounts(value, (*path, name))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from amounts(value, (*path, index))


def with_one_cent_more(document: Any, path: Path) -> Any:
    copy = msgspec.json.decode(msgspec.json.encode(document))
    place = copy
    for step in path:
        place = place[step]
    place["centAmount"] += 1
    return copy


def without_total_discount(cart: Cart) -> Cart:
    return changed(cart, {"action": "setDirectDiscounts", "discounts": []}, facts=shop())


RICH = msgspec.json.decode(encode(a_rich_cart()))
PLAIN = msgspec.json.decode(encode(without_total_discount(a_rich_cart())))
IN_SUMS = [
    (name, path)
    for name, cart in (("rich", RICH), ("plain", PLAIN))
    for path in amounts(cart)
    if not BESIDE.intersection(path)
]


def misreckoned_in(document: Any) -> list[str]:
    return misreckoned(carts.decode(msgspec.json.encode(document)))


def test_what_was_reckoned_adds_up() -> None:
    assert misreckoned_in(RICH) == []
    assert misreckoned(placed(a_rich_cart(), shop()).resource) == []


@pytest.mark.parametrize(("name", "path"), IN_SUMS, ids=lambda part: ".".join(map(str, part)))
def test_one_cent_more_is_noticed(name: str, path: Path) -> None:
    assert misreckoned_in(with_one_cent_more({"rich": RICH, "plain": PLAIN}[name], path))


def test_the_rich_cart_has_every_kind_of_amount() -> None:
    named = {path[-1] for _, path in IN_SUMS} | {path[0] for _, path in IN_SUMS}
    assert named >= {
        "totalPrice",
        "taxedPrice",
        "lineItems",
        "customLineItems",
        "shippingInfo",
        "discountOnTotalPrice",
        "taxedShippingPrice",
        "totalNet",
        "totalGross",
        "totalTax",
        "discountedNetAmount",
        "discountedGrossAmount",
    }


@pytest.mark.parametrize("line", [0, 1])
def test_a_unit_more_is_noticed(line: int) -> None:
    copy = msgspec.json.decode(msgspec.json.encode(RICH))
    item = copy["lineItems"][line]
    lots = item["discountedPricePerQuantity"]
    (lots[0] if lots else item)["quantity"] += 1
    assert misreckoned_in(copy)


def test_what_came_from_outside_is_taken_as_it_is() -> None:
    outside = sku("shirt", 2, externalTotalPrice={"price": eur(1_000), "totalPrice": eur(1_999)})
    assert misreckoned(a_ready_cart(outside)) == []
    precise = {"type": "highPrecision", "currencyCode": "EUR", "preciseAmount": 12_345, "fractionDigits": 4}
    assert misreckoned(a_ready_cart(sku("shirt", 3, externalPrice=precise))) == []
    gross = {"action": "setCartTotalTax", "externalTotalGross": eur(5_000)}
    assert misreckoned(changed(a_ready_cart(taxMode="ExternalAmount"), gross, facts=shop())) == []


def test_a_tax_that_nobody_told_is_not_missed() -> None:
    copy = msgspec.json.decode(msgspec.json.encode(PLAIN))
    del copy["taxedPrice"]["totalTax"]
    assert misreckoned_in(copy) == []


def test_without_its_share_of_the_discount_a_taxed_total_cannot_be_judged() -> None:
    copy = msgspec.json.decode(msgspec.json.encode(RICH))
    del copy["discountOnTotalPrice"]["discountedNetAmount"]
    assert misreckoned_in(copy) == []
    copy["taxedPrice"]["totalTax"]["centAmount"] += 1
    assert misreckoned_in(copy)
