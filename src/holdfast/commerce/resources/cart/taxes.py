"""Tax modes, and rates and amounts of tax given from outside."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.resources.cart.drafts import (
    ExternalTaxAmountDraft,
    ExternalTaxRateDraft,
    TaxCalculationMode,
    TaxMode,
    TaxPortionDraft,
)
from holdfast.commerce.resources.cart.guard import pricing_action
from holdfast.commerce.resources.cart.parts import (
    Item,
    cents_in,
    external_rate,
    wanted_custom_line,
    wanted_line,
    wanted_shipping,
    with_custom_line,
    with_line,
    with_shipping,
)
from holdfast.commerce.resources.cart.shape import Cart, MethodTaxedPrice, MethodTaxRate, ShippingInfo
from holdfast.commerce.resources.tax_category import TaxRate
from holdfast.commerce.rules.amounts import amount
from holdfast.commerce.rules.item_taxes import require_tax_mode
from holdfast.commerce.rules.tax import split, taxed_by_gross, total_of
from holdfast.commerce.rules.totals import summed
from holdfast.commerce.values.money import MoneyDraft, RoundingMode
from holdfast.commerce.values.taxed_price import TaxedPrice, TaxPortion

# --- modes ---------------------------------------------------------------------------------


@pricing_action("changeTaxMode")
def change_tax_mode(cart: Cart, *, tax_mode: TaxMode) -> Cart:
    """Change where taxes come from; what the old mode left behind goes."""
    if tax_mode == cart.tax_mode:
        return cart
    return without_taxes(replace(cart, tax_mode=tax_mode))


def without_taxes(cart: Cart) -> Cart:
    """The cart without any tax rate or taxed price."""
    info = cart.shipping_info
    return replace(
        cart,
        line_items=tuple(_untaxed(item) for item in cart.line_items),
        custom_line_items=tuple(_untaxed(item) for item in cart.custom_line_items),
        shipping_info=replace(info, tax_rate=None, taxed_price=None) if info is not None else None,
        shipping=tuple(
            replace(entry, shipping_info=replace(entry.shipping_info, tax_rate=None, taxed_price=None))
            for entry in cart.shipping
        ),
        taxed_price=None,
        taxed_shipping_price=None,
    )


def _untaxed(item: Item) -> Item:
    return replace(item, tax_rate=None, taxed_price=None, taxed_price_portions=(), per_method_tax_rate=())


@pricing_action("changeTaxRoundingMode")
def change_tax_rounding_mode(cart: Cart, *, tax_rounding_mode: RoundingMode) -> Cart:
    return replace(cart, tax_rounding_mode=tax_rounding_mode)


@pricing_action("changeTaxCalculationMode")
def change_tax_calculation_mode(cart: Cart, *, tax_calculation_mode: TaxCalculationMode) -> Cart:
    """Round once per line, or once per unit."""
    return replace(cart, tax_calculation_mode=tax_calculation_mode)


@pricing_action("changePriceRoundingMode")
def change_price_rounding_mode(cart: Cart, *, price_rounding_mode: RoundingMode) -> Cart:
    return replace(cart, price_rounding_mode=price_rounding_mode)


# --- rates from outside --------------------------------------------------------------------


@pricing_action("setLineItemTaxRate")
def set_line_item_tax_rate(
    cart: Cart,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    external_tax_rate: ExternalTaxRateDraft | None = None,
    shipping_key: str | None = None,
) -> Cart:
    """Set or remove a line's rate; tax mode External."""
    item = wanted_line(cart, line_item_id, line_item_key)
    return with_line(cart, _with_rate(item, cart, external_tax_rate, shipping_key))


@pricing_action("setCustomLineItemTaxRate")
def set_custom_line_item_tax_rate(
    cart: Cart,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    external_tax_rate: ExternalTaxRateDraft | None = None,
    shipping_key: str | None = None,
) -> Cart:
    """Set or remove a custom line's rate; tax mode External."""
    item = wanted_custom_line(cart, custom_line_item_id, custom_line_item_key)
    return with_custom_line(cart, _with_rate(item, cart, external_tax_rate, shipping_key))


def _with_rate(item: Item, cart: Cart, draft: ExternalTaxRateDraft | None, shipping_key: str | None) -> Item:
    require_tax_mode(cart, "External", "A tax rate")
    rate = external_rate(draft, "externalTaxRate") if draft is not None else None
    key = _method_key(cart, shipping_key)
    if key is None:
        return replace(item, tax_rate=rate)
    return replace(item, per_method_tax_rate=_rates(item, key, rate))


def _method_key(cart: Cart, shipping_key: str | None) -> str | None:
    """The shipping an external tax is for: named where there are several, and only there."""
    if (cart.shipping_mode == "Multiple") != (shipping_key is not None):
        word = "required" if shipping_key is None else "not allowed"
        raise InvalidOperation(f"'shippingKey' is {word} on a cart with shipping mode '{cart.shipping_mode}'.")
    return shipping_key


def _rates(item: Item, key: str, rate: TaxRate | None) -> tuple[MethodTaxRate, ...]:
    others: tuple[MethodTaxRate, ...] = tuple(
        entry for entry in item.per_method_tax_rate if entry.shipping_method_key != key
    )
    return others if rate is None else (*others, MethodTaxRate(shipping_method_key=key, tax_rate=rate))


