from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import (
    BOUTIQUE,
    DE,
    SHIRT,
    VIP,
    a_cart,
    a_price,
    a_product,
    add,
    as_json,
    changed,
    eur,
    shop,
    sku,
)
from tests.unit.commerce.builders.customer import a_customer

from holdfast.base.errors import (
    ApiError,
    DuplicateField,
    InvalidField,
    InvalidOperation,
    MatchingPriceNotFound,
    MaxResourceLimitExceeded,
    MissingRoleOnChannel,
    ReferencedResourceNotFound,
    RequiredField,
)
from holdfast.commerce.resources.cart.shape import LINE_ITEMS_MAX, Cart, LineItem
from holdfast.commerce.resources.customer.shape import CustomerGroupAssignment
from holdfast.commerce.resources.product.shape import Attribute, ProductVariant
from holdfast.commerce.values.money import Money, money
from holdfast.commerce.values.price import DiscountedPrice, Price, PriceTier
from holdfast.commerce.values.reference import Reference

OUTLET_PRICE = a_price(900, channel=Reference(type_id="channel", id="outlet"))
VIP_PRICE = a_price(800, customer_group=Reference(type_id="customer-group", id="vip"))
SCOPED = a_product("scoped", a_price(1000), a_price(950, country="DE"), OUTLET_PRICE, VIP_PRICE)
TIERED = a_product(
    "tiered",
    a_price(
        100,
        tiers=(
            PriceTier(minimum_quantity=10, value=money(80, "EUR")),
            PriceTier(minimum_quantity=100, value=money(50, "EUR")),
        ),
    ),
)
OUTLET = {"typeId": "channel", "id": "outlet"}


def only(cart: Cart) -> LineItem:
    (item,) = cart.line_items
    return item


def line(cart: Cart) -> dict[str, str]:
    return {"lineItemId": only(cart).id}


def cents(cart: Cart) -> list[int]:
    return [item.total_price.cent_amount for item in cart.line_items]


# --- adding --------------------------------------------------------------------------------


def test_a_line_is_unit_price_times_quantity() -> None:
    cart = a_cart(lineItems=[sku("shirt", 3)])
    assert cents(cart) == [3570]
    assert cart.total_price == money(3570, "EUR")
    assert cart.total_line_item_quantity == 3


def test_a_line_tells_what_it_is_as_published() -> None:
    body = as_json(only(a_cart(lineItems=[sku("shirt", 2)])))
    assert body["productId"] == "shirt-id"
    assert body["productKey"] == "shirt"
    assert body["productSlug"] == body["name"] == {"en": "shirt"}
    assert body["productType"] == {"typeId": "product-type", "id": "plain"}
    assert body["variant"]["sku"] == "shirt"
    assert (body["priceMode"], body["lineItemMode"]) == ("Platform", "Standard")
    assert [state["quantity"] for state in body["state"]] == [2]
    assert body["discountedPricePerQuantity"] == body["taxedPricePortions"] == body["perMethodTaxRate"] == []
    assert body["addedAt"] == body["lastModifiedAt"] == "2026-01-31T10:00:00.000Z"


@pytest.mark.parametrize(
    "named", [{"sku": "shirt"}, {"productId": "shirt-id"}, {"productId": "shirt-id", "variantId": 1}]
)
def test_a_variant_is_named_by_sku_or_by_product_and_variant(named: dict[str, Any]) -> None:
    assert only(a_cart(lineItems=[named])).variant.sku == "shirt"


def test_a_product_without_a_variant_means_its_master_variant() -> None:
    second = ProductVariant(id=2, sku="shirt-xl", prices=(a_price(1500),))
    facts = shop(a_product("shirt", a_price(1190), variants=(second,)))
    assert only(a_cart(facts, lineItems=[{"productId": "shirt-id"}])).variant.id == 1
    assert only(a_cart(facts, lineItems=[{"productId": "shirt-id", "variantId": 2}])).variant.sku == "shirt-xl"
    assert only(a_cart(facts, lineItems=[{"sku": "shirt-xl"}])).total_price.cent_amount == 1500


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ({}, RequiredField),
        ({"sku": "nothing"}, InvalidField),
        ({"sku": "draft"}, InvalidField),
        ({"productId": "nothing"}, ReferencedResourceNotFound),
        ({"productId": "draft-id"}, InvalidField),
        ({"productId": "shirt-id", "variantId": 2}, InvalidField),
        ({"productId": "shirt-id", "sku": "book"}, InvalidField),
    ],
)
def test_what_is_not_for_sale_cannot_be_added(named: dict[str, Any], error: type[ApiError]) -> None:
    facts = shop(a_product("draft", published=False))
    with pytest.raises(error):
        a_cart(facts, lineItems=[named])


