"""Actions on how an order is shipped: custom fields and the expected day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.order import OrderEstimatedDeliverySet
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.drafts import EstimatedDeliveryDraft
from holdfast.commerce.resources.cart.shipping import estimated
from holdfast.commerce.resources.order.parts import swapped, way_of, with_info
from holdfast.commerce.resources.order.shape import Order, orders
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Value


@orders.action("setEstimatedDelivery")
def set_estimated_delivery(
    order: Order,
    *,
    shipping_key: str | None = None,
    estimated_delivery: EstimatedDeliveryDraft | None = None,
) -> Changed[Order]:
    """Say when the goods are expected to arrive."""
    way = way_of(order, shipping_key)
    window = estimated(estimated_delivery)
    changed = OrderEstimatedDeliverySet(estimated_delivery=window, shipping_key=shipping_key)
    return Changed(with_info(order, way.key, replace(way.info, estimated_delivery=window)), (changed,))


@orders.action("setShippingCustomType")
def set_shipping_custom_type(
    order: Order,
    facts: Facts,
    *,
    shipping_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Order:
    return _with(order, shipping_key, lambda holder: with_custom_type(holder, type, fields, "shipping", facts))


@orders.action("setShippingCustomField")
def set_shipping_custom_field(
    order: Order, facts: Facts, *, shipping_key: str | None = None, name: str, value: Any = None
) -> Order:
    return _with(order, shipping_key, lambda holder: with_custom_field(holder, name, value, facts))


class _Holder(Value):
    """The custom fields of one way of shipping, in the form the rules for custom fields take."""

    custom: CustomFields | None = None


def _with(order: Order, shipping_key: str | None, change: Callable[[_Holder], _Holder]) -> Order:
    """The order with the custom fields of one way of shipping changed."""
    if shipping_key is None:
        if order.shipping_mode == "Multiple":
            raise InvalidOperation("'shippingKey' is required when the shipping mode is Multiple.")
        return replace(order, shipping_custom_fields=change(_Holder(custom=order.shipping_custom_fields)).custom)
    for entry in order.shipping:
        if entry.shipping_key == shipping_key:
            fields = change(_Holder(custom=entry.shipping_custom_fields)).custom
            changed = replace(entry, shipping_custom_fields=fields)
            return replace(order, shipping=swapped(order.shipping, entry, changed))
    raise InvalidOperation(f"The order has no shipping with key '{shipping_key}'.")
