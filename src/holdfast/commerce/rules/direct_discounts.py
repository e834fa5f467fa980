"""Direct discounts: applied in the order they were given, each to what the one before left.

Items first, unit by unit and rounded after each step; then shipping; the total price last, where
net, gross and tax portions shrink by the same share. No price falls below zero. An item whose total
was given from outside, or whose price mode is External, keeps its price.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from holdfast.commerce.resources.cart.discount_shapes import (
    AbsoluteValue,
    CustomLineItemsTarget,
    DirectDiscount,
    DiscountTarget,
    DiscountValue,
    FixedValue,
    LineItemsTarget,
    RelativeValue,
    ShippingTarget,
    TotalPriceTarget,
)
from holdfast.commerce.resources.cart.shape import (
    Cart,
    CustomLineItem,
    DiscountedItemPrice,
    DiscountedPriceForQuantity,
    DiscountOnTotalPrice,
    IncludedDiscount,
    LineItem,
)
from holdfast.commerce.rules.amounts import amount
from holdfast.commerce.rules.cart_predicates import item_meets
from holdfast.commerce.rules.item_prices import Item, unit_of
from holdfast.commerce.rules.rounding import divided, multiplied
from holdfast.commerce.values.money import Money, RoundingMode
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.taxed_price import TaxedPrice

_WHOLE = 10_000


def discounted_items(cart: Cart) -> Cart:
    """The cart with the discounted unit prices of its items."""
    if not cart.direct_discounts and not any(item.discounted_price_per_quantity for item in cart.items):
        return cart
    return replace(
        cart,
        line_items=tuple(_discounted(item, cart) for item in cart.line_items),
        custom_line_items=tuple(_discounted(item, cart) for item in cart.custom_line_items),
    )


def _applies(target: DiscountTarget, item: LineItem | CustomLineItem, cart: Cart) -> bool:
    if isinstance(item, LineItem):
        reached = isinstance(target, LineItemsTarget) and item.price_mode != "ExternalTotal"
    else:
        reached = isinstance(target, CustomLineItemsTarget) and item.price_mode != "External"
    return reached and item_meets(getattr(target, "predicate", ""), item, cart)


def _discounted(item: Item, cart: Cart) -> Item:
    discounts = [discount for discount in cart.direct_discounts if _applies(discount.target, item, cart)]
    price = _reduced(multiplied(unit_of(item), 1, cart.price_rounding_mode), discounts, cart)
    lots = (DiscountedPriceForQuantity(quantity=item.quantity, discounted_price=price),) if price is not None else ()
    return item if lots == item.discounted_price_per_quantity else replace(item, discounted_price_per_quantity=lots)


def _reduced(cents: int, discounts: Iterable[DirectDiscount], cart: Cart) -> DiscountedItemPrice | None:
    """A price after its discounts, or None when none of them changes it."""
    included = []
    for discount in discounts:
        left = _after(cents, discount.value, cart.currency, cart.price_rounding_mode)
        if left < cents:
            reference = Reference(type_id="direct-discount", id=discount.id)
            included.append(IncludedDiscount(discount=reference, discounted_amount=amount(cents - left, cart.currency)))
            cents = left
    if not included:
        return None
    return DiscountedItemPrice(value=amount(cents, cart.currency), included_discounts=tuple(included))


def _after(cents: int, value: DiscountValue, currency: str, mode: RoundingMode) -> int:
    match value:
        case RelativeValue():
            return divided(cents * (_WHOLE - value.permyriad), _WHOLE, mode)
        case AbsoluteValue():
            return max(0, cents - _cents_in(value.money, currency, 0))
        case FixedValue():
            return _cents_in(value.money, currency, cents)


def _cents_in(amounts: Iterable[Money], currency: str, otherwise: int) -> int:
    return next((one.cent_amount for one in amounts if one.currency_code == currency), otherwise)


def discounted_shipping(cart: Cart) -> Cart:
    """The cart with the discounted price of shipping."""
    discounts = [discount for discount in cart.direct_discounts if isinstance(discount.target, ShippingTarget)]
    info = cart.shipping_info
    if info is not None:
        price = _reduced(info.price.cent_amount, discounts, cart)
        if price != info.discounted_price:
            cart = replace(cart, shipping_info=replace(info, discounted_price=price))
    if not cart.shipping:
        return cart
    return replace(
        cart,
        shipping=tuple(
            replace(
                entry,
                shipping_info=replace(
                    entry.shipping_info,
                    discounted_price=_reduced(entry.shipping_info.price.cent_amount, discounts, cart),
                ),
            )
            for entry in cart.shipping
        ),
    )


def undiscounted_cents(cart: Cart) -> int:
    """The total as it was before the discount on it."""
    discount = cart.discount_on_total_price
    return cart.total_price.cent_amount + (discount.discounted_amount.cent_amount if discount is not None else 0)


def discounted_total(cart: Cart) -> Cart:
    """The cart with the discount on its total, taken off the taxed prices in proportion."""
    discounts = [discount for discount in cart.direct_discounts if isinstance(discount.target, TotalPriceTarget)]
    before = cart.total_price.cent_amount
    price = _reduced(before, discounts, cart) if discounts else None
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
        upto = divided((gross - net) * reached, full, cart.tax_rounding_mode) if full > 0 else 0
        portions.append(replace(portion, amount=amount(upto - given, cart.currency)))
        given = upto
    return TaxedPrice(
        total_net=amount(net, cart.currency),
        total_gross=amount(gross, cart.currency),
        tax_portions=tuple(portions),
        total_tax=amount(gross - net, cart.currency),
    )
