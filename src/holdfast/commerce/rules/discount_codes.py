"""Discount codes on carts: what state each is in, which discounts it brings, and how its uses are counted.

A use is counted by the order, in the transaction that makes it (`tally`). What a cart says about a
limit is what was known when it was reckoned; the limit itself is kept by the commit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from holdfast.base.errors import DiscountCodeNonApplicable
from holdfast.commerce.facts import ById, Facts, Used
from holdfast.commerce.resources.automatic_discounts import DiscountTerms
from holdfast.commerce.resources.cart.shape import Cart
from holdfast.commerce.resources.cart_discount import CartDiscount, cart_discounts, is_usable, terms_of
from holdfast.commerce.resources.discount_code import DiscountCode, discount_codes, tally_of
from holdfast.commerce.rules.validity import is_valid_at
from holdfast.commerce.tally import Tally
from holdfast.commerce.values.reference import Reference

MATCHES = "MatchesCart"
STOPPED = "ApplicationStoppedByPreviousDiscount"

Meets = Callable[[str], bool]
IsFor = Callable[[DiscountTerms], bool]


class Standing(NamedTuple):
    """The state of a code on a cart, and the discounts it brings while that is MatchesCart."""

    state: str
    discounts: tuple[DiscountTerms, ...] = ()


def gather_codes(cart: Cart, facts: Facts) -> None:
    """Ask for the codes of a cart at once, then for their discounts."""
    facts.gather(ById(discount_codes.name, info.discount_code.id) for info in cart.discount_codes)
    codes = [facts.find(discount_codes, info.discount_code) for info in cart.discount_codes]
    facts.gather(
        ById(cart_discounts.name, discount.id) for code in codes if code is not None for discount in code.cart_discounts
    )


def standing(reference: Reference, cart: Cart, facts: Facts, meets: Meets, is_for: IsFor) -> Standing:
    """Where a code stands. meets: whether the cart meets a predicate; is_for: whether a discount is for the cart."""
    code = facts.find(discount_codes, reference)
    if code is None or not is_valid_at(code, facts.now):
        return Standing("NotValid")
    if not code.is_active:
        return Standing("NotActive")
    if _is_used_up(code, cart, facts):
        return Standing("MaxApplicationReached")
    usable = [discount for discount in _discounts(code, facts) if is_usable(discount, facts.now)]
    if not usable:
        return Standing("NotValid")
    if code.cart_predicate is not None and not meets(code.cart_predicate):
        return Standing("DoesNotMatchCart")
    brought = tuple(terms for terms in map(terms_of, usable) if is_for(terms))
    return Standing(MATCHES, brought) if brought else Standing("DoesNotMatchCart")


def _discounts(code: DiscountCode, facts: Facts) -> list[CartDiscount]:
    found = (facts.find(cart_discounts, reference) for reference in code.cart_discounts)
    return [discount for discount in found if discount is not None]


# --- counting ------------------------------------------------------------------------------


def _is_used_up(code: DiscountCode, cart: Cart, facts: Facts) -> bool:
    limited = [(tally.name, tally.limit) for tally in _tallies(code, cart) if tally.limit is not None]
    facts.gather(Used(name) for name, _ in limited)
    return any(facts.used(name) >= limit for name, limit in limited)


def _tallies(code: DiscountCode, cart: Cart) -> tuple[Tally, ...]:
    """One use of a code, in all and by the customer; carts without a customer count in all only, as published."""
    refusal = not_applicable(code, "MaxApplicationReached", f"The discount code '{code.code}' was used up.")
    name = tally_of(code)
    in_all = Tally(name, 1, code.max_applications, refusal)
    if cart.customer_id is None:
        return (in_all,)
    return in_all, Tally(f"{name}/{cart.customer_id}", 1, code.max_applications_per_customer, refusal)


def redemptions(cart: Cart, facts: Facts) -> tuple[Tally, ...]:
    """The uses that ordering this cart counts. Raises DiscountCodeNonApplicable for a code that is gone."""
    return tuple(tally for info in cart.discount_codes for tally in _tallies(_code(info.discount_code, facts), cart))


def _code(reference: Reference, facts: Facts) -> DiscountCode:
    code = facts.find(discount_codes, reference)
    if code is None:
        raise DiscountCodeNonApplicable(
            f"The discount code with ID '{reference.id}' does not exist any more.",
            discount_code_id=reference.id,
            reason="DoesNotExist",
        )
    return code


# --- refusing ------------------------------------------------------------------------------


def check_applicable(cart: Cart, facts: Facts) -> None:
    """Whether all codes of a cart may be ordered with in their states. Raises DiscountCodeNonApplicable."""
    for info in cart.discount_codes:
        if info.state == MATCHES:
            continue
        code = _code(info.discount_code, facts)
        check_time(code, facts)
        raise not_applicable(code, info.state, f"The discount code '{code.code}' is in state '{info.state}'.")


def check_time(code: DiscountCode, facts: Facts) -> None:
    """Whether a code is of today. Raises DiscountCodeNonApplicable with the published reason."""
    if not is_valid_at(code, facts.now):
        raise DiscountCodeNonApplicable(
            f"The discount code '{code.code}' is not valid at this time.",
            discount_code=code.code,
            discount_code_id=code.id,
            reason="TimeRangeNonApplicable",
            valid_from=code.valid_from,
            valid_until=code.valid_until,
            validity_check_time=facts.now,
        )


def not_applicable(code: DiscountCode, reason: str, message: str) -> DiscountCodeNonApplicable:
    return DiscountCodeNonApplicable(message, discount_code=code.code, discount_code_id=code.id, reason=reason)
