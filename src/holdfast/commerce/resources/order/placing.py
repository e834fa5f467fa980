"""How a cart becomes an order: once, whole, at today's prices, with its stock."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import (
    InvalidField,
    InvalidItemShippingDetails,
    InvalidOperation,
    ShippingMethodDoesNotMatchCart,
)
from holdfast.base.ids import order_id
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.order import OrderCreated
from holdfast.commerce.registry import Changed, Other, born, touched
from holdfast.commerce.resources.cart.settling import check_changeable
from holdfast.commerce.resources.cart.shape import Cart, LineItem, carts
from holdfast.commerce.resources.order.drafts import OrderFromCartDraft
from holdfast.commerce.resources.order.shape import Order
from holdfast.commerce.resources.order.stock import holdings
from holdfast.commerce.resources.state import check_transition, states
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.rules.discount_codes import redemptions
from holdfast.commerce.rules.reservations import given_back
from holdfast.commerce.rules.stock import check_current, order_stock
from holdfast.commerce.rules.totals import shipping_infos
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Stored

# An order takes over everything it has in common with its cart, as it is: values are frozen.
_TAKEN_OVER = tuple(
    name for name in Order.__struct_fields__ if name in Cart.__struct_fields__ and name not in Stored.__struct_fields__
)


def place_order(cart: Cart, draft: OrderFromCartDraft, facts: Facts) -> Changed[Order]:
    """The order a cart becomes, with the cart's last change and the stock it takes.

    The id follows from the cart, so however often this is decided it is the same order (I2).
    Raises InvalidOperation for a cart that cannot be ordered (any more), PriceChanged when its
    prices or taxes are not today's, DiscountCodeNonApplicable and OutOfStock from here or the commit.
    """
    check_orderable(cart, facts)
    stock = order_stock(cart, facts)
    order = born(
        Order(
            **{name: getattr(cart, name) for name in _TAKEN_OVER}
            | {
                "id": order_id(facts.project_key, cart.id),
                "cart": Reference(type_id="cart", id=cart.id),
                "order_number": draft.order_number,
                "purchase_order_number": draft.purchase_order_number or cart.purchase_order_number,
                "order_state": draft.order_state,
                "payment_state": draft.payment_state,
                "shipment_state": draft.shipment_state,
                "state": order_state_of(draft.state, facts),
                "custom": merged_custom_fields(cart.custom, draft.custom, facts),
                "stock_held": holdings(stock),
            }
        ),
        facts,
    )
    ordered = replace(cart, cart_state="Ordered", stock_reserved=(), reserved_until=None)
    last = touched(ordered, cart.version + 1, facts)
    # An order that starts out cancelled takes no stock yet, like one that is cancelled later.
    taken = given_back(cart.stock_reserved, facts) if draft.order_state == "Cancelled" else stock
    return Changed(
        order,
        (OrderCreated(order=order),),
        stock=taken,
        others=(Other(carts, cart, last),),
        tallies=redemptions(cart, facts),
    )


def check_orderable(cart: Cart, facts: Facts) -> None:
    """Whether a cart can be ordered as it is; the published checks, cheapest first."""
    check_changeable(cart, facts)
    if not cart.items:
        raise InvalidOperation(f"The cart '{cart.id}' is empty.")
    if cart.shipping_address is None and not cart.shipping:
        raise InvalidOperation(f"The cart '{cart.id}' has no shipping address.")
    for item in cart.items:
        if item.shipping_details is not None and not item.shipping_details.valid:
            subject = "LineItem" if isinstance(item, LineItem) else "CustomLineItem"
            raise InvalidItemShippingDetails(
                f"The shipping details of item '{item.id}' do not cover its quantity.",
                subject=subject,
                item_id=item.id,
            )
    _check_shipping(cart)
    _check_external_taxes(cart)
    check_current(cart, facts)


def _check_shipping(cart: Cart) -> None:
    for info in shipping_infos(cart):
        if info.shipping_method_state == "DoesNotMatchCart":
            raise ShippingMethodDoesNotMatchCart(
                f"The shipping method '{info.shipping_method_name}' does not match the cart any more."
            )


def _check_external_taxes(cart: Cart) -> None:
    """Taxes that come from outside must have come: a cart still waiting for them is not ready."""
    if cart.tax_mode not in ("External", "ExternalAmount"):
        return
    if any(item.taxed_price is None for item in cart.items) or any(
        info.taxed_price is None for info in shipping_infos(cart)
    ):
        raise InvalidOperation(f"The tax of the cart '{cart.id}' is not set on all of its parts.")
    if cart.taxed_price is None:
        raise InvalidOperation(f"The total tax of the cart '{cart.id}' is not set.")


def order_state_of(identifier: ResourceIdentifier | None, facts: Facts) -> Reference | None:
    """The workflow state an order starts in: any state for orders."""
    if identifier is None:
        return None
    state = facts.get(states, identifier)
    check_transition(None, state, "OrderState", force=True)
    return Reference(type_id="state", id=state.id)


def merged_custom_fields(
    present: CustomFields | None, draft: CustomFieldsDraft | None, facts: Facts
) -> CustomFields | None:
    """The cart's custom fields with the drafted ones laid over them; both must have the same type."""
    if draft is None or present is None:
        return present if draft is None else custom_fields(draft, "order", facts)
    merged = custom_fields(replace(draft, fields=present.fields | draft.fields), "order", facts)
    if merged is not None and merged.type != present.type:
        raise InvalidField("custom.type", merged.type.id, f"The cart's custom fields are of type '{present.type.id}'.")
    return merged
