"""How a draft becomes a cart."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import ByField, Facts, Lookup, lookup_of
from holdfast.commerce.resources.automatic_discounts import automatic_lookup
from holdfast.commerce.resources.cart.addresses import add_item_address
from holdfast.commerce.resources.cart.custom_line_items import add_custom_line
from holdfast.commerce.resources.cart.discounts import with_code
from holdfast.commerce.resources.cart.drafts import CartDraft, LineItemDraft, MyCartDraft
from holdfast.commerce.resources.cart.line_items import add_line
from holdfast.commerce.resources.cart.ownership import check_country, check_locale, with_customer
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.cart.shipping import add_custom_shipping, add_shipping, choose_method, rate_input_of
from holdfast.commerce.resources.customer_group import customer_groups
from holdfast.commerce.resources.inventory_entry import entry_lookup
from holdfast.commerce.resources.product.shape import products
from holdfast.commerce.resources.project import project_of
from holdfast.commerce.resources.store import stores
from holdfast.commerce.rules.addresses import address_of
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.rules.references import resolve_named
from holdfast.commerce.values.money import money
from holdfast.commerce.values.reference import KeyReference
from holdfast.commerce.values.value import adopt


@carts.create
def create_cart(draft: CartDraft, facts: Facts) -> Cart:
    """A cart with everything the draft asks for.

    Raises what the actions would raise that add the same things one by one.
    """
    return drafted(draft, facts)


def drafted(draft: CartDraft, facts: Facts) -> Cart:
    _check(draft, facts)
    gather_drafted(draft.line_items, facts)
    cart = _owned(_empty(draft, facts), draft, facts)
    for address in draft.item_shipping_addresses:
        cart = add_item_address(cart, address, facts)
    for line in draft.line_items:
        cart = add_line(cart, line, facts)
    for custom_line in draft.custom_line_items:
        cart = add_custom_line(cart, custom_line, facts)
    for code in draft.discount_codes:
        cart = with_code(cart, code, facts)
    return _shipped(cart, draft, facts)


@carts.create
def create_my_cart(draft: MyCartDraft, facts: Facts) -> Cart:
    """A cart of the shopper who asks."""
    lines = tuple(adopt(LineItemDraft, line) for line in draft.line_items)
    whole = adopt(
        CartDraft,
        draft,
        line_items=lines,
        customer_id=facts.caller.customer_id,
        anonymous_id=facts.caller.anonymous_id if facts.caller.customer_id is None else None,
    )
    return drafted(whole, facts)


def gather_drafted(drafts: tuple[LineItemDraft, ...], facts: Facts) -> None:
    """Ask for the products of all drafted lines in one go, and for the discounts that may apply to them."""
    wanted = (_product_lookup(draft) for draft in drafts if draft.product_id is not None or draft.sku is not None)
    entries = (
        entry_lookup(draft.sku, None) for draft in drafts if draft.sku is not None and draft.supply_channel is None
    )
    facts.gather((automatic_lookup(facts.project_key), *wanted, *entries))


def _product_lookup(draft: LineItemDraft) -> Lookup:
    if draft.product_id is not None:
        return lookup_of(products.name, draft.product_id)
    return ByField(products.name, "sku", draft.sku or "")


def _check(draft: CartDraft, facts: Facts) -> None:
    if draft.customer_id is not None and draft.anonymous_id is not None:
        raise InvalidOperation("A cart can have either a customerId or an anonymousId.")
    if draft.customer_id is not None and draft.customer_group is not None:
        raise InvalidOperation("The customer group of a cart is that of its customer.")
    if draft.business_unit is not None:
        resolve_named("business-unit", draft.business_unit, facts)
    check_locale(draft.locale, facts)


def _store(draft: CartDraft, facts: Facts) -> KeyReference | None:
    """The store of the request's path, or else that of the draft."""
    if facts.store_key is not None:
        return KeyReference(type_id="store", key=facts.store_key)
    if draft.store is not None:
        return KeyReference(type_id="store", key=facts.get(stores, draft.store).key)
    return None


def _empty(draft: CartDraft, facts: Facts) -> Cart:
    defaults = project_of(facts).carts
    store = _store(draft, facts)
    check_country(draft.country, store, facts)
    return Cart(
        key=draft.key,
        store=store,
        total_price=money(0, draft.currency),
        tax_mode=draft.tax_mode,
        price_rounding_mode=draft.price_rounding_mode or defaults.price_rounding_mode,
        tax_rounding_mode=draft.tax_rounding_mode or defaults.tax_rounding_mode,
        tax_calculation_mode=draft.tax_calculation_mode,
        inventory_mode=draft.inventory_mode,
        cart_state="Active",
        billing_address=address_of(draft.billing_address, facts) if draft.billing_address is not None else None,
        shipping_address=address_of(draft.shipping_address, facts) if draft.shipping_address is not None else None,
        shipping_mode=draft.shipping_mode,
        country=draft.country,
        locale=draft.locale,
        origin=draft.origin,
        custom=custom_fields(draft.custom, "order", facts),
        delete_days_after_last_modification=(
            draft.delete_days_after_last_modification or defaults.delete_days_after_last_modification
        ),
        purchase_order_number=draft.purchase_order_number,
    )


def _owned(cart: Cart, draft: CartDraft, facts: Facts) -> Cart:
    cart = replace(cart, customer_email=draft.customer_email, anonymous_id=draft.anonymous_id)
    if draft.customer_id is not None:
        return with_customer(cart, draft.customer_id, facts)
    if draft.customer_group is not None:
        return replace(cart, customer_group=facts.resolve(customer_groups, draft.customer_group))
    return cart


def _shipped(cart: Cart, draft: CartDraft, facts: Facts) -> Cart:
    cart = replace(cart, shipping_rate_input=rate_input_of(draft.shipping_rate_input, facts))
    if draft.shipping_method is not None:
        cart = choose_method(cart, draft.shipping_method, draft.external_tax_rate_for_shipping_method, None, facts)
    for shipping in draft.shipping:
        cart = add_shipping(cart, shipping, None, facts)
    for shipping_of_own in draft.custom_shipping:
        cart = add_custom_shipping(cart, shipping_of_own, facts)
    return cart
