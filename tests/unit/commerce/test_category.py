from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.commerce.facts import NOW, create, facts_with, update

from holdfast.base.errors import (
    DuplicateField,
    InvalidField,
    InvalidInput,
    InvalidOperation,
    ReferencedResourceNotFound,
)
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.category import CategoryCreated, CategorySlugChanged
from holdfast.commerce.resources.category import Category, categories
from holdfast.commerce.resources.type import types
from holdfast.commerce.values.value import encode

SOURCE = {"uri": "https://example.org/a.jpg"}


def a_category(id: str, parent: Category | None = None, **more: Any) -> Category:
    draft: dict[str, Any] = {"name": {"en": id}, "slug": {"en": f"{id}-slug"}, **more}
    known = facts_with((categories, parent)) if parent else facts_with()
    if parent:
        draft["parent"] = {"typeId": "category", "id": parent.id}
    return replace(create(categories, draft, known).resource, id=id)


WOMEN = a_category("women")
SHOES = a_category("shoes", WOMEN)
BOOTS = a_category("boots", SHOES)
MEN = a_category("men")


def ids(category: Category) -> list[str]:
    return [ancestor.id for ancestor in category.ancestors]


def tree(*below_shoes: Category) -> Facts:
    records = [(categories, one) for one in (WOMEN, SHOES, BOOTS, MEN)]
    return facts_with(*records, matching={("category", 'ancestors(id = "shoes")'): below_shoes})


def moved(parent: str, facts: Facts) -> Any:
    return update(categories, SHOES, {"action": "changeParent", "parent": {"id": parent}}, facts=facts)


def test_ancestors_lead_from_the_root_to_the_parent() -> None:
    assert ids(WOMEN) == []
    assert ids(BOOTS) == ["women", "shoes"]


def test_an_unknown_parent_is_refused() -> None:
    with pytest.raises(ReferencedResourceNotFound):
        create(categories, {"name": {}, "slug": {}, "parent": {"id": "nowhere"}})


def test_creation_tells_the_whole_category() -> None:
    made = create(categories, {"name": {"en": "x"}, "slug": {"en": "xy"}})
    assert made.messages == (CategoryCreated(category=made.resource),)
    assert made.resource.created_at == NOW


def test_without_a_hint_a_later_category_stands_behind_an_earlier_one() -> None:
    def at(now: str) -> str:
        return create(categories, {"name": {}, "slug": {}}, facts_with(now=now)).resource.order_hint

    hints = [at("2026-01-31T10:00:00.000Z"), at("2026-01-31T10:00:00.001Z"), at("2026-02-01T00:00:00.000Z")]
    assert hints == sorted(hints)
    assert len(set(hints)) == 3


def test_moving_a_category_moves_its_descendants_along() -> None:
    changed = moved("men", tree(BOOTS))
    (other,) = changed.others
    assert ids(changed.resource) == ["men"]
    assert (other.before, ids(other.after), other.after.version) == (BOOTS, ["men", "shoes"], BOOTS.version + 1)
    assert other.after.parent == BOOTS.parent


def test_a_category_cannot_move_below_itself_or_a_descendant() -> None:
    for parent in ("shoes", "boots"):
        with pytest.raises(InvalidOperation):
            moved(parent, tree(BOOTS))


def test_moving_to_where_it_is_changes_nothing() -> None:
    changed = moved("women", tree(BOOTS))
    assert changed.resource is SHOES
    assert changed.others == ()


def test_each_slug_is_claimed_per_locale() -> None:
    category = a_category("x1", slug={"en": "one", "de": "eins"}, key="k1")
    assert set(categories.unique_values(category)) == {("key", "k1"), ("slug.en", "one"), ("slug.de", "eins")}


def test_a_new_slug_is_told_with_the_old_one() -> None:
    changed = update(categories, WOMEN, {"action": "changeSlug", "slug": {"en": "ladies"}})
    assert changed.messages == (CategorySlugChanged(slug={"en": "ladies"}, old_slug={"en": "women-slug"}),)
    assert update(categories, WOMEN, {"action": "changeSlug", "slug": {"en": "women-slug"}}).messages == ()


@pytest.mark.parametrize("slug", ["x", "white space", "ümlaut", "a" * 257, "trailing\n"])
def test_a_slug_outside_the_published_pattern_is_refused(slug: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="slug"):
        create(categories, {"name": {}, "slug": {"en": slug}})


