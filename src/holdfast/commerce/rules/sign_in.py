"""What a shopper did before saying who they are becomes the customer's: carts, orders and payments.

One anonymous cart is the one shopped in: named by the client, or the last one changed in the
session. It meets the customer's own active cart as the sign-in mode says; all else only changes hands.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from holdfast.base.errors import Forbidden, InvalidOperation, Rejected
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Changed, Other, Resource, touched
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.customer.shape import Customer
from holdfast.commerce.resources.order.shape import orders
from holdfast.commerce.resources.payment.shape import payments
from holdfast.commerce.rules.cart_merge import merge_carts
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.reference import Reference, ResourceIdentifier

SignInMode = Literal["MergeWithExistingCustomerCart", "UseAsNewActiveCustomerCart"]


class Luggage(NamedTuple):
    """What a shopper brings along: a cart, the session it all belongs to, and what to do with them."""

    cart: ResourceIdentifier | None = None
    anonymous_id: str | None = None
    mode: SignInMode = "MergeWithExistingCustomerCart"
    update_product_data: bool = False


class TakenOver(NamedTuple):
    """The cart the customer goes on with, and everything that changes for it."""

    cart: Cart | None
    others: tuple[Other, ...] = ()
    stock: tuple[StockMovement, ...] = ()


def take_over(customer: Customer, luggage: Luggage, facts: Facts, *, new: bool) -> TakenOver:
    """Hand what the shopper brought to the customer; a `new` customer has no cart yet.

    Raises ReferencedResourceNotFound for a cart that is not there, InvalidOperation for one that is
    not the shopper's to bring. What a cart holds never keeps anybody from signing in.
    """
    existing = None if new else active_cart(f"customerId = {quoted(customer.id)}", facts)
    brought = _brought_cart(luggage, facts)
    if brought is None:
        return TakenOver(existing, _rest_of_session(customer, luggage, brought, facts))
    taken = None
    if existing is not None and luggage.mode == "MergeWithExistingCustomerCart":
        taken = _merged(existing, brought, luggage, facts)
    taken = taken or _assigned(customer, brought, luggage, facts)
    return taken._replace(others=(*taken.others, *_rest_of_session(customer, luggage, brought, facts)))


def quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def active_cart(owner: str, facts: Facts) -> Cart | None:
    """The active cart the owner shops with, the one changed last; in a store, of that store.

    Carts that agents and quotes have made for them are not what they are shopping with.
    """
    predicate = f'{owner} and cartState = "Active" and origin = "Customer"'
    if facts.store_key is not None:
        predicate += f" and store(key = {quoted(facts.store_key)})"
    found = facts.matching(carts, predicate, sort="lastModifiedAt desc", limit=1)
    return found[0] if found else None


def _brought_cart(luggage: Luggage, facts: Facts) -> Cart | None:
    if luggage.cart is None:
        return active_cart(f"anonymousId = {quoted(luggage.anonymous_id)}", facts) if luggage.anonymous_id else None
    cart = facts.get(carts, luggage.cart)
    if cart.customer_id is not None or cart.cart_state != "Active":
        raise InvalidOperation(f"The cart '{cart.id}' is not an active cart of an anonymous shopper.")
    if luggage.anonymous_id not in (None, cart.anonymous_id):
        raise InvalidOperation(f"The cart '{cart.id}' does not belong to the anonymous id '{luggage.anonymous_id}'.")
    if facts.store_key is not None and (cart.store is None or cart.store.key != facts.store_key):
        raise InvalidOperation(f"The cart '{cart.id}' does not belong to the store '{facts.store_key}'.")
    return cart


def _merged(existing: Cart, brought: Cart, luggage: Luggage, facts: Facts) -> TakenOver | None:
    """The customer's cart with what was brought; None where the two cannot be reckoned together."""
    try:
        changed = _recalculated(merge_carts(existing, brought, facts), luggage, facts)
    except (Rejected, Forbidden):
        return None
    return _taken(existing, changed, facts)


def _assigned(customer: Customer, cart: Cart, luggage: Luggage, facts: Facts) -> TakenOver:
    """The cart under its new owner with the prices of the owner's group; as it was where it cannot have them."""
    handed = replace(
        cart, customer_id=customer.id, customer_email=cart.customer_email or customer.email, anonymous_id=None
    )
    try:
        changed = _recalculated(Changed(replace(handed, customer_group=customer.customer_group)), luggage, facts)
    except (Rejected, Forbidden):
        changed = Changed(handed)
    return _taken(cart, changed, facts)


def _recalculated(changed: Changed[Cart], luggage: Luggage, facts: Facts) -> Changed[Cart]:
    recalculate = carts.actions["recalculate"].payload(update_product_data=luggage.update_product_data)
    return changed.then(carts.updated(changed.resource, [recalculate], facts))


def _taken(before: Cart, changed: Changed[Cart], facts: Facts) -> TakenOver:
    cart = touched(changed.resource, before.version + 1, facts)
    return TakenOver(cart, (Other(carts, before, cart), *changed.others), changed.stock)


# --- the rest of the session ---------------------------------------------------------------


def _rest_of_session(customer: Customer, luggage: Luggage, brought: Cart | None, facts: Facts) -> tuple[Other, ...]:
    """Everything else the anonymous session owns, handed to the customer."""
    if luggage.anonymous_id is None:
        return ()
    session = f"anonymousId = {quoted(luggage.anonymous_id)}"
    others = [cart for cart in facts.matching(carts, session) if brought is None or cart.id != brought.id]
    return (
        *(_handed(carts, cart, facts, customer_id=customer.id) for cart in others),
        *(_handed(orders, order, facts, customer_id=customer.id) for order in facts.matching(orders, session)),
        *(
            _handed(payments, payment, facts, customer=Reference(type_id="customer", id=customer.id))
            for payment in facts.matching(payments, session)
        ),
    )


def _handed(kind: Resource[Any], resource: Any, facts: Facts, **owner: Any) -> Other:
    after = touched(replace(resource, anonymous_id=None, **owner), resource.version + 1, facts)
    return Other(kind, resource, after)
