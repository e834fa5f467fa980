"""What happens to orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import field

from holdfast.commerce.messages.message import Message
from holdfast.commerce.values.address import Address
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.delivery import (
    Delivery,
    DeliveryItem,
    Parcel,
    ParcelMeasurements,
    TrackingData,
)
from holdfast.commerce.values.reference import KeyReference, Reference
from holdfast.commerce.values.value import empty, no

if TYPE_CHECKING:
    from holdfast.commerce.resources.cart.shape import EstimatedDelivery
    from holdfast.commerce.resources.order.shape import Order, ReturnInfo


# --- the order as a whole ------------------------------------------------------------------


class OrderCreated(Message):
    order: Order


class OrderImported(Message):
    order: Order


class OrderDeleted(Message):
    order: Order


# --- states --------------------------------------------------------------------------------


class OrderStateChanged(Message):
    order_state: str
    old_order_state: str


class OrderShipmentStateChanged(Message):
    shipment_state: str
    old_shipment_state: str | None = None


class OrderPaymentStateChanged(Message):
    payment_state: str
    old_payment_state: str | None = None


class OrderStateTransition(Message):
    state: Reference
    old_state: Reference | None = None
    force: bool = field(default_factory=no)


class LineItemStateTransition(Message):
    line_item_id: str
    line_item_key: str | None = None
    transition_date: str
    quantity: int
    from_state: Reference
    to_state: Reference


class CustomLineItemStateTransition(Message):
    custom_line_item_id: str
    custom_line_item_key: str | None = None
    transition_date: str
    quantity: int
    from_state: Reference
    to_state: Reference


# --- particulars ---------------------------------------------------------------------------


class OrderCustomerEmailSet(Message):
    email: str | None = None
    old_email: str | None = None


class OrderCustomerSet(Message):
    customer: Reference | None = None
    customer_group: Reference | None = None
    old_customer: Reference | None = None
    old_customer_group: Reference | None = None


class OrderPurchaseOrderNumberSet(Message):
    purchase_order_number: str | None = None
    old_purchase_order_number: str | None = None


class OrderStoreSet(Message):
    store: KeyReference | None = None
    old_store: KeyReference | None = None


class OrderBusinessUnitSet(Message):
    business_unit: KeyReference | None = None
    old_business_unit: KeyReference | None = None


class OrderPaymentAdded(Message):
    payment_ref: Reference


class OrderPaymentRemoved(Message):
    payment_ref: Reference
    removed_payment_info: bool = field(default_factory=no)


class OrderBillingAddressSet(Message):
    address: Address | None = None
    old_address: Address | None = None


class OrderShippingAddressSet(Message):
    address: Address | None = None
    old_address: Address | None = None


class OrderEstimatedDeliverySet(Message):
    estimated_delivery: EstimatedDelivery | None = None
    shipping_key: str | None = None


class OrderCustomTypeSet(Message):
    custom_fields: CustomFields
    previous_type_id: str | None = None


class OrderCustomTypeRemoved(Message):
    previous_type_id: str | None = None


class OrderCustomFieldAdded(Message):
    name: str
    value: Any


class OrderCustomFieldChanged(Message):
    name: str
    value: Any
    previous_value: Any = None


class OrderCustomFieldRemoved(Message):
    name: str


# --- deliveries and parcels ----------------------------------------------------------------


class DeliveryAdded(Message):
    delivery: Delivery
    shipping_key: str | None = None


class DeliveryRemoved(Message):
    delivery: Delivery
    shipping_key: str | None = None


class DeliveryAddressSet(Message):
    delivery_id: str
    address: Address | None = None
    old_address: Address | None = None
    shipping_key: str | None = None


class DeliveryItemsUpdated(Message):
    delivery_id: str
    items: tuple[DeliveryItem, ...] = field(default_factory=empty)
    old_items: tuple[DeliveryItem, ...] = field(default_factory=empty)
    shipping_key: str | None = None


class DeliveryCustomTypeSet(Message):
    custom_fields: CustomFields
    previous_type_id: str | None = None
    delivery_id: str


class DeliveryCustomTypeRemoved(Message):
    previous_type_id: str | None = None
    delivery_id: str


class DeliveryCustomFieldAdded(Message):
    name: str
    value: Any
    delivery_id: str


class DeliveryCustomFieldChanged(Message):
    name: str
    value: Any
    previous_value: Any = None
    delivery_id: str


class DeliveryCustomFieldRemoved(Message):
    name: str
    delivery_id: str


class ParcelAddedToDelivery(Message):
    delivery: Delivery
    parcel: Parcel
    shipping_key: str | None = None


class ParcelRemovedFromDelivery(Message):
    delivery_id: str
    parcel: Parcel
    shipping_key: str | None = None


class ParcelMeasurementsUpdated(Message):
    delivery_id: str
    parcel_id: str
    measurements: ParcelMeasurements | None = None
    shipping_key: str | None = None


class ParcelTrackingDataUpdated(Message):
    delivery_id: str
    parcel_id: str
    tracking_data: TrackingData | None = None
    shipping_key: str | None = None


class ParcelItemsUpdated(Message):
    delivery_id: str
    parcel_id: str
    items: tuple[DeliveryItem, ...] = field(default_factory=empty)
    old_items: tuple[DeliveryItem, ...] = field(default_factory=empty)
    shipping_key: str | None = None


# --- returns -------------------------------------------------------------------------------


class ReturnInfoAdded(Message):
    return_info: ReturnInfo


class ReturnInfoSet(Message):
    return_info: tuple[ReturnInfo, ...] = field(default_factory=empty)


class OrderReturnShipmentStateChanged(Message):
    return_item_id: str
    return_shipment_state: str
