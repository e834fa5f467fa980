from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commerce.builders.project import a_project
from tests.unit.commerce.facts import NOW, create, facts_with, update

from holdfast.base.errors import InvalidField, InvalidOperation, ReferencedResourceNotFound
from holdfast.commerce.resources.project import project_of, projects
from holdfast.commerce.values.value import encode

CLASSES = [{"key": "small", "label": {"en": "Small"}}, {"key": "large", "label": {"en": "Large"}}]
ACTIONS: list[tuple[dict[str, Any], str, Any]] = [
    ({"action": "changeName", "name": "New"}, "name", "New"),
    ({"action": "changeCurrencies", "currencies": ["USD", "EUR", "USD"]}, "currencies", ["USD", "EUR"]),
    ({"action": "changeCountries", "countries": ["US", "DE"]}, "countries", ["US", "DE"]),
    ({"action": "changeLanguages", "languages": ["EN", "de-AT"]}, "languages", ["EN", "de-AT"]),
    ({"action": "changeMessagesEnabled", "messagesEnabled": True}, "messages.enabled", True),
    (
        {
            "action": "changeMessagesConfiguration",
            "messagesConfiguration": {"enabled": True, "deleteDaysAfterCreation": 30},
        },
        "messages",
        {"enabled": True, "deleteDaysAfterCreation": 30},
    ),
    (
        {"action": "changeCartsConfiguration", "cartsConfiguration": {"deleteDaysAfterLastModification": 4}},
        "carts.deleteDaysAfterLastModification",
        4,
    ),
    (
        {"action": "changeCountryTaxRateFallbackEnabled", "countryTaxRateFallbackEnabled": True},
        "carts.countryTaxRateFallbackEnabled",
        True,
    ),
    ({"action": "changePriceRoundingMode", "priceRoundingMode": "HalfUp"}, "carts.priceRoundingMode", "HalfUp"),
    ({"action": "changeTaxRoundingMode", "taxRoundingMode": "HalfDown"}, "carts.taxRoundingMode", "HalfDown"),
    (
        {
            "action": "changeShoppingListsConfiguration",
            "shoppingListsConfiguration": {"deleteDaysAfterLastModification": 7},
        },
        "shoppingLists.deleteDaysAfterLastModification",
        7,
    ),
    (
        {"action": "setShippingRateInputType", "shippingRateInputType": {"type": "CartValue"}},
        "shippingRateInputType",
        {"type": "CartValue"},
    ),
    (
        {
            "action": "setShippingRateInputType",
            "shippingRateInputType": {"type": "CartClassification", "values": CLASSES},
        },
        "shippingRateInputType",
        {"type": "CartClassification", "values": CLASSES},
    ),
    (
        {
            "action": "setExternalOAuth",
            "externalOAuth": {"url": "https://id.example.com/check", "authorizationHeader": "Basic x"},
        },
        "externalOAuth.url",
        "https://id.example.com/check",
    ),
    (
        {"action": "setDiscountsConfiguration", "discountsConfiguration": {"discountCombinationMode": "BestDeal"}},
        "discounts.discountCombinationMode",
        "BestDeal",
    ),
    (
        {"action": "setReservationExpirationInMinutes", "reservationExpirationInMinutes": 20},
        "inventory.reservationExpirationInMinutes",
        20,
    ),
    (
        {"action": "setReleaseExpiredReservations", "releaseExpiredReservations": True},
        "inventory.releaseExpiredReservations",
        True,
    ),
    ({"action": "setProductCatalogModel", "productCatalogModel": "Classic"}, "productCatalogModel", "Classic"),
    (
        {"action": "changeProductSearchIndexingEnabled", "enabled": True},
        "searchIndexing.products.status",
        "Activated",
    ),
    (
        {"action": "changeProductSearchIndexingEnabled", "enabled": True, "mode": "ProductsSearch"},
        "searchIndexing.productsSearch.status",
        "Activated",
    ),
    ({"action": "changeOrderSearchStatus", "status": "Activated"}, "searchIndexing.orders.status", "Activated"),
    ({"action": "changeCustomerSearchStatus", "status": "Activated"}, "searchIndexing.customers.lastModifiedAt", NOW),
    (
        {"action": "changeBusinessUnitSearchStatus", "status": "Activated"},
        "searchIndexing.businessUnits.status",
        "Activated",
    ),
    (
        {"action": "changeMyBusinessUnitStatusOnCreation", "status": "Active"},
        "businessUnits.myBusinessUnitStatusOnCreation",
        "Active",
    ),
]


