"""What shipping costs a cart, with its tax, for one shipping method or several."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.shape import Cart, Shipping, ShippingInfo, ShippingRateInput
from holdfast.commerce.resources.shipping_method import ShippingMethod, ShippingRate, shipping_methods
from holdfast.commerce.resources.tax_category import TaxRate, tax_categories
from holdfast.commerce.rules.amounts import amount
from holdfast.commerce.rules.cart_predicates import cart_meets
from holdfast.commerce.rules.item_taxes import cents_by_method
from holdfast.commerce.rules.shipping import Basket, offered, rate_for, shipping_cents
from holdfast.commerce.rules.tax import rate_at, taxed
from holdfast.commerce.values.address import Address
from holdfast.commerce.values.reference import Reference


def basket_of(cart: Cart) -> Basket:
    """The items of a cart, without shipping, as shipping rates look at them."""
    return Basket(sum(item.total_price.cent_amount for item in cart.items), cart.shipping_rate_input)


def basket_for(cart: Cart, shipping_key: str, rate_input: ShippingRateInput | None) -> Basket:
    """The items that one of several shipping methods brings."""
    return Basket(sum(cents_by_method(item, shipping_key) for item in cart.items), rate_input)


def is_offered(method: ShippingMethod, cart: Cart, facts: Facts) -> bool:
    """Whether the cart may choose the method, its rates aside."""
    store_key = cart.store.key if cart.store is not None else None
    return offered(method, store_key, lambda predicate: cart_meets(predicate, cart, facts))


def chosen(method: ShippingMethod, cart: Cart, address: Address, basket: Basket, facts: Facts) -> ShippingInfo:
    """Shipping by a method the cart is allowed to choose.

    Raises InvalidOperation when it is not: inactive, another store, predicate or no rate for the address.
    """
    if not is_offered(method, cart, facts):
        raise InvalidOperation(f"The shipping method with ID '{method.id}' is not allowed for the cart.")
    rate = rate_for(method, address, cart.currency, facts)
    if rate is None:
        raise InvalidOperation(
            f"The shipping method with ID '{method.id}' has no shipping rate in {cart.currency} "
            f"for the shipping address ({address.country}/{address.state or '-'})."
        )
    return ShippingInfo(
        shipping_method_name=method.name,
        price=amount(shipping_cents(rate, basket, facts), cart.currency),
        shipping_rate=rate,
        tax_category=method.tax_category,
        shipping_method=Reference(type_id="shipping-method", id=method.id),
        shipping_method_state="MatchesCart",
    )


def custom_shipping(
    rate: ShippingRate, cart: Cart, basket: Basket, facts: Facts, *, name: str, tax_category: Reference | None
) -> ShippingInfo:
    """Shipping by a method of the client's own making."""
    if rate.price.currency_code != cart.currency:
        raise InvalidOperation(f"The shipping rate must be in the currency of the cart, {cart.currency}.")
    return ShippingInfo(
        shipping_method_name=name,
        price=amount(shipping_cents(rate, basket, facts), cart.currency),
        shipping_rate=rate,
        tax_category=tax_category,
        shipping_method_state="MatchesCart",
    )


def refreshed_shipping(cart: Cart, facts: Facts) -> Cart:
    """The cart with the shipping rates, prices and tax rates of today. Expects its items refreshed."""
    if cart.shipping_mode == "Multiple":
        entries = tuple(_refreshed_entry(entry, cart, facts) for entry in cart.shipping)
        return cart if entries == cart.shipping else replace(cart, shipping=entries)
    if cart.shipping_info is None:
        return cart
    if cart.shipping_address is None:
        return replace(cart, shipping_info=None, shipping_custom_fields=None)
    info = _refreshed(cart.shipping_info, cart, cart.shipping_address, basket_of(cart), facts)
    return cart if info == cart.shipping_info else replace(cart, shipping_info=info)


def _refreshed_entry(entry: Shipping, cart: Cart, facts: Facts) -> Shipping:
    basket = basket_for(cart, entry.shipping_key, entry.shipping_rate_input)
    info = _refreshed(entry.shipping_info, cart, entry.shipping_address, basket, facts)
    return replace(entry, shipping_info=info)


def _refreshed(info: ShippingInfo, cart: Cart, address: Address, basket: Basket, facts: Facts) -> ShippingInfo:
    if info.shipping_method is not None:
        info = _by_method(info, info.shipping_method, cart, address, facts)
    cents = shipping_cents(info.shipping_rate, basket, facts)
    if cents != info.price.cent_amount:
        info = replace(info, price=amount(cents, cart.currency))
        if cart.tax_mode == "ExternalAmount":
            info = replace(info, taxed_price=None, tax_rate=None)
    if cart.tax_mode == "Platform":
        info = replace(info, tax_rate=_platform_rate(info, address, facts))
    return info


def _by_method(info: ShippingInfo, reference: Reference, cart: Cart, address: Address, facts: Facts) -> ShippingInfo:
    """The rate of today, or the old one marked as no longer matching."""
    method = facts.find(shipping_methods, reference)
    rate = rate_for(method, address, cart.currency, facts) if method is not None else None
    if method is None or rate is None or not is_offered(method, cart, facts):
        return replace(info, shipping_method_state="DoesNotMatchCart")
    return replace(
        info,
        shipping_method_name=method.name,
        shipping_rate=rate,
        tax_category=method.tax_category,
        shipping_method_state="MatchesCart",
    )


def _platform_rate(info: ShippingInfo, address: Address, facts: Facts) -> TaxRate | None:
    if info.tax_category is None:
        return None
    category = facts.find(tax_categories, info.tax_category)
    return rate_at(category, address) if category is not None else info.tax_rate


def taxed_shipping(info: ShippingInfo, cart: Cart) -> ShippingInfo:
    """Shipping with its taxed price, from the rate it has."""
    if cart.tax_mode == "ExternalAmount":
        return info
    if info.tax_rate is None:
        return info if info.taxed_price is None else replace(info, taxed_price=None)
    price = taxed(payable(info), (), info.tax_rate, cart.tax_rounding_mode, cart.currency)
    return info if price == info.taxed_price else replace(info, taxed_price=price)


def payable(info: ShippingInfo) -> int:
    """What shipping costs after discounts."""
    return (info.discounted_price.value if info.discounted_price is not None else info.price).cent_amount
