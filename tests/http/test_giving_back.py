"""Stock comes back exactly once, whichever way an order ends, and however many end it at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.conftest import Shop
from tests.http.api import Api, fresh, refusal
from tests.http.till import a_cart, a_sku, counters, ledger, open_till, order, placed

AT_ONCE = 8
ON_STOCK = 10


@pytest.fixture(scope="module")
def api(shop: Shop) -> Iterator[Api]:
    with Api(shop.create_project("giving-back")) as api:
        open_till(api)
        yield api


@pytest.fixture(scope="module")
def returned(api: Api) -> str:
    """A workflow state whose units are back."""
    state = api.create("/states", {"key": fresh("returned"), "type": "LineItemState", "roles": ["Return"]})
    return str(state["id"])


def step(api: Api, bought: dict[str, Any], name: str, returned: str) -> Any:
    """Take a step with an order: `return 2`, `refund 1`, a state of the order, or `delete`."""
    if name == "delete":
        return api.send("DELETE", f"/orders/{bought['id']}", parameters={"version": bought["version"]})
    action: dict[str, Any] = {"action": "changeOrderState", "orderState": name}
    if name.startswith("return"):
        (line,) = bought["lineItems"]
        source = next(each["state"] for each in line["state"] if each["state"]["id"] != returned)
        action = {
            "action": "transitionLineItemState",
            "lineItemId": line["id"],
            "quantity": int(name.split()[1]),
            "fromState": source,
            "toState": {"typeId": "state", "id": returned},
        }
    return api.send("POST", f"/orders/{bought['id']}", {"version": bought["version"], "actions": [action]})


@pytest.mark.parametrize(
    "way",
    [
        [("Cancelled", 10), ("Cancelled", 10)],
        [("Cancelled", 10), ("return 2", 10), ("delete", 10)],
        [("return 2", 9), ("Cancelled", 10), ("delete", 10)],
        [("return 3", 10), ("delete", 10)],
        [("return 1", 8), ("delete", 10)],
        [("Cancelled", 10), ("Open", 7), ("Cancelled", 10), ("delete", 10)],
        [("return 1", 8), ("Cancelled", 10), ("Open", 8), ("return 2", 10), ("Cancelled", 10), ("Open", 10)],
        [("Complete", 7), ("delete", 10)],
    ],
    ids=lambda way: ", ".join(name for name, _ in way),
)
@pytest.mark.parametrize("mode", ["ReserveOnOrder", "TrackOnly"])
def test_each_way_gives_back_what_it_took(api: Api, returned: str, way: list[tuple[str, int]], mode: str) -> None:
    sku = a_sku(api, ON_STOCK)
    bought = placed(api, a_cart(api, sku, quantity=3, inventoryMode=mode))
    for name, available in way:
        answer = step(api, bought, name, returned)
        assert answer.status_code == 200, answer.text
        bought = answer.json()
        assert counters(api, sku)[1] == available, name
    lines = ledger(api, sku)
    assert (sum(line[1] for line in lines), sum(line[1] - line[2] for line in lines)) == counters(api, sku)


@pytest.mark.parametrize("names", [("Cancelled",), ("delete",), ("return 3",), ("Cancelled", "delete", "return 3")])
def test_of_many_who_end_an_order_at_once_one_does(api: Api, returned: str, names: tuple[str, ...]) -> None:
    sku = a_sku(api, ON_STOCK)
    bought = placed(api, a_cart(api, sku, quantity=3))
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(
            threads.map(lambda n: step(api, bought, names[n % len(names)], returned).status_code, range(AT_ONCE))
        )
    assert answers.count(200) == 1
    assert set(answers) <= {200, 404, 409}
    assert counters(api, sku) == (ON_STOCK, ON_STOCK)
    assert [line[0] for line in ledger(api, sku)] == ["count", "reserve", "release"]


def test_an_order_can_only_come_back_to_life_while_there_is_stock(api: Api, returned: str) -> None:
    sku = a_sku(api, 3)
    bought = placed(api, a_cart(api, sku, quantity=3))
    bought = step(api, bought, "Cancelled", returned).json()
    placed(api, a_cart(api, sku, quantity=1))
    refusal(step(api, bought, "Open", returned), 400, "OutOfStock")
    assert api.get(f"/orders/{bought['id']}") == bought
    assert counters(api, sku) == (3, 2)


def test_lines_of_one_item_count_together_across_modes_and_channels(api: Api) -> None:
    """Four lines of one SKU: two reserve from the same shelf, one from a depot, one only counts."""
    sku = a_sku(api, 4)
    depot = api.create("/channels", {"key": fresh("depot"), "roles": ["InventorySupply"]})
    outlet = api.create("/channels", {"key": fresh("outlet"), "roles": ["ProductDistribution"]})
    api.create("/inventory", {"sku": sku, "quantityOnStock": 2, "supplyChannel": {"key": depot["key"]}})
    lines = [
        {"sku": sku, "quantity": 2},
        {"sku": sku, "quantity": 2, "distributionChannel": {"key": outlet["key"]}},
        {"sku": sku, "quantity": 2, "supplyChannel": {"key": depot["key"]}},
        {"sku": sku, "quantity": 5, "inventoryMode": "None"},
    ]
    too_many = [*lines, {"sku": sku, "quantity": 1, "inventoryMode": "TrackOnly"}]
    refused = refusal(order(api, a_cart(api, lineItems=[{"sku": sku, "quantity": 3}, *lines[1:]])), 400, "OutOfStock")
    assert refused["skus"] == [sku]
    bought = placed(api, a_cart(api, lineItems=too_many))
    assert shelves(api, sku) == {None: (3, -1), depot["id"]: (2, 0)}
    api.update("/orders", bought, {"action": "changeOrderState", "orderState": "Cancelled"})
    assert shelves(api, sku) == {None: (4, 4), depot["id"]: (2, 2)}


def shelves(api: Api, sku: str) -> dict[str | None, tuple[int, int]]:
    """The counters of a SKU by supply channel."""
    return {
        entry.get("supplyChannel", {}).get("id"): (entry["quantityOnStock"], entry["availableQuantity"])
        for entry in api.get("/inventory", where=f'sku = "{sku}"')["results"]
    }


def test_a_copy_of_an_order_that_took_units_back_frees_nobodys_stock(api: Api) -> None:
    """Orders from elsewhere may count units below zero; a cart that copies one leaves these out."""
    sku = a_sku(api, 3)
    placed(api, a_cart(api, sku, quantity=3))
    money = {"currencyCode": "EUR", "centAmount": 1190}
    line = {"name": {"en": sku}, "variant": {"sku": sku}, "price": {"value": money}}
    fee = {"name": {"en": "fee"}, "money": money, "taxCategory": {"key": "normal"}}
    imported = api.create(
        "/orders/import",
        {
            "totalPrice": money,
            "inventoryMode": "ReserveOnOrder",
            "shippingAddress": {"country": "DE"},
            "lineItems": [
                line | {"quantity": -2},
                line | {"quantity": 0},
                line | {"quantity": 1, "inventoryMode": "None"},
            ],
            "customLineItems": [fee | {"slug": f"fee{units}", "quantity": units} for units in (-1, 0, 1)],
        },
    )
    copy = api.create("/carts/replicate", {"reference": {"typeId": "order", "id": imported["id"]}})
    assert [line["quantity"] for line in copy["lineItems"]] == [1]
    assert [item["quantity"] for item in copy["customLineItems"]] == [1]
    placed(api, copy)
    assert counters(api, sku) == (3, 0)
