"""Actions on an order's addresses. None of them reckons taxes again: the order was bought as it is."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import order as told
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.order.parts import item_address, swapped
from holdfast.commerce.resources.order.shape import Order, orders
from holdfast.commerce.rules.addresses import address_of
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.values.address import Address, AddressDraft
from holdfast.commerce.values.reference import ResourceIdentifier

# --- shipping and billing ------------------------------------------------------------------


@orders.action("setShippingAddress")
def set_shipping_address(order: Order, facts: Facts, *, address: AddressDraft | None = None) -> Changed[Order]:
    after = address_of(address, facts) if address else None
    changed = told.OrderShippingAddressSet(address=after, old_address=order.shipping_address)
    return Changed(replace(order, shipping_address=after), (changed,))


@orders.action("setBillingAddress")
def set_billing_address(order: Order, facts: Facts, *, address: AddressDraft | None = None) -> Changed[Order]:
    after = address_of(address, facts) if address else None
    changed = told.OrderBillingAddressSet(address=after, old_address=order.billing_address)
    return Changed(replace(order, billing_address=after), (changed,))


@orders.action("setShippingAddressCustomType")
def set_shipping_address_custom_type(
    order: Order, facts: Facts, *, type: ResourceIdentifier | None = None, fields: dict[str, Any] | None = None
) -> Order:
    address = with_custom_type(_set(order.shipping_address, "shipping"), type, fields, "address", facts)
    return replace(order, shipping_address=address)


@orders.action("setShippingAddressCustomField")
def set_shipping_address_custom_field(order: Order, facts: Facts, *, name: str, value: Any = None) -> Order:
    address = with_custom_field(_set(order.shipping_address, "shipping"), name, value, facts)
    return replace(order, shipping_address=address)


@orders.action("setBillingAddressCustomType")
def set_billing_address_custom_type(
    order: Order, facts: Facts, *, type: ResourceIdentifier | None = None, fields: dict[str, Any] | None = None
) -> Order:
    address = with_custom_type(_set(order.billing_address, "billing"), type, fields, "address", facts)
    return replace(order, billing_address=address)


@orders.action("setBillingAddressCustomField")
def set_billing_address_custom_field(order: Order, facts: Facts, *, name: str, value: Any = None) -> Order:
    address = with_custom_field(_set(order.billing_address, "billing"), name, value, facts)
    return replace(order, billing_address=address)


def _set(address: Address | None, what: str) -> Address:
    if address is None:
        raise InvalidOperation(f"The order has no {what} address.")
    return address


# --- addresses of single items -------------------------------------------------------------


@orders.action("addItemShippingAddress")
def add_item_shipping_address(order: Order, facts: Facts, *, address: AddressDraft) -> Order:
    """Add an address that items can be sent to; its key is how they name it."""
    _check_key(address)
    if any(present.key == address.key for present in order.item_shipping_addresses):
        raise InvalidOperation(f"The order already has an item shipping address with key '{address.key}'.")
    return replace(order, item_shipping_addresses=(*order.item_shipping_addresses, address_of(address, facts)))


@orders.action("updateItemShippingAddress")
def update_item_shipping_address(order: Order, facts: Facts, *, address: AddressDraft) -> Order:
    """Replace the address with the same key."""
    _check_key(address)
    return _with(order, item_address(order, address.key or ""), address_of(address, facts))


@orders.action("removeItemShippingAddress")
def remove_item_shipping_address(order: Order, *, address_key: str) -> Order:
    """Remove an address that no item is sent to any more."""
    gone = item_address(order, address_key)
    for item in order.items:
        targets = item.shipping_details.targets if item.shipping_details else ()
        if any(target.address_key == address_key for target in targets):
            raise InvalidOperation(f"The item '{item.id}' is sent to the address '{address_key}'.")
    kept = tuple(address for address in order.item_shipping_addresses if address is not gone)
    return replace(order, item_shipping_addresses=kept)


@orders.action("setItemShippingAddressCustomType")
def set_item_shipping_address_custom_type(
    order: Order,
    facts: Facts,
    *,
    address_key: str,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Order:
    address = item_address(order, address_key)
    return _with(order, address, with_custom_type(address, type, fields, "address", facts))


@orders.action("setItemShippingAddressCustomField")
def set_item_shipping_address_custom_field(
    order: Order, facts: Facts, *, address_key: str, name: str, value: Any = None
) -> Order:
    address = item_address(order, address_key)
    return _with(order, address, with_custom_field(address, name, value, facts))


def _check_key(address: AddressDraft) -> None:
    if address.key is None:
        raise RequiredField("address.key")


def _with(order: Order, before: Address, after: Address) -> Order:
    return replace(order, item_shipping_addresses=swapped(order.item_shipping_addresses, before, after))
