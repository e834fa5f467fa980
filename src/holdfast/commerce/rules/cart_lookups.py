"""What reckoning a cart is going to ask for, as far as the cart itself tells: read ahead in one trip."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.commerce.facts import ByField, ById
from holdfast.commerce.resources.automatic_discounts import automatic_lookup
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.resources.discount_code import discount_codes
from holdfast.commerce.resources.product.shape import products
from holdfast.commerce.resources.shipping_method import shipping_methods
from holdfast.commerce.resources.tax_category import tax_categories
from holdfast.commerce.rules.stock import stock_lookups
from holdfast.commerce.rules.totals import shipping_infos


def order_lookups(cart: Cart, project: str) -> tuple[ById | ByField, ...]:
    """The records that placing an order of this cart asks for; a wrong guess costs a read, nothing else."""
    return (*stock_lookups(cart), *dict.fromkeys((*reckoning_lookups(cart, project), *_tax_lookups(cart))))


def reckoning_lookups(cart: Cart, project: str) -> Iterator[ById]:
    """What any reckoning asks for: discounts, the products of all lines, shipping methods."""
    yield automatic_lookup(project)
    for code in cart.discount_codes:
        yield ById(discount_codes.name, code.discount_code.id)
    for item in cart.line_items:
        yield ById(products.name, item.product_id)
    for info in shipping_infos(cart):
        if info.shipping_method is not None:
            yield ById(shipping_methods.name, info.shipping_method.id)


def _tax_lookups(cart: Cart) -> Iterator[ById]:
    taxed = [item.tax_category for item in cart.custom_line_items] + [
        info.tax_category for info in shipping_infos(cart)
    ]
    return (ById(tax_categories.name, category.id) for category in taxed if category is not None)
