"""Gifts: line items a discount adds to the cart, at their price and for nothing."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import MatchingPriceNotFound
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.discount_shapes import GiftValue
from holdfast.commerce.resources.cart.line_items import product_data
from holdfast.commerce.resources.cart.parts import initial_state
from holdfast.commerce.resources.cart.shape import (
    Cart,
    DiscountedItemPrice,
    DiscountedPriceForQuantity,
    IncludedDiscount,
    LineItem,
)
from holdfast.commerce.resources.product.shape import Product, ProductVariant, products
from holdfast.commerce.rules.item_prices import cart_price, line_unit
from holdfast.commerce.rules.rounding import multiplied
from holdfast.commerce.values.money import money
from holdfast.commerce.values.price import Price
from holdfast.commerce.values.reference import Reference


def is_gift(item: object) -> bool:
    return isinstance(item, LineItem) and item.line_item_mode == "GiftLineItem"


def discount_of_gift(line: LineItem) -> Reference | None:
    """The discount a gift came with: the one that pays for it."""
    lots = line.discounted_price_per_quantity
    return lots[0].discounted_price.included_discounts[0].discount if lots else None


def gift(discount: Reference, value: GiftValue, cart: Cart, facts: Facts) -> LineItem | None:
    """The line of a gift, the one that is there already if it is; None where there is nothing to give.

    A gift that was refused, or has no price in this cart, is not given.
    """
    if discount in cart.refused_gifts:
        return None
    product = facts.find(products, value.product)
    variant = product.master_data.current.variant(value.variant_id) if product is not None else None
    if product is None or variant is None:
        return None
    try:
        price = cart_price(cart, product, variant, value.distribution_channel, facts)
    except MatchingPriceNotFound:
        return None
    present = next((line for line in cart.line_items if _is_it(line, discount, value)), None)
    line = replace(present, price=price) if present is not None else _line(value, product, variant, price, facts)
    return _paid_by(line, discount, cart)


def _is_it(line: LineItem, discount: Reference, value: GiftValue) -> bool:
    wanted = (value.product.id, value.variant_id, value.supply_channel, value.distribution_channel)
    given = (line.product_id, line.variant.id, line.supply_channel, line.distribution_channel)
    return is_gift(line) and discount_of_gift(line) == discount and given == wanted


def _line(value: GiftValue, product: Product, variant: ProductVariant, price: Price, facts: Facts) -> LineItem:
    line = LineItem(
        id=facts.new_id(),
        product_id=product.id,
        name=product.master_data.current.name,
        product_type=product.product_type,
        variant=variant,
        price=price,
        quantity=1,
        total_price=money(0, price.value.currency_code),
        state=initial_state(1, facts),
        supply_channel=value.supply_channel,
        distribution_channel=value.distribution_channel,
        price_mode="Platform",
        line_item_mode="GiftLineItem",
        added_at=facts.now,
        last_modified_at=facts.now,
    )
    return product_data(line, product, variant)


def _paid_by(line: LineItem, discount: Reference, cart: Cart) -> LineItem:
    worth = money(multiplied(line_unit(line), 1, cart.price_rounding_mode), cart.currency)
    included = (IncludedDiscount(discount=discount, discounted_amount=worth),)
    free = DiscountedItemPrice(value=money(0, cart.currency), included_discounts=included)
    lots = (DiscountedPriceForQuantity(quantity=1, discounted_price=free),)
    return line if line.discounted_price_per_quantity == lots else replace(line, discounted_price_per_quantity=lots)
