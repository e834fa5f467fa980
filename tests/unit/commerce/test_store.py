from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commerce.builders.channel import a_channel
from tests.unit.commerce.builders.store import a_store
from tests.unit.commerce.facts import create, facts_with, update

from holdfast.base.errors import InvalidField, MissingRoleOnChannel, ReferencedResourceNotFound
from holdfast.commerce.messages import store as told
from holdfast.commerce.resources.channel import channels
from holdfast.commerce.resources.store import StoreCountry, stores
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import encode

FACTS = facts_with(
    (channels, a_channel("berlin")),
    (channels, a_channel("munich")),
    (channels, a_channel("depot", roles=("InventorySupply",))),
    (channels, a_channel("window", roles=("ProductDistribution",))),
)
BERLIN = {"typeId": "channel", "key": "berlin"}
MUNICH = {"typeId": "channel", "id": "munich"}
TO_BERLIN = {"typeId": "channel", "id": "berlin"}
TO_MUNICH = {"typeId": "channel", "id": "munich"}
AT_BERLIN = (Reference(type_id="channel", id="berlin"),)
URLS = [
    "termsOfService",
    "privacyPolicy",
    "refundPolicy",
    "shippingPolicy",
    "cookiePolicy",
    "imprint",
    "faq",
    "contact",
]
PAGE = "https://shop.example.com/page"


def shown(resource: Any, field: str) -> Any:
    return msgspec.json.decode(encode(resource)).get(field)


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ({"action": "setName", "name": {"de": "Laden"}}, "name", {"de": "Laden"}),
        ({"action": "setName"}, "name", None),
        ({"action": "setLanguages", "languages": ["de", "en", "de"]}, "languages", ["de", "en"]),
        ({"action": "setLanguages"}, "languages", []),
        ({"action": "setCountries", "countries": [{"code": "FR"}]}, "countries", [{"code": "FR"}]),
        ({"action": "addCountry", "country": {"code": "AT"}}, "countries", [{"code": "DE"}, {"code": "AT"}]),
        ({"action": "addCountry", "country": {"code": "DE"}}, "countries", [{"code": "DE"}]),
        ({"action": "removeCountry", "country": {"code": "DE"}}, "countries", []),
        (
            {"action": "setDistributionChannels", "distributionChannels": [MUNICH, BERLIN, MUNICH]},
            "distributionChannels",
            [TO_MUNICH, TO_BERLIN],
        ),
        (
            {"action": "addDistributionChannel", "distributionChannel": MUNICH},
            "distributionChannels",
            [TO_BERLIN, TO_MUNICH],
        ),
        ({"action": "removeDistributionChannel", "distributionChannel": BERLIN}, "distributionChannels", []),
        ({"action": "setSupplyChannels"}, "supplyChannels", []),
        ({"action": "addSupplyChannel", "supplyChannel": MUNICH}, "supplyChannels", [TO_BERLIN, TO_MUNICH]),
        ({"action": "removeSupplyChannel", "supplyChannel": BERLIN}, "supplyChannels", []),
        ({"action": "setProductSelections", "productSelections": []}, "productSelections", []),
        *(
            ({"action": f"set{url[0].upper()}{url[1:]}Url", f"{url}Url": PAGE}, "storefront", {f"{url}Url": PAGE})
            for url in URLS
        ),
        (
            {"action": "setCheckoutUrlTemplate", "checkoutUrlTemplate": "https://s.example.com/{?checkoutId}"},
            "storefront",
            {"checkoutUrlTemplate": "https://s.example.com/{?checkoutId}"},
        ),
        (
            {"action": "setOrderUrlTemplate", "orderUrlTemplate": "https://s.example.com/{orderId}"},
            "storefront",
            {"orderUrlTemplate": "https://s.example.com/{orderId}"},
        ),
    ],
    ids=lambda given: str(given)[:70],
)
def test_an_action_shows_in_the_store(action: dict[str, Any], field: str, value: Any) -> None:
    store = a_store(
        name={"en": "Shop"},
        languages=("en",),
        countries=(StoreCountry(code="DE"),),
        distribution_channels=AT_BERLIN,
        supply_channels=AT_BERLIN,
    )
    assert shown(update(stores, store, action, facts=FACTS).resource, field) == value


