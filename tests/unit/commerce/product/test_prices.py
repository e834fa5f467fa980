from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.commerce.builders.product import a_product, a_type_for, as_json, changed, made, shop

from holdfast.base.errors import (
    DuplicatePriceKey,
    DuplicatePriceScope,
    InvalidField,
    InvalidOperation,
    MaxResourceLimitExceeded,
    OverlappingPriceValidity,
    ReferencedResourceNotFound,
)
from holdfast.commerce.resources.product.shape import Product
from holdfast.commerce.values.price import Price

CHANNEL = {"typeId": "channel", "id": "berlin"}
GROUP = {"typeId": "customer-group", "id": "b2b"}
EURO = {"type": "centPrecision", "currencyCode": "EUR", "fractionDigits": 2}


def a_price(cents: int = 100, **more: Any) -> dict[str, Any]:
    return {"value": {"currencyCode": "EUR", "centAmount": cents}, **more}


def priced(*prices: dict[str, Any]) -> Product:
    return a_product(masterVariant={"sku": "S1", "prices": list(prices)})


def prices(product: Product, *, staged: bool = True) -> tuple[Price, ...]:
    data = product.master_data
    return (data.staged if staged else data.current).master_variant.prices


SHIRT = priced(a_price(100, key="base"), a_price(90, country="DE"))
BASE, GERMAN = prices(SHIRT)


def test_a_price_is_kept_with_its_whole_scope() -> None:
    draft = a_price(
        150,
        key="all",
        country="DE",
        customerGroup={"typeId": "customer-group", "key": "b2b"},
        channel={"key": "berlin"},
        validFrom="2026-01-01T00:00:00+01:00",
        validUntil="2027-01-01T00:00:00Z",
        tiers=[
            {"minimumQuantity": 10, "value": {"currencyCode": "EUR", "centAmount": 120}},
            {"minimumQuantity": 5, "value": {"currencyCode": "EUR", "centAmount": 140}},
        ],
    )
    (kept,) = as_json(prices(priced(draft)))
    assert kept.pop("id")
    assert kept == {
        "key": "all",
        "value": EURO | {"centAmount": 150},
        "country": "DE",
        "customerGroup": GROUP,
        "channel": CHANNEL,
        "validFrom": "2025-12-31T23:00:00.000Z",
        "validUntil": "2027-01-01T00:00:00.000Z",
        "tiers": [
            {"minimumQuantity": 5, "value": EURO | {"centAmount": 140}},
            {"minimumQuantity": 10, "value": EURO | {"centAmount": 120}},
        ],
    }


def test_a_price_can_be_finer_than_a_cent() -> None:
    fine = {"type": "highPrecision", "currencyCode": "EUR", "preciseAmount": 12345, "fractionDigits": 4}
    (kept,) = as_json(prices(priced({"value": fine})))
    assert kept["value"] == fine | {"centAmount": 123}


@pytest.mark.parametrize(
    "draft",
    [
        a_price(-1),
        a_price(validFrom="2026-01-02T00:00:00Z", validUntil="2026-01-02T00:00:00Z"),
        a_price(tiers=[{"minimumQuantity": 1, "value": {"currencyCode": "EUR", "centAmount": 1}}]),
        a_price(tiers=[{"minimumQuantity": 5, "value": {"currencyCode": "USD", "centAmount": 1}}]),
        a_price(tiers=[{"minimumQuantity": 5, "value": {"currencyCode": "EUR", "centAmount": 1}}] * 2),
        {"value": {"currencyCode": "EUR"}},
        {"value": {"currencyCode": "EUR", "centAmount": 1, "fractionDigits": 3}},
    ],
)
def test_a_price_that_makes_no_sense_is_refused(draft: dict[str, Any]) -> None:
    with pytest.raises(InvalidField):
        priced(draft)


# --- one price per scope -------------------------------------------------------------------


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"country": "DE"},
        {"channel": CHANNEL},
        {"customerGroup": GROUP},
        {"country": "DE", "channel": CHANNEL, "customerGroup": GROUP},
    ],
)
def test_a_scope_has_one_price(scope: dict[str, Any]) -> None:
    with pytest.raises(DuplicatePriceScope):
        priced(a_price(1, **scope), a_price(2, **scope))
    assert len(prices(priced(a_price(1, **scope), {"value": {"currencyCode": "USD", "centAmount": 1}, **scope}))) == 2