def test_attributes_of_the_product_join_those_of_the_variant() -> None:
    product = a_product("shirt")
    data = replace(product.master_data.current, attributes=(Attribute(name="brand", value="acme"),))
    product = replace(product, master_data=replace(product.master_data, current=data))
    attributes = only(a_cart(shop(product), lineItems=[sku("shirt")])).variant.attributes
    assert [attribute.name for attribute in attributes] == ["brand"]


# --- merging -------------------------------------------------------------------------------


def test_adding_the_same_variant_raises_its_quantity() -> None:
    cart = changed(a_cart(lineItems=[sku("shirt", 2)]), add("shirt", 3))
    assert (only(cart).quantity, cents(cart)) == (5, [5950])
    assert [state.quantity for state in only(cart).state] == [5]


def test_raised_quantities_reach_the_next_tier() -> None:
    facts = shop(TIERED)
    cart = a_cart(facts, lineItems=[sku("tiered", 9)])
    assert cents(cart) == [900]
    assert cents(changed(cart, add("tiered"), facts=facts)) == [800]
    assert cents(changed(cart, add("tiered", 91), facts=facts)) == [5000]


def test_a_product_discount_switches_tiers_off() -> None:
    price = TIERED.master_data.current.master_variant.prices[0]
    reduced = DiscountedPrice(value=money(90, "EUR"), discount=Reference(type_id="product-discount", id="d"))
    facts = shop(a_product("tiered", replace(price, discounted=reduced)))
    assert cents(a_cart(facts, lineItems=[sku("tiered", 10)])) == [900]


GIFT = {"type": {"typeId": "type", "id": "gift"}, "fields": {"note": "hi"}}


@pytest.mark.parametrize(
    "difference",
    [
        {"custom": GIFT},
        {"supplyChannel": {"typeId": "channel", "id": "depot"}},
        {"distributionChannel": OUTLET},
        {"inventoryMode": "TrackOnly"},
        {"key": "own"},
        {"externalPrice": eur(1190)},
        {"externalTotalPrice": {"price": eur(1190), "totalPrice": eur(1190)}},
    ],
)
def test_lines_that_differ_stay_apart(difference: dict[str, Any]) -> None:
    cart = changed(a_cart(lineItems=[sku("shirt")]), add("shirt", **difference))
    assert [item.quantity for item in cart.line_items] == [1, 1]


@pytest.mark.parametrize("same", [{"custom": GIFT}, {"distributionChannel": OUTLET}, {"key": "own"}])
def test_lines_that_are_alike_in_their_details_meet(same: dict[str, Any]) -> None:
    cart = changed(a_cart(lineItems=[sku("shirt", **same)]), add("shirt", **same))
    assert [item.quantity for item in cart.line_items] == [2]


def test_a_line_with_a_price_from_outside_is_not_raised_by_plain_adding() -> None:
    cart = changed(a_cart(lineItems=[sku("shirt", externalPrice=eur(500))]), add("shirt"))
    assert cents(cart) == [500, 1190]


def test_a_key_belongs_to_one_line() -> None:
    with pytest.raises(DuplicateField):
        changed(a_cart(lineItems=[sku("shirt", key="mine")]), add("book", key="mine"))


def test_an_inventory_mode_that_is_the_carts_own_is_not_told() -> None:
    cart = a_cart(inventoryMode="TrackOnly", lineItems=[sku("shirt", inventoryMode="TrackOnly")])
    assert only(cart).inventory_mode is None


# --- price selection -----------------------------------------------------------------------


def test_the_country_of_the_cart_selects_the_price() -> None:
    facts = shop(SCOPED)
    assert cents(a_cart(facts, lineItems=[sku("scoped")])) == [1000]
    assert cents(a_cart(facts, country="DE", lineItems=[sku("scoped")])) == [950]


def test_changing_the_country_changes_prices_at_once() -> None:
    facts = shop(SCOPED)
    cart = changed(a_cart(facts, lineItems=[sku("scoped", 2)]), {"action": "setCountry", "country": "DE"}, facts=facts)
    assert cents(cart) == [1900]
    assert cents(changed(cart, {"action": "setCountry"}, facts=facts)) == [2000]


