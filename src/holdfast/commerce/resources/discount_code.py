"""Discount codes: words that make cart discounts apply, so often and to so many as they may."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import discount_code as told
from holdfast.commerce.predicates.cart import parse_cart_predicate
from holdfast.commerce.registry import Changed, Counted, Resource, born
from holdfast.commerce.resources.cart_discount import cart_discounts
from holdfast.commerce.rules.common_actions import set_localized_description
from holdfast.commerce.rules.custom_fields import custom_actions, custom_fields
from holdfast.commerce.rules.validity import check_validity, instant, validity_actions
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.reference import KeyReference, Reference, ResourceIdentifier
from holdfast.commerce.values.value import (
    Instant,
    Key,
    LocalizedString,
    Natural,
    Stored,
    Value,
    adopt,
    distinct,
    empty,
    yes,
)

# Published: discounts behind one code.
CART_DISCOUNTS_MAX = 10
GROUPS_MAX = 100

Code = Annotated[str, Meta(min_length=1, max_length=256)]
CartDiscounts = Annotated[tuple[ResourceIdentifier, ...], Meta(min_length=1, max_length=CART_DISCOUNTS_MAX)]
Groups = Annotated[tuple[str, ...], Meta(max_length=GROUPS_MAX)]


class DiscountCodeDraft(Value):
    key: Key | None = None
    name: LocalizedString | None = None
    description: LocalizedString | None = None
    code: Code
    cart_discounts: CartDiscounts
    cart_predicate: str | None = None
    is_active: bool = True
    max_applications: Natural | None = None
    max_applications_per_customer: Natural | None = None
    custom: CustomFieldsDraft | None = None
    groups: Groups = ()
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class DiscountCode(Stored):
    """A discount code. How often it was applied is a tally, shown as `applicationVersion`."""

    key: str | None = None
    name: LocalizedString | None = None
    description: LocalizedString | None = None
    code: str
    cart_discounts: tuple[Reference, ...] = field(default_factory=empty)
    stores: tuple[KeyReference, ...] = field(default_factory=empty)
    cart_predicate: str | None = None
    is_active: bool = field(default_factory=yes)
    references: tuple[Reference, ...] = field(default_factory=empty)
    max_applications: int | None = None
    max_applications_per_customer: int | None = None
    custom: CustomFields | None = None
    groups: tuple[str, ...] = field(default_factory=empty)
    valid_from: str | None = None
    valid_until: str | None = None
    application_version: int | None = None


def tally_of(code: DiscountCode) -> str:
    """The name of the tally that counts the orders a code was used in."""
    return f"discount-code/{code.id}"


def _with_applications(code: DiscountCode, used: int) -> DiscountCode:
    return replace(code, application_version=used)


discount_codes = Resource(
    "discount-code",
    path="discount-codes",
    shape=DiscountCode,
    draft=DiscountCodeDraft,
    unique=lambda code: [("code", code.code)],
    holds=("cart-discount", "type"),
    counted=Counted(tally_of, _with_applications),
)
discount_codes.action("setDescription")(set_localized_description)
custom_actions(discount_codes, "discount-code")
validity_actions(discount_codes)


@discount_codes.create
def create_discount_code(draft: DiscountCodeDraft, facts: Facts) -> DiscountCode:
    return _discounting(
        adopt(
            DiscountCode,
            draft,
            cart_discounts=(),
            valid_from=instant(draft.valid_from),
            valid_until=instant(draft.valid_until),
            custom=custom_fields(draft.custom, "discount-code", facts),
            groups=distinct(draft.groups),
        ),
        draft.cart_discounts,
        facts,
    )


@discount_codes.settle
def settle_discount_code(before: DiscountCode | None, after: DiscountCode, facts: Facts) -> Changed[DiscountCode]:
    """Check what belongs together, and tell of a new code."""
    if after.cart_predicate is not None:
        parse_cart_predicate(after.cart_predicate, "cartPredicate")
    check_validity(after)
    if before is not None:
        return Changed(after)
    whole = born(after, facts)
    return Changed(whole, (told.DiscountCodeCreated(discount_code=whole),))


@discount_codes.delete
def delete_discount_code(code: DiscountCode, facts: Facts) -> Changed[DiscountCode]:
    """Carts that carry the code keep it as one that is not valid any more."""
    return Changed(code, (told.DiscountCodeDeleted(),))


def _discounting(code: DiscountCode, identifiers: tuple[ResourceIdentifier, ...], facts: Facts) -> DiscountCode:
    """The code with its discounts, and the stores those are for."""
    found = [facts.get(cart_discounts, identifier) for identifier in identifiers]
    stores = tuple(dict.fromkeys(store for discount in found for store in discount.stores))
    ids = dict.fromkeys(discount.id for discount in found)
    return replace(code, cart_discounts=tuple(Reference(type_id="cart-discount", id=id) for id in ids), stores=stores)


# --- actions -------------------------------------------------------------------------------


@discount_codes.action("setName")
def set_name(code: DiscountCode, *, name: LocalizedString | None = None) -> DiscountCode:
    return replace(code, name=name)


@discount_codes.action("setKey")
def set_key(code: DiscountCode, *, key: Key | None = None) -> Changed[DiscountCode]:
    """Set or remove the user-defined key."""
    if key == code.key:
        return Changed(code)
    return Changed(replace(code, key=key), (told.DiscountCodeKeySet(key=key, old_key=code.key),))


@discount_codes.action("changeCartDiscounts")
def change_cart_discounts(code: DiscountCode, facts: Facts, *, cart_discounts: CartDiscounts) -> DiscountCode:
    """Change what the code makes apply."""
    return _discounting(code, cart_discounts, facts)


@discount_codes.action("setCartPredicate")
def set_cart_predicate(code: DiscountCode, *, cart_predicate: str | None = None) -> DiscountCode:
    return replace(code, cart_predicate=cart_predicate)


@discount_codes.action("changeIsActive")
def change_is_active(code: DiscountCode, *, is_active: bool) -> DiscountCode:
    return replace(code, is_active=is_active)


@discount_codes.action("setMaxApplications")
def set_max_applications(code: DiscountCode, *, max_applications: Natural | None = None) -> DiscountCode:
    """Set how many orders may use the code in all, those placed already included."""
    return replace(code, max_applications=max_applications)


@discount_codes.action("setMaxApplicationsPerCustomer")
def set_max_applications_per_customer(
    code: DiscountCode, *, max_applications_per_customer: Natural | None = None
) -> DiscountCode:
    """Set how many orders of one customer may use the code, those placed already included."""
    return replace(code, max_applications_per_customer=max_applications_per_customer)


@discount_codes.action("changeGroups")
def change_groups(code: DiscountCode, *, groups: Groups) -> DiscountCode:
    return replace(code, groups=distinct(groups))
