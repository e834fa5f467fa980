"""The sums of a cart, and the order in which a change is reckoned through it.

Prices and tax rates, then item discounts, then item totals; shipping looks at their sum; taxes come last,
because they rest on everything before. `totalPrice` = line items + custom line items + shipping, minus the
discount on the total. Orders and frozen carts keep their prices: for them only sums are made.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.shape import Cart, ShippingInfo
from holdfast.commerce.rules.amounts import amount
from holdfast.commerce.rules.cart_discounts import discounted
from holdfast.commerce.rules.cart_shipping import payable, refreshed_shipping, taxed_shipping
from holdfast.commerce.rules.discount_chain import Step
from holdfast.commerce.rules.discounted_totals import (
    discounted_shipping,
    discounted_total,
    kept_steps,
    undiscounted_cents,
)
from holdfast.commerce.rules.gifts import is_gift
from holdfast.commerce.rules.item_prices import gather_products, refreshed, totalled
from holdfast.commerce.rules.item_taxes import gather_categories, rated, taxed_item
from holdfast.commerce.rules.tax import total_of
from holdfast.commerce.values.taxed_price import TaxedPrice


def recalculated(cart: Cart, facts: Facts) -> Cart:
    """The cart with the prices, rates and taxes of today.

    Raises MatchingPriceNotFound and MissingTaxRateForCountry.
    """
    gather_products(cart.line_items, facts)
    cart = replace(cart, line_items=tuple(refreshed(item, cart, facts) for item in cart.line_items))
    if cart.tax_mode == "Platform":
        cart = _rated(cart, facts)
    cart, later = discounted(cart, facts, lambda plain: _undiscounted(plain, facts))
    if cart.tax_mode == "Platform" and any(is_gift(item) for item in cart.line_items):
        cart = _rated(cart, facts)
    cart = refreshed_shipping(_totalled(cart), facts)
    return summed(discounted_shipping(cart, later), later)


def _totalled(cart: Cart) -> Cart:
    return replace(
        cart,
        line_items=tuple(totalled(item, cart) for item in cart.line_items),
        custom_line_items=tuple(totalled(item, cart) for item in cart.custom_line_items),
    )


def _undiscounted(cart: Cart, facts: Facts) -> Cart:
    """A cart whose discounts were taken away, with the totals, shipping and taxes it would have."""
    return summed(discounted_shipping(refreshed_shipping(_totalled(cart), facts), ()), ())


def _rated(cart: Cart, facts: Facts) -> Cart:
    if cart.shipping_address is not None or cart.shipping:
        gather_categories(cart.items, facts)
    return replace(
        cart,
        line_items=tuple(rated(item, cart, facts) for item in cart.line_items),
        custom_line_items=tuple(rated(item, cart, facts) for item in cart.custom_line_items),
    )


def summed(cart: Cart, later: Sequence[Step] | None = None) -> Cart:
    """The cart with its taxes and totals, from the prices and rates it has.

    later: the discounts on the total; left out, the total keeps those it has.
    """
    steps = kept_steps(cart) if later is None else later
    cart = replace(
        cart,
        line_items=tuple(taxed_item(item, cart) for item in cart.line_items),
        custom_line_items=tuple(taxed_item(item, cart) for item in cart.custom_line_items),
        shipping_info=cart.shipping_info and taxed_shipping(cart.shipping_info, cart),
        shipping=tuple(
            replace(entry, shipping_info=taxed_shipping(entry.shipping_info, cart)) for entry in cart.shipping
        ),
    )
    items = sum(item.total_price.cent_amount for item in cart.items)
    cents = items + sum(payable(info) for info in shipping_infos(cart))
    quantity = sum(item.quantity for item in cart.line_items)
    taxed_price, taxed_shipping_price = _taxed_prices(cart, cents)
    return discounted_total(
        replace(
            cart,
            total_price=amount(cents, cart.currency),
            total_line_item_quantity=quantity if cart.line_items else None,
            taxed_price=taxed_price,
            taxed_shipping_price=taxed_shipping_price,
        ),
        steps,
    )


def shipping_infos(cart: Cart) -> tuple[ShippingInfo, ...]:
    """The chosen ways of shipping: at most one, unless the shipping mode is Multiple."""
    if cart.shipping_mode == "Multiple":
        return tuple(entry.shipping_info for entry in cart.shipping)
    return (cart.shipping_info,) if cart.shipping_info is not None else ()


def _taxed_prices(cart: Cart, cents: int) -> tuple[TaxedPrice | None, TaxedPrice | None]:
    """The taxed price of the cart, and that of shipping.

    There is one when every part has one. An amount given from outside stands until the total changes.
    """
    if cart.tax_mode == "ExternalAmount":
        return (cart.taxed_price if cents == undiscounted_cents(cart) else None), None
    if cart.tax_mode == "Disabled" or (cart.shipping_mode == "Single" and cart.shipping_address is None):
        return None, None
    for_shipping = [info.taxed_price for info in shipping_infos(cart)]
    for_items = [item.taxed_price for item in cart.items]
    return _sum(for_items + for_shipping, cart.currency), _sum(for_shipping, cart.currency)


def _sum(prices: list[TaxedPrice | None], currency: str) -> TaxedPrice | None:
    known = [price for price in prices if price is not None]
    return total_of(known, currency) if known and len(known) == len(prices) else None
