from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import (
    AMERICA,
    GERMANY,
    GIFT_WRAP,
    NEW_YORK,
    REDUCED,
    SHOP,
    a_method,
    as_json,
    eur,
    shop,
)
from tests.unit.commerce.facts import create, update

from holdfast.base.errors import ApiError, InvalidField, InvalidInput, InvalidOperation, ReferencedResourceNotFound
from holdfast.commerce.resources.cart.shape import ClassificationInput, ScoreInput
from holdfast.commerce.resources.project import CartClassificationType, CartScoreType
from holdfast.commerce.resources.shipping_method import (
    ShippingMethod,
    ShippingRate,
    ShippingRateDraft,
    shipping_methods,
)
from holdfast.commerce.resources.shipping_method import shipping_rate as stored
from holdfast.commerce.rules.shipping import Basket, rate_for, shipping_cents
from holdfast.commerce.values.address import Address
from holdfast.commerce.values.money import money
from holdfast.commerce.values.reference import Reference

ZONE_DE = {"typeId": "zone", "id": "zone-de"}
ZONE_US = {"typeId": "zone", "id": "zone-us"}


def usd(cents: int) -> dict[str, Any]:
    return {"currencyCode": "USD", "centAmount": cents}


def made(**draft: Any) -> ShippingMethod:
    body = {"name": "standard", "taxCategory": {"typeId": "tax-category", "key": "normal"}, "isDefault": True, **draft}
    return create(shipping_methods, body, shop()).resource


def after(method: ShippingMethod, action: str, **fields: Any) -> ShippingMethod:
    type_ = replace(GIFT_WRAP, resource_type_ids=("shipping-method",))
    return update(shipping_methods, method, {"action": action, **fields}, facts=shop(type_)).resource


def a_served(*rates: dict[str, Any]) -> ShippingMethod:
    return made(zoneRates=[{"zone": ZONE_DE, "shippingRates": rates}])


def test_a_draft_is_stored_with_references_by_id_and_stores_by_key() -> None:
    method = made(
        key="std",
        zoneRates=[{"zone": ZONE_DE, "shippingRates": [{"price": eur(490), "freeAbove": eur(5000)}]}],
        stores=[{"typeId": "store", "id": "boutique"}],
        localizedName={"en": "Standard"},
        carrier="dhl",
        predicate="customer.email is defined",
    )
    body = as_json(method)
    assert body["taxCategory"] == {"typeId": "tax-category", "id": "normal"}
    assert body["stores"] == [{"typeId": "store", "key": "boutique"}]
    assert (body["active"], body["isDefault"], body["carrier"]) == (True, True, "dhl")
    rate = body["zoneRates"][0]["shippingRates"][0]
    assert rate["price"] == {"type": "centPrecision", "currencyCode": "EUR", "centAmount": 490, "fractionDigits": 2}
    assert rate["freeAbove"]["centAmount"] == 5000
    assert rate["tiers"] == []
    assert "isMatching" not in rate