def test_the_distribution_channel_selects_the_price() -> None:
    facts = shop(SCOPED)
    cart = a_cart(facts, lineItems=[sku("scoped", distributionChannel=OUTLET)])
    assert cents(cart) == [900]
    action = {"action": "setLineItemDistributionChannel", **line(cart)}
    plain = changed(cart, action, facts=facts)
    assert cents(plain) == [1000]
    assert cents(changed(plain, {**action, "distributionChannel": OUTLET}, facts=facts)) == [900]


def test_the_group_of_the_customer_selects_the_price() -> None:
    group = Reference(type_id="customer-group", id="vip")
    ann = a_customer("ann", customer_group=group)
    facts = shop(SCOPED, ann)
    assert cents(a_cart(facts, customerId="ann", lineItems=[sku("scoped")])) == [800]
    guest = a_cart(facts, lineItems=[sku("scoped")])
    cart = changed(guest, {"action": "setCustomerId", "customerId": "ann"}, facts=facts)
    assert (cents(cart), cart.customer_email) == ([800], "ann@example.com")
    assert cents(changed(cart, {"action": "setCustomerId"}, facts=facts)) == [1000]


def test_the_group_of_a_cart_selects_the_price() -> None:
    facts = shop(SCOPED)
    group = {"typeId": "customer-group", "id": "vip"}
    assert cents(a_cart(facts, customerGroup=group, lineItems=[sku("scoped")])) == [800]
    cart = changed(
        a_cart(facts, lineItems=[sku("scoped")]), {"action": "setCustomerGroup", "customerGroup": group}, facts=facts
    )
    assert cents(cart) == [800]
    assert VIP.key == "vip"


def test_a_line_takes_the_lowest_price_of_the_groups_its_customer_is_assigned_to() -> None:
    vip, staff = (Reference(type_id="customer-group", id=each) for each in ("vip", "staff"))
    product = a_product("grouped", a_price(1000), a_price(800, customer_group=vip), a_price(700, customer_group=staff))
    assigned = tuple(CustomerGroupAssignment(customer_group=each) for each in (vip, staff))
    facts = shop(product, a_customer("ann", customer_group_assignments=assigned), a_customer("bob"))
    lines = [sku("grouped")]
    assert cents(a_cart(facts, customerId="ann", lineItems=lines)) == [700]
    assert cents(a_cart(facts, customerId="bob", lineItems=lines)) == [1000]
    assert cents(a_cart(facts, lineItems=lines)) == [1000]
    orphan = replace(a_cart(facts, customerId="ann", lineItems=lines), customer_id="gone")
    assert cents(changed(orphan, {"action": "recalculate"}, facts=facts)) == [1000]


def test_no_price_names_what_was_looked_for() -> None:
    with pytest.raises(MatchingPriceNotFound) as refused:
        a_cart(currency="USD", country="US", lineItems=[sku("book")])
    assert refused.value.fields == {"productId": "book-id", "variantId": 1, "currency": "USD", "country": "US"}


def test_a_country_without_a_price_is_refused_for_the_lines_there_are() -> None:
    german = a_product("german", a_price(100, country="DE"))
    facts = shop(german)
    cart = a_cart(facts, country="DE", lineItems=[sku("german")])
    with pytest.raises(MatchingPriceNotFound):
        changed(cart, {"action": "setCountry", "country": "FR"}, facts=facts)


def test_embedded_prices_of_a_standalone_product_are_switched_off() -> None:
    with pytest.raises(MatchingPriceNotFound):
        a_cart(shop(a_product("shirt", price_mode="Standalone")), lineItems=[sku("shirt")])


def test_any_update_brings_the_price_of_today() -> None:
    cart = a_cart(lineItems=[sku("shirt", 2)])
    dearer = shop(a_product("shirt", a_price(1290)))
    assert cents(changed(cart, {"action": "recalculate"}, facts=dearer)) == [2580]
    assert cents(changed(cart, {"action": "setLocale", "locale": "de"}, facts=dearer)) == [2580]


