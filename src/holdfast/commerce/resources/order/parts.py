"""What several groups of order actions need: finding the part an action names, and putting it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol, TypeVar

from msgspec.structs import replace

from holdfast.base.errors import DuplicateField, InvalidOperation, RequiredField
from holdfast.commerce.resources.cart.shape import CustomLineItem, LineItem, ShippingInfo
from holdfast.commerce.resources.order.shape import Order
from holdfast.commerce.values.address import Address


class Named(Protocol):
    """A part with an id of ours and perhaps a key of the client's."""

    @property
    def id(self) -> str: ...
    @property
    def key(self) -> str | None: ...


N = TypeVar("N", bound=Named)
T = TypeVar("T")


def wanted(parts: Iterable[N], what: str, part_id: str | None, part_key: str | None) -> N:
    """The part an action names by id or key; `what` is its published noun, such as `lineItem`.

    Raises RequiredField when it names none, InvalidOperation when there is no such part.
    """
    if part_id is None and part_key is None:
        raise RequiredField(f"{what}Id", f"Either '{what}Id' or '{what}Key' is required.")
    for part in parts:
        if (part.id == part_id) if part_id is not None else (part.key == part_key):
            return part
    named = f"ID '{part_id}'" if part_id is not None else f"key '{part_key}'"
    raise InvalidOperation(f"The order has no {what} with {named}.")


def swapped(parts: tuple[T, ...], before: T, after: T) -> tuple[T, ...]:
    """The parts with one of them in a new form."""
    return tuple(after if part is before else part for part in parts)


def check_new_keys(present: Iterable[str | None], added: Iterable[str | None], path: str) -> None:
    """Whether the keys of new parts are their own in the order, and among themselves. Raises DuplicateField."""
    taken = set(present)
    for key in added:
        if key is not None and key in taken:
            raise DuplicateField(path, key)
        taken.add(key)


# --- items ---------------------------------------------------------------------------------


def line_item(order: Order, item_id: str | None, item_key: str | None) -> LineItem:
    return wanted(order.line_items, "lineItem", item_id, item_key)


def custom_line_item(order: Order, item_id: str | None, item_key: str | None) -> CustomLineItem:
    return wanted(order.custom_line_items, "customLineItem", item_id, item_key)


def with_line(order: Order, before: LineItem, after: LineItem) -> Order:
    return replace(order, line_items=swapped(order.line_items, before, after))


def with_custom_line(order: Order, before: CustomLineItem, after: CustomLineItem) -> Order:
    return replace(order, custom_line_items=swapped(order.custom_line_items, before, after))


def check_items(order: Order, items: Iterable[Any], path: str) -> None:
    """Whether delivered items are items of this order. Raises InvalidOperation."""
    known = {item.id for item in order.items}
    for item in items:
        if item.id not in known:
            raise InvalidOperation(f"'{path}' names '{item.id}', which is no item of the order '{order.id}'.")


# --- ways of shipping ----------------------------------------------------------------------


class Way(NamedTuple):
    """One way of shipping: without a key in shipping mode Single, the only one."""

    key: str | None
    info: ShippingInfo


def ways(order: Order) -> tuple[Way, ...]:
    """How the order is shipped: at most one way, unless the shipping mode is Multiple."""
    if order.shipping_mode == "Multiple":
        return tuple(Way(entry.shipping_key, entry.shipping_info) for entry in order.shipping)
    return (Way(None, order.shipping_info),) if order.shipping_info is not None else ()


def way_of(order: Order, shipping_key: str | None) -> Way:
    """The way an action means. Raises InvalidOperation: a key is needed with Multiple, and only there."""
    if (shipping_key is not None) != (order.shipping_mode == "Multiple"):
        raise InvalidOperation("'shippingKey' is required when the shipping mode is Multiple, and only then.")
    for way in ways(order):
        if way.key == shipping_key:
            return way
    raise InvalidOperation(f"The order '{order.id}' has no such shipping method.")


def with_info(order: Order, shipping_key: str | None, info: ShippingInfo) -> Order:
    """The order with the shipping information of one way replaced."""
    if shipping_key is None:
        return replace(order, shipping_info=info)
    entries = tuple(
        replace(entry, shipping_info=info) if entry.shipping_key == shipping_key else entry for entry in order.shipping
    )
    return replace(order, shipping=entries)


# --- addresses -----------------------------------------------------------------------------


def item_address(order: Order, address_key: str) -> Address:
    """One of the item shipping addresses. Raises InvalidOperation."""
    for address in order.item_shipping_addresses:
        if address.key == address_key:
            return address
    raise InvalidOperation(f"The order has no item shipping address with key '{address_key}'.")
