from __future__ import annotations

from typing import Any

import pytest
from tests.http.api import Api, fresh, refusal


@pytest.fixture(scope="module")
def api(shop: Any) -> Any:
    with Api(shop.create_project("inventory")) as api:
        yield api


def an_entry(api: Api, **draft: Any) -> dict[str, Any]:
    return api.create("/inventory", {"sku": fresh("sku"), "quantityOnStock": 3} | draft)


def test_an_entry_shows_what_was_counted(api: Api) -> None:
    entry = an_entry(api)
    assert (entry["quantityOnStock"], entry["availableQuantity"], entry["version"]) == (3, 3, 1)
    assert api.get(f"/inventory/{entry['id']}") == entry


def test_a_sku_has_one_entry_in_each_channel_and_one_without(api: Api) -> None:
    entry = an_entry(api)
    channel = api.create("/channels", {"key": fresh("depot"), "roles": ["InventorySupply"]})
    supplied = {"sku": entry["sku"], "quantityOnStock": 1, "supplyChannel": {"key": channel["key"]}}
    api.create("/inventory", supplied)
    for draft in (supplied, {"sku": entry["sku"], "quantityOnStock": 1}):
        assert refusal(api.send("POST", "/inventory", draft), 400, "DuplicateField")["field"] == "sku"
    body = {"version": 1, "actions": [{"action": "setSupplyChannel", "supplyChannel": {"key": channel["key"]}}]}
    assert refusal(api.send("POST", f"/inventory/{entry['id']}", body), 400, "DuplicateField")["field"] == "sku"


def test_a_channel_that_supplies_an_entry_cannot_be_deleted(api: Api) -> None:
    channel = api.create("/channels", {"key": fresh("depot"), "roles": ["InventorySupply"]})
    entry = an_entry(api, supplyChannel={"id": channel["id"]})
    gone = {"version": channel["version"]}
    refusal(api.send("DELETE", f"/channels/{channel['id']}", parameters=gone), 400, "ReferenceExists")
    api.update("/inventory", entry, {"action": "setSupplyChannel"})
    assert api.send("DELETE", f"/channels/{channel['id']}", parameters=gone).status_code == 200


def test_quantities_are_changed_and_queried(api: Api) -> None:
    entry = an_entry(api)
    after = api.update("/inventory", entry, {"action": "addQuantity", "quantity": 39})
    assert (after["quantityOnStock"], after["availableQuantity"], after["version"]) == (42, 42, 2)
    found = api.get("/inventory", where=f'sku = "{entry["sku"]}" and quantityOnStock = 42')
    assert [each["id"] for each in found["results"]] == [entry["id"]]


def test_an_entry_goes_with_its_counters(api: Api) -> None:
    entry = an_entry(api)
    gone = api.send("DELETE", f"/inventory/{entry['id']}", parameters={"version": 1})
    assert gone.json()["quantityOnStock"] == 3
    assert an_entry(api, sku=entry["sku"], quantityOnStock=0)["availableQuantity"] == 0


@pytest.mark.parametrize("quantity", [-1, 10**19, "3", 1.5, None])
def test_a_quantity_that_is_none_is_refused_with_its_path(api: Api, quantity: Any) -> None:
    answer = api.send("POST", "/inventory", {"sku": fresh("sku"), "quantityOnStock": quantity})
    assert "$.quantityOnStock" in refusal(answer, 400, "InvalidJsonInput")["detailedErrorMessage"]