def test_product_data_changes_only_when_asked_for() -> None:
    cart = a_cart(lineItems=[sku("shirt")])
    renamed = a_product("shirt", a_price(1290))
    data = replace(renamed.master_data.current, name={"en": "Better shirt"}, slug={"en": "better"})
    facts = shop(replace(renamed, master_data=replace(renamed.master_data, current=data)))
    item = only(changed(cart, {"action": "recalculate"}, facts=facts))
    assert (item.name, item.product_slug) == ({"en": "shirt"}, {"en": "better"})
    assert item.variant.prices[0].value.cent_amount == 1190
    item = only(changed(cart, {"action": "recalculate", "updateProductData": True}, facts=facts))
    assert (item.name, item.variant.prices[0].value.cent_amount) == ({"en": "Better shirt"}, 1290)


@pytest.mark.parametrize("master", [1, 2])
def test_product_data_of_a_variant_that_is_gone_stays(master: int) -> None:
    cart = a_cart(lineItems=[sku("shirt")])
    renamed = a_product("shirt", a_price(1190), published=master == 2)
    variant = replace(renamed.master_data.current.master_variant, id=master)
    data = replace(renamed.master_data.current, name={"en": "Other"}, master_variant=variant)
    facts = shop(replace(renamed, master_data=replace(renamed.master_data, current=data)))
    item = only(changed(cart, {"action": "recalculate", "updateProductData": True}, facts=facts))
    assert (item.name, item.price.value.cent_amount) == ({"en": "shirt"}, 1190)


@pytest.mark.parametrize("gone", [a_product("shirt", a_price(9999), published=False), None])
def test_a_product_that_is_gone_keeps_its_price_in_the_cart(gone: Any) -> None:
    cart = a_cart(lineItems=[sku("shirt")], shippingAddress=DE)
    facts = shop(gone or replace(SHIRT, id="another", key="another"))
    if gone is None:
        facts._known.pop(next(key for key in facts._known if getattr(key, "id", "") == "shirt-id"))  # type: ignore[attr-defined]
    after = changed(cart, {"action": "recalculate"}, facts=facts)
    assert cents(after) == [1190]
    assert after.taxed_price == cart.taxed_price


# --- quantities ----------------------------------------------------------------------------


@pytest.mark.parametrize(("quantity", "expected"), [(1, [1190]), (7, [8330]), (0, [])])
def test_a_quantity_can_be_set_and_zero_removes_the_line(quantity: int, expected: list[int]) -> None:
    cart = a_cart(lineItems=[sku("shirt", 2)])
    after = changed(cart, {"action": "changeLineItemQuantity", **line(cart), "quantity": quantity})
    assert cents(after) == expected
    assert after.total_price.cent_amount == sum(expected)
    assert after.total_line_item_quantity == (quantity or None)


def test_the_same_quantity_changes_nothing_but_a_price_that_comes_with_it() -> None:
    cart = a_cart(lineItems=[sku("shirt", 2)])
    same = {"action": "changeLineItemQuantity", **line(cart), "quantity": 2}
    assert changed(cart, same, facts=shop(now="2026-02-01T00:00:00.000Z")) == cart
    assert cents(changed(cart, same | {"externalPrice": eur(500)})) == [1000]
    assert cents(changed(cart, same | {"externalTotalPrice": {"price": eur(5), "totalPrice": eur(9)}})) == [9]


def test_a_cart_has_room_for_so_many_lines() -> None:
    first = only(a_cart(lineItems=[sku("shirt")]))
    full = replace(a_cart(), line_items=tuple(replace(first, id=str(n)) for n in range(LINE_ITEMS_MAX - 1)))
    full = changed(full, add("book"))
    assert len(full.line_items) == LINE_ITEMS_MAX
    assert changed(full, add("book")).line_items[-1].quantity == 2
    with pytest.raises(MaxResourceLimitExceeded):
        changed(full, add("book", key="another"))


@pytest.mark.parametrize(("quantity", "left"), [(1, [2]), (2, [1]), (3, []), (4, []), (None, [])])
def test_units_can_be_taken_off_a_line(quantity: int | None, left: list[int]) -> None:
    cart = a_cart(lineItems=[sku("shirt", 3)])
    after = changed(cart, {"action": "removeLineItem", **line(cart), "quantity": quantity})
    assert [item.quantity for item in after.line_items] == left


def test_lines_can_be_named_by_key() -> None:
    cart = a_cart(lineItems=[sku("shirt", key="mine"), sku("book")])
    after = changed(cart, {"action": "changeLineItemQuantity", "lineItemKey": "mine", "quantity": 4})
    assert [item.quantity for item in after.line_items] == [4, 1]


