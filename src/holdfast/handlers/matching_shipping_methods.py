"""Which shipping methods there are to choose from: for a cart, for a place, or for both."""

from __future__ import annotations

import re

from holdfast.base.errors import InvalidInput, ResourceNotFound
from holdfast.commerce.predicates.paging import LIMIT_MAX, Paging
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.shipping_method import shipping_methods
from holdfast.commerce.rules.matching_methods import (
    Location,
    Methods,
    methods_at,
    methods_for_cart,
    methods_for_cart_at,
)
from holdfast.commerce.scopes import allows
from holdfast.commerce.visibility import View
from holdfast.handlers.crud import page, shown
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.work import Work

SCOPE = "view_shipping_methods"
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


@endpoint(
    "GET",
    "shipping-methods",
    "matching-cart",
    scope=SCOPE,
    in_store=True,
    answer=shipping_methods,
    parameters=("cartId", "expand"),
    paged=True,
)
async def matching_cart(work: Work, request: Request) -> Answer:
    """The shipping methods a cart may choose, the default one first."""
    cart = await _cart(work, request)
    methods = await work.decide(lambda facts: methods_for_cart(cart, facts))
    return await _listed(work, request, methods)


@endpoint(
    "GET",
    "shipping-methods",
    "matching-location",
    scope=SCOPE,
    in_store=True,
    answer=shipping_methods,
    parameters=("country", "state", "currency", "expand"),
    kept_kind="matching-location",
    paged=True,
)
async def matching_location(work: Work, request: Request) -> Answer:
    """The shipping methods that serve a place."""
    place = _location(request)
    currency = request.first("currency")
    if currency is not None and not _CURRENCY.fullmatch(currency):
        raise InvalidInput("Malformed parameter: currency: three capital letters are required.")
    methods = await work.decide(lambda facts: methods_at(place, currency, facts))
    return (await _listed(work, request, methods))._replace(keep=True)


@endpoint(
    "GET",
    "shipping-methods",
    "matching-cart-location",
    scope=SCOPE,
    in_store=True,
    answer=shipping_methods,
    parameters=("cartId", "country", "state", "expand"),
    paged=True,
)
async def matching_cart_location(work: Work, request: Request) -> Answer:
    """The shipping methods a cart may choose for goods that go to a place."""
    place = _location(request)
    cart = await _cart(work, request)
    methods = await work.decide(lambda facts: methods_for_cart_at(cart, place, facts))
    return await _listed(work, request, methods)


async def _cart(work: Work, request: Request) -> Cart:
    """The cart in question; shoppers may ask about their own. Raises InvalidInput or ResourceNotFound."""
    cart_id = request.first("cartId")
    if cart_id is None:
        raise InvalidInput("Malformed parameter: cartId: the id of a cart is required.")
    cart = await work.get(carts, cart_id)
    mine = work.caller.is_shopper and not allows(work.caller.scopes, "view_orders", request.store_key)
    if not View(work.caller, mine, request.store_key).shows(carts.name, cart):
        raise ResourceNotFound.by_id(cart_id)
    return cart


def _location(request: Request) -> Location:
    country = request.first("country")
    if country is None or not _COUNTRY.fullmatch(country):
        raise InvalidInput("Malformed parameter: country: two capital letters are required.")
    return Location(country=country, state=request.first("state") or None)


async def _listed(work: Work, request: Request, methods: Methods) -> Answer:
    bodies = [await shown(work, request, method) for method in methods]
    return Answer(page(bodies, Paging(limit=LIMIT_MAX), len(bodies)), keep=False)
