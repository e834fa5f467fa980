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
    detail = refusal(answer, 400, "InvalidJsonInput")["detailedErrorMessage"]
    assert ("$.quantityOnStock" if quantity is not None else "`quantityOnStock`") in detail


# --- the ledger ----------------------------------------------------------------------------


def lines_of(api: Api, entry: dict[str, Any], **page: Any) -> list[tuple[Any, ...]]:
    lines = api.get(f"/inventory/{entry['id']}/ledger", **page)["results"]
    names = ("movement", "onStock", "reserved", "quantityOnStock", "availableQuantity")
    return [tuple(line[name] for name in names) for line in lines]


def a_moved_entry(api: Api) -> dict[str, Any]:
    entry = an_entry(api, quantityOnStock=5)
    entry = api.update("/inventory", entry, {"action": "addQuantity", "quantity": 4})
    return api.update(
        "/inventory", entry, {"action": "removeQuantity", "quantity": 2}, {"action": "changeQuantity", "quantity": 1}
    )


def test_every_movement_is_in_the_ledger_with_what_it_came_to(api: Api) -> None:
    entry = a_moved_entry(api)
    assert lines_of(api, entry) == [
        ("count", 5, 0, 5, 5),
        ("receive", 4, 0, 9, 9),
        ("receive", -2, 0, 7, 7),
        ("count", -6, 0, 1, 1),
    ]
    ledger = api.get(f"/inventory/{entry['id']}/ledger")
    assert (ledger["balanced"], ledger["total"], ledger["quantityOnStock"]) == (True, 4, 1)
    assert ledger["results"][1]["reference"] == {"typeId": "inventory-entry", "id": entry["id"]}
    assert [line["referenceVersion"] for line in ledger["results"]] == [1, 2, 4, 4]


def test_the_ledger_is_read_from_its_end_page_by_page(api: Api) -> None:
    entry = a_moved_entry(api)
    last = api.get(f"/inventory/{entry['id']}/ledger", limit=2)
    assert (last["count"], last["total"]) == (2, 4)
    assert lines_of(api, entry, limit=2) == [("receive", -2, 0, 7, 7), ("count", -6, 0, 1, 1)]
    first = {"before": last["results"][0]["position"], "limit": 5}
    assert lines_of(api, entry, **first) == [("count", 5, 0, 5, 5), ("receive", 4, 0, 9, 9)]
    assert lines_of(api, entry, limit=0) == []


def test_a_deleted_entry_leaves_its_ledger(api: Api) -> None:
    entry = a_moved_entry(api)
    api.send("DELETE", f"/inventory/{entry['id']}", parameters={"version": entry["version"]})
    assert lines_of(api, entry, limit=1) == [("close", -1, 0, 0, 0)]
    assert api.get(f"/inventory/{entry['id']}/ledger")["balanced"]


@pytest.mark.parametrize(("name", "text"), [("before", "x"), ("before", "-1"), ("before", "9" * 19), ("limit", "501")])
def test_a_page_that_is_none_is_refused(api: Api, name: str, text: str) -> None:
    entry = an_entry(api)
    answer = api.send("GET", f"/inventory/{entry['id']}/ledger", parameters={name: text})
    assert name in refusal(answer, 400, "InvalidInput")["message"]


@pytest.mark.parametrize("entry_id", ["nothing", "0193b2f0-0000-7000-8000-000000000000"])
def test_an_entry_that_never_was_has_no_ledger(api: Api, entry_id: str) -> None:
    refusal(api.send("GET", f"/inventory/{entry_id}/ledger"), 404, "ResourceNotFound")


def test_another_project_sees_nothing_of_a_ledger(api: Api, shop: Any) -> None:
    entry = an_entry(api)
    with Api(shop.create_project("other")) as other:
        refusal(other.send("GET", f"/inventory/{entry['id']}/ledger"), 404, "ResourceNotFound")