@pytest.mark.parametrize(("named", "error"), [({}, RequiredField), ({"lineItemId": "x"}, InvalidOperation)])
def test_a_line_that_is_not_there_is_refused(named: dict[str, str], error: type[ApiError]) -> None:
    with pytest.raises(error):
        changed(a_cart(lineItems=[sku("shirt")]), {"action": "removeLineItem", **named})


def test_a_quantity_beyond_all_sales_is_refused() -> None:
    cart = a_cart(lineItems=[sku("shirt", 1_000_000_000)])
    with pytest.raises(InvalidField):
        changed(cart, add("shirt"))


def test_a_total_that_would_not_be_exact_is_refused() -> None:
    facts = shop(a_product("gold", a_price(2**53 - 1)))
    assert a_cart(facts, lineItems=[sku("gold")]).total_price.cent_amount == 2**53 - 1
    with pytest.raises(InvalidOperation):
        a_cart(facts, lineItems=[sku("gold", 2)])
    with pytest.raises(InvalidOperation):
        a_cart(facts, lineItems=[sku("gold"), sku("shirt")])


def test_lines_can_be_put_in_another_order() -> None:
    cart = a_cart(lineItems=[sku("shirt"), sku("book")])
    first, second = (item.id for item in cart.line_items)
    after = changed(cart, {"action": "changeLineItemsOrder", "lineItemOrder": [second, first]})
    assert [item.id for item in after.line_items] == [second, first]
    for order in ([first], [first, first], [first, second, second], []):
        with pytest.raises(InvalidOperation):
            changed(cart, {"action": "changeLineItemsOrder", "lineItemOrder": order})


# --- prices from outside -------------------------------------------------------------------


def test_an_external_price_counts_per_unit_and_can_be_taken_back() -> None:
    cart = a_cart(lineItems=[sku("shirt", 3)])
    set_price = {"action": "setLineItemPrice", **line(cart)}
    priced = changed(cart, {**set_price, "externalPrice": eur(500)})
    assert (cents(priced), only(priced).price_mode) == ([1500], "ExternalPrice")
    assert cents(changed(priced, {"action": "changeLineItemQuantity", **line(cart), "quantity": 2})) == [1000]
    assert cents(changed(priced, {"action": "recalculate"})) == [1500]
    back = changed(priced, set_price)
    assert (cents(back), only(back).price_mode) == ([3570], "Platform")


def test_a_high_precision_price_is_rounded_once_per_line() -> None:
    price = {"type": "highPrecision", "currencyCode": "EUR", "preciseAmount": 1255, "fractionDigits": 4}
    assert cents(a_cart(lineItems=[sku("shirt", 1, externalPrice=price)])) == [13]
    assert cents(a_cart(lineItems=[sku("shirt", 1000, externalPrice=price)])) == [12550]


@pytest.mark.parametrize(("mode", "cents"), [("HalfEven", 12), ("HalfUp", 13)])
def test_half_cents_of_platform_prices_follow_the_mode_those_from_outside_go_to_even(mode: str, cents: int) -> None:
    half = Money(type="highPrecision", currency_code="EUR", cent_amount=12, fraction_digits=3, precise_amount=125)
    facts = shop(a_product("fine", Price(id="p", value=half)))
    cart = a_cart(facts, priceRoundingMode=mode, lineItems=[sku("fine")])
    assert cart.total_price.cent_amount == cents
    outside = {"type": "highPrecision", "currencyCode": "EUR", "preciseAmount": 125, "fractionDigits": 3}
    cart = a_cart(priceRoundingMode=mode, lineItems=[sku("shirt", externalPrice=outside)])
    assert cart.total_price.cent_amount == 12


def test_an_external_total_stands_whatever_the_unit_price() -> None:
    cart = a_cart(lineItems=[sku("shirt", 3, externalTotalPrice={"price": eur(333), "totalPrice": eur(1000)})])
    assert (cents(cart), only(cart).price.value.cent_amount) == ([1000], 333)
    assert cents(changed(cart, {"action": "recalculate"})) == [1000]


def test_changing_the_quantity_voids_an_external_total() -> None:
    cart = a_cart(lineItems=[sku("shirt", 3, externalTotalPrice={"price": eur(333), "totalPrice": eur(1000)})])
    change = {"action": "changeLineItemQuantity", **line(cart), "quantity": 2}
    voided = changed(cart, change)
    assert (cents(voided), only(voided).price_mode) == ([2380], "Platform")
    renewed = changed(cart, {**change, "externalTotalPrice": {"price": eur(300), "totalPrice": eur(599)}})
    assert (cents(renewed), only(renewed).price_mode) == ([599], "ExternalTotal")


