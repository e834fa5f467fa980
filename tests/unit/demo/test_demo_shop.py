"""The demo catalogue is complete, agrees with itself and is the same every time."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from holdfast.demo import catalog, images
from holdfast.demo.load import stages

API = "http://shop.example"
KEY = re.compile(r"[A-Za-z0-9_-]{2,256}")
PRODUCTS = catalog.products(API)


def all_variants() -> list[dict[str, Any]]:
    return [variant for product in PRODUCTS for variant in (product["masterVariant"], *product["variants"])]


def resource_identifiers(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if "typeId" in value:
            yield value["typeId"], value["key"]
        yield from chain.from_iterable(resource_identifiers(inner) for inner in value.values())
    elif isinstance(value, list):
        yield from chain.from_iterable(resource_identifiers(inner) for inner in value)


def test_there_are_at_least_two_hundred_products_with_variants() -> None:
    assert len(PRODUCTS) >= 200
    assert sum(bool(product["variants"]) for product in PRODUCTS) >= 150


def test_everything_has_a_published_key_once_per_collection() -> None:
    by_path: dict[str, Counter[str]] = {}
    for stage in stages(API):
        by_path.setdefault(stage.path, Counter()).update(draft["key"] for draft in stage.drafts)
    for path, keys in by_path.items():
        assert [key for key, times in keys.items() if times > 1] == [], path
        assert [key for key in keys if not KEY.fullmatch(key)] == [], path


@pytest.mark.parametrize("language", ["en", "de"])
def test_slugs_are_published_ones_and_used_once(language: str) -> None:
    slugs = [product["slug"][language] for product in PRODUCTS]
    assert len(set(slugs)) == len(slugs)
    assert [slug for slug in slugs if not KEY.fullmatch(slug)] == []


def test_skus_are_used_once_and_each_has_stock() -> None:
    skus = [variant["sku"] for variant in all_variants()]
    assert len(set(skus)) == len(skus)
    assert {entry["sku"] for entry in catalog.inventory() if "supplyChannel" not in entry} == set(skus)
    assert any("supplyChannel" in entry for entry in catalog.inventory())


def test_every_variant_has_prices_in_two_currencies_and_two_countries() -> None:
    for variant in all_variants():
        scopes = {(price["value"]["currencyCode"], price.get("country")) for price in variant["prices"]}
        assert {("EUR", "DE"), ("USD", "US")} <= scopes


def test_no_two_prices_of_a_variant_share_a_scope() -> None:
    for variant in all_variants():
        scopes = Counter(
            (price["value"]["currencyCode"], price.get("country"), *resource_identifiers(price))
            for price in variant["prices"]
        )
        assert max(scopes.values()) == 1, variant["sku"]


def test_whatever_is_named_has_been_loaded_in_an_earlier_stage() -> None:
    type_ids = {"categories": "category", "tax-categories": "tax-category", "inventory": "inventory-entry"}
    known: set[tuple[str, str]] = set()
    for stage in stages(API):
        assert {named for draft in stage.drafts for named in resource_identifiers(draft)} <= known, stage.path
        known |= {(type_ids.get(stage.path, stage.path.removesuffix("s")), draft["key"]) for draft in stage.drafts}


def test_enumerated_attribute_values_are_declared() -> None:
    known = {kind["key"]: {one["name"] for one in kind["attributes"]} for kind in catalog.product_types()}
    declared = {
        (product_type["key"], attribute["name"]): {value["key"] for value in attribute["type"]["values"]}
        for product_type in catalog.product_types()
        for attribute in product_type["attributes"]
        if "values" in attribute["type"]
    }
    for product in PRODUCTS:
        for variant in (product["masterVariant"], *product["variants"]):
            for attribute in variant["attributes"]:
                assert attribute["name"] in known[product["productType"]["key"]], variant["sku"]
                keys = declared.get((product["productType"]["key"], attribute["name"]))
                assert keys is None or attribute["value"] in keys, variant["sku"]


def test_attributes_of_one_name_have_one_type_in_all_product_types() -> None:
    kinds = {(one["name"], one["type"]["name"]) for kind in catalog.product_types() for one in kind["attributes"]}
    assert max(Counter(name for name, _ in kinds).values()) == 1


def test_the_same_shop_is_invented_every_time() -> None:
    assert list(stages(API)) == list(stages(API))


def test_every_image_of_the_catalogue_is_a_drawing_of_its_own_shape_and_colour() -> None:
    for variant in all_variants():
        (image,) = variant["images"]
        name = image["url"].removeprefix(f"{API}/-/demo/images/").removesuffix(".svg")
        shape, colour, _ = name.split("-", 2)
        drawing = images.svg(name)
        ET.fromstring(drawing)
        assert images.SHAPES[shape].encode() in drawing
        assert images.COLOURS[colour].encode() in drawing


@pytest.mark.parametrize("name", ["", "-", "x" * 10_000, "<script>", "jacket", "jacket-", "'\"&", "\udcff", "\0"])
def test_any_other_name_gives_a_small_harmless_picture(name: str) -> None:
    drawing = images.svg(name)
    ET.fromstring(drawing)
    assert len(drawing) < 2_000
    assert b"script" not in drawing