@pytest.mark.parametrize(
    ("action", "fields", "name", "value"),
    [
        ("changeName", {"name": "other"}, "name", "other"),
        ("setKey", {"key": "other"}, "key", "other"),
        ("setDescription", {"description": "fast"}, "description", "fast"),
        ("setLocalizedName", {"localizedName": {"en": "x"}}, "localized_name", {"en": "x"}),
        ("setLocalizedDescription", {"localizedDescription": {"en": "x"}}, "localized_description", {"en": "x"}),
        ("changeIsDefault", {"isDefault": False}, "is_default", False),
        ("changeActive", {"active": False}, "active", False),
        ("setPredicate", {"predicate": "1 = 1"}, "predicate", "1 = 1"),
        ("setPredicate", {}, "predicate", None),
        ("setCarrier", {"carrier": "ups"}, "carrier", "ups"),
        (
            "changeTaxCategory",
            {"taxCategory": {"typeId": "tax-category", "id": "reduced"}},
            "tax_category",
            Reference(type_id="tax-category", id=REDUCED.id),
        ),
    ],
)
def test_plain_fields_can_be_changed(action: str, fields: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(after(made(), action, **fields), name) == value


def test_custom_fields_can_be_set_and_changed() -> None:
    method = after(made(), "setCustomType", type={"typeId": "type", "id": "gift"}, fields={"note": "a"})
    method = after(method, "setCustomField", name="note", value="b")
    assert method.custom is not None
    assert method.custom.fields == {"note": "b"}


def test_zones_come_and_go_with_their_rates() -> None:
    method = after(a_served({"price": eur(490)}), "addZone", zone=ZONE_US)
    assert [rate.zone.id for rate in method.zone_rates] == ["zone-de", "zone-us"]
    assert [rate.zone.id for rate in after(method, "removeZone", zone=ZONE_DE).zone_rates] == ["zone-us"]
    with pytest.raises(InvalidOperation):
        after(method, "addZone", zone=ZONE_US)


def test_a_rate_can_be_added_once_per_currency_and_removed_by_its_value() -> None:
    method = after(a_served({"price": eur(490)}), "addShippingRate", zone=ZONE_DE, shippingRate={"price": usd(990)})
    assert [rate.price.currency_code for rate in method.zone_rates[0].shipping_rates] == ["EUR", "USD"]
    with pytest.raises(InvalidOperation):
        after(method, "addShippingRate", zone=ZONE_DE, shippingRate={"price": usd(1)})
    left = after(method, "removeShippingRate", zone=ZONE_DE, shippingRate={"price": eur(490)})
    assert [rate.price.currency_code for rate in left.zone_rates[0].shipping_rates] == ["USD"]
    assert after(method, "removeShippingRate", zone=ZONE_DE, shippingRate={"price": eur(491)}) == method


def test_adding_a_rate_to_a_new_zone_adds_the_zone() -> None:
    method = after(made(), "addShippingRate", zone=ZONE_US, shippingRate={"price": usd(990)})
    assert [rate.zone.id for rate in method.zone_rates] == ["zone-us"]


def test_stores_can_be_set_added_and_removed() -> None:
    boutique = {"typeId": "store", "key": "boutique"}
    method = after(made(), "addStore", store=boutique)
    assert [store.key for store in method.stores] == ["boutique"]
    assert after(method, "addStore", store=boutique).stores == method.stores
    assert after(method, "removeStore", store=boutique).stores == ()
    assert after(made(), "setStores", stores=[boutique, boutique]).stores == method.stores
    with pytest.raises(ReferencedResourceNotFound):
        after(method, "addStore", store={"typeId": "store", "key": "nowhere"})


def test_a_predicate_must_be_one() -> None:
    with pytest.raises(InvalidInput):
        after(made(), "setPredicate", predicate="totalPrice >")


VALUE_TIER = {"type": "CartValue", "minimumCentAmount": 1000, "price": eur(300)}
SCORE_TIER = {"type": "CartScore", "score": 2, "price": eur(300)}


@pytest.mark.parametrize(
    ("rate", "error"),
    [
        ({"price": eur(-1)}, InvalidField),
        ({"price": eur(490), "freeAbove": usd(1)}, InvalidField),
        ({"price": {"currencyCode": "EUR"}}, InvalidField),
        ({"price": eur(490), "tiers": [{**VALUE_TIER, "price": usd(1)}]}, InvalidField),
        ({"price": eur(490), "tiers": [VALUE_TIER, SCORE_TIER]}, InvalidField),
        ({"price": eur(490), "tiers": [VALUE_TIER, VALUE_TIER]}, InvalidField),
        ({"price": eur(490), "tiers": [{"type": "CartScore", "score": 1}]}, InvalidField),
        (
            {
                "price": eur(490),
                "tiers": [{"type": "CartScore", "score": 1, "priceFunction": {"currencyCode": "EUR", "function": "y"}}],
            },
            InvalidField,
        ),
    ],
)
def test_rates_that_contradict_themselves_are_refused(rate: dict[str, Any], error: type[ApiError]) -> None:
    with pytest.raises(error):
        a_served(rate)


def test_a_zone_can_be_drafted_only_once() -> None:
    with pytest.raises(InvalidOperation):
        made(zoneRates=[{"zone": ZONE_DE}, {"zone": ZONE_DE}])


# --- which rate ----------------------------------------------------------------------------

EVERYWHERE = replace(
    a_method(),
    zone_rates=tuple(
        msgspec.structs.replace(
            a_method(ShippingRate(price=money(cents, "USD")), zone=zone).zone_rates[0],
        )
        for zone, cents in ((AMERICA, 900), (NEW_YORK, 700), (GERMANY, 2000))
    ),
)


@pytest.mark.parametrize(
    ("country", "state", "cents"), [("US", "NY", 700), ("US", "CA", 900), ("US", None, 900), ("DE", "NY", 2000)]
)
def test_the_zone_of_the_state_wins_over_that_of_the_country(country: str, state: str | None, cents: int) -> None:
    rate = rate_for(EVERYWHERE, Address(country=country, state=state), "USD", shop())
    assert rate is not None
    assert rate.price.cent_amount == cents


def test_a_zone_that_is_gone_serves_nobody() -> None:
    gone = replace(EVERYWHERE.zone_rates[0], zone=Reference(type_id="zone", id="gone"))
    left = replace(EVERYWHERE, zone_rates=(gone, *EVERYWHERE.zone_rates[1:]))
    assert rate_for(left, Address(country="US"), "USD", shop()) is None
    assert rate_for(left, Address(country="DE"), "USD", shop()) is not None


def test_a_place_outside_of_all_zones_has_no_rate() -> None:
    assert rate_for(EVERYWHERE, Address(country="FR"), "USD", shop()) is None


def test_a_zone_without_the_currency_has_no_rate() -> None:
    assert rate_for(EVERYWHERE, Address(country="US"), "EUR", shop()) is None


# --- what it costs -------------------------------------------------------------------------


def a_rate(*tiers: dict[str, Any], free_above: int | None = None) -> ShippingRate:
    body = {"price": eur(500), "tiers": tiers, "freeAbove": eur(free_above) if free_above is not None else None}
    return stored(msgspec.convert(body, ShippingRateDraft))


VALUES = (
    {"type": "CartValue", "minimumCentAmount": 10_000, "price": eur(100)},
    {"type": "CartValue", "minimumCentAmount": 5_000, "price": eur(300)},
)


@pytest.mark.parametrize(
    ("items", "cents"), [(0, 500), (4_999, 500), (5_000, 300), (9_999, 300), (10_000, 100), (10_001, 100)]
)
def test_the_tier_with_the_largest_value_reached_decides(items: int, cents: int) -> None:
    assert shipping_cents(a_rate(*VALUES), Basket(items), shop()) == cents


@pytest.mark.parametrize(("items", "cents"), [(19_999, 100), (20_000, 0), (20_001, 0)])
def test_from_free_above_on_shipping_costs_nothing(items: int, cents: int) -> None:
    assert shipping_cents(a_rate(*VALUES, free_above=20_000), Basket(items), shop()) == cents


SCORES = (
    {"type": "CartScore", "score": 1, "price": eur(600)},
    {"type": "CartScore", "score": 3, "priceFunction": {"currencyCode": "EUR", "function": "(50 * x) + 700"}},
)
BY_SCORE = replace(SHOP, shipping_rate_input_type=CartScoreType())


@pytest.mark.parametrize(("score", "cents"), [(0, 500), (1, 600), (2, 600), (3, 850), (10, 1200)])
def test_the_highest_score_reached_decides_by_price_or_function(score: int, cents: int) -> None:
    basket = Basket(0, ScoreInput(score=score))
    assert shipping_cents(a_rate(*SCORES), basket, shop(BY_SCORE)) == cents


def test_without_a_score_the_plain_price_holds() -> None:
    assert shipping_cents(a_rate(*SCORES), Basket(0), shop(BY_SCORE)) == 500


HEAVY = {"type": "CartClassification", "value": "heavy", "price": eur(2500)}
BY_CLASS = replace(SHOP, shipping_rate_input_type=CartClassificationType(values=()))


@pytest.mark.parametrize(("key", "cents"), [("heavy", 2500), ("light", 500)])
def test_the_classification_of_the_cart_decides(key: str, cents: int) -> None:
    basket = Basket(0, ClassificationInput(key=key, label={}))
    assert shipping_cents(a_rate(HEAVY), basket, shop(BY_CLASS)) == cents


def test_tiers_of_a_kind_the_project_does_not_look_at_are_passed_over() -> None:
    assert shipping_cents(a_rate(*VALUES), Basket(10_000), shop(BY_SCORE)) == 500
