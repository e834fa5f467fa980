"""Addresses of a cart: shipping, billing, and those that single items go to."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from holdfast.base.errors import DuplicateField, InvalidOperation, MaxResourceLimitExceeded, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.guard import pricing_action
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.cart.taxes import without_taxes
from holdfast.commerce.rules.addresses import address_of
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.values.address import Address, AddressDraft
from holdfast.commerce.values.reference import ResourceIdentifier

ITEM_SHIPPING_ADDRESSES_MAX = 500


@pricing_action("setShippingAddress")
def set_shipping_address(cart: Cart, facts: Facts, *, address: AddressDraft | None = None) -> Cart:
    """Set where the goods go, which decides taxes and shipping rates; without one, both go."""
    if address is None:
        cart = without_taxes(cart) if cart.shipping_mode == "Single" else cart
        return replace(cart, shipping_address=None, shipping_info=None, shipping_custom_fields=None)
    return with_shipping_address(cart, address_of(address, facts))


def with_shipping_address(cart: Cart, address: Address) -> Cart:
    """The cart going to another address; an estimate of the delivery there is void."""
    info = cart.shipping_info
    if info is not None and info.estimated_delivery is not None and address != cart.shipping_address:
        info = replace(info, estimated_delivery=None)
    return replace(cart, shipping_address=address, shipping_info=info)


@carts.action("setBillingAddress")
def set_billing_address(cart: Cart, facts: Facts, *, address: AddressDraft | None = None) -> Cart:
    return replace(cart, billing_address=address_of(address, facts) if address is not None else None)


# --- addresses of items --------------------------------------------------------------------


def add_item_address(cart: Cart, draft: AddressDraft, facts: Facts) -> Cart:
    """The cart with one more address for items. Raises RequiredField or DuplicateField for its key."""
    if draft.key is None:
        raise RequiredField("address.key", "An item shipping address needs a key.")
    if any(known.key == draft.key for known in cart.item_shipping_addresses):
        raise DuplicateField("address.key", draft.key)
    if len(cart.item_shipping_addresses) >= ITEM_SHIPPING_ADDRESSES_MAX:
        raise MaxResourceLimitExceeded(f"A cart can have at most {ITEM_SHIPPING_ADDRESSES_MAX} item addresses.")
    return replace(cart, item_shipping_addresses=(*cart.item_shipping_addresses, address_of(draft, facts)))


def _wanted(cart: Cart, key: str | None) -> Address:
    for address in cart.item_shipping_addresses:
        if key is not None and address.key == key:
            return address
    raise InvalidOperation(f"The cart has no item shipping address with key '{key}'.")


def _with_item_address(cart: Cart, old: Address, new: Address) -> Cart:
    return replace(
        cart, item_shipping_addresses=tuple(new if one is old else one for one in cart.item_shipping_addresses)
    )


@carts.action("addItemShippingAddress")
def add_item_shipping_address(cart: Cart, facts: Facts, *, address: AddressDraft) -> Cart:
    """Add an address for single items; its key is new in the cart."""
    return add_item_address(cart, address, facts)


@carts.action("updateItemShippingAddress")
def update_item_shipping_address(cart: Cart, facts: Facts, *, address: AddressDraft) -> Cart:
    """Put another address in the place of the one with the same key."""
    return _with_item_address(cart, _wanted(cart, address.key), address_of(address, facts))


@carts.action("removeItemShippingAddress")
def remove_item_shipping_address(cart: Cart, *, address_key: str) -> Cart:
    """Remove an address that no item goes to."""
    gone = _wanted(cart, address_key)
    for item in cart.items:
        targets = item.shipping_details.targets if item.shipping_details is not None else ()
        if any(target.address_key == address_key for target in targets):
            raise InvalidOperation(f"The address '{address_key}' is a shipping target of item '{item.id}'.")
    return replace(cart, item_shipping_addresses=tuple(one for one in cart.item_shipping_addresses if one is not gone))


# --- custom fields of addresses ------------------------------------------------------------


def _present(address: Address | None, what: str) -> Address:
    if address is None:
        raise InvalidOperation(f"The cart has no {what} address.")
    return address


@carts.action("setShippingAddressCustomType")
def set_shipping_address_custom_type(
    cart: Cart, facts: Facts, *, type: ResourceIdentifier | None = None, fields: dict[str, Any] | None = None
) -> Cart:
    address = _present(cart.shipping_address, "shipping")
    return replace(cart, shipping_address=with_custom_type(address, type, fields, "address", facts))


@carts.action("setShippingAddressCustomField")
def set_shipping_address_custom_field(cart: Cart, facts: Facts, *, name: str, value: Any = None) -> Cart:
    address = _present(cart.shipping_address, "shipping")
    return replace(cart, shipping_address=with_custom_field(address, name, value, facts))


@carts.action("setBillingAddressCustomType")
def set_billing_address_custom_type(
    cart: Cart, facts: Facts, *, type: ResourceIdentifier | None = None, fields: dict[str, Any] | None = None
) -> Cart:
    address = _present(cart.billing_address, "billing")
    return replace(cart, billing_address=with_custom_type(address, type, fields, "address", facts))


@carts.action("setBillingAddressCustomField")
def set_billing_address_custom_field(cart: Cart, facts: Facts, *, name: str, value: Any = None) -> Cart:
    address = _present(cart.billing_address, "billing")
    return replace(cart, billing_address=with_custom_field(address, name, value, facts))


@carts.action("setItemShippingAddressCustomType")
def set_item_shipping_address_custom_type(
    cart: Cart,
    facts: Facts,
    *,
    address_key: str,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Cart:
    address = _wanted(cart, address_key)
    return _with_item_address(cart, address, with_custom_type(address, type, fields, "address", facts))


@carts.action("setItemShippingAddressCustomField")
def set_item_shipping_address_custom_field(
    cart: Cart, facts: Facts, *, address_key: str, name: str, value: Any = None
) -> Cart:
    address = _wanted(cart, address_key)
    return _with_item_address(cart, address, with_custom_field(address, name, value, facts))
