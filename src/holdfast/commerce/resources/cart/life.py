"""Freezing, locking and refreshing a cart; payments and shopping lists."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import InsufficientScope, InvalidOperation, ReferencedResourceNotFound
from holdfast.commerce.facts import Caller, Facts
from holdfast.commerce.messages.cart import CartFrozen, CartLocked, CartUnfrozen, CartUnlocked
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.drafts import FreezeStrategy
from holdfast.commerce.resources.cart.guard import pricing_action
from holdfast.commerce.resources.cart.line_items import product_data
from holdfast.commerce.resources.cart.parts import channel_with
from holdfast.commerce.resources.cart.shape import Cart, CartLock, LineItem, PaymentInfo, carts
from holdfast.commerce.resources.payment.shape import Payment, payments
from holdfast.commerce.resources.product.shape import products
from holdfast.commerce.rules.item_prices import gather_products, on_sale
from holdfast.commerce.rules.references import resolve_named
from holdfast.commerce.scopes import allows
from holdfast.commerce.values.reference import Reference, ResourceIdentifier

# --- freezing and locking ------------------------------------------------------------------


@carts.action("freezeCart")
def freeze_cart(cart: Cart, *, strategy: FreezeStrategy = "SoftFreeze") -> Changed[Cart]:
    """Keep prices, taxes and discounts as they are until the cart is unfrozen."""
    if cart.cart_state != "Active":
        raise InvalidOperation(f"Only an active cart can be frozen; this one is {cart.cart_state}.")
    if not cart.line_items and not cart.custom_line_items:
        raise InvalidOperation("An empty cart cannot be frozen.")
    return Changed(replace(cart, cart_state="Frozen", freeze_strategy=strategy), (CartFrozen(),))


@carts.action("unfreezeCart")
def unfreeze_cart(cart: Cart) -> Changed[Cart]:
    """Let prices, taxes and discounts move again, beginning with this update."""
    if cart.cart_state != "Frozen":
        raise InvalidOperation(f"Only a frozen cart can be unfrozen; this one is {cart.cart_state}.")
    return Changed(replace(cart, cart_state="Active", freeze_strategy=None), (CartUnfrozen(),))


def check_lock_scope(facts: Facts) -> None:
    """Whether the caller may lock carts, and change locked ones. Raises InsufficientScope."""
    if not allows(facts.caller.scopes, "manage_locked_carts", facts.store_key):
        raise InsufficientScope("Locking a cart, or changing a locked one, needs the scope 'manage_locked_carts'.")


@carts.action("lockCart")
def lock_cart(cart: Cart, facts: Facts) -> Changed[Cart]:
    """Keep API clients without the scope `manage_locked_carts` from changing the cart."""
    check_lock_scope(facts)
    if cart.lock is not None:
        raise InvalidOperation("The cart is locked already.")
    return Changed(
        replace(cart, lock=CartLock(created_at=facts.now, client_id=facts.caller.client_id)), (CartLocked(),)
    )


@carts.action("unlockCart")
def unlock_cart(cart: Cart) -> Changed[Cart]:
    if cart.lock is None:
        raise InvalidOperation("The cart is not locked.")
    return Changed(replace(cart, lock=None), (CartUnlocked(),))


# --- refreshing ----------------------------------------------------------------------------


@pricing_action("recalculate")
def recalculate(cart: Cart, facts: Facts, *, update_product_data: bool = False) -> Cart:
    """Bring prices and taxes up to date, as every update does; on request the product data too."""
    return with_product_data(cart, facts) if update_product_data else cart


def with_product_data(cart: Cart, facts: Facts) -> Cart:
    """The cart with the product data of today; products that are gone keep what was stored."""
    gather_products(cart.line_items, facts)
    return replace(cart, line_items=tuple(_updated(item, facts) for item in cart.line_items))


def _updated(item: LineItem, facts: Facts) -> LineItem:
    product = facts.find(products, item.product_id)
    variant = product.master_data.current.variant(item.variant.id) if product is not None else None
    if product is None or variant is None or not on_sale(product):
        return item
    return product_data(item, product, variant)


# --- payments ------------------------------------------------------------------------------


@carts.action("addPayment")
def add_payment(cart: Cart, facts: Facts, *, payment: ResourceIdentifier) -> Cart:
    """Attach a payment; a shopper may only attach payments that are not somebody else's."""
    found = facts.get(payments, payment)
    if not _may_use(found, facts.caller):
        raise ReferencedResourceNotFound("payment", id=found.id)
    reference = Reference(type_id="payment", id=found.id)
    present = cart.payment_info.payments if cart.payment_info is not None else ()
    return cart if reference in present else replace(cart, payment_info=PaymentInfo(payments=(*present, reference)))


def _may_use(payment: Payment, caller: Caller) -> bool:
    """Whether the caller is no shopper at all, or the payment is theirs, or nobody's."""
    shopper = (caller.customer_id, caller.anonymous_id)
    owner = (payment.customer.id if payment.customer is not None else None, payment.anonymous_id)
    if shopper == (None, None) or owner == (None, None):
        return True
    return any(mine is not None and mine == theirs for mine, theirs in zip(shopper, owner, strict=True))


@carts.action("removePayment")
def remove_payment(cart: Cart, facts: Facts, *, payment: ResourceIdentifier) -> Cart:
    """Detach a payment; one that is not attached changes nothing."""
    gone = facts.resolve(payments, payment)
    present = cart.payment_info.payments if cart.payment_info is not None else ()
    left = tuple(reference for reference in present if reference != gone)
    if left == present:
        return cart
    return replace(cart, payment_info=PaymentInfo(payments=left) if left else None)


# --- shopping lists ------------------------------------------------------------------------


@pricing_action("addShoppingList")
def add_shopping_list(
    cart: Cart,
    facts: Facts,
    *,
    shopping_list: ResourceIdentifier,
    distribution_channel: ResourceIdentifier | None = None,
    supply_channel: ResourceIdentifier | None = None,
) -> Cart:
    """Add the line items of a shopping list, which must exist."""
    resolve_named("shopping-list", shopping_list, facts)
    channel_with("ProductDistribution", distribution_channel, cart, facts)
    channel_with("InventorySupply", supply_channel, cart, facts)
    return cart
