"""Actions on deliveries: which items left the house together, and where to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import order as told
from holdfast.commerce.messages.message import Message
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.order.parts import (
    Way,
    check_items,
    check_new_keys,
    swapped,
    wanted,
    way_of,
    ways,
    with_info,
)
from holdfast.commerce.resources.order.shape import Order, orders
from holdfast.commerce.rules.addresses import address_of
from holdfast.commerce.rules.custom_field_messages import Teller, custom_field_messages
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.rules.deliveries import delivery_of
from holdfast.commerce.values.address import Address, AddressDraft
from holdfast.commerce.values.custom_fields import CustomFieldsDraft
from holdfast.commerce.values.delivery import Delivery, DeliveryDraft, DeliveryItem, Parcel, ParcelDraft
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Key


class Sent(NamedTuple):
    """A delivery, and the way of shipping it belongs to."""

    way: Way
    delivery: Delivery


def deliveries_of(order: Order) -> Iterator[Sent]:
    """All deliveries of an order, whichever way they went."""
    for way in ways(order):
        for delivery in way.info.deliveries:
            yield Sent(way, delivery)


def parcels_of(order: Order) -> Iterator[Parcel]:
    for sent in deliveries_of(order):
        yield from sent.delivery.parcels


def sent_by(order: Order, delivery_id: str | None, delivery_key: str | None) -> Sent:
    """The delivery an action names. Raises RequiredField or InvalidOperation."""
    found = wanted((sent.delivery for sent in deliveries_of(order)), "delivery", delivery_id, delivery_key)
    return next(sent for sent in deliveries_of(order) if sent.delivery is found)


def with_delivery(order: Order, sent: Sent, after: Delivery) -> Order:
    """The order with a delivery in a new form."""
    deliveries = swapped(sent.way.info.deliveries, sent.delivery, after)
    return with_info(order, sent.way.key, replace(sent.way.info, deliveries=deliveries))


# --- actions -------------------------------------------------------------------------------


@orders.action("addDelivery")
def add_delivery(
    order: Order,
    facts: Facts,
    *,
    delivery_key: Key | None = None,
    shipping_key: str | None = None,
    items: tuple[DeliveryItem, ...] = (),
    address: AddressDraft | None = None,
    parcels: tuple[ParcelDraft, ...] = (),
    custom: CustomFieldsDraft | None = None,
) -> Changed[Order]:
    """Record a delivery, with the parcels it consists of if they are known."""
    way = way_of(order, shipping_key)
    check_new_keys((sent.delivery.key for sent in deliveries_of(order)), (delivery_key,), "deliveryKey")
    check_new_keys((parcel.key for parcel in parcels_of(order)), (parcel.key for parcel in parcels), "parcels.key")
    check_items(order, items, "items")
    for parcel in parcels:
        check_items(order, parcel.items, "parcels.items")
    draft = DeliveryDraft(key=delivery_key, items=items, parcels=parcels, address=address, custom=custom)
    delivery = delivery_of(draft, facts)
    after = with_info(order, way.key, replace(way.info, deliveries=(*way.info.deliveries, delivery)))
    added: list[Message] = [told.DeliveryAdded(delivery=delivery, shipping_key=way.key)]
    added += [
        told.ParcelAddedToDelivery(delivery=delivery, parcel=parcel, shipping_key=way.key)
        for parcel in delivery.parcels
    ]
    return Changed(after, added)


@orders.action("removeDelivery")
def remove_delivery(order: Order, *, delivery_id: str | None = None, delivery_key: str | None = None) -> Changed[Order]:
    sent = sent_by(order, delivery_id, delivery_key)
    kept = tuple(delivery for delivery in sent.way.info.deliveries if delivery is not sent.delivery)
    after = with_info(order, sent.way.key, replace(sent.way.info, deliveries=kept))
    return Changed(after, (told.DeliveryRemoved(delivery=sent.delivery, shipping_key=sent.way.key),))


@orders.action("setDeliveryAddress")
def set_delivery_address(
    order: Order,
    facts: Facts,
    *,
    delivery_id: str | None = None,
    delivery_key: str | None = None,
    address: AddressDraft | None = None,
) -> Changed[Order]:
    sent = sent_by(order, delivery_id, delivery_key)
    after = address_of(address, facts) if address else None
    changed = told.DeliveryAddressSet(
        delivery_id=sent.delivery.id, address=after, old_address=sent.delivery.address, shipping_key=sent.way.key
    )
    return Changed(with_delivery(order, sent, replace(sent.delivery, address=after)), (changed,))


@orders.action("setDeliveryItems")
def set_delivery_items(
    order: Order,
    *,
    delivery_id: str | None = None,
    delivery_key: str | None = None,
    items: tuple[DeliveryItem, ...],
) -> Changed[Order]:
    sent = sent_by(order, delivery_id, delivery_key)
    check_items(order, items, "items")
    changed = told.DeliveryItemsUpdated(
        delivery_id=sent.delivery.id, items=items, old_items=sent.delivery.items, shipping_key=sent.way.key
    )
    return Changed(with_delivery(order, sent, replace(sent.delivery, items=items)), (changed,))


# --- custom fields -------------------------------------------------------------------------


@orders.action("setDeliveryCustomType")
def set_delivery_custom_type(
    order: Order,
    facts: Facts,
    *,
    delivery_id: str | None = None,
    delivery_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Changed[Order]:
    sent = sent_by(order, delivery_id, delivery_key)
    return _told(order, sent, with_custom_type(sent.delivery, type, fields, "order-delivery", facts))


@orders.action("setDeliveryCustomField")
def set_delivery_custom_field(
    order: Order,
    facts: Facts,
    *,
    delivery_id: str | None = None,
    delivery_key: str | None = None,
    name: str,
    value: Any = None,
) -> Changed[Order]:
    sent = sent_by(order, delivery_id, delivery_key)
    return _told(order, sent, with_custom_field(sent.delivery, name, value, facts))


def _told(order: Order, sent: Sent, after: Delivery) -> Changed[Order]:
    owner = after.id
    teller = Teller(
        type_set=lambda custom, old: told.DeliveryCustomTypeSet(
            custom_fields=custom, previous_type_id=old, delivery_id=owner
        ),
        type_removed=lambda old: told.DeliveryCustomTypeRemoved(previous_type_id=old, delivery_id=owner),
        field_added=lambda name, value: told.DeliveryCustomFieldAdded(name=name, value=value, delivery_id=owner),
        field_changed=lambda name, value, old: told.DeliveryCustomFieldChanged(
            name=name, value=value, previous_value=old, delivery_id=owner
        ),
        field_removed=lambda name: told.DeliveryCustomFieldRemoved(name=name, delivery_id=owner),
    )
    messages = tuple(custom_field_messages(sent.delivery.custom, after.custom, teller))
    return Changed(with_delivery(order, sent, after), messages)


@orders.action("setDeliveryAddressCustomType")
def set_delivery_address_custom_type(
    order: Order,
    facts: Facts,
    *,
    delivery_id: str | None = None,
    delivery_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Order:
    sent = sent_by(order, delivery_id, delivery_key)
    address = with_custom_type(_address(sent.delivery), type, fields, "address", facts)
    return with_delivery(order, sent, replace(sent.delivery, address=address))


@orders.action("setDeliveryAddressCustomField")
def set_delivery_address_custom_field(
    order: Order,
    facts: Facts,
    *,
    delivery_id: str | None = None,
    delivery_key: str | None = None,
    name: str,
    value: Any = None,
) -> Order:
    sent = sent_by(order, delivery_id, delivery_key)
    address = with_custom_field(_address(sent.delivery), name, value, facts)
    return with_delivery(order, sent, replace(sent.delivery, address=address))


def _address(delivery: Delivery) -> Address:
    if delivery.address is None:
        raise InvalidOperation(f"The delivery '{delivery.id}' has no address.")
    return delivery.address
