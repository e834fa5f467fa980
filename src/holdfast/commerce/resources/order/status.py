"""Actions on an order's states: its own three, and its step in a custom workflow."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import order as told
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.order.shape import Order, OrderState, PaymentState, ShipmentState, orders
from holdfast.commerce.resources.state import check_transition, states
from holdfast.commerce.values.reference import Reference, ResourceIdentifier


@orders.action("changeOrderState")
def change_order_state(order: Order, *, order_state: OrderState) -> Changed[Order]:
    """Change the order's state; what this means for its stock follows in `stock.py`."""
    if order_state == order.order_state:
        return Changed(order)
    changed = told.OrderStateChanged(order_state=order_state, old_order_state=order.order_state)
    return Changed(replace(order, order_state=order_state), (changed,))


@orders.action("changeShipmentState")
def change_shipment_state(order: Order, *, shipment_state: ShipmentState) -> Changed[Order]:
    if shipment_state == order.shipment_state:
        return Changed(order)
    changed = told.OrderShipmentStateChanged(shipment_state=shipment_state, old_shipment_state=order.shipment_state)
    return Changed(replace(order, shipment_state=shipment_state), (changed,))


@orders.action("changePaymentState")
def change_payment_state(order: Order, *, payment_state: PaymentState) -> Changed[Order]:
    if payment_state == order.payment_state:
        return Changed(order)
    changed = told.OrderPaymentStateChanged(payment_state=payment_state, old_payment_state=order.payment_state)
    return Changed(replace(order, payment_state=payment_state), (changed,))


@orders.action("transitionState")
def transition_state(order: Order, facts: Facts, *, state: ResourceIdentifier, force: bool = False) -> Changed[Order]:
    """Take a step in the order's own workflow."""
    following = facts.get(states, state)
    # A vanished state cannot forbid anything, so it counts as none at all.
    present = facts.find(states, order.state) if order.state else None
    check_transition(present, following, "OrderState", force=force)
    reference = Reference(type_id="state", id=following.id)
    transition = told.OrderStateTransition(state=reference, old_state=order.state, force=force)
    return Changed(replace(order, state=reference), (transition,))