def window(start: int | None, end: int | None) -> dict[str, Any]:
    """A validity of days in January 2026."""
    found: dict[str, Any] = {}
    if start is not None:
        found["validFrom"] = f"2026-01-{start:02d}T00:00:00.000Z"
    if end is not None:
        found["validUntil"] = f"2026-01-{end:02d}T00:00:00.000Z"
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 10), (5, 20)),
        ((1, 10), (2, 3)),
        ((None, 10), (5, None)),
        ((1, None), (20, 30)),
        ((None, 10), (None, 20)),
        ((1, 10), (1, 10)),
    ],
)
def test_windows_of_one_scope_do_not_overlap(one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    for first, second in ((one, other), (other, one)):
        with pytest.raises(OverlappingPriceValidity):
            priced(a_price(**window(*first)), a_price(**window(*second)))


def test_windows_may_touch_and_live_beside_a_price_without_one() -> None:
    apart = (a_price(**window(1, 10)), a_price(**window(10, 20)), a_price(**window(20, None)), a_price())
    assert len(prices(priced(*apart))) == 4


@given(st.lists(st.tuples(st.integers(1, 15), st.integers(16, 31)), min_size=2, max_size=4))
def test_no_two_windows_over_the_same_day_get_in(windows: list[tuple[int, int]]) -> None:
    with pytest.raises(OverlappingPriceValidity):
        priced(*(a_price(**window(*each)) for each in windows))


def test_a_price_key_is_used_once_in_a_variant_and_again_in_another() -> None:
    with pytest.raises(DuplicatePriceKey):
        priced(a_price(key="base"), a_price(country="DE", key="base"))
    made(
        masterVariant={"sku": "S1", "prices": [a_price(key="base")]},
        variants=[{"sku": "S2", "prices": [a_price(key="base")]}],
    )


# --- actions -------------------------------------------------------------------------------


@pytest.mark.parametrize("staged", [True, False])
def test_a_price_is_added_and_told(staged: bool) -> None:
    added = changed(SHIRT, {"action": "addPrice", "sku": "S1", "price": a_price(80, country="AT"), "staged": staged})
    assert [price.country for price in prices(added.resource)] == [None, "DE", "AT"]
    assert len(prices(added.resource, staged=False)) == (2 if staged else 3)
    (told,) = as_json(added.messages)
    assert (told["type"], told["variantId"], told["staged"]) == ("ProductPriceAdded", 1, staged)
    assert told["price"] == as_json(prices(added.resource)[2])


def test_a_price_of_a_taken_scope_is_not_added() -> None:
    with pytest.raises(DuplicatePriceScope):
        changed(SHIRT, {"action": "addPrice", "variantId": 1, "price": a_price(80, country="DE")})


def test_a_variant_has_at_most_a_hundred_prices() -> None:
    countries = [f"{first}{second}" for first in "ABCDE" for second in "ABCDEFGHIJKLMNOPQRST"]
    full = priced(*(a_price(1, country=country) for country in countries))
    assert len(prices(full)) == 100
    with pytest.raises(MaxResourceLimitExceeded):
        changed(full, {"action": "addPrice", "variantId": 1, "price": a_price(1)})


def test_all_prices_of_a_variant_are_replaced() -> None:
    after = changed(SHIRT, {"action": "setPrices", "variantId": 1, "prices": [a_price(5)]})
    assert [price.value.cent_amount for price in prices(after.resource)] == [5]
    (told,) = as_json(after.messages)
    assert (told["type"], told["prices"]) == ("ProductPricesSet", as_json(prices(after.resource)))
    assert prices(changed(SHIRT, {"action": "setPrices", "sku": "S1", "prices": []}).resource) == ()


def test_a_changed_price_keeps_its_id_and_loses_what_is_not_given() -> None:
    after = changed(SHIRT, {"action": "changePrice", "priceId": BASE.id, "price": a_price(77)})
    new = prices(after.resource)[0]
    assert (new.id, new.value.cent_amount, new.key) == (BASE.id, 77, None)
    assert prices(after.resource, staged=False)[0] == BASE
    (told,) = as_json(after.messages)
    assert (told["type"], told["oldPrice"], told["newPrice"]) == ("ProductPriceChanged", as_json(BASE), as_json(new))
    assert "oldStagedPrice" not in told


def test_a_price_changed_in_both_versions_tells_both_old_ones() -> None:
    staged = changed(SHIRT, {"action": "changePrice", "priceId": BASE.id, "price": a_price(77)}).resource
    both = changed(staged, {"action": "changePrice", "priceId": BASE.id, "price": a_price(55), "staged": False})
    assert prices(both.resource)[0] == prices(both.resource, staged=False)[0]
    (told,) = as_json(both.messages)
    assert told["oldPrice"] == as_json(BASE)
    assert told["oldStagedPrice"] == as_json(prices(staged)[0])


def test_changing_a_price_to_what_it_is_changes_nothing() -> None:
    same = changed(SHIRT, {"action": "changePrice", "priceId": GERMAN.id, "price": a_price(90, country="DE")})
    assert (same.resource.version, same.messages) == (SHIRT.version, ())


def test_a_price_cannot_move_into_a_taken_scope() -> None:
    with pytest.raises(DuplicatePriceScope):
        changed(SHIRT, {"action": "changePrice", "priceId": GERMAN.id, "price": a_price(90)})


@pytest.mark.parametrize("staged", [True, False])
def test_a_price_is_removed_and_told(staged: bool) -> None:
    after = changed(SHIRT, {"action": "removePrice", "priceId": BASE.id, "staged": staged})
    assert prices(after.resource) == (GERMAN,)
    assert prices(after.resource, staged=False) == ((BASE, GERMAN) if staged else (GERMAN,))
    (told,) = as_json(after.messages)
    assert (told["type"], told["price"]) == ("ProductPriceRemoved", as_json(BASE))


def test_a_price_key_is_set_and_removed() -> None:
    after = changed(SHIRT, {"action": "setPriceKey", "priceId": GERMAN.id, "key": "de"})
    assert prices(after.resource)[1].key == "de"
    (told,) = as_json(after.messages)
    assert told == {"type": "ProductPriceKeySet", "variantId": 1, "priceId": GERMAN.id, "key": "de", "staged": True}
    assert prices(changed(SHIRT, {"action": "setPriceKey", "priceId": BASE.id}).resource)[0].key is None
    with pytest.raises(DuplicatePriceKey):
        changed(SHIRT, {"action": "setPriceKey", "priceId": GERMAN.id, "key": "base"})


def test_a_discounted_price_needs_a_product_discount() -> None:
    discounted = {"value": {"currencyCode": "EUR", "centAmount": 50}, "discount": {"id": "summer"}}
    with pytest.raises(ReferencedResourceNotFound):
        changed(SHIRT, {"action": "setDiscountedPrice", "priceId": BASE.id, "discounted": discounted})
    dollars = discounted | {"value": {"currencyCode": "USD", "centAmount": 50}}
    with pytest.raises(InvalidField):
        changed(SHIRT, {"action": "setDiscountedPrice", "priceId": BASE.id, "discounted": dollars})
    assert changed(SHIRT, {"action": "setDiscountedPrice", "priceId": BASE.id}).messages == ()


# --- custom fields -------------------------------------------------------------------------

TYPE = a_type_for("product-price")
KNOWN = shop(TYPE)
SET_TYPE = {
    "action": "setProductPriceCustomType",
    "priceId": BASE.id,
    "type": {"typeId": "type", "id": TYPE.id},
    "fields": {"note": "hi"},
}
SET_FIELD = {"action": "setProductPriceCustomField", "priceId": BASE.id, "name": "note"}


def kinds(messages: Any) -> list[str]:
    return [type(message).__name__ for message in messages]


def test_a_price_carries_custom_fields_and_tells_each_change() -> None:
    typed = changed(SHIRT, SET_TYPE, facts=KNOWN)
    assert prices(typed.resource)[0].custom.fields == {"note": "hi"}  # type: ignore[union-attr]
    assert kinds(typed.messages) == ["ProductPriceCustomFieldsSet"]
    steps = changed(
        typed.resource,
        SET_FIELD | {"value": "ho"},
        SET_FIELD,
        SET_FIELD | {"value": "again"},
        {"action": "setProductPriceCustomType", "priceId": BASE.id},
        facts=KNOWN,
    )
    assert kinds(steps.messages) == [
        "ProductPriceCustomFieldChanged",
        "ProductPriceCustomFieldRemoved",
        "ProductPriceCustomFieldAdded",
        "ProductPriceCustomFieldsRemoved",
    ]
    assert prices(steps.resource) == prices(SHIRT)


def test_a_field_needs_a_type() -> None:
    with pytest.raises(InvalidOperation):
        changed(SHIRT, SET_FIELD | {"value": "x"}, facts=KNOWN)
