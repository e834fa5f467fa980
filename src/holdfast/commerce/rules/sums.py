"""Adds a cart or an order up again from its parts, to the cent, and says where it does not add up.

It shares no arithmetic with the rules that made the totals: only what is written down is read, and
only whole minor units are added. Amounts of high precision, and totals and taxes that came from
outside, are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.commerce.resources.cart.shape import Cart, CustomLineItem, LineItem, ShippingInfo
from holdfast.commerce.resources.order.shape import Order
from holdfast.commerce.rules.item_prices import unit_of
from holdfast.commerce.values.taxed_price import TaxedPrice

Sold = Cart | Order


def misreckoned(sold: Sold) -> list[str]:
    """Every sum that is not the sum of its parts."""
    return [*_items(sold), *_total(sold), *_taxes(sold)]


def _items(sold: Sold) -> Iterator[str]:
    for item in sold.items:
        wanted = _cents(item)
        if wanted is not None and wanted != item.total_price.cent_amount:
            yield f"item {item.id}: {item.total_price.cent_amount}, its units make {wanted}"
        if item.taxed_price is not None:
            yield from _taxed(f"item {item.id}", item.taxed_price)


def _cents(item: LineItem | CustomLineItem) -> int | None:
    """Units times prices, None where that is not to be told from what is written down."""
    if isinstance(item, LineItem) and item.price_mode == "ExternalTotal":
        return None
    lots = [(lot.quantity, lot.discounted_price.value) for lot in item.discounted_price_per_quantity]
    if not lots:
        lots = [(item.quantity, unit_of(item))]
    if any(price.precise_amount is not None for _, price in lots):
        return None
    return sum(quantity * price.cent_amount for quantity, price in lots)


def _total(sold: Sold) -> Iterator[str]:
    items = sum(item.total_price.cent_amount for item in sold.items)
    shipping = sum(_shipping_cents(info) for info in _shipping(sold))
    discount = sold.discount_on_total_price
    off = discount.discounted_amount.cent_amount if discount is not None else 0
    if items + shipping - off != sold.total_price.cent_amount:
        yield f"total: {sold.total_price.cent_amount}, but items {items} + shipping {shipping} - discount {off}"


def _shipping(sold: Sold) -> Sequence[ShippingInfo]:
    if sold.shipping_mode == "Multiple":
        return [entry.shipping_info for entry in sold.shipping]
    return [sold.shipping_info] if sold.shipping_info is not None else []


def _shipping_cents(info: ShippingInfo) -> int:
    return (info.price if info.discounted_price is None else info.discounted_price.value).cent_amount


def _taxes(sold: Sold) -> Iterator[str]:
    of_shipping = [info.taxed_price for info in _shipping(sold) if info.taxed_price is not None]
    for price in of_shipping:
        yield from _taxed("shipping", price)
    if sold.taxed_shipping_price is not None:
        yield from _taxed("taxed shipping", sold.taxed_shipping_price)
        if sold.discount_on_total_price is None:
            yield from _sums("taxed shipping", sold.taxed_shipping_price, of_shipping, 0, 0)
    yield from _whole(sold)


def _whole(sold: Sold) -> Iterator[str]:
    whole = sold.taxed_price
    if whole is None:
        return
    yield from _taxed("taxed total", whole)
    if sold.tax_mode == "ExternalAmount":
        return
    parts = [part.taxed_price for part in (*sold.items, *_shipping(sold)) if part.taxed_price is not None]
    discount = sold.discount_on_total_price
    off_net = off_gross = 0
    if discount is not None:
        if discount.discounted_net_amount is None or discount.discounted_gross_amount is None:
            return
        off_net, off_gross = discount.discounted_net_amount.cent_amount, discount.discounted_gross_amount.cent_amount
    yield from _sums("taxed total", whole, parts, off_net, off_gross)


def _sums(name: str, whole: TaxedPrice, parts: Sequence[TaxedPrice], off_net: int, off_gross: int) -> Iterator[str]:
    net = sum(part.total_net.cent_amount for part in parts) - off_net
    gross = sum(part.total_gross.cent_amount for part in parts) - off_gross
    yield from _differs(f"{name}, net", whole.total_net.cent_amount, net)
    yield from _differs(f"{name}, gross", whole.total_gross.cent_amount, gross)


def _taxed(name: str, price: TaxedPrice) -> Iterator[str]:
    tax = price.total_gross.cent_amount - price.total_net.cent_amount
    if price.total_tax is not None:
        yield from _differs(f"{name}, tax", price.total_tax.cent_amount, tax)
    if price.tax_portions:
        yield from _differs(f"{name}, tax portions", sum(part.amount.cent_amount for part in price.tax_portions), tax)


def _differs(name: str, seen: int, wanted: int) -> Iterator[str]:
    if seen != wanted:
        yield f"{name}: {seen}, its parts make {wanted}"
