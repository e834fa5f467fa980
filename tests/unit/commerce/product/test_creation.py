from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.product import (
    PLAIN,
    a_product,
    a_product_type,
    a_type_for,
    an_attribute,
    as_json,
    changed,
    made,
    shop,
)
from tests.unit.commerce.builders.state import a_state
from tests.unit.commerce.facts import NOW

from holdfast.base.errors import (
    AttributeNameDoesNotExist,
    DuplicateAttributeValue,
    DuplicateAttributeValues,
    DuplicateField,
    DuplicateVariantValues,
    InvalidField,
    InvalidOperation,
    ReferencedResourceNotFound,
    RequiredField,
)
from holdfast.commerce.messages.product import ProductCreated, ProductDeleted
from holdfast.commerce.resources.product.shape import products


def test_a_new_product_has_two_equal_versions_and_is_hidden() -> None:
    body = as_json(a_product(key="shirt", masterVariant={"sku": "S1"}, variants=[{"sku": "S2"}]))
    data = body["masterData"]
    assert (data["published"], data["hasStagedChanges"]) == (False, False)
    assert data["current"] == data["staged"]
    assert [data["staged"]["masterVariant"]["id"], data["staged"]["variants"][0]["id"]] == [1, 2]
    assert body["lastVariantId"] == 2
    assert body["priceMode"] == "Embedded"


def test_the_published_arrays_are_there_even_when_empty() -> None:
    data = as_json(a_product())["masterData"]["staged"]
    assert data["masterVariant"] == {"id": 1, "prices": [], "attributes": [], "images": [], "assets": []}
    assert (data["variants"], data["categories"], data["attributes"]) == ([], [], [])
    assert (data["categoryOrderHints"], data["searchKeywords"]) == ({}, {})


def test_a_product_is_published_at_once_when_asked() -> None:
    assert made(publish=True).resource.master_data.published
    assert made(publish=True).resource.version == 1


def test_creation_tells_the_projection() -> None:
    changed = made(masterVariant={"sku": "S1"})
    (told,) = changed.messages
    assert isinstance(told, ProductCreated)
    assert (told.product_projection.id, told.product_projection.created_at) == (changed.resource.id, NOW)
    assert told.product_projection.master_variant.sku == "S1"


def test_references_are_resolved_to_ids() -> None:
    step = a_state("new", type="ProductState")
    body = as_json(
        a_product(
            shop(step),
            categories=[{"key": "shirts"}, {"typeId": "category", "id": "sale"}, {"id": "shirts"}],
            categoryOrderHints={"sale": "0.3"},
            taxCategory={"typeId": "tax-category", "key": "standard"},
            state={"typeId": "state", "id": "new"},
        )
    )
    assert [one["id"] for one in body["masterData"]["current"]["categories"]] == ["shirts", "sale"]
    assert body["masterData"]["current"]["categoryOrderHints"] == {"sale": "0.3"}
    assert body["taxCategory"] == {"typeId": "tax-category", "id": "standard"}
    assert body["state"] == {"typeId": "state", "id": "new"}


@pytest.mark.parametrize(
    "draft",
    [
        {"productType": {"id": "nowhere"}},
        {"categories": [{"id": "nowhere"}]},
        {"taxCategory": {"key": "nowhere"}},
        {"state": {"id": "nowhere"}},
        {"masterVariant": {"prices": [{"value": {"currencyCode": "EUR", "centAmount": 1}, "channel": {"id": "x"}}]}},
    ],
)
def test_an_unknown_reference_is_refused(draft: dict[str, Any]) -> None:
    with pytest.raises(ReferencedResourceNotFound):
        made(**draft)


def test_a_workflow_begins_at_an_initial_product_state() -> None:
    for state in (a_state("late", type="ProductState", initial=False), a_state("late")):
        with pytest.raises(InvalidOperation):
            made(shop(state), state={"id": "late"})


def test_slugs_skus_and_variant_keys_of_both_versions_are_claimed_once() -> None:
    product = a_product(key="pp", slug={"en": "old"}, masterVariant={"sku": "S1", "key": "v1"})
    after = changed(
        product, {"action": "changeSlug", "slug": {"en": "new"}}, {"action": "setSku", "variantId": 1, "sku": "S2"}
    ).resource
    assert sorted(products.unique_values(after)) == [
        ("key", "pp"),
        ("sku", "S1"),
        ("sku", "S2"),
        ("slug.en", "new"),
        ("slug.en", "old"),
        ("variants.key", "v1"),
    ]


