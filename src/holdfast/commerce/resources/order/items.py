"""Actions on an order's line items and custom line items: workflow states, targets, custom fields."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import order as told
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.drafts import ItemShippingDetailsDraft
from holdfast.commerce.resources.cart.shape import CustomLineItem, ItemState, LineItem
from holdfast.commerce.resources.cart.targets import details_of
from holdfast.commerce.resources.order.drafts import ItemStateDraft, Units
from holdfast.commerce.resources.order.parts import custom_line_item, line_item, with_custom_line, with_line
from holdfast.commerce.resources.order.shape import Order, orders
from holdfast.commerce.resources.order.stock import with_returns
from holdfast.commerce.resources.state import State, check_transition, states
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Instant

Item = TypeVar("Item", LineItem, CustomLineItem)

# --- line items ----------------------------------------------------------------------------


@orders.action("transitionLineItemState")
def transition_line_item_state(
    order: Order,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    quantity: Units,
    from_state: ResourceIdentifier,
    to_state: ResourceIdentifier,
    actual_transition_date: Instant | None = None,
) -> Changed[Order]:
    """Move units from one state to another; a state with the role Return gives their stock back."""
    item = line_item(order, line_item_id, line_item_key)
    source, target = facts.get(states, from_state), facts.get(states, to_state)
    transition = told.LineItemStateTransition(
        line_item_id=item.id,
        line_item_key=item.key,
        transition_date=actual_transition_date or facts.now,
        quantity=quantity,
        from_state=_reference(source),
        to_state=_reference(target),
    )
    moved = _moved(item, quantity, source, target)
    return Changed(with_returns(with_line(order, item, moved), item, moved, facts), (transition,))


@orders.action("importLineItemState")
def import_line_item_state(
    order: Order,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    state: tuple[ItemStateDraft, ...],
) -> Order:
    """Take over the states another system keeps, whatever the workflow says."""
    item = line_item(order, line_item_id, line_item_key)
    taken_over = replace(item, state=item_states(state, item.quantity, facts))
    return with_returns(with_line(order, item, taken_over), item, taken_over, facts)


@orders.action("setLineItemShippingDetails")
def set_line_item_shipping_details(
    order: Order,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    shipping_details: ItemShippingDetailsDraft | None = None,
) -> Order:
    """Say where the units go; without details, to the order's shipping address."""
    item = line_item(order, line_item_id, line_item_key)
    details = details_of(shipping_details, item.quantity, order)
    return with_line(order, item, replace(item, shipping_details=details))


@orders.action("setLineItemCustomType")
def set_line_item_custom_type(
    order: Order,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Order:
    item = line_item(order, line_item_id, line_item_key)
    return with_line(order, item, with_custom_type(item, type, fields, "line-item", facts))


@orders.action("setLineItemCustomField")
def set_line_item_custom_field(
    order: Order,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    name: str,
    value: Any = None,
) -> Order:
    item = line_item(order, line_item_id, line_item_key)
    return with_line(order, item, with_custom_field(item, name, value, facts))


# --- custom line items ---------------------------------------------------------------------


@orders.action("transitionCustomLineItemState")
def transition_custom_line_item_state(
    order: Order,
    facts: Facts,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    quantity: Units,
    from_state: ResourceIdentifier,
    to_state: ResourceIdentifier,
    actual_transition_date: Instant | None = None,
) -> Changed[Order]:
    """Move units from one state to another."""
    item = custom_line_item(order, custom_line_item_id, custom_line_item_key)
    source, target = facts.get(states, from_state), facts.get(states, to_state)
    transition = told.CustomLineItemStateTransition(
        custom_line_item_id=item.id,
        custom_line_item_key=item.key,
        transition_date=actual_transition_date or facts.now,
        quantity=quantity,
        from_state=_reference(source),
        to_state=_reference(target),
    )
    return Changed(with_custom_line(order, item, _moved(item, quantity, source, target)), (transition,))


@orders.action("importCustomLineItemState")
def import_custom_line_item_state(
    order: Order,
    facts: Facts,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    state: tuple[ItemStateDraft, ...],
) -> Order:
    """Take over the states another system keeps, whatever the workflow says."""
    item = custom_line_item(order, custom_line_item_id, custom_line_item_key)
    return with_custom_line(order, item, replace(item, state=item_states(state, item.quantity, facts)))


@orders.action("setCustomLineItemShippingDetails")
def set_custom_line_item_shipping_details(
    order: Order,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    shipping_details: ItemShippingDetailsDraft | None = None,
) -> Order:
    """Say where the units go; without details, to the order's shipping address."""
    item = custom_line_item(order, custom_line_item_id, custom_line_item_key)
    details = details_of(shipping_details, item.quantity, order)
    return with_custom_line(order, item, replace(item, shipping_details=details))


@orders.action("setCustomLineItemCustomType")
def set_custom_line_item_custom_type(
    order: Order,
    facts: Facts,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Order:
    item = custom_line_item(order, custom_line_item_id, custom_line_item_key)
    return with_custom_line(order, item, with_custom_type(item, type, fields, "custom-line-item", facts))


@orders.action("setCustomLineItemCustomField")
def set_custom_line_item_custom_field(
    order: Order,
    facts: Facts,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    name: str,
    value: Any = None,
) -> Order:
    item = custom_line_item(order, custom_line_item_id, custom_line_item_key)
    return with_custom_line(order, item, with_custom_field(item, name, value, facts))


# --- workflow states -----------------------------------------------------------------------


def item_states(drafts: tuple[ItemStateDraft, ...], quantity: int, facts: Facts) -> tuple[ItemState, ...]:
    """States taken over from elsewhere. Raises InvalidOperation unless they cover exactly all units."""
    given = sum(draft.quantity for draft in drafts)
    if given != quantity or any(draft.quantity * quantity < 0 for draft in drafts):
        raise InvalidOperation(f"The states cover {given} units, the item has {quantity}.")
    gathered: dict[Reference, int] = {}
    for draft in drafts:
        state = facts.get(states, draft.state)
        if state.type != "LineItemState":
            raise InvalidOperation(f"State '{state.key}' is of type '{state.type}', not 'LineItemState'.")
        reference = _reference(state)
        gathered[reference] = gathered.get(reference, 0) + draft.quantity
    return tuple(ItemState(quantity=units, state=reference) for reference, units in gathered.items())


def _moved(item: Item, quantity: int, source: State, target: State) -> Item:
    """The item with units in another state. Raises InvalidOperation when there are not as many."""
    check_transition(source, target, "LineItemState", force=False)
    units = {entry.state: entry.quantity for entry in item.state}
    origin, destination = _reference(source), _reference(target)
    if units.get(origin, 0) < quantity:
        raise InvalidOperation(f"Only {units.get(origin, 0)} units of '{item.id}' are in state '{source.key}'.")
    units[origin] -= quantity
    units[destination] = units.get(destination, 0) + quantity
    state = tuple(ItemState(quantity=left, state=reference) for reference, left in units.items() if left)
    return replace(item, state=state)


def _reference(state: State) -> Reference:
    return Reference(type_id="state", id=state.id)
