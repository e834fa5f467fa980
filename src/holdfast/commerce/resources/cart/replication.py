"""A new cart that copies an old cart or order, at the prices of today."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from holdfast.base.errors import InvalidField
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.drafts import ReplicaCartDraft
from holdfast.commerce.resources.cart.parts import initial_state
from holdfast.commerce.resources.cart.shape import Cart, CustomLineItem, LineItem, Shipping, ShippingInfo, carts
from holdfast.commerce.resources.order.shape import Order, orders
from holdfast.commerce.resources.project import project_of

# What a copy takes over as it is. Payments, discount codes, locks and keys belong to the original.
_COPIED = (
    "customer_id",
    "customer_email",
    "customer_group",
    "anonymous_id",
    "store",
    "billing_address",
    "shipping_address",
    "shipping_mode",
    "shipping_key",
    "shipping_rate_input",
    "shipping_custom_fields",
    "item_shipping_addresses",
    "direct_discounts",
    "country",
    "locale",
    "origin",
    "custom",
)


@carts.create
def replicate_cart(draft: ReplicaCartDraft, facts: Facts) -> Cart:
    """An active cart with the items, addresses and shipping of a cart or order."""
    original = _original(draft, facts)
    defaults = project_of(facts).carts
    copied: dict[str, Any] = {name: getattr(original, name) for name in _COPIED}
    return Cart(
        key=draft.key,
        line_items=tuple(_line(item, facts) for item in original.line_items if _is_wanted_again(item)),
        custom_line_items=tuple(_custom_line(item, facts) for item in original.custom_line_items if item.quantity > 0),
        total_price=original.total_price,
        tax_mode=original.tax_mode or "Platform",
        price_rounding_mode=original.price_rounding_mode or defaults.price_rounding_mode,
        tax_rounding_mode=original.tax_rounding_mode or defaults.tax_rounding_mode,
        tax_calculation_mode=original.tax_calculation_mode or "LineItemLevel",
        inventory_mode=original.inventory_mode or "None",
        cart_state="Active",
        shipping_info=_undelivered(original.shipping_info) if original.shipping_info is not None else None,
        shipping=tuple(_shipping(entry) for entry in original.shipping),
        delete_days_after_last_modification=defaults.delete_days_after_last_modification,
        **copied,
    )


def _original(draft: ReplicaCartDraft, facts: Facts) -> Cart | Order:
    match draft.reference.type_id:
        case "cart":
            return facts.get(carts, draft.reference)
        case "order":
            return facts.get(orders, draft.reference)
        case other:
            raise InvalidField("reference.typeId", other, allowed_values=["cart", "order"])


def _is_wanted_again(item: LineItem) -> bool:
    """Gifts come by themselves. Units an imported order took back cannot be bought: they would free stock of others."""
    return item.line_item_mode != "GiftLineItem" and item.quantity > 0


def _line(item: LineItem, facts: Facts) -> LineItem:
    return replace(
        item,
        id=facts.new_id(),
        reservation=None,
        state=initial_state(item.quantity, facts),
        added_at=facts.now,
        last_modified_at=facts.now,
    )


def _custom_line(item: CustomLineItem, facts: Facts) -> CustomLineItem:
    return replace(item, id=facts.new_id(), state=initial_state(item.quantity, facts))


def _undelivered(info: ShippingInfo) -> ShippingInfo:
    return replace(info, deliveries=(), estimated_delivery=None)


def _shipping(entry: Shipping) -> Shipping:
    return replace(entry, shipping_info=_undelivered(entry.shipping_info))
