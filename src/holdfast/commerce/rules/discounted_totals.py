"""Discounts on shipping and on the total: what is left of a chain once items are done.

The total comes last; net, gross and tax portions shrink by the same share. No price falls below zero.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from holdfast.commerce.resources.cart.discount_shapes import AbsoluteValue, ShippingTarget, TotalPriceTarget
from holdfast.commerce.resources.cart.shape import Cart, DiscountedItemPrice, DiscountOnTotalPrice, ShippingInfo
from holdfast.commerce.rules.amounts import amount
from holdfast.commerce.rules.cart_discounts import direct_steps, later_steps, price_of
from holdfast.commerce.rules.discount_chain import Step, Terms, reduced
from holdfast.commerce.rules.rounding import divided
from holdfast.commerce.values.money import RoundingMode
from holdfast.commerce.values.taxed_price import TaxedPrice


def _price(cents: int, steps: Sequence[Step], cart: Cart) -> DiscountedItemPrice | None:
    """A price after its discounts, or None when none of them changes it."""
    lot = reduced(cents, steps, Terms(cart.currency, cart.price_rounding_mode))
    return price_of(lot, cart.currency) if lot.taken else None


def discounted_shipping(cart: Cart, later: Sequence[Step]) -> Cart:
    """The cart with the discounted price of shipping."""
    steps = later_steps(later, ShippingTarget)
    if cart.shipping_info is not None:
        info = _discounted(cart.shipping_info, steps, cart)
        cart = cart if info is cart.shipping_info else replace(cart, shipping_info=info)
    if not cart.shipping:
        return cart
    return replace(
        cart,
        shipping=tuple(
            replace(entry, shipping_info=_discounted(entry.shipping_info, steps, cart)) for entry in cart.shipping
        ),
    )


def _discounted(info: ShippingInfo, steps: Sequence[Step], cart: Cart) -> ShippingInfo:
    price = _price(info.price.cent_amount, steps, cart) if steps else None
    return info if price == info.discounted_price else replace(info, discounted_price=price)


def kept_steps(cart: Cart) -> list[Step]:
    """The discounts on the total of a cart whose prices stand still: those it has, as the amounts they came to."""
    if cart.direct_discounts:
        return direct_steps(cart)
    present = cart.discount_on_total_price
    return [
        Step(each.discount, AbsoluteValue(money=(each.discounted_amount,)), TotalPriceTarget())
        for each in (present.included_discounts if present is not None else ())
    ]


def undiscounted_cents(cart: Cart) -> int:
    """The total as it was before the discount on it."""
    discount = cart.discount_on_total_price
    return cart.total_price.cent_amount + (discount.discounted_amount.cent_amount if discount is not None else 0)


def discounted_total(cart: Cart, later: Sequence[Step]) -> Cart:
    """The cart with the discount on its total, taken off the taxed prices in proportion."""
    steps = later_steps(later, TotalPriceTarget) if later else ()
    before = cart.total_price.cent_amount
    price = _price(before, steps, cart) if steps else None
    if price is None:
        return cart if cart.discount_on_total_price is None else replace(cart, discount_on_total_price=None)
    after = price.value.cent_amount
    taxed_price = cart.taxed_price
    if taxed_price is not None and cart.tax_mode != "ExternalAmount":
        taxed_price = _shrunk(taxed_price, after, before, cart)
    shipping = cart.taxed_shipping_price and _shrunk(cart.taxed_shipping_price, after, before, cart)
    return replace(
        cart,
        total_price=price.value,
        taxed_price=taxed_price,
        taxed_shipping_price=shipping,
        discount_on_total_price=_on_total(price, cart.taxed_price, taxed_price, before, cart.currency),
    )


def _on_total(
    price: DiscountedItemPrice, full: TaxedPrice | None, reduced: TaxedPrice | None, before: int, currency: str
) -> DiscountOnTotalPrice:
    net = gross = None
    if full is not None and reduced is not None:
        net = amount(full.total_net.cent_amount - reduced.total_net.cent_amount, currency)
        gross = amount(full.total_gross.cent_amount - reduced.total_gross.cent_amount, currency)
    return DiscountOnTotalPrice(
        discounted_amount=amount(before - price.value.cent_amount, currency),
        included_discounts=price.included_discounts,
        discounted_net_amount=net,
        discounted_gross_amount=gross,
    )


def _shrunk(price: TaxedPrice, part: int, whole: int, cart: Cart) -> TaxedPrice:
    """A taxed price scaled by part/whole; the portions are scaled as running totals, so they add up."""
    net, gross = (
        divided(side.cent_amount * part, whole, cart.tax_rounding_mode) for side in (price.total_net, price.total_gross)
    )
    full = sum(portion.amount.cent_amount for portion in price.tax_portions)
    portions, reached, given = [], 0, 0
    for portion in price.tax_portions:
        reached += portion.amount.cent_amount
        upto = _of_whole((gross - net) * reached, full, cart.tax_rounding_mode)
        portions.append(replace(portion, amount=amount(upto - given, cart.currency)))
        given = upto
    return TaxedPrice(
        total_net=amount(net, cart.currency),
        total_gross=amount(gross, cart.currency),
        tax_portions=tuple(portions),
        total_tax=amount(gross - net, cart.currency),
    )


def _of_whole(product: int, full: int, mode: RoundingMode) -> int:
    """The quotient by a tax that is below zero where what is taken back is taxed higher than what is sold."""
    return divided(product if full > 0 else -product, abs(full), mode) if full else 0
