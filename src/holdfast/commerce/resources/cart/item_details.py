"""What items carry beside price and quantity: channels, inventory mode, targets, custom fields."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart import targets
from holdfast.commerce.resources.cart.drafts import (
    InventoryMode,
    ItemShippingDetailsDraft,
    ItemShippingTargetDelta,
    RecurrenceInfoDraft,
)
from holdfast.commerce.resources.cart.guard import pricing_action
from holdfast.commerce.resources.cart.parts import (
    channel_with,
    check_recurrence,
    wanted_custom_line,
    wanted_line,
    with_custom_line,
    with_line,
)
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.values.reference import ResourceIdentifier

# --- line items ----------------------------------------------------------------------------


@pricing_action("setLineItemDistributionChannel")
def set_line_item_distribution_channel(
    cart: Cart,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    distribution_channel: ResourceIdentifier | None = None,
) -> Cart:
    """Choose the channel whose prices the line gets."""
    item = wanted_line(cart, line_item_id, line_item_key)
    channel = channel_with("ProductDistribution", distribution_channel, cart, facts)
    return with_line(cart, replace(item, distribution_channel=channel, last_modified_at=facts.now))


@carts.action("setLineItemSupplyChannel")
def set_line_item_supply_channel(
    cart: Cart,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    supply_channel: ResourceIdentifier | None = None,
) -> Cart:
    """Choose the channel whose stock the line takes."""
    item = wanted_line(cart, line_item_id, line_item_key)
    channel = channel_with("InventorySupply", supply_channel, cart, facts)
    return with_line(cart, replace(item, supply_channel=channel, last_modified_at=facts.now))


@carts.action("setLineItemInventoryMode")
def set_line_item_inventory_mode(
    cart: Cart,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    inventory_mode: InventoryMode | None = None,
) -> Cart:
    """Treat the stock of this line differently from the rest of the cart."""
    item = wanted_line(cart, line_item_id, line_item_key)
    own = inventory_mode if inventory_mode != cart.inventory_mode else None
    return with_line(cart, replace(item, inventory_mode=own, last_modified_at=facts.now))


@carts.action("setLineItemCustomType")
def set_line_item_custom_type(
    cart: Cart,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Cart:
    item = wanted_line(cart, line_item_id, line_item_key)
    return with_line(cart, with_custom_type(item, type, fields, "line-item", facts))


@carts.action("setLineItemCustomField")
def set_line_item_custom_field(
    cart: Cart,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    name: str,
    value: Any = None,
) -> Cart:
    item = wanted_line(cart, line_item_id, line_item_key)
    return with_line(cart, with_custom_field(item, name, value, facts))


@pricing_action("setLineItemShippingDetails")
def set_line_item_shipping_details(
    cart: Cart,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    shipping_details: ItemShippingDetailsDraft | None = None,
) -> Cart:
    """Say where the units go; without details, to the cart's shipping address."""
    item = wanted_line(cart, line_item_id, line_item_key)
    return with_line(cart, replace(item, shipping_details=targets.details_of(shipping_details, item.quantity, cart)))


@pricing_action("applyDeltaToLineItemShippingDetailsTargets")
def apply_delta_to_line_item_shipping_details_targets(
    cart: Cart,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    targets_delta: tuple[ItemShippingTargetDelta, ...],
) -> Cart:
    """Send more or fewer units to some addresses."""
    return with_line(cart, targets.with_deltas(wanted_line(cart, line_item_id, line_item_key), targets_delta, cart))


@carts.action("setLineItemRecurrenceInfo")
def set_line_item_recurrence_info(
    cart: Cart,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    recurrence_info: RecurrenceInfoDraft | None = None,
) -> Cart:
    """Order the line again and again; its recurrence policy must exist."""
    wanted_line(cart, line_item_id, line_item_key)
    check_recurrence(recurrence_info, facts)
    return cart


# --- custom line items ---------------------------------------------------------------------


@carts.action("setCustomLineItemCustomType")
def set_custom_line_item_custom_type(
    cart: Cart,
    facts: Facts,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Cart:
    item = wanted_custom_line(cart, custom_line_item_id, custom_line_item_key)
    return with_custom_line(cart, with_custom_type(item, type, fields, "custom-line-item", facts))


@carts.action("setCustomLineItemCustomField")
def set_custom_line_item_custom_field(
    cart: Cart,
    facts: Facts,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    name: str,
    value: Any = None,
) -> Cart:
    item = wanted_custom_line(cart, custom_line_item_id, custom_line_item_key)
    return with_custom_line(cart, with_custom_field(item, name, value, facts))


@pricing_action("setCustomLineItemShippingDetails")
def set_custom_line_item_shipping_details(
    cart: Cart,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    shipping_details: ItemShippingDetailsDraft | None = None,
) -> Cart:
    """Say where the units go; without details, to the cart's shipping address."""
    item = wanted_custom_line(cart, custom_line_item_id, custom_line_item_key)
    details = targets.details_of(shipping_details, item.quantity, cart)
    return with_custom_line(cart, replace(item, shipping_details=details))


@pricing_action("applyDeltaToCustomLineItemShippingDetailsTargets")
def apply_delta_to_custom_line_item_shipping_details_targets(
    cart: Cart,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    targets_delta: tuple[ItemShippingTargetDelta, ...],
) -> Cart:
    """Send more or fewer units to some addresses."""
    item = wanted_custom_line(cart, custom_line_item_id, custom_line_item_key)
    return with_custom_line(cart, targets.with_deltas(item, targets_delta, cart))


@carts.action("setCustomLineItemRecurrenceInfo")
def set_custom_line_item_recurrence_info(
    cart: Cart,
    facts: Facts,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    recurrence_info: RecurrenceInfoDraft | None = None,
) -> Cart:
    """Order the item again and again; its recurrence policy must exist."""
    wanted_custom_line(cart, custom_line_item_id, custom_line_item_key)
    check_recurrence(recurrence_info, facts)
    return cart