@pricing_action("setShippingMethodTaxRate")
def set_shipping_method_tax_rate(
    cart: Cart, *, shipping_key: str | None = None, external_tax_rate: ExternalTaxRateDraft | None = None
) -> Cart:
    """Set or remove the rate of shipping; tax mode External."""
    require_tax_mode(cart, "External", "A tax rate")
    rate = external_rate(external_tax_rate, "externalTaxRate") if external_tax_rate is not None else None
    return _with_info(cart, shipping_key, lambda info: replace(info, tax_rate=rate))


# --- amounts from outside ------------------------------------------------------------------


@pricing_action("setLineItemTaxAmount")
def set_line_item_tax_amount(
    cart: Cart,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    external_tax_amount: ExternalTaxAmountDraft | None = None,
    shipping_key: str | None = None,
) -> Cart:
    """Set or remove a line's taxed price and rate; tax mode ExternalAmount."""
    item = wanted_line(cart, line_item_id, line_item_key)
    return with_line(cart, _with_amount(item, cart, external_tax_amount, shipping_key))


@pricing_action("setCustomLineItemTaxAmount")
def set_custom_line_item_tax_amount(
    cart: Cart,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    external_tax_amount: ExternalTaxAmountDraft | None = None,
    shipping_key: str | None = None,
) -> Cart:
    """Set or remove a custom line's taxed price and rate; tax mode ExternalAmount."""
    item = wanted_custom_line(cart, custom_line_item_id, custom_line_item_key)
    return with_custom_line(cart, _with_amount(item, cart, external_tax_amount, shipping_key))


def _with_amount(item: Item, cart: Cart, draft: ExternalTaxAmountDraft | None, shipping_key: str | None) -> Item:
    require_tax_mode(cart, "ExternalAmount", "A tax amount")
    key = _method_key(cart, shipping_key)
    rate, price = _amount(draft, cart)
    if key is None:
        return replace(item, tax_rate=rate, taxed_price=price)
    kept: tuple[MethodTaxedPrice, ...] = tuple(
        entry for entry in item.taxed_price_portions if entry.shipping_method_key != key
    )
    portions = kept if price is None else (*kept, MethodTaxedPrice(shipping_method_key=key, taxed_price=price))
    prices = [entry.taxed_price for entry in portions if entry.taxed_price is not None]
    return replace(
        item,
        per_method_tax_rate=_rates(item, key, rate),
        taxed_price_portions=portions,
        taxed_price=total_of(prices, cart.currency) if prices else None,
    )


def _amount(draft: ExternalTaxAmountDraft | None, cart: Cart) -> tuple[TaxRate | None, TaxedPrice | None]:
    """Rate and taxed price from a gross amount: the net amount follows from the rate."""
    if draft is None:
        return None, None
    rate = external_rate(draft.tax_rate, "externalTaxAmount.taxRate")
    gross = cents_in(draft.total_gross, cart, "externalTaxAmount.totalGross").cent_amount
    net = split(gross, replace(rate, included_in_price=True), cart.tax_rounding_mode).net
    return rate, taxed_by_gross(gross, rate, net, cart.tax_rounding_mode, cart.currency)


@pricing_action("setShippingMethodTaxAmount")
def set_shipping_method_tax_amount(
    cart: Cart, *, shipping_key: str | None = None, external_tax_amount: ExternalTaxAmountDraft | None = None
) -> Cart:
    """Set or remove the taxed price and rate of shipping; tax mode ExternalAmount."""
    require_tax_mode(cart, "ExternalAmount", "A tax amount")
    rate, price = _amount(external_tax_amount, cart)
    return _with_info(cart, shipping_key, lambda info: replace(info, tax_rate=rate, taxed_price=price))


@pricing_action("setCartTotalTax")
def set_cart_total_tax(
    cart: Cart, *, external_total_gross: MoneyDraft, external_tax_portions: tuple[TaxPortionDraft, ...] = ()
) -> Cart:
    """Set the gross amount of the whole cart; tax mode ExternalAmount.

    The net amount is the gross amount without its portions; when none are given, what the items and
    shipping have for net amounts, or the total price where one of them has none.
    """
    require_tax_mode(cart, "ExternalAmount", "The total tax")
    cart = summed(cart)
    gross = cents_in(external_total_gross, cart, "externalTotalGross").cent_amount
    portions = tuple(
        TaxPortion(name=draft.name, rate=draft.rate, amount=cents_in(draft.amount, cart, "externalTaxPortions.amount"))
        for draft in external_tax_portions
    )
    net = gross - sum(portion.amount.cent_amount for portion in portions) if portions else _net(cart)
    price = TaxedPrice(
        total_net=amount(net, cart.currency),
        total_gross=amount(gross, cart.currency),
        tax_portions=portions,
        total_tax=amount(gross - net, cart.currency),
    )
    return replace(cart, taxed_price=price)


def _net(cart: Cart) -> int:
    parts = [item.taxed_price for item in cart.items]
    parts += [info.taxed_price for info in (cart.shipping_info,) if info is not None]
    parts += [entry.shipping_info.taxed_price for entry in cart.shipping]
    known = [part.total_net.cent_amount for part in parts if part is not None]
    return sum(known) if known and len(known) == len(parts) else cart.total_price.cent_amount


def _with_info(cart: Cart, shipping_key: str | None, change: Callable[[ShippingInfo], ShippingInfo]) -> Cart:
    """The cart with changed shipping information. Raises InvalidOperation when there is none."""
    key = _method_key(cart, shipping_key)
    if key is not None:
        shipping = wanted_shipping(cart, key)
        return with_shipping(cart, replace(shipping, shipping_info=change(shipping.shipping_info)))
    if cart.shipping_info is None:
        raise InvalidOperation("The cart has no shipping method.")
    return replace(cart, shipping_info=change(cart.shipping_info))