@pytest.mark.parametrize(
    ("action", "field"),
    [
        ({"action": "changeName", "name": {"en": "Ladies"}}, "name"),
        ({"action": "setKey", "key": "ladies"}, "key"),
        ({"action": "setDescription", "description": {"en": "x"}}, "description"),
        ({"action": "changeOrderHint", "orderHint": "0.5"}, "orderHint"),
        ({"action": "setExternalId", "externalId": "17"}, "externalId"),
        ({"action": "setMetaTitle", "metaTitle": {"en": "x"}}, "metaTitle"),
        ({"action": "setMetaDescription", "metaDescription": {"en": "x"}}, "metaDescription"),
        ({"action": "setMetaKeywords", "metaKeywords": {"en": "x"}}, "metaKeywords"),
    ],
)
def test_plain_actions_set_their_field(action: dict[str, Any], field: str) -> None:
    body = msgspec.json.decode(encode(update(categories, WOMEN, action).resource))
    assert body[field] == action[field]


# --- assets --------------------------------------------------------------------------------

GIFT = create(
    types,
    {
        "key": "gift",
        "name": {},
        "resourceTypeIds": ["asset", "category"],
        "fieldDefinitions": [{"name": "note", "label": {}, "required": False, "type": {"name": "String"}}],
    },
).resource
WITH_ASSETS = a_category(
    "films",
    assets=[{"key": "one", "name": {"en": "1"}, "sources": [SOURCE]}, {"name": {"en": "2"}, "sources": [SOURCE]}],
)
FIRST, SECOND = WITH_ASSETS.assets
TYPED = {"type": {"typeId": "type", "id": GIFT.id}, "fields": {"note": "hi"}}


def asset_after(action: dict[str, Any]) -> dict[str, Any]:
    after = update(categories, WITH_ASSETS, action, facts=facts_with((types, GIFT))).resource
    first: dict[str, Any] = msgspec.json.decode(encode(after))["assets"][0]
    return first


@pytest.mark.parametrize("name", [{"assetId": FIRST.id}, {"assetKey": "one"}])
@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ({"action": "changeAssetName", "name": {"en": "n"}}, "name", {"en": "n"}),
        ({"action": "setAssetDescription", "description": {"en": "d"}}, "description", {"en": "d"}),
        ({"action": "setAssetTags", "tags": ["t"]}, "tags", ["t"]),
        ({"action": "setAssetSources", "sources": [{"uri": "u"}]}, "sources", [{"uri": "u"}]),
        ({"action": "setAssetCustomType", **TYPED}, "custom", TYPED),
    ],
)
def test_an_asset_changes_by_id_or_key(name: Any, action: dict[str, Any], field: str, value: Any) -> None:
    assert asset_after(action | name)[field] == value


def test_an_asset_gets_a_key_and_a_custom_field() -> None:
    assert asset_after({"action": "setAssetKey", "assetId": FIRST.id, "assetKey": "neu"})["key"] == "neu"
    typed = update(
        categories,
        WITH_ASSETS,
        {"action": "setAssetCustomType", "assetKey": "one", **TYPED},
        {"action": "setAssetCustomField", "assetKey": "one", "name": "note", "value": "ho"},
        facts=facts_with((types, GIFT)),
    )
    assert typed.resource.assets[0].custom is not None
    assert typed.resource.assets[0].custom.fields == {"note": "ho"}


def test_assets_come_go_and_move() -> None:
    asset = {"name": {"en": "3"}, "sources": [SOURCE]}
    added = update(categories, WITH_ASSETS, {"action": "addAsset", "asset": asset, "position": 1}).resource
    assert [one.name["en"] for one in added.assets] == ["1", "3", "2"]
    swapped = update(categories, WITH_ASSETS, {"action": "changeAssetOrder", "assetOrder": [SECOND.id, FIRST.id]})
    assert swapped.resource.assets == (SECOND, FIRST)
    assert update(categories, WITH_ASSETS, {"action": "removeAsset", "assetKey": "one"}).resource.assets == (SECOND,)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ({"action": "removeAsset"}, InvalidInput),
        ({"action": "removeAsset", "assetId": FIRST.id, "assetKey": "one"}, InvalidInput),
        ({"action": "removeAsset", "assetKey": "two"}, InvalidOperation),
        ({"action": "setAssetKey", "assetId": SECOND.id, "assetKey": "one"}, DuplicateField),
        ({"action": "changeAssetOrder", "assetOrder": [FIRST.id]}, InvalidField),
        ({"action": "addAsset", "asset": {"key": "one", "name": {}, "sources": [SOURCE]}}, DuplicateField),
    ],
)
def test_what_does_not_fit_is_refused(action: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        update(categories, WITH_ASSETS, action)


def test_a_category_carries_custom_fields() -> None:
    known = facts_with((types, GIFT))
    typed = create(categories, {"name": {}, "slug": {}, "custom": TYPED}, known).resource
    assert typed.custom is not None
    changed = update(categories, typed, {"action": "setCustomField", "name": "note", "value": "ho"}, facts=known)
    assert changed.resource.custom is not None
    assert changed.resource.custom.fields == {"note": "ho"}
    assert update(categories, typed, {"action": "setCustomType"}).resource.custom is None
