"""Cart discounts: what carts that meet a predicate get off, by themselves or by a discount code."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base.errors import MaxResourceLimitExceeded, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import cart_discount as told
from holdfast.commerce.predicates.cart import parse_cart_predicate
from holdfast.commerce.registry import Changed, Resource, born
from holdfast.commerce.resources.automatic_discounts import DiscountTerms, StackingMode, with_terms
from holdfast.commerce.resources.cart.discount_shapes import (
    DiscountTarget,
    DiscountValue,
    DiscountValueDraft,
    GiftValue,
)
from holdfast.commerce.resources.store import stores as store_kind
from holdfast.commerce.rules.common_actions import change_localized_name, set_key, set_localized_description
from holdfast.commerce.rules.custom_fields import custom_actions, custom_fields
from holdfast.commerce.rules.discount_values import check_target, discount_value
from holdfast.commerce.rules.references import resolve_named
from holdfast.commerce.rules.validity import check_validity, instant, is_valid_at, validity_actions
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.reference import KeyReference, Reference, ResourceIdentifier
from holdfast.commerce.values.value import Instant, Key, LocalizedString, Stored, Value, adopt, empty, no, yes

STORES_MAX = 500

# A decimal strictly between 0 and 1 that does not end with a zero, so that equal ones are spelled alike.
SortOrder = Annotated[str, Meta(pattern=r"^0\.[0-9]*[1-9]\Z", max_length=256)]


def _stacking() -> StackingMode:
    return "Stacking"


class RecurringOrderScope(Value):
    """Whether the discount is for recurring orders; carts here are ordered once."""

    type: Literal["AnyOrder", "NonRecurringOrdersOnly", "RecurringOrdersOnly", "ApplicableRecurrencePolicies"]
    recurrence_policies: tuple[Reference, ...] | None = None


class RecurringOrderScopeDraft(Value):
    type: Literal["AnyOrder", "NonRecurringOrdersOnly", "RecurringOrdersOnly", "ApplicableRecurrencePolicies"]
    recurrence_policies: tuple[ResourceIdentifier, ...] | None = None


def _any_order() -> RecurringOrderScope:
    return RecurringOrderScope(type="AnyOrder")


class CartDiscountDraft(Value):
    key: Key | None = None
    name: LocalizedString
    description: LocalizedString | None = None
    value: DiscountValueDraft
    cart_predicate: str
    target: DiscountTarget | None = None
    sort_order: SortOrder | None = None
    stores: Annotated[tuple[ResourceIdentifier, ...], Meta(max_length=STORES_MAX)] = ()
    is_active: bool = True
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    requires_discount_code: bool = False
    stacking_mode: StackingMode = "Stacking"
    custom: CustomFieldsDraft | None = None
    discount_group: ResourceIdentifier | None = None
    recurring_order_scope: RecurringOrderScopeDraft | None = None


class CartDiscount(Stored):
    key: str | None = None
    name: LocalizedString
    description: LocalizedString | None = None
    value: DiscountValue
    cart_predicate: str
    target: DiscountTarget | None = None
    sort_order: str
    stores: tuple[KeyReference, ...] = field(default_factory=empty)
    is_active: bool = field(default_factory=yes)
    valid_from: str | None = None
    valid_until: str | None = None
    requires_discount_code: bool = field(default_factory=no)
    references: tuple[Reference, ...] = field(default_factory=empty)
    stacking_mode: StackingMode = field(default_factory=_stacking)
    custom: CustomFields | None = None
    recurring_order_scope: RecurringOrderScope = field(default_factory=_any_order)


cart_discounts = Resource(
    "cart-discount",
    path="cart-discounts",
    shape=CartDiscount,
    draft=CartDiscountDraft,
    unique=lambda discount: [("sortOrder", discount.sort_order)],
    holds=("type", "product", "channel"),
)
cart_discounts.action("changeName")(change_localized_name)
cart_discounts.action("setDescription")(set_localized_description)
cart_discounts.action("setKey")(set_key)
custom_actions(cart_discounts, "cart-discount")
validity_actions(cart_discounts)


@cart_discounts.create
def create_cart_discount(draft: CartDiscountDraft, facts: Facts) -> CartDiscount:
    if draft.sort_order is None and draft.discount_group is None:
        raise RequiredField("sortOrder")
    if draft.discount_group is not None:
        _no_group(draft.discount_group, facts)
    return adopt(
        CartDiscount,
        draft,
        value=discount_value(draft.value, facts),
        stores=_store_keys(draft.stores, facts),
        valid_from=instant(draft.valid_from),
        valid_until=instant(draft.valid_until),
        custom=custom_fields(draft.custom, "cart-discount", facts),
        recurring_order_scope=_scope(draft.recurring_order_scope, facts),
    )


@cart_discounts.settle
def settle_cart_discount(before: CartDiscount | None, after: CartDiscount, facts: Facts) -> Changed[CartDiscount]:
    """Check what belongs together, and keep the list of automatic discounts in step."""
    parse_cart_predicate(after.cart_predicate, "cartPredicate")
    check_target(after.value, after.target)
    check_validity(after)
    if before is not None:
        return Changed(after, others=with_terms(after.id, _automatic(after), facts))
    whole = born(after, facts)
    created = told.CartDiscountCreated(cart_discount=whole)
    return Changed(whole, (created,), others=with_terms(whole.id, _automatic(whole), facts))


@cart_discounts.delete
def delete_cart_discount(discount: CartDiscount, facts: Facts) -> Changed[CartDiscount]:
    return Changed(discount, (told.CartDiscountDeleted(),), others=with_terms(discount.id, None, facts))


def terms_of(discount: CartDiscount) -> DiscountTerms:
    """What applying the discount needs to know of it."""
    return adopt(DiscountTerms, discount)


def is_usable(discount: CartDiscount, now: str) -> bool:
    """Whether the discount is switched on, of today, and meant for carts that are ordered once."""
    once = discount.recurring_order_scope.type in ("AnyOrder", "NonRecurringOrdersOnly")
    return discount.is_active and once and is_valid_at(discount, now)


def _automatic(discount: CartDiscount) -> DiscountTerms | None:
    once = discount.recurring_order_scope.type in ("AnyOrder", "NonRecurringOrdersOnly")
    return terms_of(discount) if discount.is_active and once and not discount.requires_discount_code else None


def _no_group(identifier: ResourceIdentifier, facts: Facts) -> None:
    """Discount groups are not offered: naming one is naming something that does not exist."""
    resolve_named("discount-group", identifier, facts)


def _scope(draft: RecurringOrderScopeDraft | None, facts: Facts) -> RecurringOrderScope:
    if draft is None:
        return _any_order()
    if draft.type != "ApplicableRecurrencePolicies":
        return RecurringOrderScope(type=draft.type)
    if not draft.recurrence_policies:
        raise RequiredField("recurringOrderScope.recurrencePolicies")
    policies = tuple(resolve_named("recurrence-policy", policy, facts) for policy in draft.recurrence_policies)
    return RecurringOrderScope(type=draft.type, recurrence_policies=policies)


def _store_keys(identifiers: tuple[ResourceIdentifier, ...], facts: Facts) -> tuple[KeyReference, ...]:
    keys = dict.fromkeys(facts.get(store_kind, identifier).key for identifier in identifiers)
    return tuple(KeyReference(type_id="store", key=key) for key in keys)


# --- actions -------------------------------------------------------------------------------


@cart_discounts.action("changeValue")
def change_value(discount: CartDiscount, facts: Facts, *, value: DiscountValueDraft) -> CartDiscount:
    """Change what is taken off. A gift leaves no target; what was a gift needs one, from the same request."""
    changed = discount_value(value, facts)
    return replace(discount, value=changed, target=None if isinstance(changed, GiftValue) else discount.target)


@cart_discounts.action("changeCartPredicate")
def change_cart_predicate(discount: CartDiscount, *, cart_predicate: str) -> CartDiscount:
    return replace(discount, cart_predicate=cart_predicate)


@cart_discounts.action("changeTarget")
def change_target(discount: CartDiscount, *, target: DiscountTarget) -> CartDiscount:
    return replace(discount, target=target)


@cart_discounts.action("changeIsActive")
def change_is_active(discount: CartDiscount, *, is_active: bool) -> CartDiscount:
    return replace(discount, is_active=is_active)


@cart_discounts.action("changeSortOrder")
def change_sort_order(discount: CartDiscount, *, sort_order: SortOrder) -> CartDiscount:
    """Change when it applies: the highest first. No two discounts share a sort order."""
    return replace(discount, sort_order=sort_order)


@cart_discounts.action("changeRequiresDiscountCode")
def change_requires_discount_code(discount: CartDiscount, *, requires_discount_code: bool) -> CartDiscount:
    return replace(discount, requires_discount_code=requires_discount_code)


@cart_discounts.action("changeStackingMode")
def change_stacking_mode(discount: CartDiscount, *, stacking_mode: StackingMode) -> CartDiscount:
    return replace(discount, stacking_mode=stacking_mode)


@cart_discounts.action("setDiscountGroup")
def set_discount_group(
    discount: CartDiscount,
    facts: Facts,
    *,
    discount_group: ResourceIdentifier | None = None,
    sort_order: SortOrder | None = None,
) -> CartDiscount:
    """Leave the discount group, of which there is none; the sort order then is required."""
    if discount_group is not None:
        _no_group(discount_group, facts)
    if sort_order is None:
        raise RequiredField("sortOrder")
    return replace(discount, sort_order=sort_order)


@cart_discounts.action("setRecurringOrderScope")
def set_recurring_order_scope(
    discount: CartDiscount, facts: Facts, *, recurring_order_scope: RecurringOrderScopeDraft
) -> CartDiscount:
    return replace(discount, recurring_order_scope=_scope(recurring_order_scope, facts))


# --- stores --------------------------------------------------------------------------------


@cart_discounts.action("setStores")
def set_stores(
    discount: CartDiscount, facts: Facts, *, stores: tuple[ResourceIdentifier, ...] = ()
) -> Changed[CartDiscount]:
    """Apply in these stores only; in all of them when the list is empty."""
    after = _in_stores(discount, _store_keys(stores, facts))
    return Changed(after, (told.CartDiscountStoresSet(stores=after.stores),) if after != discount else ())


@cart_discounts.action("addStore")
def add_store(discount: CartDiscount, facts: Facts, *, store: ResourceIdentifier) -> Changed[CartDiscount]:
    (added,) = _store_keys((store,), facts)
    if added in discount.stores:
        return Changed(discount)
    return Changed(_in_stores(discount, (*discount.stores, added)), (told.CartDiscountStoreAdded(store=added),))


@cart_discounts.action("removeStore")
def remove_store(discount: CartDiscount, facts: Facts, *, store: ResourceIdentifier) -> Changed[CartDiscount]:
    (removed,) = _store_keys((store,), facts)
    if removed not in discount.stores:
        return Changed(discount)
    left = tuple(kept for kept in discount.stores if kept != removed)
    return Changed(_in_stores(discount, left), (told.CartDiscountStoreRemoved(store=removed),))


def _in_stores(discount: CartDiscount, stores: tuple[KeyReference, ...]) -> CartDiscount:
    if len(stores) > STORES_MAX:
        raise MaxResourceLimitExceeded(f"A cart discount can have at most {STORES_MAX} stores.")
    return replace(discount, stores=stores)
