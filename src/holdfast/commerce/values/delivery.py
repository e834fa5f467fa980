"""Deliveries and their parcels, as shipping information in carts and orders carries them."""

from __future__ import annotations

from msgspec import field

from holdfast.commerce.values.address import Address, AddressDraft
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.value import Key, Natural, Quantity, Value, empty


class DeliveryItem(Value):
    """So many units of a line item or custom line item."""

    id: str
    quantity: Quantity


class ParcelMeasurements(Value):
    height_in_millimeter: Natural | None = None
    length_in_millimeter: Natural | None = None
    width_in_millimeter: Natural | None = None
    weight_in_gram: Natural | None = None


class TrackingData(Value):
    tracking_id: str | None = None
    carrier: str | None = None
    provider: str | None = None
    provider_transaction: str | None = None
    is_return: bool | None = None


class ParcelDraft(Value):
    key: Key | None = None
    measurements: ParcelMeasurements | None = None
    tracking_data: TrackingData | None = None
    items: tuple[DeliveryItem, ...] = field(default_factory=empty)
    custom: CustomFieldsDraft | None = None


class Parcel(Value):
    id: str
    key: str | None = None
    created_at: str
    measurements: ParcelMeasurements | None = None
    tracking_data: TrackingData | None = None
    items: tuple[DeliveryItem, ...] = field(default_factory=empty)
    custom: CustomFields | None = None


class DeliveryDraft(Value):
    key: Key | None = None
    items: tuple[DeliveryItem, ...] = field(default_factory=empty)
    parcels: tuple[ParcelDraft, ...] = field(default_factory=empty)
    address: AddressDraft | None = None
    custom: CustomFieldsDraft | None = None


class Delivery(Value):
    id: str
    key: str | None = None
    created_at: str
    items: tuple[DeliveryItem, ...] = field(default_factory=empty)
    parcels: tuple[Parcel, ...] = field(default_factory=empty)
    address: Address | None = None
    custom: CustomFields | None = None
