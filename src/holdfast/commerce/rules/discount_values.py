"""What a drafted discount must be to make sense, and the form it is stored in."""

from __future__ import annotations

from typing import assert_never, get_args

from holdfast.base.errors import InvalidField, InvalidOperation, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.discount_shapes import (
    AbsoluteValue,
    AbsoluteValueDraft,
    CustomLineItemsTarget,
    DiscountTarget,
    DiscountValue,
    DiscountValueDraft,
    FixedValue,
    FixedValueDraft,
    GiftValue,
    GiftValueDraft,
    ItemsTarget,
    LineItemsTarget,
    MultiBuyLineItemsTarget,
    MultiBuyTarget,
    RelativeValue,
)
from holdfast.commerce.resources.channel import channels
from holdfast.commerce.resources.product.shape import products
from holdfast.commerce.rules.cart_predicates import item_predicate
from holdfast.commerce.values.money import Money, MoneyDraft, cent_money
from holdfast.commerce.values.reference import Reference, ResourceIdentifier

ITEMS_TARGETS = get_args(ItemsTarget)
MULTI_BUY_TARGETS = get_args(MultiBuyTarget)
INDIVIDUAL = "IndividualApplication"


def discount_value(draft: DiscountValueDraft, facts: Facts, path: str = "value") -> DiscountValue:
    """A drafted value as stored.

    Raises InvalidOperation for no amount or two of one currency, InvalidField for a negative one or
    a gift that is no variant, ReferencedResourceNotFound.
    """
    match draft:
        case RelativeValue():
            return draft
        case AbsoluteValueDraft():
            return AbsoluteValue(money=_amounts(draft.money, path), application_mode=draft.application_mode)
        case FixedValueDraft():
            return FixedValue(money=_amounts(draft.money, path), application_mode=draft.application_mode)
        case GiftValueDraft():
            return _gift(draft, facts, path)
        case _:
            assert_never(draft)


def _gift(draft: GiftValueDraft, facts: Facts, path: str) -> GiftValue:
    product = facts.get(products, draft.product)
    if product.master_data.current.variant(draft.variant_id) is None:
        raise InvalidField(f"{path}.variantId", draft.variant_id, f"Product '{product.id}' has no such variant.")
    return GiftValue(
        product=Reference(type_id="product", id=product.id),
        variant_id=draft.variant_id,
        supply_channel=_channel(draft.supply_channel, facts),
        distribution_channel=_channel(draft.distribution_channel, facts),
    )


def _channel(identifier: ResourceIdentifier | None, facts: Facts) -> Reference | None:
    return facts.resolve(channels, identifier) if identifier is not None else None


def _amounts(drafts: tuple[MoneyDraft, ...], path: str) -> tuple[Money, ...]:
    amounts = tuple(cent_money(draft, f"{path}.money") for draft in drafts)
    if not amounts or len({one.currency_code for one in amounts}) < len(amounts):
        raise InvalidOperation("A discount value needs exactly one amount per currency.")
    for one in amounts:
        if one.cent_amount < 0:
            raise InvalidField(f"{path}.money.centAmount", one.cent_amount, "A discount cannot be negative.")
    return amounts


def check_target(value: DiscountValue, target: DiscountTarget | None, path: str = "") -> None:
    """Whether the target is well formed, and can take the value.

    Raises RequiredField without a target where one is needed, InvalidField where none may be or the
    two do not go together, InvalidInput for a predicate that cannot be read.
    """
    if isinstance(value, GiftValue):
        if target is not None:
            raise InvalidField(f"{path}target", None, "A gift has no target: the gift itself is what is discounted.")
        return
    if target is None:
        raise RequiredField(f"{path}target")
    _check_mode(value, target, f"{path}value.applicationMode")
    if isinstance(target, ITEMS_TARGETS):
        item_predicate(target.predicate, level_of(target), f"{path}target.predicate")
    if isinstance(target, MULTI_BUY_TARGETS):
        if isinstance(value, AbsoluteValue):
            raise InvalidField(f"{path}value.type", "absolute", allowed_values=["relative", "fixed"])
        if target.discounted_quantity > target.trigger_quantity:
            raise InvalidField(
                f"{path}target.discountedQuantity",
                target.discounted_quantity,
                "It must not be greater than the triggerQuantity.",
            )


def level_of(target: ItemsTarget) -> str:
    """What kind of items a target is about, as predicates call them."""
    return "lineItem" if isinstance(target, LineItemsTarget | MultiBuyLineItemsTarget) else "customLineItem"


def _check_mode(value: RelativeValue | AbsoluteValue | FixedValue, target: DiscountTarget, path: str) -> None:
    """Only an absolute amount can be spread, and only over items."""
    spread = value.application_mode not in (None, INDIVIDUAL)
    if spread and not (
        isinstance(value, AbsoluteValue) and isinstance(target, LineItemsTarget | CustomLineItemsTarget)
    ):
        raise InvalidField(path, value.application_mode, allowed_values=[INDIVIDUAL])
