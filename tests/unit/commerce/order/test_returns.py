from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commerce.builders.cart import as_json, eur, sku
from tests.unit.commerce.builders.order import an_order, shop
from tests.unit.commerce.facts import NOW, update

from holdfast.base.errors import ApiError, DuplicateField, InvalidField, InvalidOperation, RequiredField
from holdfast.commerce.messages import order as told
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.order.shape import Order, orders

WRAP = {"name": {"en": "Wrap"}, "slug": "wrap", "money": eur(250), "taxCategory": {"id": "normal"}}
ORDER = an_order(sku("shirt", 2), customLineItems=[WRAP], inventoryMode="ReserveOnOrder")
LINE_ID, EXTRA_ID = ORDER.line_items[0].id, ORDER.custom_line_items[0].id
LATER = "2026-02-28T10:00:00.000Z"
SHIRT = {"lineItemId": LINE_ID, "quantity": 1, "shipmentState": "Returned", "key": "shirt"}
EXTRA = {"customLineItemId": EXTRA_ID, "quantity": 1, "shipmentState": "Advised", "comment": "torn"}
NOTE = {"type": {"typeId": "type", "id": "for-return"}, "fields": {"note": "x"}}


def changed(order: Order, *actions: dict[str, Any], now: str = NOW) -> Changed[Order]:
    return update(orders, order, *actions, facts=shop(now=now))


RETURNED = changed(ORDER, {"action": "addReturnInfo", "items": [SHIRT, EXTRA], "returnTrackingId": "r-1"})
INFO = RETURNED.resource.return_info[0]
ITEM = INFO.items[0]
BY = [{"returnItemId": ITEM.id}, {"returnItemKey": "shirt"}]


def test_a_return_is_kept_and_told() -> None:
    assert as_json(INFO) == {
        "items": [
            {
                "type": "LineItemReturnItem",
                "id": ITEM.id,
                "createdAt": NOW,
                "lastModifiedAt": NOW,
                "paymentState": "Initial",
                **SHIRT,
            },
            {
                "type": "CustomLineItemReturnItem",
                "id": INFO.items[1].id,
                "createdAt": NOW,
                "lastModifiedAt": NOW,
                "paymentState": "NonRefundable",
                **EXTRA,
            },
        ],
        "returnTrackingId": "r-1",
        "returnDate": NOW,
    }
    assert RETURNED.messages == (told.ReturnInfoAdded(return_info=INFO),)
    assert RETURNED.stock == ()


def test_all_returns_are_replaced_or_removed() -> None:
    result = changed(RETURNED.resource, {"action": "setReturnInfo", "items": [{"items": [EXTRA]}]})
    (info,) = result.resource.return_info
    assert [item.comment for item in info.items] == ["torn"]
    assert result.messages == (told.ReturnInfoSet(return_info=(info,)),)
    assert changed(result.resource, {"action": "setReturnInfo"}).resource.return_info == ()


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("state", ["BackInStock", "Unusable"])
def test_what_has_come_back_is_sorted_once(by: dict[str, str], state: str) -> None:
    action = {"action": "setReturnShipmentState", "shipmentState": state}
    result = changed(RETURNED.resource, action | by, now=LATER)
    item = result.resource.return_info[0].items[0]
    assert (item.shipment_state, item.last_modified_at, item.created_at) == (state, LATER, NOW)
    assert result.messages == (
        told.OrderReturnShipmentStateChanged(return_item_id=ITEM.id, return_shipment_state=state),
    )
    with pytest.raises(InvalidOperation):
        changed(result.resource, {"action": "setReturnShipmentState", "shipmentState": "Returned"} | by)


def test_what_is_announced_becomes_refundable_when_it_arrives() -> None:
    extra = INFO.items[1]
    action = {"action": "setReturnShipmentState", "returnItemId": extra.id}
    arrived = changed(RETURNED.resource, action | {"shipmentState": "Returned"}).resource.return_info[0].items[1]
    assert (arrived.shipment_state, arrived.payment_state) == ("Returned", "Initial")
    with pytest.raises(InvalidOperation):
        changed(RETURNED.resource, action | {"shipmentState": "BackInStock"})


@pytest.mark.parametrize("by", BY)
def test_a_return_is_refunded(by: dict[str, str]) -> None:
    action = {"action": "setReturnPaymentState", "paymentState": "Refunded"}
    result = changed(RETURNED.resource, action | by, now=LATER)
    item = result.resource.return_info[0].items[0]
    assert (item.payment_state, item.last_modified_at) == ("Refunded", LATER)
    assert result.resource.return_info[0].items[1] == INFO.items[1]


@pytest.mark.parametrize("by", BY)
def test_a_return_item_carries_custom_fields(by: dict[str, str]) -> None:
    result = changed(
        RETURNED.resource,
        {"action": "setReturnItemCustomType"} | NOTE | by,
        {"action": "setReturnItemCustomField", "name": "note", "value": "y"} | by,
    )
    assert as_json(result.resource.return_info[0].items[0])["custom"] == NOTE | {"fields": {"note": "y"}}


@pytest.mark.parametrize(
    ("items", "refusal"),
    [
        ([SHIRT | {"customLineItemId": EXTRA_ID}], InvalidOperation),
        ([{"quantity": 1, "shipmentState": "Advised"}], RequiredField),
        ([SHIRT | {"lineItemId": "none"}], InvalidOperation),
        ([SHIRT | {"key": "other", "shipmentState": "Unusable"}], InvalidField),
        ([SHIRT], DuplicateField),
        ([SHIRT | {"key": "twice"}, SHIRT | {"key": "twice"}], DuplicateField),
    ],
)
def test_a_return_that_makes_no_sense_is_refused(items: list[dict[str, Any]], refusal: type[ApiError]) -> None:
    with pytest.raises(refusal):
        changed(RETURNED.resource, {"action": "addReturnInfo", "items": items})


@pytest.mark.parametrize("items", [[], [SHIRT | {"quantity": 0}], [SHIRT | {"shipmentState": "Lost"}]])
def test_a_malformed_return_is_refused_by_its_shape(items: list[dict[str, Any]]) -> None:
    with pytest.raises(msgspec.ValidationError):
        changed(ORDER, {"action": "addReturnInfo", "items": items})


def test_an_action_on_returns_names_one() -> None:
    with pytest.raises(RequiredField):
        changed(RETURNED.resource, {"action": "setReturnPaymentState", "paymentState": "Refunded"})
