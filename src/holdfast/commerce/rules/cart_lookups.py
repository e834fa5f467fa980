"""What reckoning a cart is going to ask for, as far as the cart itself tells: read ahead in one trip."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.commerce.facts import ByField, ById
from holdfast.commerce.resources.automatic_discounts import automatic_lookup
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.rules.stock import stock_lookups
from holdfast.commerce.rules.totals import shipping_infos


def order_lookups(cart: Cart, project: str) -> tuple[ById | ByField, ...]:
    """The records that placing an order of this cart asks for; a wrong guess costs a read, nothing else."""
    return (*stock_lookups(cart), *dict.fromkeys(_reckoned_from(cart, project)))


def _reckoned_from(cart: Cart, project: str) -> Iterator[ById]:
    yield automatic_lookup(project)
    for item in cart.line_items:
        yield ById("product", item.product_id)
    for custom in cart.custom_line_items:
        if custom.tax_category is not None:
            yield ById("tax-category", custom.tax_category.id)
    for info in shipping_infos(cart):
        if info.shipping_method is not None:
            yield ById("shipping-method", info.shipping_method.id)
        if info.tax_category is not None:
            yield ById("tax-category", info.tax_category.id)