def test_all_27_published_actions_are_registered() -> None:
    assert len(stores.actions) == 27


def test_a_draft_keeps_its_parts_and_tells_of_them() -> None:
    changed = create(stores, {"key": "dach", "languages": ["de"], "supplyChannels": [BERLIN]}, FACTS)
    assert changed.resource.supply_channels == AT_BERLIN
    assert changed.messages == (
        told.StoreCreated(
            languages=("de",),
            countries=(),
            distribution_channels=(),
            supply_channels=AT_BERLIN,
            product_selections=(),
        ),
    )


@pytest.mark.parametrize(
    "action",
    [
        {"action": "addDistributionChannel", "distributionChannel": {"typeId": "channel", "key": "depot"}},
        {"action": "setDistributionChannels", "distributionChannels": [{"typeId": "channel", "key": "depot"}]},
        {"action": "addSupplyChannel", "supplyChannel": {"typeId": "channel", "key": "window"}},
        {"action": "setSupplyChannels", "supplyChannels": [{"typeId": "channel", "key": "window"}]},
    ],
    ids=str,
)
def test_a_channel_without_the_role_is_refused(action: dict[str, Any]) -> None:
    with pytest.raises(MissingRoleOnChannel):
        update(stores, a_store(), action, facts=FACTS)


@pytest.mark.parametrize(
    "action",
    [
        {"action": "addProductSelection", "productSelection": {"typeId": "product-selection", "key": "summer"}},
        {"action": "changeProductSelectionActive", "productSelection": {"typeId": "product-selection", "id": "x"}},
        {"action": "removeProductSelection", "productSelection": {"typeId": "product-selection", "id": "x"}},
        {
            "action": "setProductSelections",
            "productSelections": [{"productSelection": {"typeId": "product-selection", "key": "summer"}}],
        },
        {"action": "addSupplyChannel", "supplyChannel": {"typeId": "channel", "key": "nowhere"}},
    ],
    ids=str,
)
def test_what_does_not_exist_is_not_found(action: dict[str, Any]) -> None:
    with pytest.raises(ReferencedResourceNotFound):
        update(stores, a_store(), action, facts=FACTS)


def test_messages_name_what_came_and_what_went() -> None:
    store = a_store(languages=("en", "fr"), distribution_channels=AT_BERLIN)
    changed = update(
        stores,
        store,
        {"action": "setLanguages", "languages": ["de", "en"]},
        {"action": "setDistributionChannels", "distributionChannels": [MUNICH]},
        facts=FACTS,
    )
    assert changed.messages == (
        told.StoreLanguagesChanged(added_languages=("de",), removed_languages=("fr",)),
        told.StoreDistributionChannelsChanged(
            added_distribution_channels=(Reference(type_id="channel", id="munich"),),
            removed_distribution_channels=AT_BERLIN,
        ),
    )


def test_an_empty_address_removes_it_and_the_last_one_takes_the_storefront_along() -> None:
    store = update(stores, a_store(), {"action": "setFaqUrl", "faqUrl": PAGE}).resource
    assert update(stores, store, {"action": "setFaqUrl", "faqUrl": ""}).resource.storefront is None


@pytest.mark.parametrize("url", ["http://shop.example.com", "shop", "https://", "javascript:alert(1)"])
def test_pages_need_an_https_address(url: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        update(stores, a_store(), {"action": "setImprintUrl", "imprintUrl": url})


def test_a_template_without_its_variable_is_refused() -> None:
    with pytest.raises(InvalidField):
        update(
            stores, a_store(), {"action": "setOrderUrlTemplate", "orderUrlTemplate": "https://x.example.com/orderId"}
        )


def test_deleting_a_store_is_told() -> None:
    assert stores.deleted(a_store(), FACTS).messages == (told.StoreDeleted(),)
