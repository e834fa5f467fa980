from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.http.api import Api, fresh, refusal

EUR = {"currencyCode": "EUR", "centAmount": 1000}
SIZES = [{"key": "s", "label": "Small"}, {"key": "l", "label": "Large"}]


@pytest.fixture(scope="module")
def api(shop: Any) -> Iterator[Api]:
    with Api(shop.create_project("products")) as api:
        yield api


@pytest.fixture(scope="module")
def product_type(api: Api) -> dict[str, Any]:
    size = {"name": "size", "label": {"en": "Size"}, "isRequired": False, "type": {"name": "enum", "values": SIZES}}
    return api.create("/product-types", {"key": "shirt", "name": "Shirt", "description": "", "attributes": [size]})


@pytest.fixture(scope="module")
def places(api: Api) -> dict[str, str]:
    """A channel, a customer group and a store that sells from the channel."""
    channel = api.create("/channels", {"key": "berlin", "roles": ["ProductDistribution", "InventorySupply"]})
    group = api.create("/customer-groups", {"key": "b2b", "groupName": "B2B"})
    other = api.create("/channels", {"key": "munich", "roles": ["ProductDistribution", "InventorySupply"]})
    store = {
        "key": "berlin-store",
        "name": {"en": "Berlin"},
        "languages": ["de"],
        "distributionChannels": [{"typeId": "channel", "id": channel["id"]}],
        "supplyChannels": [{"typeId": "channel", "id": channel["id"]}],
    }
    api.create("/stores", store)
    return {"berlin": channel["id"], "munich": other["id"], "b2b": group["id"]}


def a_product(api: Api, **more: Any) -> dict[str, Any]:
    key = fresh("product")
    draft = {
        "key": key,
        "productType": {"typeId": "product-type", "key": "shirt"},
        "name": {"en": f"Shirt {key}", "de": f"Hemd {key}"},
        "slug": {"en": key, "de": f"{key}-de"},
        "masterVariant": {"sku": f"{key}-1", "prices": [{"value": EUR}]},
        "publish": True,
    }
    return api.create("/products", draft | more)


