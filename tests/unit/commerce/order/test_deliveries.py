from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commerce.builders.cart import as_json, sku
from tests.unit.commerce.builders.order import an_order, shop
from tests.unit.commerce.facts import NOW, update

from holdfast.base.errors import ApiError, DuplicateField, InvalidOperation, RequiredField
from holdfast.commerce.messages import order as told
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.order.shape import Order, orders
from holdfast.commerce.values.delivery import Delivery

ORDER = an_order(sku("shirt", 2), shippingMethod={"id": "standard"})
LINE_ID = ORDER.line_items[0].id
ITEMS = [{"id": LINE_ID, "quantity": 1}]
ADD = {"action": "addDelivery", "deliveryKey": "first", "items": ITEMS, "address": {"country": "DE"}}
NOTE = {"type": {"typeId": "type", "id": "for-order-delivery"}, "fields": {"note": "x"}}
BOX = {"key": "box", "trackingData": {"trackingId": "t-1"}, "items": ITEMS}


def changed(order: Order, *actions: dict[str, Any]) -> Changed[Order]:
    return update(orders, order, *actions, facts=shop())


def deliveries(order: Order) -> tuple[Delivery, ...]:
    assert order.shipping_info is not None
    return order.shipping_info.deliveries


SENT = changed(ORDER, ADD | {"parcels": [BOX]}).resource
FIRST = deliveries(SENT)[0]
PARCEL = FIRST.parcels[0]
BY = [{"deliveryId": FIRST.id}, {"deliveryKey": "first"}]
BY_PARCEL = [{"parcelId": PARCEL.id}, {"parcelKey": "box"}]


def test_a_delivery_is_kept_and_told_with_its_parcels() -> None:
    result = changed(ORDER, ADD | {"parcels": [BOX], "custom": NOTE})
    (delivery,) = deliveries(result.resource)
    assert as_json(delivery) == {
        "id": delivery.id,
        "key": "first",
        "createdAt": NOW,
        "items": ITEMS,
        "parcels": [{"id": delivery.parcels[0].id, "createdAt": NOW, **BOX}],
        "address": {"country": "DE"},
        "custom": NOTE,
    }
    assert result.messages == (
        told.DeliveryAdded(delivery=delivery),
        told.ParcelAddedToDelivery(delivery=delivery, parcel=delivery.parcels[0]),
    )


@pytest.mark.parametrize("by", BY)
def test_a_delivery_is_removed_by_id_or_key(by: dict[str, str]) -> None:
    second = changed(SENT, {"action": "addDelivery", "deliveryKey": "second"}).resource
    result = changed(second, {"action": "removeDelivery"} | by)
    assert [delivery.key for delivery in deliveries(result.resource)] == ["second"]
    assert result.messages == (told.DeliveryRemoved(delivery=FIRST),)


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize(
    ("action", "field", "value", "message"),
    [
        (
            {"action": "setDeliveryAddress", "address": {"country": "FR"}},
            "address",
            {"country": "FR"},
            {"type": "DeliveryAddressSet", "address": {"country": "FR"}, "oldAddress": {"country": "DE"}},
        ),
        (
            {"action": "setDeliveryItems", "items": []},
            "items",
            [],
            {"type": "DeliveryItemsUpdated", "items": [], "oldItems": ITEMS},
        ),
        (
            {"action": "setDeliveryCustomType"} | NOTE,
            "custom",
            NOTE,
            {"type": "DeliveryCustomTypeSet", "customFields": NOTE},
        ),
        (
            {
                "action": "setDeliveryAddressCustomType",
                "type": {"id": "for-address"},
                "fields": {"note": "x"},
            },
            "address",
            {"country": "DE", "custom": {"type": {"typeId": "type", "id": "for-address"}, "fields": {"note": "x"}}},
            None,
        ),
    ],
)
def test_a_delivery_action_changes_and_tells_what_it_names(
    by: dict[str, str], action: dict[str, Any], field: str, value: Any, message: dict[str, Any] | None
) -> None:
    result = changed(SENT, action | by)
    assert as_json(deliveries(result.resource)[0]) == as_json(FIRST) | {field: value}
    expected = [message | {"deliveryId": FIRST.id}] if message else []
    assert [as_json(each) for each in result.messages] == expected


