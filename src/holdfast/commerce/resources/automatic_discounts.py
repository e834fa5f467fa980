"""The discounts of a project that apply by themselves, as one record: what every cart asks for.

A cart cannot know which discounts it meets, so it needs them all, current, with every change. As a
record with a known id they are read in the same trip as the cart's products, and sent only when
they have changed. The record is committed together with the discount it repeats.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from holdfast.base.errors import MaxResourceLimitExceeded
from holdfast.base.ids import automatic_discounts_id
from holdfast.commerce.facts import ById, Facts
from holdfast.commerce.registry import Other, Resource, born, touched
from holdfast.commerce.resources.cart.discount_shapes import DiscountTarget, DiscountValue
from holdfast.commerce.values.reference import KeyReference
from holdfast.commerce.values.value import Stored, Value, empty

# Published: active discounts of a project that need no code.
AUTOMATIC_DISCOUNTS_MAX = 100

StackingMode = Literal["Stacking", "StopAfterThisDiscount"]


class DiscountTerms(Value):
    """What applying a cart discount needs to know of it."""

    id: str
    value: DiscountValue
    target: DiscountTarget | None = None
    cart_predicate: str
    sort_order: str
    stores: tuple[KeyReference, ...] = ()
    valid_from: str | None = None
    valid_until: str | None = None
    stacking_mode: StackingMode = "Stacking"


class AutomaticDiscounts(Stored):
    discounts: tuple[DiscountTerms, ...] = field(default_factory=empty)


automatic_discounts = Resource("automatic-discounts", path=None, shape=AutomaticDiscounts)


def automatic_lookup(project: str) -> ById:
    """Where the record is, for whoever reads ahead."""
    return ById(automatic_discounts.name, automatic_discounts_id(project))


def automatic_terms(facts: Facts) -> tuple[DiscountTerms, ...]:
    """The discounts that apply by themselves, the first to apply first."""
    found = facts.find(automatic_discounts, automatic_discounts_id(facts.project_key))
    return found.discounts if found is not None else ()


def with_terms(discount_id: str, terms: DiscountTerms | None, facts: Facts) -> tuple[Other, ...]:
    """The change of the record when a discount becomes, changes or, with None, is no longer automatic.

    Raises MaxResourceLimitExceeded beyond the published number of them.
    """
    before = facts.find(automatic_discounts, automatic_discounts_id(facts.project_key))
    present = before.discounts if before is not None else ()
    kept = [known for known in present if known.id != discount_id]
    after = tuple(sorted((*kept, *((terms,) if terms is not None else ())), key=_rank, reverse=True))
    if after == present:
        return ()
    if len(after) > AUTOMATIC_DISCOUNTS_MAX and len(after) > len(present):
        raise MaxResourceLimitExceeded(
            f"A project can have at most {AUTOMATIC_DISCOUNTS_MAX} active cart discounts that need no discount code."
        )
    if before is None:
        record = AutomaticDiscounts(id=automatic_discounts_id(facts.project_key), discounts=after)
        return (Other(automatic_discounts, None, born(record, facts)),)
    changed = AutomaticDiscounts(id=before.id, discounts=after, created_at=before.created_at)
    return (Other(automatic_discounts, before, touched(changed, before.version + 1, facts)),)


def _rank(terms: DiscountTerms) -> str:
    # Decimals between 0 and 1 with no zero at the end compare like the texts they are written as.
    return terms.sort_order
