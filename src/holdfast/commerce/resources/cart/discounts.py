"""Discount codes on a cart, and discounts of its own."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import DiscountCodeNonApplicable, InvalidOperation, MaxResourceLimitExceeded
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.discount_shapes import DirectDiscount, DirectDiscountDraft
from holdfast.commerce.resources.cart.guard import pricing_action
from holdfast.commerce.resources.cart.shape import Cart, DiscountCodeInfo
from holdfast.commerce.resources.discount_code import discount_codes
from holdfast.commerce.rules.discount_codes import MATCHES, check_time
from holdfast.commerce.rules.discount_values import check_target, discount_value
from holdfast.commerce.values.reference import Reference

DIRECT_DISCOUNTS_MAX = 100
# Published.
DISCOUNT_CODES_MAX = 10


def with_code(cart: Cart, code: str, facts: Facts) -> Cart:
    """The cart with a discount code; its state is found when the cart is settled. The same one twice stays once.

    Raises DiscountCodeNonApplicable for a code that is unknown or not of today.
    """
    if cart.direct_discounts:
        raise InvalidOperation("A cart with direct discounts cannot have discount codes.")
    found = facts.find_by(discount_codes, "code", code)
    if found is None:
        raise DiscountCodeNonApplicable(
            f"The discount code '{code}' was not found.", discount_code=code, reason="DoesNotExist"
        )
    check_time(found, facts)
    if any(info.discount_code.id == found.id for info in cart.discount_codes):
        return cart
    if len(cart.discount_codes) >= DISCOUNT_CODES_MAX:
        raise MaxResourceLimitExceeded(f"A cart can have at most {DISCOUNT_CODES_MAX} discount codes.")
    info = DiscountCodeInfo(discount_code=Reference(type_id="discount-code", id=found.id), state=MATCHES)
    return replace(cart, discount_codes=(*cart.discount_codes, info))


@pricing_action("addDiscountCode")
def add_discount_code(cart: Cart, facts: Facts, *, code: str) -> Cart:
    """Add a discount code. One that does not match the cart stays on it with its state."""
    return with_code(cart, code, facts)


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
    value = discount_value(draft.value, facts, "discounts.value")
    check_target(value, draft.target, "discounts.")
    return DirectDiscount(id=facts.new_id(), value=value, target=draft.target)