def shown(resource: Any, path: str) -> Any:
    node = msgspec.json.decode(encode(resource))
    for name in path.split("."):
        node = node[name]
    return node


@pytest.mark.parametrize(("action", "path", "value"), ACTIONS, ids=lambda given: str(given)[:60])
def test_an_action_shows_in_the_project(action: dict[str, Any], path: str, value: Any) -> None:
    assert shown(update(projects, a_project(), action).resource, path) == value


def test_all_23_published_actions_are_registered() -> None:
    tried = {action["action"] for action, _, _ in ACTIONS} | {"setMyBusinessUnitAssociateRoleOnCreation"}
    assert tried == set(projects.actions)
    assert len(projects.actions) == 23


def test_a_new_project_has_the_published_defaults() -> None:
    project = create(projects, {"key": "shop-2"}).resource
    assert project.name == "shop-2"
    assert shown(project, "carts") == {
        "deleteDaysAfterLastModification": 90,
        "countryTaxRateFallbackEnabled": False,
        "priceRoundingMode": "HalfEven",
        "taxRoundingMode": "HalfEven",
    }
    assert shown(project, "messages") == {"enabled": False, "deleteDaysAfterCreation": 15}
    assert shown(project, "discounts") == {"discountCombinationMode": "Stacking"}


@pytest.mark.parametrize("key", ["oauth", "docs"])
def test_a_key_that_is_a_path_of_the_server_is_refused(key: str) -> None:
    with pytest.raises(InvalidField):
        create(projects, {"key": key})


@pytest.mark.parametrize("what", ["Currencies", "Countries", "Languages"])
def test_a_project_is_never_left_without(what: str) -> None:
    with pytest.raises(InvalidOperation):
        update(projects, a_project(), {"action": f"change{what}", what.lower(): []})


def test_carts_configuration_keeps_what_is_left_out() -> None:
    before = update(projects, a_project(), {"action": "changeTaxRoundingMode", "taxRoundingMode": "HalfUp"}).resource
    days = {"deleteDaysAfterLastModification": 1}
    after = update(projects, before, {"action": "changeCartsConfiguration", "cartsConfiguration": days}).resource
    assert after.carts.tax_rounding_mode == "HalfUp"


@pytest.mark.parametrize("days", [0, -1, 365_251, "4"])
def test_days_out_of_bounds_do_not_decode(days: Any) -> None:
    configuration = {"deleteDaysAfterLastModification": days}
    with pytest.raises(msgspec.ValidationError):
        update(projects, a_project(), {"action": "changeCartsConfiguration", "cartsConfiguration": configuration})


def test_two_classes_with_one_key_are_refused() -> None:
    values = [CLASSES[0], CLASSES[0]]
    input_type = {"type": "CartClassification", "values": values}
    with pytest.raises(InvalidField):
        update(projects, a_project(), {"action": "setShippingRateInputType", "shippingRateInputType": input_type})


def test_the_modular_catalog_is_not_offered() -> None:
    with pytest.raises(InvalidOperation):
        update(projects, a_project(), {"action": "setProductCatalogModel", "productCatalogModel": "Modular"})


def test_an_associate_role_nobody_knows_is_not_found() -> None:
    role = {"typeId": "associate-role", "key": "buyer"}
    with pytest.raises(ReferencedResourceNotFound):
        update(projects, a_project(), {"action": "setMyBusinessUnitAssociateRoleOnCreation", "associateRole": role})


def test_a_status_that_is_already_so_changes_nothing() -> None:
    before = a_project()
    assert update(projects, before, {"action": "changeOrderSearchStatus", "status": "Deactivated"}).resource == before


def test_decisions_find_their_project_by_its_key() -> None:
    project = a_project()
    assert project_of(facts_with((projects, project))) is project
