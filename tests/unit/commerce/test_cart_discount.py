"""Cart discounts and discount codes as resources: drafts, actions, messages, and the list of automatic ones."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import OUTLET, a_product, as_json, eur
from tests.unit.commerce.builders.cart_discount import (
    ALL_LINES,
    SHIPPING,
    TOTAL,
    a_discount,
    a_draft,
    gift_of,
    less,
    off,
    shop,
)
from tests.unit.commerce.facts import PROJECT, create, update

from holdfast.base.errors import (
    ApiError,
    InvalidField,
    InvalidInput,
    InvalidOperation,
    MaxResourceLimitExceeded,
    ReferencedResourceNotFound,
    RequiredField,
)
from holdfast.base.ids import automatic_discounts_id
from holdfast.commerce.messages import cart_discount as told
from holdfast.commerce.messages import discount_code as told_of_code
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.automatic_discounts import (
    AUTOMATIC_DISCOUNTS_MAX,
    AutomaticDiscounts,
    automatic_discounts,
)
from holdfast.commerce.resources.cart_discount import CartDiscount, cart_discounts
from holdfast.commerce.resources.discount_code import discount_codes

MULTI_BUY = {
    "type": "multiBuyLineItems",
    "predicate": "1 = 1",
    "triggerQuantity": 3,
    "discountedQuantity": 1,
    "selectionMode": "Cheapest",
}


def made(draft: dict[str, Any]) -> Changed[CartDiscount]:
    return create(cart_discounts, draft, shop())


def listed(changed: Changed[CartDiscount]) -> list[str] | None:
    """The automatic discounts after a change, None where it leaves them alone."""
    if not changed.others:
        return None
    (other,) = changed.others
    assert other.kind is automatic_discounts
    assert isinstance(other.after, AutomaticDiscounts)
    assert other.after.id == automatic_discounts_id(PROJECT)
    assert other.after.version == (other.before.version + 1 if other.before is not None else 1)
    return [terms.id for terms in other.after.discounts]


# --- drafts --------------------------------------------------------------------------------


def test_a_new_discount_has_the_published_defaults() -> None:
    changed = made(a_draft())
    body = as_json(changed.resource)
    assert {
        name: body[name] for name in ("isActive", "requiresDiscountCode", "stackingMode", "stores", "references")
    } == {
        "isActive": True,
        "requiresDiscountCode": False,
        "stackingMode": "Stacking",
        "stores": [],
        "references": [],
    }
    assert body["recurringOrderScope"] == {"type": "AnyOrder"}
    assert changed.messages == (told.CartDiscountCreated(cart_discount=changed.resource),)
    assert cart_discounts.unique_values(changed.resource) == (("sortOrder", "0.5"),)


@pytest.mark.parametrize(
    ("draft", "error", "field"),
    [
        (a_draft(cartPredicate="totalPrice >"), InvalidInput, None),
        (a_draft(target={"type": "lineItems", "predicate": "sku = "}), InvalidInput, None),
        (a_draft(target={"type": "customLineItems", "predicate": ")"}), InvalidInput, None),
        (a_draft(target=None), RequiredField, "target"),
        (a_draft(gift_of(), target=ALL_LINES), InvalidField, "target"),
        (a_draft(gift_of("nothing")), ReferencedResourceNotFound, None),
        (a_draft(gift_of() | {"variantId": 7}), InvalidField, "value.variantId"),
        (a_draft({"type": "absolute", "money": []}), InvalidOperation, None),
        (a_draft({"type": "fixed", "money": [eur(1), eur(2)]}), InvalidOperation, None),
        (a_draft(less(-1)), InvalidField, "value.money.centAmount"),
        (a_draft(off(1) | {"applicationMode": "EvenDistribution"}), InvalidField, "value.applicationMode"),
        (
            a_draft(less(1) | {"applicationMode": "EvenDistribution"}, target=TOTAL),
            InvalidField,
            "value.applicationMode",
        ),
        (a_draft(less(1), target=MULTI_BUY), InvalidField, "value.type"),
        (a_draft(target=MULTI_BUY | {"discountedQuantity": 4}), InvalidField, "target.discountedQuantity"),
        (a_draft(sortOrder=None), RequiredField, "sortOrder"),
        (a_draft(discountGroup={"typeId": "discount-group", "key": "g"}), ReferencedResourceNotFound, None),
        (a_draft(stores=[{"typeId": "store", "key": "nowhere"}]), ReferencedResourceNotFound, None),
        (a_draft(validFrom="2026-02-01T00:00:00Z", validUntil="2026-02-01T00:00:00Z"), InvalidField, "validUntil"),
        (
            a_draft(recurringOrderScope={"type": "ApplicableRecurrencePolicies"}),
            RequiredField,
            "recurringOrderScope.recurrencePolicies",
        ),
    ],
)
def test_a_draft_that_makes_no_sense_is_refused(
    draft: dict[str, Any], error: type[ApiError], field: str | None
) -> None:
    with pytest.raises(error) as refused:
        made(draft)
    assert refused.value.fields.get("field") == field


# --- the list of automatic discounts -------------------------------------------------------


def test_a_discount_joins_and_leaves_the_automatic_ones() -> None:
    changed = made(a_draft())
    assert listed(changed) == [changed.resource.id]
    assert listed(made(a_draft(isActive=False))) is None
    assert listed(made(a_draft(requiresDiscountCode=True))) is None
    assert listed(made(a_draft(recurringOrderScope={"type": "RecurringOrdersOnly"}))) is None
    ten = a_discount()
    for action in (
        {"action": "changeIsActive", "isActive": False},
        {"action": "changeRequiresDiscountCode", "requiresDiscountCode": True},
        {"action": "setRecurringOrderScope", "recurringOrderScope": {"type": "RecurringOrdersOnly"}},
    ):
        assert listed(update(cart_discounts, ten, action, facts=shop(ten))) == []
    assert listed(cart_discounts.deleted(ten, shop(ten))) == []
    assert listed(update(cart_discounts, ten, {"action": "setKey", "key": "ten"}, facts=shop(ten))) is None


def test_the_automatic_ones_stand_in_the_order_they_apply_in() -> None:
    ten, twenty = a_discount(sortOrder="0.1"), a_discount("twenty", sortOrder="0.2")
    facts = shop(ten, twenty)
    assert listed(update(cart_discounts, ten, {"action": "changeSortOrder", "sortOrder": "0.11"}, facts=facts)) == [
        "twenty",
        "ten",
    ]
    assert listed(update(cart_discounts, ten, {"action": "changeSortOrder", "sortOrder": "0.3"}, facts=facts)) == [
        "ten",
        "twenty",
    ]


def test_there_is_a_limit_to_automatic_discounts() -> None:
    many = [replace(a_discount(), id=f"d{number}") for number in range(AUTOMATIC_DISCOUNTS_MAX)]
    with pytest.raises(MaxResourceLimitExceeded):
        create(cart_discounts, a_draft(), shop(*many))
    assert listed(create(cart_discounts, a_draft(requiresDiscountCode=True), shop(*many))) is None


# --- actions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ({"action": "changeValue", "value": off(2000)}, "value", off(2000)),
        ({"action": "changeCartPredicate", "cartPredicate": "2 = 2"}, "cartPredicate", "2 = 2"),
        ({"action": "changeTarget", "target": SHIPPING}, "target", SHIPPING),
        ({"action": "changeStackingMode", "stackingMode": "Stacking"}, "stackingMode", "Stacking"),
        ({"action": "changeName", "name": {"en": "n"}}, "name", {"en": "n"}),
        ({"action": "setDescription", "description": {"en": "n"}}, "description", {"en": "n"}),
        ({"action": "setValidFrom", "validFrom": "2026-01-01T00:00:00Z"}, "validFrom", "2026-01-01T00:00:00.000Z"),
        ({"action": "setValidUntil", "validUntil": "2026-01-01T00:00:00Z"}, "validUntil", "2026-01-01T00:00:00.000Z"),
        ({"action": "setDiscountGroup", "sortOrder": "0.7"}, "sortOrder", "0.7"),
        (
            {"action": "setStores", "stores": [{"typeId": "store", "key": "boutique"}]},
            "stores",
            [{"typeId": "store", "key": "boutique"}],
        ),
    ],
)  # fmt: skip
def test_actions_change_what_they_name(action: dict[str, Any], field: str, value: object) -> None:
    ten = a_discount()
    assert as_json(update(cart_discounts, ten, action, facts=shop(ten)).resource)[field] == value


def test_both_ends_of_validity_can_be_set_at_once() -> None:
    ten = a_discount(validFrom="2020-01-01T00:00:00Z", validUntil="2021-01-01T00:00:00Z")
    both = {"validFrom": "2026-01-01T00:00:00Z", "validUntil": "2026-02-01T00:00:00Z"}
    later = update(cart_discounts, ten, {"action": "setValidFromAndUntil", **both}, facts=shop(ten)).resource
    assert (later.valid_from, later.valid_until) == ("2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z")
    always = update(cart_discounts, later, {"action": "setValidFromAndUntil"}, facts=shop(later)).resource
    assert (always.valid_from, always.valid_until) == (None, None)


def test_a_discount_becomes_a_gift_and_back() -> None:
    ten = a_discount()
    given = update(cart_discounts, ten, {"action": "changeValue", "value": gift_of()}, facts=shop(ten)).resource
    assert given.target is None
    back = {"action": "changeValue", "value": off(1)}
    with pytest.raises(RequiredField):
        update(cart_discounts, given, back, facts=shop(given))
    target = {"action": "changeTarget", "target": SHIPPING}
    assert as_json(update(cart_discounts, given, back, target, facts=shop(given)).resource)["target"] == SHIPPING


def test_stores_come_and_go_with_their_messages() -> None:
    ten, store = a_discount(), {"typeId": "store", "key": "boutique"}
    added = update(cart_discounts, ten, {"action": "addStore", "store": store}, facts=shop(ten))
    assert [type(message).__name__ for message in added.messages] == ["CartDiscountStoreAdded"]
    now = shop(added.resource)
    again = update(cart_discounts, added.resource, {"action": "addStore", "store": store}, facts=now)
    assert (again.resource, again.messages) == (added.resource, ())
    gone = update(cart_discounts, added.resource, {"action": "removeStore", "store": store}, facts=now)
    assert [type(message).__name__ for message in gone.messages] == ["CartDiscountStoreRemoved"]
    assert gone.resource.stores == ()


# --- codes ---------------------------------------------------------------------------------


def a_code_draft(**more: Any) -> dict[str, Any]:
    return {"code": "SALE", "cartDiscounts": [{"typeId": "cart-discount", "id": "ten"}], **more}


def test_a_code_names_its_discounts_once_and_the_stores_they_are_for() -> None:
    ten = a_discount(stores=[{"typeId": "store", "key": "boutique"}])
    twice = [{"typeId": "cart-discount", "id": "ten"}] * 2
    changed = create(discount_codes, a_code_draft(cartDiscounts=twice, groups=["a", "b", "a"]), shop(ten))
    body = as_json(changed.resource)
    assert body["cartDiscounts"] == twice[:1]
    assert body["stores"] == [{"typeId": "store", "key": "boutique"}]
    assert (body["groups"], body["isActive"], body["references"]) == (["a", "b"], True, [])
    assert changed.messages == (told_of_code.DiscountCodeCreated(discount_code=changed.resource),)
    assert discount_codes.unique_values(changed.resource) == (("code", "SALE"),)


@pytest.mark.parametrize(
    ("draft", "error"),
    [
        (a_code_draft(cartPredicate="x ="), InvalidInput),
        (a_code_draft(cartDiscounts=[{"typeId": "cart-discount", "id": "none"}]), ReferencedResourceNotFound),
        (a_code_draft(validFrom="2026-02-01T00:00:00Z", validUntil="2026-01-01T00:00:00Z"), InvalidField),
    ],
)
def test_a_code_that_makes_no_sense_is_refused(draft: dict[str, Any], error: type[ApiError]) -> None:
    with pytest.raises(error):
        create(discount_codes, draft, shop(a_discount()))


def test_a_code_tells_of_its_key() -> None:
    code = create(discount_codes, a_code_draft(key="old"), shop(a_discount())).resource
    changed = update(discount_codes, code, {"action": "setKey", "key": "new"}, facts=shop())
    assert changed.messages == (told_of_code.DiscountCodeKeySet(key="new", old_key="old"),)
    assert update(discount_codes, changed.resource, {"action": "setKey", "key": "new"}, facts=shop()).messages == ()


def test_the_gift_and_its_channel_are_kept_as_references() -> None:
    channel = {"typeId": "channel", "key": "outlet"}
    facts = shop(a_product("book"), OUTLET)
    given = create(cart_discounts, a_draft(gift_of() | {"distributionChannel": channel}), facts).resource
    assert as_json(given)["value"] == gift_of() | {"distributionChannel": {"typeId": "channel", "id": "outlet"}}