@pytest.mark.parametrize(("field", "published"), [("sku", "sku"), ("key", "variants.key")])
def test_variants_of_one_product_cannot_share_a_name(field: str, published: str) -> None:
    with pytest.raises(DuplicateField) as refused:
        made(masterVariant={field: "same"}, variants=[{field: "same"}])
    assert refused.value.fields == {"field": published, "duplicateValue": "same"}


def test_two_variants_without_any_difference_are_refused() -> None:
    with pytest.raises(DuplicateVariantValues):
        made(variants=[{}])
    made(masterVariant={"images": [{"url": "u", "dimensions": {"w": 1, "h": 1}}]}, variants=[{}])


def test_a_product_has_at_most_a_hundred_variants() -> None:
    full = a_product(masterVariant={"sku": "S0"}, variants=[{"sku": f"S{n}"} for n in range(1, 100)])
    with pytest.raises(InvalidOperation):
        changed(full, {"action": "addVariant", "sku": "one-more"})
    with pytest.raises(msgspec.ValidationError, match="variants"):
        made(variants=[{"sku": f"S{n}"} for n in range(100)])


def test_a_deleted_product_says_goodbye_with_its_images() -> None:
    image = {"url": "u1", "dimensions": {"w": 1, "h": 1}}
    product = a_product(publish=True, masterVariant={"images": [image]})
    (told,) = products.deleted(product, shop()).messages
    assert isinstance(told, ProductDeleted)
    assert told.removed_image_urls == ("u1",)
    assert told.current_projection is not None
    hidden = replace(product, master_data=replace(product.master_data, published=False))
    assert products.deleted(hidden, shop()).messages == (ProductDeleted(removed_image_urls=("u1",)),)


# --- attributes ----------------------------------------------------------------------------

SIZES = [{"key": "s", "label": "Small"}, {"key": "m", "label": "Medium"}]
COLOURS = [{"key": "red", "label": {"en": "Red", "de": "Rot"}}]
CARE = a_product_type(an_attribute("wash", "number"), an_attribute("hint", "ltext"), id="care")


def stored(type_: str | dict[str, Any], value: Any) -> Any:
    """What a variant keeps of an attribute's value."""
    shirt = a_product_type(an_attribute("it", type_))
    product = a_product(
        shop(CARE, product_type=shirt), shirt, masterVariant={"attributes": [{"name": "it", "value": value}]}
    )
    (attribute,) = as_json(product)["masterData"]["current"]["masterVariant"]["attributes"]
    assert attribute["name"] == "it"
    return attribute["value"]


NESTED = {"name": "nested", "typeReference": {"typeId": "product-type", "id": "care"}}


