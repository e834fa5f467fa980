"""Whose cart it is, what freezes and locks it, and every action that is about the cart as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import (
    BOUTIQUE,
    DE,
    SHOP,
    a_cart,
    a_price,
    a_product,
    add,
    as_json,
    changed,
    eur,
    ordered,
    result,
    shop,
    sku,
)
from tests.unit.commerce.builders.customer import a_customer
from tests.unit.commerce.builders.payment import a_payment

from holdfast.base.errors import (
    ApiError,
    CountryNotConfiguredInStore,
    DiscountCodeNonApplicable,
    InsufficientScope,
    InvalidField,
    InvalidOperation,
    ReferencedResourceNotFound,
)
from holdfast.commerce.messages import cart as told
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.project import CartClassificationType, CartScoreType, EnumValue
from holdfast.commerce.values.reference import KeyReference, Reference

ANN = a_customer("ann")
BY_STANDARD = {"typeId": "shipping-method", "id": "standard"}
AT_BOUTIQUE = KeyReference(type_id="store", key="boutique")


def a_full_cart(**draft: Any) -> Cart:
    return a_cart(**{"lineItems": [sku("shirt", 2)], "shippingAddress": DE, "shippingMethod": BY_STANDARD} | draft)


# --- ownership -----------------------------------------------------------------------------


def test_a_cart_belongs_to_a_customer_or_to_a_session_never_to_both() -> None:
    assert a_cart(shop(ANN), customerId="ann").customer_email == "ann@example.com"
    assert a_cart(anonymousId="guest").anonymous_id == "guest"
    with pytest.raises(InvalidOperation):
        a_cart(shop(ANN), customerId="ann", anonymousId="guest")


def test_a_customer_takes_a_guests_cart_over() -> None:
    cart = changed(a_cart(anonymousId="guest"), {"action": "setCustomerId", "customerId": "ann"}, facts=shop(ANN))
    assert (cart.customer_id, cart.anonymous_id) == ("ann", None)


@pytest.mark.parametrize(
    "action",
    [
        {"action": "setAnonymousId", "anonymousId": "guest"},
        {"action": "setCustomerGroup", "customerGroup": {"typeId": "customer-group", "id": "vip"}},
    ],
)
def test_a_customers_cart_takes_neither_session_nor_group(action: dict[str, Any]) -> None:
    with pytest.raises(InvalidOperation):
        changed(a_cart(shop(ANN), customerId="ann"), action, facts=shop(ANN))


def test_customers_and_groups_must_exist() -> None:
    with pytest.raises(ReferencedResourceNotFound):
        a_cart(customerId="nobody")
    with pytest.raises(ReferencedResourceNotFound):
        changed(a_cart(), {"action": "setCustomerId", "customerId": "nobody"})
    with pytest.raises(ReferencedResourceNotFound):
        a_cart(customerGroup={"typeId": "customer-group", "id": "nobody"})


def test_in_a_store_the_cart_is_the_stores() -> None:
    assert a_cart(shop(store_key="boutique")).store == AT_BOUTIQUE
    assert a_cart(store={"typeId": "store", "id": "boutique"}).store == AT_BOUTIQUE


def test_a_store_sells_only_where_it_says() -> None:
    cart = a_cart(shop(store_key="boutique"), country="DE")
    with pytest.raises(CountryNotConfiguredInStore) as refused:
        changed(cart, {"action": "setCountry", "country": "FR"})
    assert refused.value.fields == {"storeCountries": ["DE"], "country": "FR"}
    with pytest.raises(CountryNotConfiguredInStore):
        a_cart(shop(store_key="boutique"), country="FR")
    anywhere = shop(replace(BOUTIQUE, countries=()), store_key="boutique")
    assert a_cart(anywhere, country="FR").country == "FR"


GIFT = {"type": {"typeId": "type", "id": "gift"}, "fields": {"note": "a"}}


@pytest.mark.parametrize(
    ("action", "fields", "name", "value"),
    [
        ("setKey", {"key": "mine"}, "key", "mine"),
        ("setCustomerEmail", {"email": "x@example.com"}, "customer_email", "x@example.com"),
        ("setAnonymousId", {"anonymousId": "guest"}, "anonymous_id", "guest"),
        ("setLocale", {"locale": "de"}, "locale", "de"),
        ("setCountry", {"country": "FR"}, "country", "FR"),
        ("setDeleteDaysAfterLastModification", {"deleteDaysAfterLastModification": 3}, "delete_days_after_last_modification", 3),  # noqa: E501 - a table row
        ("setDeleteDaysAfterLastModification", {}, "delete_days_after_last_modification", 90),
        ("setReservationExpirationInMinutes", {"reservationExpirationInMinutes": 5}, "reservation_expiration_in_minutes", 5),  # noqa: E501 - a table row
        ("setPurchaseOrderNumber", {"purchaseOrderNumber": "PO1"}, "purchase_order_number", "PO1"),
    ],
)  # fmt: skip
def test_plain_fields_can_be_set(action: str, fields: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(changed(a_cart(), {"action": action, **fields}), name) == value


def test_the_billing_address_comes_and_goes_without_touching_taxes() -> None:
    cart = a_full_cart()
    billed = changed(cart, {"action": "setBillingAddress", "address": {"country": "FR", "city": "Paris"}})
    assert as_json(billed)["billingAddress"] == {"country": "FR", "city": "Paris"}
    assert billed.taxed_price == cart.taxed_price
    assert changed(billed, {"action": "setBillingAddress"}).billing_address is None


def test_custom_fields_of_a_cart_are_those_of_orders() -> None:
    cart = changed(
        a_cart(), {"action": "setCustomType", **GIFT}, {"action": "setCustomField", "name": "note", "value": "b"}
    )
    assert cart.custom is not None
    assert cart.custom.fields == {"note": "b"}
    drafted = a_cart(custom=GIFT).custom
    assert drafted is not None
    assert drafted.fields == {"note": "a"}


def test_the_project_must_speak_the_language() -> None:
    with pytest.raises(InvalidField) as refused:
        changed(a_cart(), {"action": "setLocale", "locale": "fr"})
    assert refused.value.fields["allowedValues"] == ["en", "de"]
    with pytest.raises(InvalidField):
        a_cart(locale="fr")


def test_business_units_and_shopping_lists_must_exist() -> None:
    unit = {"typeId": "business-unit", "key": "acme"}
    with pytest.raises(ReferencedResourceNotFound):
        changed(a_cart(), {"action": "setBusinessUnit", "businessUnit": unit})
    with pytest.raises(ReferencedResourceNotFound):
        a_cart(businessUnit=unit)
    with pytest.raises(ReferencedResourceNotFound):
        changed(a_cart(), {"action": "addShoppingList", "shoppingList": {"typeId": "shopping-list", "id": "wishes"}})


def test_a_changed_purchase_order_number_is_told_with_the_old_one() -> None:
    cart = changed(a_cart(), {"action": "setPurchaseOrderNumber", "purchaseOrderNumber": "PO1"})
    after = result(cart, {"action": "setPurchaseOrderNumber", "purchaseOrderNumber": "PO2"})
    assert after.messages == (
        told.CartPurchaseOrderNumberSet(purchase_order_number="PO2", old_purchase_order_number="PO1"),
    )
    assert result(cart, {"action": "setPurchaseOrderNumber", "purchaseOrderNumber": "PO1"}).messages == ()


# --- freezing ------------------------------------------------------------------------------


def a_frozen_cart(strategy: str = "SoftFreeze") -> Cart:
    return changed(a_full_cart(), {"action": "freezeCart", "strategy": strategy})


def test_freezing_and_unfreezing_are_told() -> None:
    frozen = result(a_full_cart(), {"action": "freezeCart"})
    assert (frozen.resource.cart_state, frozen.resource.freeze_strategy) == ("Frozen", "SoftFreeze")
    assert frozen.messages == (told.CartFrozen(),)
    thawed = result(frozen.resource, {"action": "unfreezeCart"})
    assert (thawed.resource.cart_state, thawed.resource.freeze_strategy) == ("Active", None)
    assert thawed.messages == (told.CartUnfrozen(),)


@pytest.mark.parametrize("cart", [a_frozen_cart(), a_cart()], ids=["frozen", "empty"])
def test_a_frozen_or_empty_cart_cannot_be_frozen(cart: Cart) -> None:
    with pytest.raises(InvalidOperation):
        changed(cart, {"action": "freezeCart"})


def test_an_active_cart_cannot_be_unfrozen() -> None:
    with pytest.raises(InvalidOperation):
        changed(a_full_cart(), {"action": "unfreezeCart"})


def pricing(cart: Cart) -> list[dict[str, Any]]:
    named = {"lineItemId": cart.line_items[0].id}
    return [
        add("shirt"),
        {"action": "removeLineItem", **named},
        {"action": "changeLineItemQuantity", **named, "quantity": 5},
        {"action": "setLineItemPrice", **named, "externalPrice": eur(1)},
        {"action": "setShippingAddress", "address": DE},
        {"action": "setCountry", "country": "DE"},
        {"action": "setCustomerId"},
        {"action": "recalculate"},
        {"action": "changeTaxMode", "taxMode": "Disabled"},
        {"action": "setDirectDiscounts", "discounts": []},
        {"action": "addDiscountCode", "code": "SALE"},
    ]


@pytest.mark.parametrize("strategy", ["SoftFreeze", "HardFreeze"])
@pytest.mark.parametrize("number", range(len(pricing(a_full_cart()))))
def test_a_frozen_cart_refuses_what_would_change_its_price(strategy: str, number: int) -> None:
    cart = a_frozen_cart(strategy)
    with pytest.raises(InvalidOperation, match="frozen"):
        changed(cart, pricing(cart)[number])


@pytest.mark.parametrize(
    "action",
    [
        {"action": "setLocale", "locale": "de"},
        {"action": "setBillingAddress", "address": DE},
        {"action": "setCustomerEmail", "email": "x@example.com"},
        {"action": "setCustomType", **GIFT},
        {"action": "setKey", "key": "mine"},
    ],
)
def test_a_frozen_cart_takes_what_does_not_touch_its_price(action: dict[str, Any]) -> None:
    cart = a_frozen_cart("HardFreeze")
    assert changed(cart, action) != cart


def test_prices_of_a_frozen_cart_stand_until_it_is_unfrozen() -> None:
    dearer = shop(a_product("shirt", a_price(9990)))
    cart = changed(a_frozen_cart(), {"action": "setLocale", "locale": "de"}, facts=dearer)
    assert cart.total_price.cent_amount == 2380 + 490
    assert changed(cart, {"action": "unfreezeCart"}, facts=dearer).total_price.cent_amount == 19980


def test_unfreezing_first_lets_the_rest_of_the_request_through() -> None:
    cart = changed(a_frozen_cart(), {"action": "unfreezeCart"}, add("shirt"))
    assert cart.line_items[0].quantity == 3


def test_shipping_can_be_chosen_on_a_softly_frozen_cart_only() -> None:
    express = {"action": "setShippingMethod", "shippingMethod": {"typeId": "shipping-method", "id": "express"}}
    assert changed(a_frozen_cart(), express).total_price.cent_amount == 2380 + 1290
    with pytest.raises(InvalidOperation):
        changed(a_frozen_cart("HardFreeze"), express)


# --- locking and the end -------------------------------------------------------------------


def test_a_locked_cart_needs_the_scope_to_change_it() -> None:
    locked = result(a_full_cart(), {"action": "lockCart"})
    assert locked.messages == (told.CartLocked(),)
    assert locked.resource.lock is not None
    assert locked.resource.lock.client_id == "test-client"
    plain = shop(scopes=("manage_orders",))
    for action in ({"action": "unlockCart"}, {"action": "setLocale", "locale": "de"}):
        with pytest.raises(InsufficientScope):
            changed(locked.resource, action, facts=plain)
    allowed = shop(scopes=("manage_orders", "manage_locked_carts"))
    unlocked = result(locked.resource, {"action": "unlockCart"}, facts=allowed)
    assert (unlocked.resource.lock, unlocked.messages) == (None, (told.CartUnlocked(),))


def test_a_locked_cart_needs_the_scope_to_delete_it() -> None:
    locked = changed(a_full_cart(), {"action": "lockCart"})
    with pytest.raises(InsufficientScope):
        carts.deleted(locked, shop(scopes=("manage_orders",)))
    assert carts.deleted(locked, shop()).resource == locked
    assert carts.deleted(a_full_cart(), shop(scopes=("manage_orders",))).messages == ()


def test_locking_needs_the_scope_as_well() -> None:
    with pytest.raises(InsufficientScope):
        changed(a_full_cart(), {"action": "lockCart"}, facts=shop(scopes=("manage_orders",)))


def test_a_cart_is_locked_once() -> None:
    facts = shop(scopes=("manage_locked_carts",))
    cart = a_full_cart()
    with pytest.raises(InvalidOperation):
        changed(cart, {"action": "unlockCart"}, facts=facts)
    with pytest.raises(InvalidOperation):
        changed(cart, {"action": "lockCart"}, {"action": "lockCart"}, facts=facts)


@pytest.mark.parametrize("state", ["Ordered", "Merged"])
def test_a_cart_that_came_to_its_end_no_longer_changes(state: Any) -> None:
    cart = replace(ordered(a_full_cart()), cart_state=state)
    for action in (add("shirt"), {"action": "setLocale", "locale": "de"}, {"action": "unfreezeCart"}):
        with pytest.raises(InvalidOperation):
            changed(cart, action)


def test_an_action_that_changes_nothing_does_not_raise_the_version() -> None:
    cart = a_full_cart()
    for action in (
        {"action": "recalculate"},
        {"action": "setCountry"},
        {"action": "setShippingAddress", "address": DE},
    ):
        assert changed(cart, action).version == cart.version
    assert changed(cart, add("shirt"), {"action": "setLocale", "locale": "de"}).version == cart.version + 2


# --- payments ------------------------------------------------------------------------------


def paying(action: str, payment: str = "pay") -> dict[str, Any]:
    return {"action": action, "payment": {"typeId": "payment", "id": payment}}


def test_payments_are_attached_once_and_detached() -> None:
    facts = shop(a_payment(id="pay"), a_payment(id="other"))
    cart = changed(a_cart(), paying("addPayment"), paying("addPayment"), paying("addPayment", "other"), facts=facts)
    assert cart.payment_info is not None
    assert [reference.id for reference in cart.payment_info.payments] == ["pay", "other"]
    cart = changed(cart, paying("removePayment"), facts=facts)
    assert cart.payment_info is not None
    assert [reference.id for reference in cart.payment_info.payments] == ["other"]
    assert changed(cart, paying("removePayment", "other"), facts=facts).payment_info is None


def test_a_payment_must_exist() -> None:
    with pytest.raises(ReferencedResourceNotFound):
        changed(a_cart(), paying("addPayment"))


@pytest.mark.parametrize(
    ("owner", "session", "allowed"),
    [
        ({"customer": Reference(type_id="customer", id="ann")}, {"customer_id": "ann"}, True),
        ({"customer": Reference(type_id="customer", id="ben")}, {"customer_id": "ann"}, False),
        ({"customer": Reference(type_id="customer", id="ben")}, {"anonymous_id": "guest"}, False),
        ({"anonymous_id": "guest"}, {"anonymous_id": "guest"}, True),
        ({"anonymous_id": "other"}, {"anonymous_id": "guest"}, False),
        ({"anonymous_id": "other"}, {"customer_id": "ann"}, False),
        ({}, {"customer_id": "ann"}, True),
        ({"customer": Reference(type_id="customer", id="ben")}, {}, True),
    ],
)
def test_a_shopper_cannot_pay_with_somebody_elses_payment(
    owner: dict[str, Any], session: dict[str, str], allowed: bool
) -> None:
    facts = shop(replace(a_payment(id="pay"), **owner), **session)
    if allowed:
        assert changed(a_cart(), paying("addPayment"), facts=facts).payment_info is not None
    else:
        with pytest.raises(ReferencedResourceNotFound):
            changed(a_cart(), paying("addPayment"), facts=facts)


# --- discount codes, tier input, estimates -------------------------------------------------


def test_a_discount_code_must_exist() -> None:
    with pytest.raises(DiscountCodeNonApplicable) as refused:
        changed(a_cart(), {"action": "addDiscountCode", "code": "SALE"})
    assert refused.value.fields == {"discountCode": "SALE", "reason": "DoesNotExist"}
    with pytest.raises(DiscountCodeNonApplicable):
        a_cart(discountCodes=["SALE"])
    gone = {"action": "removeDiscountCode", "discountCode": {"typeId": "discount-code", "id": "x"}}
    cart = a_cart()
    assert changed(cart, gone) == cart


HEAVY = EnumValue(key="heavy", label={"en": "Heavy"})
SCORED = replace(SHOP, shipping_rate_input_type=CartScoreType())
CLASSIFIED = replace(SHOP, shipping_rate_input_type=CartClassificationType(values=(HEAVY,)))


@pytest.mark.parametrize(
    ("project", "given", "expected"),
    [
        (SCORED, {"type": "Score", "score": 3}, {"type": "Score", "score": 3}),
        (
            CLASSIFIED,
            {"type": "Classification", "key": "heavy"},
            {"type": "Classification", "key": "heavy", "label": {"en": "Heavy"}},
        ),
    ],
)
def test_the_tier_input_is_of_the_kind_the_project_looks_at(project: Any, given: Any, expected: Any) -> None:
    action = {"action": "setShippingRateInput", "shippingRateInput": given}
    assert as_json(changed(a_cart(), action, facts=shop(project)))["shippingRateInput"] == expected
    assert changed(a_cart(), {"action": "setShippingRateInput"}, facts=shop(project)).shipping_rate_input is None


@pytest.mark.parametrize(
    ("project", "given", "error"),
    [
        (SHOP, {"type": "Score", "score": 3}, InvalidOperation),
        (CLASSIFIED, {"type": "Score", "score": 3}, InvalidOperation),
        (SCORED, {"type": "Classification", "key": "heavy"}, InvalidOperation),
        (CLASSIFIED, {"type": "Classification", "key": "light"}, InvalidField),
    ],
)
def test_any_other_tier_input_is_refused(project: Any, given: Any, error: type[ApiError]) -> None:
    with pytest.raises(error):
        changed(a_cart(), {"action": "setShippingRateInput", "shippingRateInput": given}, facts=shop(project))


WINDOW = {"from": "2026-02-01T00:00:00.000Z", "until": "2026-02-03T00:00:00.000Z"}


def test_an_estimate_is_told_and_void_at_another_address() -> None:
    after = result(a_full_cart(), {"action": "setEstimatedDelivery", "estimatedDelivery": WINDOW})
    assert as_json(after.resource)["shippingInfo"]["estimatedDelivery"] == WINDOW
    assert as_json(after.messages[0])["estimatedDelivery"] == WINDOW
    moved = changed(after.resource, {"action": "setShippingAddress", "address": {"country": "DE", "city": "Bonn"}})
    assert "estimatedDelivery" not in as_json(moved)["shippingInfo"]
    same = changed(after.resource, {"action": "setShippingAddress", "address": DE})
    assert as_json(same)["shippingInfo"]["estimatedDelivery"] == WINDOW


def test_an_estimate_ends_after_it_begins_and_needs_a_shipping_method() -> None:
    backwards = {"from": WINDOW["until"], "until": WINDOW["from"]}
    with pytest.raises(InvalidField):
        changed(a_full_cart(), {"action": "setEstimatedDelivery", "estimatedDelivery": backwards})
    moment = {"from": WINDOW["from"], "until": WINDOW["from"]}
    cart = changed(a_full_cart(), {"action": "setEstimatedDelivery", "estimatedDelivery": moment})
    assert as_json(cart)["shippingInfo"]["estimatedDelivery"] == moment
    with pytest.raises(InvalidOperation):
        changed(a_cart(), {"action": "setEstimatedDelivery", "estimatedDelivery": WINDOW})


def test_choosing_a_method_sets_or_clears_the_estimate() -> None:
    action = {"action": "setShippingMethod", "shippingMethod": BY_STANDARD}
    cart = changed(a_full_cart(), action | {"estimatedDelivery": WINDOW})
    assert as_json(cart)["shippingInfo"]["estimatedDelivery"] == WINDOW
    assert "estimatedDelivery" not in as_json(changed(cart, action))["shippingInfo"]


def test_shipping_has_custom_fields() -> None:
    cart = changed(
        a_full_cart(),
        {"action": "setShippingCustomType", **GIFT},
        {"action": "setShippingCustomField", "name": "note", "value": "b"},
    )
    assert cart.shipping_custom_fields is not None
    assert cart.shipping_custom_fields.fields == {"note": "b"}
    assert changed(cart, {"action": "setShippingCustomType"}).shipping_custom_fields is None
