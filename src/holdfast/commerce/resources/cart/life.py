"""Freezing, locking and refreshing a cart; payments, discount codes and discounts of its own."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import (
    DiscountCodeNonApplicable,
    InsufficientScope,
    InvalidField,
    InvalidOperation,
    ReferencedResourceNotFound,
)
from holdfast.commerce.facts import Caller, Facts
from holdfast.commerce.messages.cart import CartFrozen, CartLocked, CartUnfrozen, CartUnlocked
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.discount_shapes import (
    AbsoluteValue,
    AbsoluteValueDraft,
    ApplicationMode,
    CustomLineItemsTarget,
    DirectDiscount,
    DirectDiscountDraft,
    DiscountValue,
    DiscountValueDraft,
    FixedValue,
    FixedValueDraft,
    LineItemsTarget,
    RelativeValue,
)
from holdfast.commerce.resources.cart.drafts import FreezeStrategy
from holdfast.commerce.resources.cart.guard import pricing_action
from holdfast.commerce.resources.cart.line_items import product_data
from holdfast.commerce.resources.cart.parts import channel_with
from holdfast.commerce.resources.cart.shape import Cart, CartLock, LineItem, PaymentInfo, carts
from holdfast.commerce.resources.payment.shape import Payment, payments
from holdfast.commerce.resources.product.shape import products
from holdfast.commerce.rules.cart_predicates import item_predicate
from holdfast.commerce.rules.item_prices import gather_products, on_sale
from holdfast.commerce.rules.references import resolve_named
from holdfast.commerce.scopes import allows
from holdfast.commerce.values.money import Money, MoneyDraft, cent_money
from holdfast.commerce.values.reference import Reference, ResourceIdentifier

DIRECT_DISCOUNTS_MAX = 100


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


# --- shopping lists and discounts ----------------------------------------------------------


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


@pricing_action("addDiscountCode")
def add_discount_code(cart: Cart, *, code: str) -> Cart:
    """Add a discount code, which must exist."""
    raise unknown_code(code)


def unknown_code(code: str) -> DiscountCodeNonApplicable:
    return DiscountCodeNonApplicable(
        f"The discount code '{code}' was not found.", discount_code=code, reason="DoesNotExist"
    )


@pricing_action("removeDiscountCode")
def remove_discount_code(cart: Cart, *, discount_code: Reference) -> Cart:
    """Remove a discount code; one that is not there changes nothing."""
    left = tuple(info for info in cart.discount_codes if info.discount_code.id != discount_code.id)
    return replace(cart, discount_codes=left)


@pricing_action("setDirectDiscounts")
def set_direct_discounts(cart: Cart, facts: Facts, *, discounts: tuple[DirectDiscountDraft, ...]) -> Cart:
    """Give the cart discounts of its own in place of those it has; they exclude discount codes."""
    if discounts and cart.discount_codes:
        raise InvalidOperation("A cart with discount codes cannot have direct discounts.")
    if len(discounts) > DIRECT_DISCOUNTS_MAX:
        raise InvalidOperation(f"A cart can have at most {DIRECT_DISCOUNTS_MAX} direct discounts.")
    return replace(cart, direct_discounts=tuple(_direct(draft, facts) for draft in discounts))


def _direct(draft: DirectDiscountDraft, facts: Facts) -> DirectDiscount:
    match draft.target:
        case LineItemsTarget(predicate=predicate):
            item_predicate(predicate, "lineItem")
        case CustomLineItemsTarget(predicate=predicate):
            item_predicate(predicate, "customLineItem")
    return DirectDiscount(id=facts.new_id(), value=_value(draft.value), target=draft.target)


def _value(draft: DiscountValueDraft) -> DiscountValue:
    match draft:
        case RelativeValue():
            return draft
        case AbsoluteValueDraft():
            return AbsoluteValue(money=_money(draft.money), application_mode=_per_unit(draft))
        case FixedValueDraft():
            return FixedValue(money=_money(draft.money), application_mode=_per_unit(draft))


def _per_unit(draft: AbsoluteValueDraft | FixedValueDraft) -> ApplicationMode | None:
    """Amounts apply to each unit; spreading one amount over many items is refused rather than misread."""
    if draft.application_mode not in (None, "IndividualApplication"):
        raise InvalidField(
            "discounts.value.applicationMode", draft.application_mode, allowed_values=["IndividualApplication"]
        )
    return draft.application_mode


def _money(drafts: tuple[MoneyDraft, ...]) -> tuple[Money, ...]:
    """Amounts in different currencies. Raises InvalidOperation for none, or two in one currency."""
    amounts = tuple(cent_money(draft, "discounts.value.money") for draft in drafts)
    if not amounts or len({one.currency_code for one in amounts}) < len(amounts):
        raise InvalidOperation("A discount value needs exactly one amount per currency.")
    if any(one.cent_amount < 0 for one in amounts):
        raise InvalidField("discounts.value.money.centAmount", None, "A discount cannot be negative.")
    return amounts
