"""Actions on returns: what comes back, in which condition, and whether it is refunded.

Stock follows the workflow state of line items (`stock.py`), not the states here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import order as told
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.order.drafts import ReturnInfoDraft, ReturnItemDraft
from holdfast.commerce.resources.order.parts import check_new_keys, custom_line_item, line_item, wanted
from holdfast.commerce.resources.order.shape import (
    Order,
    ReturnInfo,
    ReturnItem,
    ReturnPaymentState,
    ReturnShipmentState,
    orders,
)
from holdfast.commerce.rules.custom_fields import custom_fields, with_custom_field, with_custom_type
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Instant

# What is announced cannot be refunded yet; what has come back can.
_PAYMENT_STATES: dict[ReturnShipmentState, ReturnPaymentState] = {"Advised": "NonRefundable", "Returned": "Initial"}
_STEPS: dict[ReturnShipmentState, frozenset[ReturnShipmentState]] = {
    "Advised": frozenset({"Returned"}),
    "Returned": frozenset({"BackInStock", "Unusable"}),
}


@orders.action("addReturnInfo")
def add_return_info(
    order: Order,
    facts: Facts,
    *,
    items: Annotated[tuple[ReturnItemDraft, ...], Meta(min_length=1)],
    return_tracking_id: str | None = None,
    return_date: Instant | None = None,
) -> Changed[Order]:
    """Announce or record a return."""
    draft = ReturnInfoDraft(
        items=items, return_tracking_id=return_tracking_id, return_date=return_date or Instant(facts.now)
    )
    info = _info(draft, order, facts)
    check_new_keys(_keys(order.return_info), _keys((info,)), "items.key")
    return Changed(replace(order, return_info=(*order.return_info, info)), (told.ReturnInfoAdded(return_info=info),))


@orders.action("setReturnInfo")
def set_return_info(order: Order, facts: Facts, *, items: tuple[ReturnInfoDraft, ...] | None = None) -> Changed[Order]:
    """Replace all returns; without any, the order has none."""
    infos = tuple(_info(draft, order, facts) for draft in items or ())
    check_new_keys((), _keys(infos), "items.key")
    return Changed(replace(order, return_info=infos), (told.ReturnInfoSet(return_info=infos),))


@orders.action("setReturnShipmentState")
def set_return_shipment_state(
    order: Order,
    facts: Facts,
    *,
    return_item_id: str | None = None,
    return_item_key: str | None = None,
    shipment_state: ReturnShipmentState,
) -> Changed[Order]:
    """Take the next step: Advised, Returned, then either BackInStock or Unusable."""
    item = _item(order, return_item_id, return_item_key)
    if shipment_state == item.shipment_state:
        return Changed(order)
    if shipment_state not in _STEPS.get(item.shipment_state, ()):
        raise InvalidOperation(f"A return item in state '{item.shipment_state}' cannot become '{shipment_state}'.")
    payment_state = _PAYMENT_STATES.get(shipment_state, item.payment_state)
    after = replace(item, shipment_state=shipment_state, payment_state=payment_state)
    changed = told.OrderReturnShipmentStateChanged(return_item_id=item.id, return_shipment_state=shipment_state)
    return Changed(_with(order, item, after, facts), (changed,))


@orders.action("setReturnPaymentState")
def set_return_payment_state(
    order: Order,
    facts: Facts,
    *,
    return_item_id: str | None = None,
    return_item_key: str | None = None,
    payment_state: ReturnPaymentState,
) -> Order:
    item = _item(order, return_item_id, return_item_key)
    return _with(order, item, replace(item, payment_state=payment_state), facts)


@orders.action("setReturnItemCustomType")
def set_return_item_custom_type(
    order: Order,
    facts: Facts,
    *,
    return_item_id: str | None = None,
    return_item_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Order:
    item = _item(order, return_item_id, return_item_key)
    return _with(order, item, with_custom_type(item, type, fields, "order-return-item", facts), facts)


@orders.action("setReturnItemCustomField")
def set_return_item_custom_field(
    order: Order,
    facts: Facts,
    *,
    return_item_id: str | None = None,
    return_item_key: str | None = None,
    name: str,
    value: Any = None,
) -> Order:
    item = _item(order, return_item_id, return_item_key)
    return _with(order, item, with_custom_field(item, name, value, facts), facts)


# --- parts ---------------------------------------------------------------------------------


def _items(infos: tuple[ReturnInfo, ...]) -> Iterator[ReturnItem]:
    for info in infos:
        yield from info.items


def _keys(infos: tuple[ReturnInfo, ...]) -> Iterator[str | None]:
    return (item.key for item in _items(infos))


def _item(order: Order, item_id: str | None, item_key: str | None) -> ReturnItem:
    return wanted(_items(order.return_info), "returnItem", item_id, item_key)


def _with(order: Order, before: ReturnItem, after: ReturnItem, facts: Facts) -> Order:
    """The order with a return item in a new form, dated if it is one."""
    if after == before:
        return order
    dated = replace(after, last_modified_at=facts.now)
    infos = tuple(
        replace(info, items=tuple(dated if item is before else item for item in info.items))
        for info in order.return_info
    )
    return replace(order, return_info=infos)


def _info(draft: ReturnInfoDraft, order: Order, facts: Facts) -> ReturnInfo:
    return ReturnInfo(
        items=tuple(_returned(item, order, facts) for item in draft.items),
        return_tracking_id=draft.return_tracking_id,
        return_date=draft.return_date,
    )


def _returned(draft: ReturnItemDraft, order: Order, facts: Facts) -> ReturnItem:
    """A drafted return item as stored. Raises when it does not name exactly one item of the order."""
    if draft.line_item_id is not None and draft.custom_line_item_id is not None:
        raise InvalidOperation("A return item names a line item or a custom line item, not both.")
    if draft.line_item_id is None and draft.custom_line_item_id is None:
        raise RequiredField("items.lineItemId", "Either 'lineItemId' or 'customLineItemId' is required.")
    if draft.shipment_state not in _PAYMENT_STATES:
        raise InvalidField("items.shipmentState", draft.shipment_state, allowed_values=list(_PAYMENT_STATES))
    line = line_item(order, draft.line_item_id, None) if draft.line_item_id is not None else None
    custom_line = None if line else custom_line_item(order, draft.custom_line_item_id, None)
    return ReturnItem(
        type="LineItemReturnItem" if line else "CustomLineItemReturnItem",
        id=facts.new_id(),
        key=draft.key,
        quantity=draft.quantity,
        line_item_id=line.id if line else None,
        custom_line_item_id=custom_line.id if custom_line else None,
        comment=draft.comment,
        shipment_state=draft.shipment_state,
        payment_state=_PAYMENT_STATES[draft.shipment_state],
        custom=custom_fields(draft.custom, "order-return-item", facts),
        last_modified_at=facts.now,
        created_at=facts.now,
    )
