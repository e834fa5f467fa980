"""What a line costs: the price the cart selects, the unit it makes at a quantity, and the line's total."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, TypeVar

from msgspec.structs import replace

from holdfast.base.errors import MatchingPriceNotFound
from holdfast.commerce.facts import ById, Facts
from holdfast.commerce.resources.cart.shape import Cart, CustomLineItem, DiscountedPriceForQuantity, LineItem
from holdfast.commerce.resources.customer.shape import customers
from holdfast.commerce.resources.product.shape import Product, ProductVariant, products
from holdfast.commerce.rules.amounts import amount
from holdfast.commerce.rules.pricing import PriceSelector, select_price, unit_price
from holdfast.commerce.rules.rounding import multiplied
from holdfast.commerce.values.money import Money, RoundingMode
from holdfast.commerce.values.price import Price
from holdfast.commerce.values.reference import Reference

Item = TypeVar("Item", LineItem, CustomLineItem)


def selector(cart: Cart, prices: Sequence[Price], channel: Reference | None, facts: Facts) -> PriceSelector:
    """For whom and where the cart wants one of these prices."""
    return PriceSelector(
        currency=cart.total_price.currency_code,
        country=cart.country,
        customer_group_ids=_groups(cart, prices, facts),
        channel_id=channel.id if channel is not None else None,
        at=facts.now,
    )


def _groups(cart: Cart, prices: Sequence[Price], facts: Facts) -> frozenset[str]:
    """The cart's customer group, and those its customer is assigned to; asked only where a price is for a group."""
    own = frozenset((cart.customer_group.id,) if cart.customer_group is not None else ())
    if cart.customer_id is None or all(price.customer_group is None for price in prices):
        return own
    customer = facts.find(customers, cart.customer_id)
    if customer is None:
        return own
    return own.union(each.customer_group.id for each in customer.customer_group_assignments)


def cart_price(cart: Cart, product: Product, variant: ProductVariant, channel: Reference | None, facts: Facts) -> Price:
    """The variant's price for this cart. Raises MatchingPriceNotFound.

    Prices of their own (price mode Standalone) are another resource; the embedded ones of such a
    product are switched off and must not be sold at.
    """
    wanted = selector(cart, variant.prices, channel, facts)
    price = select_price(variant.prices, wanted) if product.price_mode == "Embedded" else None
    if price is None:
        _no_price(product.id, variant.id, wanted, cart.customer_group, channel)
    return price


def _no_price(
    product_id: str, variant_id: int, wanted: PriceSelector, group: Reference | None, channel: Reference | None
) -> NoReturn:
    scope = [wanted.country, group and group.id, channel and channel.id]
    places = ", ".join(part or "none" for part in scope)
    raise MatchingPriceNotFound(
        f"The variant '{variant_id}' of product '{product_id}' does not contain a price for currency "
        f"'{wanted.currency}' (country, customer group, channel: {places}).",
        product_id=product_id,
        variant_id=variant_id,
        currency=wanted.currency,
        country=wanted.country,
        customer_group=group,
        channel=channel,
    )


def on_sale(product: Product | None) -> bool:
    """Whether shoppers can see the product at all."""
    return product is not None and product.master_data.published


def refreshed(item: LineItem, cart: Cart, facts: Facts) -> LineItem:
    """The line with the price of today; a product that is gone leaves the line as it was."""
    product = facts.find(products, item.product_id)
    if product is None or not product.master_data.published:
        return item
    data = product.master_data.current
    if item.product_slug != data.slug:
        item = replace(item, product_slug=data.slug)
    variant = data.variant(item.variant.id)
    if item.price_mode != "Platform" or item.line_item_mode != "Standard" or variant is None:
        return item
    price = cart_price(cart, product, variant, item.distribution_channel, facts)
    return item if price == item.price else replace(item, price=price)


def gather_products(items: tuple[LineItem, ...], facts: Facts) -> None:
    """Ask for the products of all lines in one go."""
    facts.gather(ById(products.name, item.product_id) for item in items)


def line_unit(item: LineItem) -> Money:
    """What one unit of a line costs before cart discounts."""
    return unit_price(item.price, item.quantity)


def unit_of(item: LineItem | CustomLineItem) -> Money:
    """What one unit costs before cart discounts."""
    return line_unit(item) if isinstance(item, LineItem) else item.money


def total_cents(item: LineItem | CustomLineItem, rounding: RoundingMode) -> int:
    """Unit × quantity, or the sum over discounted units, or the total given from outside."""
    if isinstance(item, LineItem) and item.price_mode == "ExternalTotal":
        return item.total_price.cent_amount
    if item.discounted_price_per_quantity:
        return sum(_lot_cents(lot, rounding) for lot in item.discounted_price_per_quantity)
    external = isinstance(item, LineItem) and item.price_mode == "ExternalPrice"
    return multiplied(unit_of(item), item.quantity, "HalfEven" if external else rounding)


def _lot_cents(lot: DiscountedPriceForQuantity, rounding: RoundingMode) -> int:
    return multiplied(lot.discounted_price.value, lot.quantity, rounding)


def totalled(item: Item, cart: Cart) -> Item:
    """The item with its total; amounts of tax given from outside are void once it changes."""
    cents = total_cents(item, cart.price_rounding_mode)
    if cents == item.total_price.cent_amount:
        return item
    item = replace(item, total_price=amount(cents, cart.currency))
    if cart.tax_mode == "ExternalAmount":
        return replace(item, taxed_price=None, tax_rate=None, taxed_price_portions=(), per_method_tax_rate=())
    return item