@pytest.mark.parametrize(
    ("type_", "given", "kept"),
    [
        ("boolean", True, True),
        ("text", "a", "a"),
        ("ltext", {"en": "a"}, {"en": "a"}),
        ({"name": "enum", "values": SIZES}, "s", SIZES[0]),
        ({"name": "enum", "values": SIZES}, {"key": "s", "label": "stale"}, SIZES[0]),
        ({"name": "lenum", "values": COLOURS}, "red", COLOURS[0]),
        ("number", 1.5, 1.5),
        (
            "money",
            {"currencyCode": "JPY", "centAmount": 5},
            {"type": "centPrecision", "currencyCode": "JPY", "centAmount": 5, "fractionDigits": 0},
        ),
        ("date", "2024-02-29", "2024-02-29"),
        ("time", "10:30:00", "10:30:00.000"),
        ("datetime", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        (
            {"name": "reference", "referenceTypeId": "category"},
            {"typeId": "category", "key": "sale"},
            {"typeId": "category", "id": "sale"},
        ),
        ({"name": "set", "elementType": {"name": "enum", "values": SIZES}}, ["m", "s", "m"], SIZES[::-1]),
        ({"name": "set", "elementType": {"name": "text"}}, [], []),
        (NESTED, [{"name": "wash", "value": 30}], [{"name": "wash", "value": 30}]),
        (
            {"name": "set", "elementType": NESTED},
            [[{"name": "hint", "value": {"en": "warm"}}]],
            [[{"name": "hint", "value": {"en": "warm"}}]],
        ),
    ],
)
def test_an_attribute_is_kept_in_the_form_it_is_read_in(type_: Any, given: Any, kept: Any) -> None:
    assert stored(type_, given) == kept


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("boolean", 0),
        ("text", 5),
        ("ltext", "a"),
        ({"name": "enum", "values": SIZES}, "xl"),
        ({"name": "lenum", "values": COLOURS}, {"en": "Red"}),
        ("number", "5"),
        ("money", 5),
        ("date", "2023-02-29"),
        ("time", "24:61"),
        ("datetime", "yesterday"),
        ({"name": "reference", "referenceTypeId": "category"}, {"typeId": "channel", "id": "berlin"}),
        ({"name": "set", "elementType": {"name": "text"}}, "a"),
        ({"name": "set", "elementType": {"name": "text"}}, ["a", 1]),
        (NESTED, {"wash": 30}),
        (NESTED, [{"name": "wash", "value": "warm"}]),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_attribute(type_: Any, value: Any) -> None:
    with pytest.raises(InvalidField) as refused:
        stored(type_, value)
    assert str(refused.value.fields["field"]).startswith("attributes.")


def variants(*of_each: dict[str, Any], **definition: Any) -> None:
    """Make a product whose variants have these attributes, `it` being defined so."""
    shirt = a_product_type(an_attribute("it", **definition), an_attribute("other", **definition))
    drafts = [
        {"sku": f"S{n}", "attributes": [{"name": name, "value": value} for name, value in attributes.items()]}
        for n, attributes in enumerate(of_each)
    ]
    made(shop(product_type=shirt), shirt, masterVariant=drafts[0], variants=drafts[1:])


def test_an_undefined_attribute_is_refused() -> None:
    with pytest.raises(AttributeNameDoesNotExist):
        made(masterVariant={"attributes": [{"name": "it", "value": 1}]})


def test_an_attribute_given_twice_is_refused() -> None:
    shirt = a_product_type(an_attribute("it"))
    twice = [{"name": "it", "value": "a"}, {"name": "it", "value": "b"}]
    with pytest.raises(DuplicateField):
        made(shop(product_type=shirt), shirt, masterVariant={"attributes": twice})


def test_a_required_attribute_is_required_in_every_variant() -> None:
    shirt = a_product_type(an_attribute("it") | {"isRequired": True})
    given = {"attributes": [{"name": "it", "value": "a"}]}
    made(shop(product_type=shirt), shirt, masterVariant=given)
    with pytest.raises(RequiredField):
        made(shop(product_type=shirt), shirt, masterVariant=given, variants=[{"sku": "S2"}])


def test_a_unique_value_occurs_once_and_may_be_missing() -> None:
    variants({"it": "a"}, {"it": "b"}, {}, {}, attributeConstraint="Unique")
    with pytest.raises(DuplicateAttributeValue) as refused:
        variants({"it": "a"}, {"it": "a"}, attributeConstraint="Unique")
    assert refused.value.fields["attribute"] == {"name": "it", "value": "a"}


def test_a_value_for_all_is_the_same_in_all() -> None:
    variants({"it": "a"}, {"it": "a"}, attributeConstraint="SameForAll")
    for other in ({"it": "b"}, {}):
        with pytest.raises(InvalidField):
            variants({"it": "a"}, other, attributeConstraint="SameForAll")


def test_a_combination_occurs_once() -> None:
    variants({"it": "a", "other": "x"}, {"it": "a", "other": "y"}, {"it": "a"}, attributeConstraint="CombinationUnique")
    with pytest.raises(DuplicateAttributeValues):
        variants({"it": "a", "other": "x"}, {"other": "x", "it": "a"}, attributeConstraint="CombinationUnique")


def test_product_attributes_belong_to_the_product() -> None:
    shirt = a_product_type(an_attribute("brand", level="Product"), an_attribute("size"))
    known = shop(product_type=shirt)
    brand, size = {"name": "brand", "value": "B"}, {"name": "size", "value": "S"}
    product = a_product(known, shirt, attributes=[brand], masterVariant={"attributes": [size]})
    assert as_json(product)["masterData"]["current"]["attributes"] == [brand]
    for draft in ({"attributes": [size]}, {"masterVariant": {"attributes": [brand]}}):
        with pytest.raises(InvalidOperation):
            made(known, shirt, **draft)


def test_assets_of_a_variant_get_ids_and_custom_fields() -> None:
    type_ = a_type_for("asset")
    custom = {"type": {"typeId": "type", "id": type_.id}, "fields": {"note": "hi"}}
    asset = {"key": "film", "name": {"en": "Film"}, "sources": [{"uri": "u"}], "custom": custom}
    (kept,) = as_json(a_product(shop(type_), masterVariant={"assets": [asset]}))["masterData"]["current"][
        "masterVariant"
    ]["assets"]
    assert kept.pop("id")
    assert kept == asset | {"tags": []}


def test_the_product_type_of_the_builder_is_plain() -> None:
    assert PLAIN.attributes == ()
