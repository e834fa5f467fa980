"""Signing up and signing in, with what the shopper brought along."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec

from holdfast.base.errors import ConcurrentModification, InvalidCredentials
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.resources.customer.shape import Customer, CustomerDraft, MyCustomerDraft, customers
from holdfast.commerce.rules.sign_in import Luggage, SignInMode, TakenOver, take_over
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Value, encode
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.extending import decided
from holdfast.handlers.verify_credentials import verified_customer
from holdfast.handlers.work import Work

T = TypeVar("T")

# A cart may change between reading and committing; the shopper named no version, so we look again.
ATTEMPTS_MAX = 4


class SignIn(Value):
    email: str
    password: str
    anonymous_cart_id: str | None = None
    anonymous_cart: ResourceIdentifier | None = None
    anonymous_cart_sign_in_mode: SignInMode = "MergeWithExistingCustomerCart"
    anonymous_id: str | None = None
    update_product_data: bool = False


class MySignIn(Value):
    """Below `/me` the session comes from the token."""

    email: str
    password: str
    active_cart_sign_in_mode: SignInMode = "MergeWithExistingCustomerCart"
    update_product_data: bool = False


class SignInResult(Value):
    """The customer, and the cart to go on with."""

    customer: Customer
    cart: Cart | None = None


_sign_ins = msgspec.json.Decoder(SignIn)
_my_sign_ins = msgspec.json.Decoder(MySignIn)


# --- signing up ----------------------------------------------------------------------------


@endpoint("POST", "customers", scope="manage_customers", in_store=True, body=CustomerDraft, answer=SignInResult)
async def sign_up(work: Work, request: Request) -> Answer:
    """Create a customer; an anonymous cart or session can be taken along."""
    draft: CustomerDraft = work.decode(customers.drafts, request.body)
    luggage = Luggage(_named(draft.anonymous_cart, draft.anonymous_cart_id), draft.anonymous_id)
    return await _signed_up(work, draft, luggage)


@endpoint(
    "POST",
    "signup",
    scope="manage_my_profile",
    me=True,
    session=False,
    in_store=True,
    body=MyCustomerDraft,
    answer=SignInResult,
)
async def sign_me_up(work: Work, request: Request) -> Answer:
    """Create the shopper's customer record; what their anonymous session owns becomes theirs."""
    draft: MyCustomerDraft = work.decode(customers.my_drafts, request.body)
    return await _signed_up(work, draft, Luggage(anonymous_id=work.caller.anonymous_id))


class SignedUp(Changed[Customer]):
    """A new customer, and the cart they brought along."""

    __slots__ = ("cart",)

    def __init__(self, made: Changed[Customer], taken: TakenOver) -> None:
        super().__init__(
            made.resource,
            made.messages,
            stock=(*made.stock, *taken.stock),
            others=(*made.others, *taken.others),
            tallies=made.tallies,
        )
        self.cart = taken.cart


async def _signed_up(work: Work, draft: CustomerDraft | MyCustomerDraft, luggage: Luggage) -> Answer:
    def decision(facts: Facts, more: Sequence[Any]) -> SignedUp:
        made = customers.created(draft, facts, more)
        return SignedUp(made, take_over(made.resource, luggage, facts, new=True))

    async def attempt(work: Work) -> Answer:
        signed_up = await decided(work, customers, None, decision)
        return await work.answer(customers, None, signed_up, lambda made: _result(made, signed_up.cart), created=True)

    return await patiently(work, attempt)


# --- signing in ----------------------------------------------------------------------------


@endpoint(
    "POST",
    "login",
    scope="manage_customers",
    in_store=True,
    body=SignIn,
    answer=SignInResult,
    replay="checked",
)
async def sign_in(work: Work, request: Request) -> Answer:
    """Find the customer with these credentials; an anonymous cart or session can be taken along."""
    draft = work.decode(_sign_ins, request.body)
    luggage = Luggage(
        _named(draft.anonymous_cart, draft.anonymous_cart_id),
        draft.anonymous_id,
        draft.anonymous_cart_sign_in_mode,
        draft.update_product_data,
    )
    return await _signed_in(work, draft.email, draft.password, luggage)


@endpoint(
    "POST",
    "login",
    scope="manage_my_profile",
    me=True,
    session=False,
    in_store=True,
    body=MySignIn,
    answer=SignInResult,
    replay="checked",
)
async def sign_me_in(work: Work, request: Request) -> Answer:
    """Find the customer with these credentials; what the anonymous session owns becomes theirs."""
    draft = work.decode(_my_sign_ins, request.body)
    luggage = Luggage(None, work.caller.anonymous_id, draft.active_cart_sign_in_mode, draft.update_product_data)
    return await _signed_in(work, draft.email, draft.password, luggage)


async def _signed_in(work: Work, email: str, password: str, luggage: Luggage) -> Answer:
    customer = await verified_customer(work, email, password)
    if customer is None:
        raise InvalidCredentials

    async def attempt(work: Work) -> Answer:
        taken = await work.decide(lambda facts: take_over(customer, luggage, facts, new=False))
        return await commit_taken_over(work, taken, lambda: _result(customer, taken.cart))

    return await patiently(work, attempt)


async def _result(customer: Customer, cart: Cart | None) -> bytes:
    return encode(SignInResult(customer=customer, cart=cart))


async def commit_taken_over(work: Work, taken: TakenOver, show: Callable[[], Awaitable[bytes]]) -> Answer:
    """Commit what changed hands; the customer is not among it, so nobody else's update is in the way."""
    if not taken.others:
        return Answer(await show())
    first, *rest = taken.others
    assert first.after is not None, "nothing is deleted by signing in"
    changed = Changed(first.after, others=rest, stock=taken.stock)
    return await work.answer(first.kind, first.before, changed, lambda _: show())


def _named(cart: ResourceIdentifier | None, cart_id: str | None) -> ResourceIdentifier | None:
    """The cart a client names; `anonymousCartId` is the older way."""
    return ResourceIdentifier(type_id="cart", id=cart_id) if cart is None and cart_id is not None else cart


async def patiently(work: Work, attempt: Callable[[Work], Awaitable[T]]) -> T:
    """Run an attempt, again with fresh eyes where somebody changed a cart meanwhile."""
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return await attempt(work)
        except ConcurrentModification:
            work = work.afresh()
    return await attempt(work)
