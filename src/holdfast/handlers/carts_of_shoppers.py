"""Carts found by whose they are: the active one, of a customer or of the session, and merging into it."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from holdfast.base.errors import InvalidInput, ReferencedResourceNotFound, ResourceNotFound
from holdfast.commerce.registry import Resource
from holdfast.commerce.resources.cart.drafts import MergeCartDraft, ReplicaCartDraft
from holdfast.commerce.resources.cart.shape import carts
from holdfast.commerce.resources.customer.shape import customers
from holdfast.commerce.resources.order.shape import orders
from holdfast.commerce.rules.sign_in import Luggage, active_cart, quoted, take_over
from holdfast.commerce.values.value import decode_special
from holdfast.commerce.visibility import View
from holdfast.handlers.crud import shown
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.extending import decided
from holdfast.handlers.sign_in import commit_taken_over, patiently
from holdfast.handlers.work import Work

_merges = msgspec.json.Decoder(MergeCartDraft, dec_hook=decode_special)
_replicas = msgspec.json.Decoder(ReplicaCartDraft, dec_hook=decode_special)


async def _active(work: Work, request: Request, owner: str) -> Answer:
    """The owner's active cart, the one changed last. Raises ResourceNotFound."""
    cart = await work.decide(lambda facts: active_cart(owner, facts))
    if cart is None:
        raise ResourceNotFound("There is no active cart.")
    return Answer(await shown(work, request, cart), keep=False)


@endpoint("GET", "carts", "customer-id=*", scope="view_orders", in_store=True, answer=carts, parameters=("expand",))
async def cart_of_customer(work: Work, request: Request) -> Answer:
    """The active cart of a customer."""
    return await _active(work, request, f"customerId = {quoted(request.path_values[0])}")


@endpoint("GET", "active-cart", scope="manage_my_orders", me=True, in_store=True, answer=carts, parameters=("expand",))
async def my_active_cart(work: Work, request: Request) -> Answer:
    """The shopper's active cart."""
    caller = work.caller
    if caller.customer_id is not None:
        return await _active(work, request, f"customerId = {quoted(caller.customer_id)}")
    return await _active(work, request, f"anonymousId = {quoted(caller.anonymous_id or '')}")


@endpoint(
    "POST",
    "carts",
    "customer-id=*/merge",
    scope="manage_orders",
    in_store=True,
    body=MergeCartDraft,
    answer=carts,
    parameters=("expand",),
)
async def merge_into_cart_of_customer(work: Work, request: Request) -> Answer:
    """Merge a guest's cart into the customer's active cart, as signing in does."""
    draft = work.decode(_merges, request.body)
    if draft.anonymous_cart is None and draft.anonymous_id is None:
        raise InvalidInput("Either 'anonymousCart' or 'anonymousId' is required.")
    luggage = Luggage(draft.anonymous_cart, draft.anonymous_id, draft.merge_mode, draft.update_product_data)
    customer_id = request.path_values[0]

    async def attempt(work: Work) -> Answer:
        customer = await work.get(customers, customer_id)
        taken = await work.decide(lambda facts: take_over(customer, luggage, facts, new=False))
        cart = taken.cart
        if cart is None:
            raise ResourceNotFound("There is no active cart.")
        return await commit_taken_over(work, taken, lambda: shown(work, request, cart))

    return await patiently(work, attempt)


@endpoint(
    "POST",
    "carts",
    "replicate",
    scope="manage_orders",
    in_store=True,
    body=ReplicaCartDraft,
    answer=carts,
    parameters=("expand",),
)
async def replicate(work: Work, request: Request) -> Answer:
    """Make a new cart that copies a cart or an order."""
    return await _replica(work, request)


@endpoint(
    "POST",
    "carts",
    "replicate",
    scope="manage_my_orders",
    me=True,
    in_store=True,
    body=ReplicaCartDraft,
    answer=carts,
    parameters=("expand",),
)
async def replicate_mine(work: Work, request: Request) -> Answer:
    """Make a new cart that copies a cart or an order of the shopper."""
    return await _replica(work, request)


async def _replica(work: Work, request: Request) -> Answer:
    draft = work.decode(_replicas, request.body)
    reference = draft.reference
    kind: Resource[Any] = orders if reference.type_id == "order" else carts
    try:
        original = await work.get(kind, msgspec.structs.replace(reference, type_id=kind.name))
    except ResourceNotFound:
        original = None
    if original is None or not View(work.caller, request.me, request.store_key).shows(kind.name, original):
        raise ReferencedResourceNotFound(kind.name, id=reference.id, key=reference.key)
    changed = await decided(work, carts, None, lambda facts, more: carts.created(draft, facts, more))
    return await work.answer(carts, None, changed, partial(shown, work, request), created=True)
