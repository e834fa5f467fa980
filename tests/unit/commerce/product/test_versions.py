"""Staged and current: what each action touches, and how one becomes the other."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commerce.builders.product import (
    a_product,
    a_product_type,
    a_type_for,
    an_attribute,
    as_json,
    changed,
    shop,
)
from tests.unit.commerce.builders.state import a_state
from tests.unit.commerce.facts import facts_with

from holdfast.base.errors import InvalidInput, InvalidOperation, ReferencedResourceNotFound
from holdfast.commerce.facts import ByField, ById, Facts, MissingFacts
from holdfast.commerce.messages.product import (
    ProductAddedToCategory,
    ProductPriceModeSet,
    ProductPublished,
    ProductRemovedFromCategory,
    ProductRevertedStagedChanges,
    ProductSlugChanged,
    ProductStateTransition,
    ProductUnpublished,
)
from holdfast.commerce.resources.product.shape import Product
from holdfast.commerce.values.reference import Reference

SHIRT = a_product(masterVariant={"sku": "S1"}, publish=True)
RENAMED = changed(SHIRT, {"action": "changeName", "name": {"en": "Blouse"}}).resource
SHIRTS = Reference(type_id="category", id="shirts")
PRICE = {"value": {"currencyCode": "EUR", "centAmount": 100}}


def image(url: str) -> dict[str, Any]:
    return {"url": url, "dimensions": {"w": 1, "h": 1}}


@pytest.mark.parametrize(
    ("action", "field"),
    [
        ({"action": "changeName", "name": {"en": "x"}}, "name"),
        ({"action": "changeSlug", "slug": {"en": "blouse"}}, "slug"),
        ({"action": "setDescription", "description": {"en": "x"}}, "description"),
        ({"action": "setMetaTitle", "metaTitle": {"en": "x"}}, "metaTitle"),
        ({"action": "setMetaDescription", "metaDescription": {"en": "x"}}, "metaDescription"),
        ({"action": "setMetaKeywords", "metaKeywords": {"en": "x"}}, "metaKeywords"),
        (
            {
                "action": "setSearchKeywords",
                "searchKeywords": {
                    "en": [
                        {"text": "a b", "suggestTokenizer": {"type": "whitespace"}},
                        {"text": "c", "suggestTokenizer": {"type": "custom", "inputs": ["d"]}},
                    ]
                },
            },
            "searchKeywords",
        ),
    ],
)
def test_a_description_changes_staged_and_with_staged_false_current_too(action: dict[str, Any], field: str) -> None:
    before = as_json(SHIRT)["masterData"]["current"].get(field)
    for staged, expected in ((None, before), (True, before), (False, action[field])):
        flag = {} if staged is None else {"staged": staged}
        data = as_json(changed(SHIRT, action | flag).resource)["masterData"]
        assert data["staged"][field] == action[field]
        assert data["current"].get(field) == expected
        assert data["hasStagedChanges"] is (staged is not False)


def test_going_back_by_hand_leaves_nothing_staged() -> None:
    assert RENAMED.master_data.has_staged_changes
    back = changed(RENAMED, {"action": "changeName", "name": {"en": "Shirt"}}).resource
    assert not back.master_data.has_staged_changes


def test_what_changes_nothing_keeps_the_version() -> None:
    for action in (
        {"action": "changeName", "name": {"en": "Shirt"}},
        {"action": "publish"},
        {"action": "revertStagedChanges"},
        {"action": "changeSlug", "slug": {"en": "shirt"}},
    ):
        same = changed(SHIRT, action)
        assert (same.resource.version, same.messages) == (SHIRT.version, ())


def test_a_new_slug_is_told_with_the_old_one() -> None:
    told = changed(SHIRT, {"action": "changeSlug", "slug": {"en": "blouse"}}).messages
    assert told == (ProductSlugChanged(slug={"en": "blouse"}, old_slug={"en": "shirt"}),)


def test_key_tax_category_and_price_mode_belong_to_both_versions() -> None:
    after = changed(
        SHIRT,
        {"action": "setKey", "key": "kk"},
        {"action": "setTaxCategory", "taxCategory": {"key": "standard"}},
        {"action": "setPriceMode", "priceMode": "Standalone"},
    )
    product = after.resource
    assert product.tax_category is not None
    assert (product.key, product.tax_category.id, product.price_mode) == ("kk", "standard", "Standalone")
    assert after.messages == (ProductPriceModeSet(to="Standalone"),)
    assert changed(product, {"action": "setTaxCategory"}).resource.tax_category is None
    assert changed(product, {"action": "setPriceMode"}).resource.price_mode == "Embedded"


# --- publishing ----------------------------------------------------------------------------


def test_publishing_makes_the_staged_version_current() -> None:
    staged = changed(SHIRT, {"action": "addExternalImage", "variantId": 1, "image": image("new")}).resource
    once = changed(staged, {"action": "publish"})
    data = once.resource.master_data
    assert data.current == data.staged == staged.master_data.staged
    assert (data.published, data.has_staged_changes) == (True, False)
    (told,) = once.messages
    assert isinstance(told, ProductPublished)
    assert (told.scope, told.removed_image_urls) == ("All", ())
    assert told.product_projection.master_variant.images[0].url == "new"
    replaced = changed(
        once.resource, {"action": "removeImage", "variantId": 1, "imageUrl": "new"}, {"action": "publish"}
    )
    (gone,) = replaced.messages
    assert isinstance(gone, ProductPublished)
    assert gone.removed_image_urls == ("new",)


def test_publishing_prices_alone_leaves_the_rest_staged() -> None:
    priced = changed(RENAMED, {"action": "addPrice", "sku": "S1", "price": PRICE}).resource
    data = changed(priced, {"action": "publish", "scope": "Prices"}).resource.master_data
    assert data.current.master_variant.prices == data.staged.master_variant.prices != ()
    assert data.current.name == {"en": "Shirt"}
    assert data.has_staged_changes


def test_unpublishing_hides_and_tells_once() -> None:
    hidden = changed(SHIRT, {"action": "unpublish"})
    assert not hidden.resource.master_data.published
    assert hidden.messages == (ProductUnpublished(),)
    assert changed(hidden.resource, {"action": "unpublish"}).messages == ()


def test_reverting_gives_up_what_was_staged() -> None:
    staged = changed(RENAMED, {"action": "addExternalImage", "variantId": 1, "image": image("new")}).resource
    reverted = changed(staged, {"action": "revertStagedChanges"})
    assert reverted.resource.master_data == SHIRT.master_data
    assert reverted.messages == (ProductRevertedStagedChanges(removed_image_urls=("new",)),)


def test_reverting_one_variant_leaves_the_rest_staged() -> None:
    staged = changed(RENAMED, {"action": "setSku", "variantId": 1, "sku": "S9"}).resource
    data = changed(staged, {"action": "revertStagedVariantChanges", "variantId": 1}).resource.master_data
    assert (data.staged.master_variant.sku, data.staged.name) == ("S1", {"en": "Blouse"})
    with pytest.raises(InvalidOperation):
        changed(staged, {"action": "revertStagedVariantChanges", "variantId": 2})


# --- workflow ------------------------------------------------------------------------------

DRAFT = a_state("draft", type="ProductState", transitions=(Reference(type_id="state", id="final"),))
FINAL = a_state("final", type="ProductState", initial=False, transitions=())


def moved(product: Product, state: str, **more: Any) -> Any:
    return changed(product, {"action": "transitionState", "state": {"id": state}, **more}, facts=shop(DRAFT, FINAL))


def test_a_product_walks_through_its_workflow() -> None:
    first = moved(SHIRT, "draft")
    assert first.messages == (ProductStateTransition(state=Reference(type_id="state", id="draft"), force=False),)
    last = moved(first.resource, "final").resource
    assert last.state == Reference(type_id="state", id="final")
    with pytest.raises(InvalidOperation):
        moved(last, "draft")
    assert moved(last, "draft", force=True).resource.state.id == "draft"
    assert changed(last, {"action": "transitionState"}).resource.state is None
    with pytest.raises(InvalidOperation):
        moved(SHIRT, "final")


# --- categories ----------------------------------------------------------------------------


@pytest.mark.parametrize("staged", [True, False])
def test_a_product_joins_and_leaves_a_category(staged: bool) -> None:
    joining = {"action": "addToCategory", "category": {"key": "shirts"}, "orderHint": "0.5", "staged": staged}
    joined = changed(SHIRT, joining)
    data = joined.resource.master_data
    assert (data.staged.categories, data.staged.category_order_hints) == ((SHIRTS,), {"shirts": "0.5"})
    assert data.current.categories == (() if staged else (SHIRTS,))
    assert joined.messages == (ProductAddedToCategory(category=SHIRTS, staged=staged),)
    assert changed(joined.resource, joining).messages == ()
    leaving = {"action": "removeFromCategory", "category": {"id": "shirts"}, "staged": staged}
    left = changed(joined.resource, leaving)
    assert left.resource.master_data == SHIRT.master_data
    assert left.messages == (ProductRemovedFromCategory(category=SHIRTS, staged=staged),)
    assert changed(left.resource, leaving).messages == ()


def test_a_place_in_a_category_is_set_and_forgotten() -> None:
    placed = changed(SHIRT, {"action": "setCategoryOrderHint", "categoryId": "shirts", "orderHint": "0.7"}).resource
    assert placed.master_data.staged.category_order_hints == {"shirts": "0.7"}
    gone = changed(placed, {"action": "setCategoryOrderHint", "categoryId": "shirts"}).resource
    assert gone.master_data.staged.category_order_hints == {}


# --- variants ------------------------------------------------------------------------------


def variant_ids(product: Product, *, staged: bool = True) -> list[int]:
    data = product.master_data
    return [variant.id for variant in (data.staged if staged else data.current).all_variants()]


def test_variant_ids_are_never_used_twice() -> None:
    two = changed(SHIRT, {"action": "addVariant", "sku": "S2"}).resource
    one = changed(two, {"action": "removeVariant", "id": 2}).resource
    again = changed(one, {"action": "addVariant", "sku": "S3"}).resource
    assert variant_ids(again) == [1, 3]
    assert variant_ids(again, staged=False) == [1]


def test_a_variant_added_or_removed_is_told() -> None:
    added = changed(SHIRT, {"action": "addVariant", "sku": "S2", "images": [image("u")], "staged": False})
    assert variant_ids(added.resource, staged=False) == [1, 2]
    (told,) = as_json(added.messages)
    assert (told["type"], told["staged"], told["variant"]["sku"]) == ("ProductVariantAdded", False, "S2")
    removed = changed(added.resource, {"action": "removeVariant", "sku": "S2", "staged": False})
    assert variant_ids(removed.resource) == variant_ids(removed.resource, staged=False) == [1]
    (gone,) = as_json(removed.messages)
    assert (gone["type"], gone["removedImageUrls"], gone["variant"]["id"]) == ("ProductVariantDeleted", ["u"], 2)


def test_the_master_variant_can_be_exchanged_but_not_removed() -> None:
    two = changed(SHIRT, {"action": "addVariant", "sku": "S2"}, {"action": "addVariant", "sku": "S3"}).resource
    with pytest.raises(InvalidOperation):
        changed(two, {"action": "removeVariant", "id": 1})
    swapped = changed(two, {"action": "changeMasterVariant", "sku": "S3"}).resource
    assert variant_ids(swapped) == [3, 1, 2]
    assert changed(two, {"action": "changeMasterVariant", "variantId": 1}).resource is two


def test_skus_and_keys_are_set_and_removed() -> None:
    named = changed(SHIRT, {"action": "setProductVariantKey", "sku": "S1", "key": "kk"}).resource
    assert named.master_data.staged.master_variant.key == "kk"
    assert changed(named, {"action": "setProductVariantKey", "variantId": 1}).resource.master_data == SHIRT.master_data
    assert changed(SHIRT, {"action": "setSku", "variantId": 1}).resource.master_data.staged.master_variant.sku is None
    both = changed(SHIRT, {"action": "legacySetSku", "variantId": 1, "sku": "S9"}).resource
    assert both.master_data.current.master_variant.sku == "S9"


def test_what_is_only_staged_can_be_changed_with_staged_false() -> None:
    two = changed(SHIRT, {"action": "addVariant", "sku": "S2"}).resource
    after = changed(two, {"action": "addExternalImage", "sku": "S2", "image": image("u"), "staged": False}).resource
    assert after.master_data.staged.variants[0].images[0].url == "u"
    assert after.master_data.current == SHIRT.master_data.current


def test_there_are_no_variants_outside_products_to_be_default() -> None:
    assert changed(SHIRT, {"action": "setDefaultVariant"}).resource is SHIRT
    with pytest.raises(ReferencedResourceNotFound):
        changed(SHIRT, {"action": "setDefaultVariant", "variant": {"typeId": "variant", "key": "v1"}})


@pytest.mark.parametrize(
    "action",
    [
        {"action": "setProductVariantKey", "key": "kk"},
        {"action": "addPrice", "price": PRICE},
        {"action": "addExternalImage", "image": image("u"), "variantId": 1, "sku": "S1"},
        {"action": "removeVariant"},
        {"action": "changeMasterVariant"},
    ],
)
def test_a_variant_is_named_by_exactly_one_of_id_and_sku(action: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        changed(SHIRT, action)


@pytest.mark.parametrize(
    "action",
    [
        {"action": "setSku", "variantId": 9, "sku": "x"},
        {"action": "addPrice", "sku": "nope", "price": PRICE},
        {"action": "addPrice", "variantId": 9, "price": PRICE, "staged": False},
        {"action": "removeVariant", "id": 9},
        {"action": "changeMasterVariant", "variantId": 9},
        {"action": "removeImage", "variantId": 1, "imageUrl": "nope"},
        {"action": "removeAsset", "variantId": 1, "assetKey": "nope"},
        {"action": "removePrice", "priceId": "nope"},
        {"action": "changePrice", "priceId": "nope", "price": PRICE},
    ],
)
def test_what_is_not_there_cannot_be_changed(action: dict[str, Any]) -> None:
    with pytest.raises(InvalidOperation):
        changed(SHIRT, action)


# --- attributes ----------------------------------------------------------------------------

SIZED = a_product_type(an_attribute("size"), an_attribute("brand", level="Product"), an_attribute("note"))
KNOWN = shop(product_type=SIZED)
PAIR = a_product(KNOWN, SIZED, masterVariant={"sku": "S1"}, variants=[{"sku": "S2"}])


def attributes(product: Product) -> list[dict[str, Any]]:
    data = product.master_data.staged
    return [{one.name: one.value for one in variant.attributes} for variant in data.all_variants()]


def test_an_attribute_is_set_and_removed_in_one_variant() -> None:
    named = changed(PAIR, {"action": "setAttribute", "sku": "S2", "name": "size", "value": "M"}, facts=KNOWN).resource
    assert attributes(named) == [{}, {"size": "M"}]
    gone = changed(named, {"action": "setAttribute", "variantId": 2, "name": "size"}, facts=KNOWN).resource
    assert attributes(gone) == [{}, {}]


def test_an_attribute_is_set_in_all_variants_and_keeps_its_place() -> None:
    actions = [
        {"action": "setAttributeInAllVariants", "name": "size", "value": "M"},
        {"action": "setAttributeInAllVariants", "name": "note", "value": "n"},
        {"action": "setAttributeInAllVariants", "name": "size", "value": "L"},
    ]
    after = changed(PAIR, *actions, facts=KNOWN).resource
    assert attributes(after) == [{"size": "L", "note": "n"}] * 2
    assert [one.name for one in after.master_data.staged.master_variant.attributes] == ["size", "note"]


def test_an_attribute_of_the_product_is_set_and_removed() -> None:
    action = {"action": "setProductAttribute", "name": "brand"}
    named = changed(PAIR, action | {"value": "B", "staged": False}, facts=KNOWN).resource
    assert as_json(named)["masterData"]["current"]["attributes"] == [{"name": "brand", "value": "B"}]
    assert changed(named, action, facts=KNOWN).resource.master_data.staged.attributes == ()
    with pytest.raises(InvalidOperation):
        changed(PAIR, action | {"name": "size", "value": "B"}, facts=KNOWN)


def test_a_constraint_is_checked_when_attributes_change_and_only_then() -> None:
    strict = a_product_type(an_attribute("size", attributeConstraint="Unique") | {"isRequired": True})
    facts = shop(product_type=strict)
    old = a_product(shop(product_type=SIZED), SIZED, masterVariant={"sku": "S1"})
    assert changed(old, {"action": "changeName", "name": {}}, facts=facts).resource.master_data.staged.name == {}
    added = {"action": "addPrice", "sku": "S1", "price": PRICE}
    assert len(changed(old, added, facts=facts).resource.master_data.staged.master_variant.prices) == 1


# --- images and assets ---------------------------------------------------------------------

SHOWN = a_product(masterVariant={"sku": "S1", "images": [image("a"), image("b"), image("c")]})


def urls(product: Product, *, staged: bool = True) -> str:
    data = product.master_data
    return "".join(one.url for one in (data.staged if staged else data.current).master_variant.images)


def test_images_come_go_and_move() -> None:
    added = changed(SHOWN, {"action": "addExternalImage", "sku": "S1", "image": image("d")})
    assert (urls(added.resource), urls(added.resource, staged=False)) == ("abcd", "abc")
    (told,) = as_json(added.messages)
    assert (told["type"], told["variantId"], told["image"], told["staged"]) == (
        "ProductImageAdded",
        1,
        image("d"),
        True,
    )
    assert urls(changed(SHOWN, {"action": "removeImage", "variantId": 1, "imageUrl": "b"}).resource) == "ac"
    move = {"action": "moveImageToPosition", "sku": "S1", "imageUrl": "a"}
    assert [urls(changed(SHOWN, move | {"position": place}).resource) for place in (0, 1, 2, 9)] == [
        "abc",
        "bac",
        "bca",
        "bca",
    ]


def test_an_image_gets_and_loses_its_label() -> None:
    action = {"action": "setImageLabel", "variantId": 1, "imageUrl": "b", "staged": False}
    labelled = changed(SHOWN, action | {"label": "Back"}).resource
    assert [one.label for one in labelled.master_data.current.master_variant.images] == [None, "Back", None]
    assert changed(labelled, action).resource.master_data == SHOWN.master_data


TYPE = a_type_for("asset")
TYPED = {"type": {"typeId": "type", "id": TYPE.id}, "fields": {"note": "hi"}}
FILM = {"key": "film", "name": {"en": "Film"}, "sources": [{"uri": "u"}]}
FILMED = a_product(masterVariant={"sku": "S1", "assets": [FILM, {"name": {"en": "2"}, "sources": [{"uri": "v"}]}]})
FIRST, SECOND = FILMED.master_data.staged.master_variant.assets


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ({"action": "changeAssetName", "assetKey": "film", "name": {"en": "n"}}, "name", {"en": "n"}),
        ({"action": "setAssetKey", "assetId": FIRST.id, "assetKey": "kk"}, "key", "kk"),
        ({"action": "setAssetDescription", "assetKey": "film", "description": {"en": "d"}}, "description", {"en": "d"}),
        ({"action": "setAssetTags", "assetId": FIRST.id, "tags": ["t"]}, "tags", ["t"]),
        ({"action": "setAssetSources", "assetKey": "film", "sources": [{"uri": "x"}]}, "sources", [{"uri": "x"}]),
        ({"action": "setAssetCustomType", "assetKey": "film", **TYPED}, "custom", TYPED),
    ],
)
def test_an_asset_changes(action: dict[str, Any], field: str, value: Any, staged: bool) -> None:
    after = changed(FILMED, action | {"sku": "S1", "staged": staged}, facts=shop(TYPE)).resource
    data = as_json(after)["masterData"]
    assert data["staged"]["masterVariant"]["assets"][0][field] == value
    assert (data["current"]["masterVariant"]["assets"][0].get(field) == value) is not staged


def test_assets_come_go_move_and_have_custom_fields() -> None:
    new = {"name": {"en": "3"}, "sources": [{"uri": "w"}]}

    def assets(*actions: dict[str, Any]) -> Any:
        after = changed(FILMED, *(action | {"variantId": 1} for action in actions), facts=shop(TYPE)).resource
        return after.master_data.staged.master_variant.assets

    assert [one.name["en"] for one in assets({"action": "addAsset", "asset": new, "position": 0})] == ["3", "Film", "2"]
    assert assets({"action": "removeAsset", "assetId": SECOND.id}) == (FIRST,)
    assert assets({"action": "changeAssetOrder", "assetOrder": [SECOND.id, FIRST.id]}) == (SECOND, FIRST)
    typed = {"action": "setAssetCustomType", "assetKey": "film", **TYPED}
    field = {"action": "setAssetCustomField", "assetKey": "film", "name": "note", "value": "ho"}
    assert assets(typed, field)[0].custom.fields == {"note": "ho"}


# --- what one request asks for -------------------------------------------------------------


def test_an_update_asks_for_all_it_names_at_once() -> None:
    plain = facts_with()
    ignorant = Facts(caller=plain.caller, now=plain.now, base_id=0, known={})
    with pytest.raises(MissingFacts) as asked:
        changed(
            SHIRT,
            {"action": "addToCategory", "category": {"key": "sale"}},
            {"action": "setTaxCategory", "taxCategory": {"id": "standard"}},
            {"action": "addPrice", "sku": "S1", "price": PRICE | {"channel": {"id": "berlin"}}},
            {"action": "setPrices", "sku": "S1", "prices": [PRICE | {"customerGroup": {"key": "b2b"}}]},
            {"action": "setAttribute", "sku": "S1", "name": "like", "value": [[{"typeId": "product", "id": "p2"}]]},
            {"action": "transitionState", "state": {"id": "draft"}},
            {"action": "setAssetCustomType", "sku": "S1", "assetKey": "film", "type": {"key": "gift"}},
            facts=ignorant,
        )
    assert asked.value.lookups == {
        ByField("category", "key", "sale"),
        ById("tax-category", "standard"),
        ById("channel", "berlin"),
        ByField("customer-group", "key", "b2b"),
        ById("product", "p2"),
        ById("state", "draft"),
        ByField("type", "key", "gift"),
    }
