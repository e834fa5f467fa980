"""Shipping details: which units of an item go to which of the cart's item shipping addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation
from holdfast.commerce.resources.cart.drafts import (
    QUANTITY_MAX,
    ItemShippingDetailsDraft,
    ItemShippingTargetDelta,
    ItemShippingTargetDraft,
    ShippingMode,
)
from holdfast.commerce.resources.cart.parts import Item
from holdfast.commerce.resources.cart.shape import Cart, ItemShippingDetails, ItemShippingTarget
from holdfast.commerce.values.address import Address

TARGETS_MAX = 500


class Destinations(Protocol):
    """What items can be sent to: the addresses of a cart, or of the order it became."""

    @property
    def item_shipping_addresses(self) -> tuple[Address, ...]: ...
    @property
    def shipping_mode(self) -> ShippingMode: ...


def details_of(draft: ItemShippingDetailsDraft | None, quantity: int, cart: Destinations) -> ItemShippingDetails | None:
    """Drafted details as stored; targets without units are left out.

    Raises InvalidField for an address the cart does not have or names twice, InvalidOperation for a
    target without its shipping method where there are several.
    """
    if draft is None:
        return None
    _check(draft.targets, cart)
    targets = tuple(_stored(target, target.quantity) for target in draft.targets if target.quantity)
    return details(targets, quantity)


def details(targets: tuple[ItemShippingTarget, ...], quantity: int) -> ItemShippingDetails:
    return ItemShippingDetails(targets=targets, valid=sum(target.quantity for target in targets) == quantity)


def _check(targets: Iterable[ItemShippingTargetDraft | ItemShippingTargetDelta], cart: Destinations) -> None:
    known = {address.key for address in cart.item_shipping_addresses}
    seen: set[tuple[str, str | None]] = set()
    for target in targets:
        place = (target.address_key, target.shipping_method_key)
        if target.address_key not in known or place in seen:
            problem = "twice among the targets" if place in seen else "not the key of an item shipping address"
            raise InvalidField("targets.addressKey", target.address_key, f"'{target.address_key}' is {problem}.")
        if cart.shipping_mode == "Multiple" and target.shipping_method_key is None:
            raise InvalidOperation("A target needs a 'shippingMethodKey' when the shipping mode is Multiple.")
        seen.add(place)
    if len(seen) > TARGETS_MAX:
        raise InvalidField("targets", len(seen), f"An item can have at most {TARGETS_MAX} targets.")


def _stored(target: ItemShippingTargetDraft | ItemShippingTargetDelta, quantity: int) -> ItemShippingTarget:
    return ItemShippingTarget(
        address_key=target.address_key, quantity=quantity, shipping_method_key=target.shipping_method_key
    )


def with_deltas(item: Item, deltas: tuple[ItemShippingTargetDelta, ...], cart: Cart) -> Item:
    """The item with units added to, or taken from, its targets. Raises InvalidOperation below zero."""
    _check(deltas, cart)
    present = item.shipping_details.targets if item.shipping_details is not None else ()
    quantities = {(target.address_key, target.shipping_method_key): target.quantity for target in present}
    for delta in deltas:
        place = (delta.address_key, delta.shipping_method_key)
        quantities[place] = quantities.get(place, 0) + delta.quantity
        if not 0 <= quantities[place] <= QUANTITY_MAX:
            raise InvalidOperation(f"The target '{delta.address_key}' would have {quantities[place]} units.")
    targets = tuple(
        ItemShippingTarget(address_key=address, quantity=quantity, shipping_method_key=method)
        for (address, method), quantity in quantities.items()
        if quantity
    )
    return replace(item, shipping_details=details(targets, item.quantity))


def merged(item: Item, draft: ItemShippingDetailsDraft | None, cart: Cart) -> Item:
    """The item with the drafted targets added to its own."""
    return item if draft is None else with_deltas(item, _deltas(draft, 1), cart)


def without(item: Item, draft: ItemShippingDetailsDraft | None, cart: Cart) -> Item:
    """The item with the drafted targets taken from its own."""
    return item if draft is None else with_deltas(item, _deltas(draft, -1), cart)


def _deltas(draft: ItemShippingDetailsDraft, sign: int) -> tuple[ItemShippingTargetDelta, ...]:
    return tuple(
        ItemShippingTargetDelta(
            address_key=target.address_key,
            quantity=sign * target.quantity,
            shipping_method_key=target.shipping_method_key,
        )
        for target in draft.targets
    )


def revalidated(item: Item) -> Item:
    """The item with its details checked against its quantity of now."""
    if item.shipping_details is None:
        return item
    return replace(item, shipping_details=details(item.shipping_details.targets, item.quantity))
