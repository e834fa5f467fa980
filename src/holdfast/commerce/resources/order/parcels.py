"""Actions on the parcels of a delivery."""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec.structs import replace

from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import order as told
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.order.deliveries import Sent, deliveries_of, parcels_of, sent_by, with_delivery
from holdfast.commerce.resources.order.parts import check_items, check_new_keys, swapped, wanted
from holdfast.commerce.resources.order.shape import Order, orders
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.rules.deliveries import parcel_of
from holdfast.commerce.values.custom_fields import CustomFieldsDraft
from holdfast.commerce.values.delivery import DeliveryItem, Parcel, ParcelDraft, ParcelMeasurements, TrackingData
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Key


class Packed(NamedTuple):
    """A parcel, and the delivery it belongs to."""

    sent: Sent
    parcel: Parcel


def _packed(order: Order, parcel_id: str | None, parcel_key: str | None) -> Packed:
    """The parcel an action names. Raises RequiredField or InvalidOperation."""
    found = wanted(parcels_of(order), "parcel", parcel_id, parcel_key)
    sent = next(sent for sent in deliveries_of(order) if any(each is found for each in sent.delivery.parcels))
    return Packed(sent, found)


def _with(order: Order, packed: Packed, after: Parcel) -> Order:
    delivery = packed.sent.delivery
    parcels = swapped(delivery.parcels, packed.parcel, after)
    return with_delivery(order, packed.sent, replace(delivery, parcels=parcels))


@orders.action("addParcelToDelivery")
def add_parcel_to_delivery(
    order: Order,
    facts: Facts,
    *,
    delivery_id: str | None = None,
    delivery_key: str | None = None,
    parcel_key: Key | None = None,
    measurements: ParcelMeasurements | None = None,
    tracking_data: TrackingData | None = None,
    items: tuple[DeliveryItem, ...] = (),
    custom: CustomFieldsDraft | None = None,
) -> Changed[Order]:
    sent = sent_by(order, delivery_id, delivery_key)
    check_new_keys((parcel.key for parcel in parcels_of(order)), (parcel_key,), "parcelKey")
    check_items(order, items, "items")
    draft = ParcelDraft(
        key=parcel_key, measurements=measurements, tracking_data=tracking_data, items=items, custom=custom
    )
    parcel = parcel_of(draft, facts)
    delivery = replace(sent.delivery, parcels=(*sent.delivery.parcels, parcel))
    added = told.ParcelAddedToDelivery(delivery=delivery, parcel=parcel, shipping_key=sent.way.key)
    return Changed(with_delivery(order, sent, delivery), (added,))


@orders.action("removeParcelFromDelivery")
def remove_parcel_from_delivery(
    order: Order, *, parcel_id: str | None = None, parcel_key: str | None = None
) -> Changed[Order]:
    sent, gone = _packed(order, parcel_id, parcel_key)
    kept = tuple(parcel for parcel in sent.delivery.parcels if parcel is not gone)
    removed = told.ParcelRemovedFromDelivery(delivery_id=sent.delivery.id, parcel=gone, shipping_key=sent.way.key)
    return Changed(with_delivery(order, sent, replace(sent.delivery, parcels=kept)), (removed,))


@orders.action("setParcelMeasurements")
def set_parcel_measurements(
    order: Order,
    *,
    parcel_id: str | None = None,
    parcel_key: str | None = None,
    measurements: ParcelMeasurements | None = None,
) -> Changed[Order]:
    packed = _packed(order, parcel_id, parcel_key)
    changed = told.ParcelMeasurementsUpdated(
        delivery_id=packed.sent.delivery.id,
        parcel_id=packed.parcel.id,
        measurements=measurements,
        shipping_key=packed.sent.way.key,
    )
    return Changed(_with(order, packed, replace(packed.parcel, measurements=measurements)), (changed,))


@orders.action("setParcelTrackingData")
def set_parcel_tracking_data(
    order: Order,
    *,
    parcel_id: str | None = None,
    parcel_key: str | None = None,
    tracking_data: TrackingData | None = None,
) -> Changed[Order]:
    packed = _packed(order, parcel_id, parcel_key)
    changed = told.ParcelTrackingDataUpdated(
        delivery_id=packed.sent.delivery.id,
        parcel_id=packed.parcel.id,
        tracking_data=tracking_data,
        shipping_key=packed.sent.way.key,
    )
    return Changed(_with(order, packed, replace(packed.parcel, tracking_data=tracking_data)), (changed,))


@orders.action("setParcelItems")
def set_parcel_items(
    order: Order,
    *,
    parcel_id: str | None = None,
    parcel_key: str | None = None,
    items: tuple[DeliveryItem, ...],
) -> Changed[Order]:
    packed = _packed(order, parcel_id, parcel_key)
    check_items(order, items, "items")
    changed = told.ParcelItemsUpdated(
        delivery_id=packed.sent.delivery.id,
        parcel_id=packed.parcel.id,
        items=items,
        old_items=packed.parcel.items,
        shipping_key=packed.sent.way.key,
    )
    return Changed(_with(order, packed, replace(packed.parcel, items=items)), (changed,))


@orders.action("setParcelCustomType")
def set_parcel_custom_type(
    order: Order,
    facts: Facts,
    *,
    parcel_id: str | None = None,
    parcel_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Order:
    packed = _packed(order, parcel_id, parcel_key)
    return _with(order, packed, with_custom_type(packed.parcel, type, fields, "order-parcel", facts))


@orders.action("setParcelCustomField")
def set_parcel_custom_field(
    order: Order,
    facts: Facts,
    *,
    parcel_id: str | None = None,
    parcel_key: str | None = None,
    name: str,
    value: Any = None,
) -> Order:
    packed = _packed(order, parcel_id, parcel_key)
    return _with(order, packed, with_custom_field(packed.parcel, name, value, facts))