@pytest.mark.parametrize(
    "outside", [{"externalPrice": eur(5)}, {"externalTotalPrice": {"price": eur(5), "totalPrice": eur(5)}}]
)
def test_a_price_from_outside_needs_none_of_the_shop(outside: dict[str, Any]) -> None:
    facts = shop(a_product("american", a_price(100, "USD")))
    assert cents(a_cart(facts, lineItems=[sku("american", **outside)])) == [5]


def test_taking_units_off_accepts_new_external_prices() -> None:
    cart = a_cart(lineItems=[sku("shirt", 3, externalPrice=eur(500))])
    after = changed(cart, {"action": "removeLineItem", **line(cart), "quantity": 1, "externalPrice": eur(600)})
    assert cents(after) == [1200]


def test_an_external_total_can_be_set_and_taken_back() -> None:
    cart = a_cart(lineItems=[sku("shirt", 3)])
    action = {"action": "setLineItemTotalPrice", **line(cart)}
    total = changed(cart, {**action, "externalTotalPrice": {"price": eur(1), "totalPrice": eur(7)}})
    assert (cents(total), only(total).price_mode) == ([7], "ExternalTotal")
    assert cents(changed(total, action)) == [3570]


@pytest.mark.parametrize(
    "action",
    [
        {"externalPrice": {"currencyCode": "USD", "centAmount": 1}},
        {"externalTotalPrice": {"price": eur(1), "totalPrice": {"currencyCode": "USD", "centAmount": 1}}},
        {"externalTotalPrice": {"price": {"currencyCode": "USD", "centAmount": 1}, "totalPrice": eur(1)}},
    ],
)
def test_amounts_in_another_currency_are_refused_by_name(action: dict[str, Any]) -> None:
    with pytest.raises(InvalidField) as refused:
        a_cart(lineItems=[sku("shirt", **action)])
    assert refused.value.fields["field"].endswith("currencyCode")


# --- channels ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "channel", "role"),
    [("distributionChannel", "depot", "ProductDistribution"), ("supplyChannel", "outlet", "InventorySupply")],
)
def test_a_channel_needs_the_role_it_is_used_in(field: str, channel: str, role: str) -> None:
    with pytest.raises(MissingRoleOnChannel) as refused:
        a_cart(lineItems=[sku("shirt") | {field: {"typeId": "channel", "id": channel}}])
    assert refused.value.fields["missingRole"] == role


def test_a_store_with_channels_of_its_own_sells_through_no_other() -> None:
    elsewhere = replace(BOUTIQUE, distribution_channels=(Reference(type_id="channel", id="other"),))
    draft: dict[str, Any] = {
        "store": {"typeId": "store", "key": "boutique"},
        "lineItems": [sku("shirt", distributionChannel=OUTLET)],
    }
    assert len(a_cart(**draft).line_items) == 1
    with pytest.raises(InvalidOperation):
        a_cart(shop(elsewhere), **draft)


def test_supply_channel_inventory_mode_and_custom_fields_can_be_changed() -> None:
    cart = a_cart(lineItems=[sku("shirt")])
    cart = changed(
        cart,
        {"action": "setLineItemSupplyChannel", **line(cart), "supplyChannel": {"typeId": "channel", "id": "depot"}},
        {"action": "setLineItemInventoryMode", **line(cart), "inventoryMode": "ReserveOnOrder"},
        {"action": "setLineItemCustomType", **line(cart), **GIFT},
        {"action": "setLineItemCustomField", **line(cart), "name": "note", "value": "ho"},
    )
    item = only(cart)
    assert item.supply_channel == Reference(type_id="channel", id="depot")
    assert item.inventory_mode == "ReserveOnOrder"
    assert item.custom is not None
    assert item.custom.fields == {"note": "ho"}


def test_recurring_lines_need_a_policy_that_exists() -> None:
    cart = a_cart(lineItems=[sku("shirt")])
    info = {"recurrencePolicy": {"typeId": "recurrence-policy", "id": "weekly"}, "priceSelectionMode": "Fixed"}
    action = {"action": "setLineItemRecurrenceInfo", **line(cart)}
    assert changed(cart, action) == cart
    for refused in (action | {"recurrenceInfo": info}, add("book", recurrenceInfo=info)):
        with pytest.raises(ReferencedResourceNotFound):
            changed(cart, refused)