def test_custom_fields_of_deliveries_parcels_and_their_addresses_are_set_one_by_one() -> None:
    result = changed(
        SENT,
        {"action": "setDeliveryCustomType", "deliveryKey": "first"} | NOTE,
        {"action": "setDeliveryCustomField", "deliveryKey": "first", "name": "note", "value": "y"},
        {"action": "setDeliveryAddressCustomType", "deliveryKey": "first", "type": {"key": "for-address"}},
        {"action": "setDeliveryAddressCustomField", "deliveryKey": "first", "name": "note", "value": "y"},
        {"action": "setParcelCustomType", "parcelKey": "box", "type": {"key": "for-order-parcel"}},
        {"action": "setParcelCustomField", "parcelKey": "box", "name": "note", "value": "y"},
    )
    (delivery,) = deliveries(result.resource)
    assert delivery.address is not None
    for holder in (delivery, delivery.address, delivery.parcels[0]):
        assert holder.custom is not None
        assert holder.custom.fields == {"note": "y"}
    assert [type(message) for message in result.messages] == [
        told.DeliveryCustomTypeSet,
        told.DeliveryCustomFieldChanged,
    ]


@pytest.mark.parametrize("by", BY)
def test_a_parcel_joins_the_delivery_an_action_names(by: dict[str, str]) -> None:
    result = changed(SENT, {"action": "addParcelToDelivery", "parcelKey": "crate", "items": ITEMS} | by)
    (delivery,) = deliveries(result.resource)
    assert [parcel.key for parcel in delivery.parcels] == ["box", "crate"]
    assert result.messages == (told.ParcelAddedToDelivery(delivery=delivery, parcel=delivery.parcels[1]),)


@pytest.mark.parametrize("by", BY_PARCEL)
@pytest.mark.parametrize(
    ("action", "field", "value", "message"),
    [
        (
            {"action": "setParcelMeasurements", "measurements": {"weightInGram": 300}},
            "measurements",
            {"weightInGram": 300},
            {"type": "ParcelMeasurementsUpdated", "measurements": {"weightInGram": 300}},
        ),
        (
            {"action": "setParcelTrackingData", "trackingData": {"carrier": "DHL"}},
            "trackingData",
            {"carrier": "DHL"},
            {"type": "ParcelTrackingDataUpdated", "trackingData": {"carrier": "DHL"}},
        ),
        (
            {"action": "setParcelItems", "items": []},
            "items",
            [],
            {"type": "ParcelItemsUpdated", "items": [], "oldItems": ITEMS},
        ),
    ],
)
def test_a_parcel_action_changes_and_tells_what_it_names(
    by: dict[str, str], action: dict[str, Any], field: str, value: Any, message: dict[str, Any]
) -> None:
    result = changed(SENT, action | by)
    (parcel,) = deliveries(result.resource)[0].parcels
    assert as_json(parcel) == as_json(PARCEL) | {field: value}
    assert [as_json(each) for each in result.messages] == [message | {"deliveryId": FIRST.id, "parcelId": PARCEL.id}]


@pytest.mark.parametrize("by", BY_PARCEL)
def test_a_parcel_is_removed_by_id_or_key(by: dict[str, str]) -> None:
    result = changed(SENT, {"action": "removeParcelFromDelivery"} | by)
    assert deliveries(result.resource)[0].parcels == ()
    assert result.messages == (told.ParcelRemovedFromDelivery(delivery_id=FIRST.id, parcel=PARCEL),)


@pytest.mark.parametrize(
    ("action", "refusal"),
    [
        ({"action": "addParcelToDelivery"}, RequiredField),
        ({"action": "addParcelToDelivery", "deliveryId": "none"}, InvalidOperation),
        ({"action": "removeParcelFromDelivery"}, RequiredField),
        ({"action": "removeDelivery", "deliveryKey": "none"}, InvalidOperation),
        (ADD, DuplicateField),
        ({"action": "addDelivery", "parcels": [BOX]}, DuplicateField),
        ({"action": "addParcelToDelivery", "deliveryKey": "first", "parcelKey": "box"}, DuplicateField),
        ({"action": "addDelivery", "items": [{"id": "none", "quantity": 1}]}, InvalidOperation),
        (
            {"action": "setParcelItems", "parcelKey": "box", "items": [{"id": "none", "quantity": 1}]},
            InvalidOperation,
        ),
    ],
)
def test_a_delivery_action_that_does_not_fit_is_refused(action: dict[str, Any], refusal: type[ApiError]) -> None:
    with pytest.raises(refusal):
        changed(SENT, action)


def test_two_new_parcels_cannot_share_a_key() -> None:
    with pytest.raises(DuplicateField):
        changed(ORDER, {"action": "addDelivery", "parcels": [BOX, BOX]})
