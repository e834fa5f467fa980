"""Placing an order: one cart, one order, however often and from wherever it is asked for (I2).

The order's id follows from the cart. So a retry, a second tab or a payment callback that comes late
finds the order that is already there and gets it as its answer; the published API would refuse the
second request, and leave the client to find out whether the first one had succeeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from holdfast.base.errors import ConcurrentModification, ReferencedResourceNotFound, Rejected, RequiredField
from holdfast.base.ids import order_id
from holdfast.commerce.facts import Facts, lookup_of
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.order.drafts import MyOrderFromCartDraft, OrderFromCartDraft
from holdfast.commerce.resources.order.placing import place_order
from holdfast.commerce.resources.order.shape import Order, orders
from holdfast.commerce.rules.cart_lookups import order_lookups
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.visibility import View
from holdfast.handlers.crud import check_version, shown
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.extending import decided
from holdfast.handlers.receipts import acknowledged
from holdfast.handlers.work import Work

_drafts = msgspec.json.Decoder(OrderFromCartDraft)
_my_drafts = msgspec.json.Decoder(MyOrderFromCartDraft)


@endpoint("POST", "orders", scope="manage_orders", in_store=True, body=OrderFromCartDraft, answer=orders)
async def place(work: Work, request: Request) -> Answer:
    """Make an order from a cart."""
    draft = work.decode(_drafts, request.body)
    identifier = draft.cart or (ResourceIdentifier(id=draft.id) if draft.id is not None else None)
    if identifier is None:
        raise RequiredField("cart")
    return await _placed(work, request, identifier, draft)


@endpoint("POST", "orders", scope="manage_my_orders", me=True, in_store=True, body=MyOrderFromCartDraft, answer=orders)
async def place_mine(work: Work, request: Request) -> Answer:
    """Make an order from the shopper's own cart."""
    mine = work.decode(_my_drafts, request.body)
    return await _placed(work, request, ResourceIdentifier(id=mine.id), OrderFromCartDraft(version=mine.version))


async def _placed(work: Work, request: Request, identifier: ResourceIdentifier, draft: OrderFromCartDraft) -> Answer:
    cart = await _cart(work, request, identifier)
    earlier = await _earlier(work, cart) if cart.cart_state == "Ordered" else None
    if earlier is not None:
        return acknowledged(work, Answer(await shown(work, request, earlier), created=True))
    check_version(cart, draft.version)
    return acknowledged(work, await _new(work, request, cart, draft))


async def _new(work: Work, request: Request, cart: Cart, draft: OrderFromCartDraft) -> Answer:
    """Order the cart; whoever is overtaken by the same checkout gets that one's order.

    Also where it shows as a refusal: a single-use code is used up once the first of them has used it.
    """
    hints = order_lookups(cart, work.caller.project)

    def placing(facts: Facts, more: Sequence[Any]) -> Changed[Order]:
        return orders.made_with(place_order(cart, draft, facts), more, facts)

    try:
        changed = await decided(work, orders, None, placing, like=cart.id, hints=hints)
        return await work.answer(orders, None, changed, partial(shown, work, request), created=True)
    except (ConcurrentModification, Rejected):
        order = await _earlier(work, cart)
        if order is None:
            raise
        return Answer(await shown(work, request, order), created=True)


async def _earlier(work: Work, cart: Cart) -> Order | None:
    """The order this cart became already."""
    document = await work.document(orders, order_id(work.caller.project, cart.id))
    return document.resource if document else None


async def _cart(work: Work, request: Request, identifier: ResourceIdentifier) -> Cart:
    """The cart to order, if this request may see it. Raises ReferencedResourceNotFound."""
    document = await work.document_at(carts, lookup_of(carts.name, identifier), ahead=True)
    if document is None or not View(work.caller, request.me, request.store_key).shows(carts.name, document.resource):
        raise ReferencedResourceNotFound(carts.name, id=identifier.id, key=identifier.key)
    cart: Cart = document.resource
    return cart
