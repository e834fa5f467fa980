"""Two carts become one: what a guest put in the basket joins what the customer had."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import MatchingPriceNotFound
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Changed, Other, touched
from holdfast.commerce.resources.cart.line_items import find_twin, with_quantity
from holdfast.commerce.resources.cart.parts import with_line
from holdfast.commerce.resources.cart.shape import LINE_ITEMS_MAX, Cart, LineItem, carts
from holdfast.commerce.resources.product.shape import products
from holdfast.commerce.rules.item_prices import cart_price, gather_products, on_sale, totalled
from holdfast.commerce.rules.reservations import inherited
from holdfast.commerce.values.money import money


def merge_carts(customer_cart: Cart, anonymous_cart: Cart, facts: Facts) -> Changed[Cart]:
    """The customer's cart with the guest's line items, and the guest's cart as Merged.

    Of equal lines the larger quantity stays. Custom line items and custom fields stay behind, as do
    lines the customer's cart has no price for: a sign-in must not fail over them. Reservations come
    along. The customer's cart is left to be recalculated and touched by whoever commits it.
    """
    gather_products(anonymous_cart.line_items, facts)
    cart = customer_cart
    for item in anonymous_cart.line_items:
        if item.line_item_mode == "Standard":  # gifts come anew with the discounts that give them
            cart = _joined(cart, item, anonymous_cart, facts)
    left = replace(anonymous_cart, cart_state="Merged", stock_reserved=(), reserved_until=None)
    merged = touched(left, anonymous_cart.version + 1, facts)
    return Changed(cart, others=(Other(carts, anonymous_cart, merged),)).then(inherited(cart, anonymous_cart, facts))


def _joined(cart: Cart, item: LineItem, source: Cart, facts: Facts) -> Cart:
    line = _moved(cart, item, source, facts)
    if line is None:
        return cart
    twin = find_twin(cart, replace(line, key=None, tax_rate=None))
    if twin is not None:
        more = line.quantity > twin.quantity
        return with_line(cart, with_quantity(twin, line.quantity, cart, facts)) if more else cart
    if len(cart.line_items) >= LINE_ITEMS_MAX:
        return cart
    return replace(cart, line_items=(*cart.line_items, line))


def _moved(cart: Cart, item: LineItem, source: Cart, facts: Facts) -> LineItem | None:
    """The line as it would be in the customer's cart: addresses, taxes and a taken key stay behind."""
    moved = replace(
        item,
        key=None if any(known.key == item.key for known in cart.line_items) else item.key,
        shipping_details=None,
        per_method_tax_rate=(),
        taxed_price_portions=(),
        taxed_price=None,
        tax_rate=item.tax_rate if cart.tax_mode == source.tax_mode == "External" else None,
        discounted_price_per_quantity=(),
    )
    if item.price_mode != "Platform":
        return moved if source.currency == cart.currency else None
    product = facts.find(products, item.product_id)
    variant = product.master_data.current.variant(item.variant.id) if product is not None else None
    if product is None or variant is None or not on_sale(product):
        return moved if source.currency == cart.currency else None
    try:
        price = cart_price(cart, product, variant, item.distribution_channel, facts)
    except MatchingPriceNotFound:
        return None
    return totalled(replace(moved, price=price, total_price=money(0, cart.currency)), cart)
