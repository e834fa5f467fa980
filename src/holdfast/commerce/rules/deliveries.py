"""Drafted deliveries and parcels become stored ones."""

from __future__ import annotations

from holdfast.commerce.facts import Facts
from holdfast.commerce.rules.addresses import address_of
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.values.delivery import Delivery, DeliveryDraft, Parcel, ParcelDraft
from holdfast.commerce.values.value import adopt


def delivery_of(draft: DeliveryDraft, facts: Facts) -> Delivery:
    """The stored form of a drafted delivery, its parcels included."""
    return Delivery(
        id=facts.new_id(),
        key=draft.key,
        created_at=facts.now,
        items=draft.items,
        parcels=tuple(parcel_of(parcel, facts) for parcel in draft.parcels),
        address=address_of(draft.address, facts) if draft.address else None,
        custom=custom_fields(draft.custom, "order-delivery", facts),
    )


def parcel_of(draft: ParcelDraft, facts: Facts) -> Parcel:
    """The stored form of a drafted parcel."""
    custom = custom_fields(draft.custom, "order-parcel", facts)
    return adopt(Parcel, draft, id=facts.new_id(), created_at=facts.now, custom=custom)
