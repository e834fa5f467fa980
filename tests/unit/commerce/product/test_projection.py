from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.product import a_product, a_product_type, an_attribute, as_json, changed, shop

from holdfast.commerce.resources.inventory_entry import InventoryEntry
from holdfast.commerce.resources.product.projection import Look, projection
from holdfast.commerce.rules.availability import availability_by_sku
from holdfast.commerce.rules.pricing import PriceSelector
from holdfast.commerce.values.reference import Reference

NOW = "2026-01-31T10:00:00.000Z"
BERLIN = Reference(type_id="channel", id="berlin")


def a_price(cents: int, **scope: Any) -> dict[str, Any]:
    return {"value": {"currencyCode": "EUR", "centAmount": cents}, **scope}


SHIRT = a_product(
    key="shirt",
    publish=True,
    name={"en": "Shirt", "de": "Hemd"},
    slug={"en": "shirt", "de": "hemd"},
    description={"de": "Schön"},
    categories=[{"id": "shirts"}],
    taxCategory={"id": "standard"},
    masterVariant={
        "sku": "S1",
        "prices": [a_price(100), a_price(90, country="DE"), a_price(80, channel={"id": "berlin"})],
    },
    variants=[{"sku": "S2", "prices": [a_price(70)]}],
)
RENAMED = changed(SHIRT, {"action": "changeName", "name": {"en": "Blouse"}}).resource


def seen(look: Look, **stock: Any) -> dict[str, Any]:
    body: dict[str, Any] = as_json(projection(RENAMED, look, **stock))
    return body


def test_a_projection_is_one_version_flattened() -> None:
    current, staged = seen(Look()), seen(Look(staged=True))
    assert (current["name"], staged["name"]) == ({"en": "Shirt", "de": "Hemd"}, {"en": "Blouse"})
    for one in (current, staged):
        assert (one["id"], one["version"], one["key"]) == (RENAMED.id, RENAMED.version, "shirt")
        assert (one["published"], one["hasStagedChanges"], one["priceMode"]) == (True, True, "Embedded")
        assert one["categories"] == [{"typeId": "category", "id": "shirts"}]
        assert one["taxCategory"] == {"typeId": "tax-category", "id": "standard"}
        assert [one["masterVariant"]["sku"], one["variants"][0]["sku"]] == ["S1", "S2"]


def test_without_a_currency_no_price_is_singled_out() -> None:
    assert "price" not in seen(Look())["masterVariant"]


@pytest.mark.parametrize(
    ("country", "channel", "cents"), [(None, None, 100), ("DE", None, 90), ("DE", "berlin", 80), ("AT", "munich", 100)]
)
def test_the_price_that_applies_is_shown_beside_all_prices(
    country: str | None, channel: str | None, cents: int
) -> None:
    body = seen(Look(selector=PriceSelector("EUR", country, frozenset(), channel, NOW)))
    assert body["masterVariant"]["price"]["value"]["centAmount"] == cents
    assert len(body["masterVariant"]["prices"]) == 3
    assert body["variants"][0]["price"]["value"]["centAmount"] == 70


def test_a_currency_without_prices_shows_none() -> None:
    assert "price" not in seen(Look(selector=PriceSelector("USD", None, frozenset(), None, NOW)))["masterVariant"]


def test_locales_leave_only_their_texts() -> None:
    body = seen(Look(locales=("de",)))
    assert (body["name"], body["slug"], body["description"]) == ({"de": "Hemd"}, {"de": "hemd"}, {"de": "Schön"})
    assert seen(Look(locales=("fr",)))["name"] == {}


def test_locales_reach_into_attributes_but_not_into_other_objects() -> None:
    type_ = a_product_type(
        an_attribute("text", "ltext"),
        an_attribute("colour", {"name": "lenum", "values": [{"key": "r", "label": {"en": "Red", "de": "Rot"}}]}),
        an_attribute("texts", {"name": "set", "elementType": {"name": "ltext"}}),
        an_attribute("cost", "money"),
        an_attribute("link", {"name": "reference", "referenceTypeId": "category"}),
    )
    values = {
        "text": {"en": "a", "de": "b"},
        "colour": "r",
        "texts": [{"en": "c", "de": "d"}],
        "cost": {"currencyCode": "EUR", "centAmount": 1},
        "link": {"typeId": "category", "id": "sale"},
    }
    given = [{"name": name, "value": value} for name, value in values.items()]
    product = a_product(shop(product_type=type_), type_, masterVariant={"attributes": given})
    body = as_json(projection(product, Look(locales=("de",))))
    assert {one["name"]: one["value"] for one in body["masterVariant"]["attributes"]} == {
        "text": {"de": "b"},
        "colour": {"key": "r", "label": {"de": "Rot"}},
        "texts": [{"de": "d"}],
        "cost": {"type": "centPrecision", "currencyCode": "EUR", "centAmount": 1, "fractionDigits": 2},
        "link": {"typeId": "category", "id": "sale"},
    }


def test_a_store_shows_only_prices_of_its_countries_and_channels() -> None:
    def cents(**places: Any) -> list[int]:
        body = seen(Look(**places))
        return [price["value"]["centAmount"] for price in body["masterVariant"]["prices"]]

    assert cents(countries=frozenset({"DE"})) == [100, 90, 80]
    assert cents(countries=frozenset({"AT"})) == [100, 80]
    assert cents(channels=frozenset({"munich"})) == [100, 90]
    assert cents(channels=frozenset({"berlin"}), countries=frozenset({"AT"})) == [100, 80]


# --- availability --------------------------------------------------------------------------


def an_entry(sku: str, available: int, channel: Reference | None = None) -> InventoryEntry:
    return InventoryEntry(
        id=f"{sku}-{channel.id if channel else ''}",
        version=3,
        sku=sku,
        supply_channel=channel,
        available_quantity=available,
    )


def test_a_variant_shows_what_is_in_stock_and_in_which_channels() -> None:
    stock = availability_by_sku([an_entry("S1", 5), an_entry("S1", 0, BERLIN), an_entry("S2", 2, BERLIN)])
    body = seen(Look(), availability=stock)
    assert body["masterVariant"]["availability"] == {
        "id": "S1-",
        "version": 3,
        "isOnStock": True,
        "availableQuantity": 5,
        "channels": {"berlin": {"id": "S1-berlin", "version": 3, "isOnStock": False, "availableQuantity": 0}},
    }
    assert body["variants"][0]["availability"] == {
        "channels": {"berlin": {"id": "S2-berlin", "version": 3, "isOnStock": True, "availableQuantity": 2}}
    }


def test_nothing_is_said_of_what_has_no_entry() -> None:
    assert "availability" not in seen(Look())["masterVariant"]


def test_oversold_stock_is_not_on_stock() -> None:
    assert availability_by_sku([an_entry("S1", -2)])["S1"].is_on_stock is False


def test_a_store_shows_only_its_supply_channels() -> None:
    entries = [an_entry("S1", 5), replace(an_entry("S1", 1, BERLIN)), an_entry("S2", 1, BERLIN)]
    found = availability_by_sku(entries, frozenset({"munich"}))
    assert found["S1"].channels is None
    assert "S2" not in found