def projections(api: Api, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/product-projections", **parameters)["results"]
    return found


# --- what shoppers see ---------------------------------------------------------------------


def test_a_published_product_is_found_by_id_key_and_slug(api: Api, product_type: dict[str, Any]) -> None:
    product = a_product(api)
    by_id = api.get(f"/product-projections/{product['id']}")
    assert by_id["name"]["en"] == f"Shirt {product['key']}"
    assert by_id["masterVariant"]["sku"] == f"{product['key']}-1"
    assert api.get(f"/product-projections/key={product['key']}") == by_id
    assert projections(api, where=f'slug(en = "{product["key"]}")') == [by_id]
    assert projections(api, where="slug(de = :slug)", **{"var.slug": f"{product['key']}-de"}) == [by_id]


def test_an_unpublished_product_is_seen_only_staged(api: Api, product_type: dict[str, Any]) -> None:
    hidden = a_product(api, publish=False)
    path, slug = f"/product-projections/{hidden['id']}", f'slug(en = "{hidden["key"]}")'
    refusal(api.send("GET", path), 404, "ResourceNotFound")
    assert projections(api, where=slug) == []
    assert api.get(path, staged="true")["published"] is False
    assert len(projections(api, where=slug, staged="true")) == 1


def test_staged_changes_show_with_staged_and_after_publishing(api: Api, product_type: dict[str, Any]) -> None:
    product = a_product(api)
    path = f"/product-projections/{product['id']}"
    new = fresh("new")
    changed = api.update("/products", product, {"action": "changeSlug", "slug": {"en": new}})
    assert api.get(path)["slug"]["en"] == product["key"]
    assert api.get(path, staged="true")["slug"] == {"en": new}
    assert (projections(api, where=f'slug(en = "{new}")'), changed["masterData"]["hasStagedChanges"]) == ([], True)
    api.update("/products", changed, {"action": "publish"})
    assert api.get(path)["slug"] == {"en": new}
    assert projections(api, where=f'slug(en = "{product["key"]}")') == []


def test_staged_data_needs_more_than_the_right_to_published_products(api: Api, product_type: dict[str, Any]) -> None:
    hidden = a_product(api, publish=False)
    path = f"/product-projections/{hidden['id']}"
    shopper = api.fetch_token(f"view_published_products:{api.key}")
    assert api.send("GET", path, parameters={"staged": "true"}).status_code == 200
    refused = api.send("GET", path, parameters={"staged": "true"}, token=shopper)
    refusal(refused, 403, "insufficient_scope")
    assert api.send("GET", "/product-projections", token=shopper).status_code == 200


def test_prices_are_selected_for_the_place_and_the_group(
    api: Api, product_type: dict[str, Any], places: dict[str, str]
) -> None:
    product = a_product(
        api,
        masterVariant={
            "sku": fresh("sku"),
            "prices": [
                {"value": EUR},
                {"value": EUR | {"centAmount": 900}, "country": "DE"},
                {"value": EUR | {"centAmount": 800}, "channel": {"typeId": "channel", "key": "berlin"}},
                {"value": EUR | {"centAmount": 700}, "customerGroup": {"typeId": "customer-group", "key": "b2b"}},
            ],
        },
    )
    path = f"/product-projections/{product['id']}"
    for parameters, cents in (
        ({}, 1000),
        ({"priceCountry": "DE"}, 900),
        ({"priceCountry": "DE", "priceChannel": places["berlin"]}, 800),
        ({"priceChannel": places["munich"]}, 1000),
        ({"priceChannel": places["berlin"], "priceCustomerGroup": places["b2b"]}, 700),
        ({"priceCustomerGroupAssignments": ["someone", places["b2b"]]}, 700),
    ):
        seen = api.get(path, priceCurrency="EUR", **parameters)
        assert seen["masterVariant"]["price"]["value"]["centAmount"] == cents
        assert len(seen["masterVariant"]["prices"]) == 4
    assert "price" not in api.get(path, priceCurrency="USD")["masterVariant"]
    refusal(api.send("GET", path, parameters={"priceCountry": "DE"}), 400, "InvalidInput")


def test_stock_is_shown_beside_the_variant(api: Api, product_type: dict[str, Any], places: dict[str, str]) -> None:
    product = a_product(api)
    sku = product["masterData"]["current"]["masterVariant"]["sku"]
    api.create("/inventory", {"sku": sku, "quantityOnStock": 7})
    for key in ("berlin", "munich"):
        api.create("/inventory", {"sku": sku, "quantityOnStock": 0, "supplyChannel": {"typeId": "channel", "key": key}})
    availability = api.get(f"/product-projections/{product['id']}", expand="nothing")["masterVariant"]["availability"]
    assert (availability["isOnStock"], availability["availableQuantity"]) == (True, 7)
    assert availability["channels"][places["berlin"]]["isOnStock"] is False
    in_store = api.get(f"/in-store/key=berlin-store/product-projections/{product['id']}")
    assert set(in_store["masterVariant"]["availability"]["channels"]) == {places["berlin"]}


def test_whole_products_show_the_price_and_the_stock_as_well(api: Api, product_type: dict[str, Any]) -> None:
    prices = [{"value": EUR}, {"value": EUR | {"centAmount": 900}, "country": "DE"}]
    key, sku = fresh("whole"), fresh("sku")
    product = a_product(api, key=key, masterVariant={"sku": sku, "prices": prices})
    assert api.get(f"/products/{product['id']}") == product
    api.create("/inventory", {"sku": sku, "quantityOnStock": 7})
    asked = {"priceCurrency": "EUR", "priceCountry": "DE", "expand": "productType"}
    (queried,) = api.get("/products", where=f'key = "{key}"', **asked)["results"]
    for seen in (api.get(f"/products/{product['id']}", **asked), api.get(f"/products/key={key}", **asked), queried):
        assert seen["productType"]["obj"]["id"] == product["productType"]["id"]
        for version in ("current", "staged"):
            variant = seen["masterData"][version]["masterVariant"]
            assert variant["price"]["value"]["centAmount"] == 900
            assert variant["availability"]["availableQuantity"] == 7
    refusal(api.send("GET", "/products", parameters={"priceCurrency": "euro"}), 400, "InvalidInput")
    refusal(api.send("GET", f"/products/key={fresh('no')}"), 404, "ResourceNotFound")
    for where, status in ((f'key = "{key}"', 200), (f'key = "{fresh("no")}"', 404)):
        assert api.send("HEAD", "/products", parameters={"where": where}).status_code == status


def test_a_store_narrows_languages_and_prices(api: Api, product_type: dict[str, Any], places: dict[str, str]) -> None:
    prices = [
        {"value": EUR},
        {"value": EUR, "channel": {"typeId": "channel", "key": "berlin"}},
        {"value": EUR, "channel": {"typeId": "channel", "key": "munich"}},
    ]
    product = a_product(api, masterVariant={"sku": fresh("sku"), "prices": prices})
    named = api.get(f"/product-projections/{product['id']}", storeProjection="berlin-store")
    inside = api.get(f"/in-store/key=berlin-store/product-projections/key={product['key']}")
    for seen in (named, inside):
        assert set(seen["name"]) == {"de"}
        assert [price.get("channel", {}).get("id") for price in seen["masterVariant"]["prices"]] == [
            None,
            places["berlin"],
        ]
    assert set(api.get(f"/product-projections/{product['id']}", localeProjection="en")["name"]) == {"en"}
    refusal(
        api.send("GET", "/product-projections", parameters={"storeProjection": "no"}), 400, "ReferencedResourceNotFound"
    )
    refusal(api.send("GET", "/in-store/key=no/product-projections"), 404, "ResourceNotFound")


# --- queries -------------------------------------------------------------------------------


def test_projections_are_queried_by_their_own_fields(api: Api, product_type: dict[str, Any]) -> None:
    category = api.create("/categories", {"name": {"en": "c"}, "slug": {"en": fresh("category")}})
    inside = {"categories": [{"typeId": "category", "id": category["id"]}]}
    large = {"sku": fresh("sku"), "attributes": [{"name": "size", "value": "l"}]}
    small = {"sku": fresh("sku"), "attributes": [{"name": "size", "value": "s"}]}
    one = a_product(api, **inside, masterVariant=small, variants=[large])
    two = a_product(api, **inside, masterVariant=large | {"sku": fresh("sku")})
    hidden = a_product(api, **inside, publish=False, masterVariant={"sku": fresh("sku")})
    here = f'categories(id = "{category["id"]}")'

    def ids(where: str, **more: Any) -> list[str]:
        return [each["id"] for each in projections(api, where=where, **more)]

    assert ids(here, sort="createdAt asc") == [one["id"], two["id"]]
    assert ids(here, sort="slug.en desc") == [two["id"], one["id"]]
    assert ids(here, staged="true", sort="id asc") == [one["id"], two["id"], hidden["id"]]
    assert ids(f"{here} and published = false", staged="true") == [hidden["id"]]
    assert ids(f'{here} and masterVariant(attributes(name = "size" and value(key = "l")))') == [two["id"]]
    assert ids(f'{here} and variants(sku = "{large["sku"]}")') == [one["id"]]
    assert ids(f'{here} and productType(id = "{product_type["id"]}") and version >= 1 and id = "{two["id"]}"') == [
        two["id"]
    ]
    page = api.get("/product-projections", where=here, limit=1, offset=1, sort="createdAt asc")
    assert (page["total"], page["count"], page["results"][0]["id"]) == (2, 1, two["id"])


def test_head_tells_whether_a_product_is_there(api: Api, product_type: dict[str, Any]) -> None:
    product = a_product(api)
    for path, status in (
        (f"/product-projections/{product['id']}", 200),
        (f"/product-projections/key={product['key']}", 200),
        ("/product-projections/key=nobody", 404),
    ):
        assert api.send("HEAD", path).status_code == status
    for where, status in ((f'slug(en = "{product["key"]}")', 200), ('slug(en = "nobody")', 404)):
        assert api.send("HEAD", "/product-projections", parameters={"where": where}).status_code == status


def test_references_of_a_projection_are_expanded(api: Api, product_type: dict[str, Any]) -> None:
    product = a_product(api)
    by_id = api.get(f"/product-projections/{product['id']}", expand="productType")
    (queried,) = projections(api, where=f'slug(en = "{product["key"]}")', expand="productType")
    for seen in (by_id, queried):
        assert seen["productType"]["obj"]["key"] == "shirt"


@pytest.mark.parametrize(
    "parameters",
    [
        {"where": "masterData(published = true)"},
        {"where": 'slug(en = "x"'},
        {"sort": "nowhere"},
        {"limit": 501},
        {"staged": "perhaps"},
        {"priceCurrency": "euro"},
    ],
)
def test_a_query_that_makes_no_sense_is_refused(api: Api, parameters: dict[str, Any]) -> None:
    refusal(api.send("GET", "/product-projections", parameters=parameters), 400, "InvalidInput")


# --- uniqueness and references -------------------------------------------------------------


def test_slugs_skus_and_keys_are_unique_in_the_project(api: Api, product_type: dict[str, Any]) -> None:
    product = a_product(api, masterVariant={"sku": fresh("sku"), "key": fresh("variant")})
    master = product["masterData"]["current"]["masterVariant"]
    for field, draft in (
        ("key", {"key": product["key"]}),
        ("slug.en", {"slug": {"en": product["key"]}}),
        ("sku", {"masterVariant": {"sku": master["sku"]}}),
    ):
        own = {"slug": {"en": fresh("slug")}, "masterVariant": {"sku": fresh("sku")}} | draft
        body = {"name": {}, "productType": {"typeId": "product-type", "key": "shirt"}} | own
        assert refusal(api.send("POST", "/products", body), 400, "DuplicateField")["field"] == field


def test_a_moved_category_takes_its_descendants_along(api: Api) -> None:
    def a_category(parent: dict[str, Any] | None = None) -> dict[str, Any]:
        below = {"parent": {"typeId": "category", "id": parent["id"]}} if parent else {}
        return api.create("/categories", {"name": {"en": "c"}, "slug": {"en": fresh("category")}, **below})

    old, new = a_category(), a_category()
    moved = a_category(old)
    leaf = a_category(a_category(moved))
    api.update("/categories", moved, {"action": "changeParent", "parent": {"typeId": "category", "id": new["id"]}})
    after = api.get(f"/categories/{leaf['id']}")
    assert [one["id"] for one in after["ancestors"]][:2] == [new["id"], moved["id"]]
    assert after["version"] == leaf["version"] + 1
    subtree = api.get("/categories", where=f'ancestors(id = "{new["id"]}")')["results"]
    assert len(subtree) == 3


def test_products_follow_a_renamed_attribute_and_a_new_enum_label(api: Api) -> None:
    size = {"name": "fit", "label": {}, "isRequired": False, "type": {"name": "enum", "values": SIZES}}
    type_ = api.create("/product-types", {"name": "t", "description": "", "attributes": [size]})
    product = a_product(
        api,
        productType={"typeId": "product-type", "id": type_["id"]},
        masterVariant={"sku": fresh("sku"), "attributes": [{"name": "fit", "value": "s"}]},
    )
    api.update(
        "/product-types",
        type_,
        {"action": "changeAttributeName", "attributeName": "fit", "newAttributeName": "cut"},
        {"action": "changePlainEnumValueLabel", "attributeName": "cut", "newValue": {"key": "s", "label": "Tiny"}},
    )
    after = api.get(f"/products/{product['id']}")
    for version in ("current", "staged"):
        attributes = after["masterData"][version]["masterVariant"]["attributes"]
        assert attributes == [{"name": "cut", "value": {"key": "s", "label": "Tiny"}}]
    assert after["version"] == product["version"] + 1
    refusal(
        api.send("DELETE", f"/product-types/{type_['id']}", parameters={"version": type_["version"] + 2}),
        400,
        "ReferenceExists",
    )
