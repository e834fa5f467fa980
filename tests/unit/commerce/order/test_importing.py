from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commerce.builders import cart as shop_of
from tests.unit.commerce.builders.cart import as_json, eur
from tests.unit.commerce.builders.customer import a_customer
from tests.unit.commerce.builders.inventory_entry import an_entry
from tests.unit.commerce.builders.order import INITIAL_ID, shop
from tests.unit.commerce.builders.payment import a_payment

from holdfast.base.errors import ApiError, InvalidField, InvalidOperation, ReferencedResourceNotFound, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.order import OrderImported
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.order.drafts import OrderImportDraft
from holdfast.commerce.resources.order.importing import import_order
from holdfast.commerce.resources.order.shape import Order
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.money import money
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import decode_special

DECODER = msgspec.json.Decoder(OrderImportDraft, dec_hook=decode_special)
RATE = {"name": "19 %", "amount": 0.19, "includedInPrice": True, "country": "DE"}
SHIRT: dict[str, Any] = {
    "name": {"en": "An old shirt"},
    "variant": {"sku": "shirt"},
    "quantity": 2,
    "price": {"value": eur(1000)},
    "taxRate": RATE,
}
FOREIGN = SHIRT | {"variant": {"id": 7, "sku": "unheard-of"}}


def imported(facts: Facts | None = None, **draft: Any) -> Changed[Order]:
    body = {"lineItems": [SHIRT], "totalPrice": eur(2000), **draft}
    return import_order(DECODER.decode(msgspec.json.encode(body)), facts or shop(a_customer("ada"), a_payment()))


def test_an_imported_order_keeps_its_own_prices_and_is_told() -> None:
    changed = imported(orderNumber="old-1", completedAt="2020-01-01T00:00:00Z", orderState="Complete")
    order = changed.resource
    (line,) = order.line_items
    assert (line.price.value, line.total_price) == (money(1000, "EUR"), money(2000, "EUR"))
    assert (order.order_number, order.order_state, order.completed_at) == (
        "old-1",
        "Complete",
        "2020-01-01T00:00:00.000Z",
    )
    assert changed.messages == (OrderImported(order=order),)
    assert (order.id != "", order.version, order.cart) == (True, 1, None)


def test_the_total_is_trusted_even_where_it_is_no_sum() -> None:
    assert imported(totalPrice=eur(1)).resource.total_price == money(1, "EUR")


def test_an_imported_line_is_completed_by_the_product_of_its_sku() -> None:
    (line,) = imported().resource.line_items
    assert (line.product_id, line.product_key, line.variant.sku) == ("shirt-id", "shirt", "shirt")
    assert line.variant.prices == shop_of.SHIRT.master_data.current.master_variant.prices


def test_an_imported_line_needs_no_product() -> None:
    body = as_json(imported(lineItems=[FOREIGN]).resource)["lineItems"][0]
    assert body["variant"] == {"id": 7, "sku": "unheard-of", "prices": [], "attributes": [], "images": [], "assets": []}
    assert not {"productId", "productType", "productSlug"} & set(body)


def test_what_the_draft_says_of_a_variant_wins() -> None:
    variant = {"sku": "shirt", "attributes": [{"name": "color", "value": "red"}], "prices": []}
    (line,) = imported(lineItems=[SHIRT | {"variant": variant}]).resource.line_items
    assert as_json(line.variant)["attributes"] == [{"name": "color", "value": "red"}]
    assert line.variant.prices == ()


@pytest.mark.parametrize(
    ("line", "net", "gross"),
    [
        ({}, 1681, 2000),
        ({"taxRate": RATE | {"includedInPrice": False}}, 2000, 2380),
        ({"taxedPrice": {"totalNet": eur(1500), "totalGross": eur(2000)}}, 1500, 2000),
        ({"quantity": -2}, -1681, -2000),
    ],
)
def test_an_imported_line_is_taxed_by_its_rate_or_as_told(line: dict[str, Any], net: int, gross: int) -> None:
    (item,) = imported(lineItems=[SHIRT | line]).resource.line_items
    assert item.taxed_price is not None
    assert (item.taxed_price.total_net.cent_amount, item.taxed_price.total_gross.cent_amount) == (net, gross)
    assert item.taxed_price.total_tax == money(gross - net, "EUR")


def test_unit_prices_are_taxed_one_by_one_where_the_order_says_so() -> None:
    (item,) = imported(taxCalculationMode="UnitPriceLevel").resource.line_items
    assert item.taxed_price is not None
    assert item.taxed_price.total_net.cent_amount == 2 * 840


def test_imported_items_start_in_the_initial_state_or_where_they_are() -> None:
    state = [{"quantity": 1, "state": {"key": "picked"}}, {"quantity": 1, "state": {"key": "returned"}}]
    fresh, known = imported(lineItems=[SHIRT, SHIRT | {"state": state}]).resource.line_items
    assert [(entry.state.id, entry.quantity) for entry in fresh.state] == [(INITIAL_ID, 2)]
    assert [(entry.state.id, entry.quantity) for entry in known.state] == [("picked", 1), ("returned", 1)]


def test_custom_line_items_and_shipping_come_along() -> None:
    fee = {"name": {"en": "Fee"}, "slug": "fee", "quantity": 3, "money": eur(-100), "taxRate": RATE}
    shipping = {
        "shippingMethodName": "Coach",
        "price": eur(500),
        "shippingRate": {"price": eur(500)},
        "taxRate": RATE,
        "taxCategory": {"key": "normal"},
        "shippingMethod": {"key": "standard"},
        "discountedPrice": {"value": eur(250), "includedDiscounts": []},
        "deliveries": [{"key": "van", "items": [], "parcels": [{"key": "box"}]}],
    }
    order = imported(customLineItems=[fee], shippingInfo=shipping).resource
    (custom,) = order.custom_line_items
    assert custom.total_price == money(-300, "EUR")
    info = order.shipping_info
    assert info is not None
    assert info.taxed_price is not None
    assert (info.price.cent_amount, info.taxed_price.total_gross.cent_amount) == (500, 250)
    assert [parcel.key for delivery in info.deliveries for parcel in delivery.parcels] == ["box"]


def test_an_imported_order_points_at_what_exists() -> None:
    order = imported(
        customerId="ada",
        customerGroup={"key": "vip"},
        store={"key": "boutique"},
        paymentInfo={"payments": [{"typeId": "payment", "id": "payment-1"}]},
    ).resource
    assert order.customer_id == "ada"
    assert order.store is not None
    assert (order.store.key, order.payment_info is not None) == ("boutique", True)


@pytest.mark.parametrize(("mode", "kinds"), [("None", []), ("TrackOnly", ["track"]), ("ReserveOnOrder", ["reserve"])])
def test_an_imported_order_takes_stock_as_its_inventory_mode_says(mode: str, kinds: list[str]) -> None:
    assert [moved.kind for moved in imported(inventoryMode=mode).stock] == kinds


@pytest.mark.parametrize(("mode", "kind"), [("TrackOnly", "track"), ("ReserveOnOrder", "reserve")])
def test_an_imported_line_takes_its_units_where_they_come_from(mode: str, kind: Any) -> None:
    depot = {"typeId": "channel", "id": "depot"}
    lines = [SHIRT | {"quantity": 1, "supplyChannel": depot}, SHIRT]
    in_depot = an_entry("depot-shirts", sku="shirt", supply_channel=Reference(type_id="channel", id="depot"))
    order = imported(shop(in_depot), inventoryMode=mode, lineItems=lines)
    first, second = order.resource.line_items
    assert order.stock == (
        StockMovement(kind, "depot-shirts", 1, "shirt", first.id),
        StockMovement(kind, "entry-shirt", 2, "shirt", second.id),
    )


def test_an_imported_line_that_was_taken_back_releases_nobody_elses_stock() -> None:
    order = imported(inventoryMode="ReserveOnOrder", lineItems=[SHIRT | {"quantity": -2}])
    assert (order.stock, order.resource.stock_held) == ((), ())


@pytest.mark.parametrize(
    ("draft", "refusal"),
    [
        ({"lineItems": []}, RequiredField),
        ({"lineItems": [SHIRT | {"variant": {}}]}, RequiredField),
        ({"lineItems": [SHIRT | {"variant": {"id": 1}}]}, RequiredField),
        ({"lineItems": [SHIRT | {"productId": "shirt-id"}]}, RequiredField),
        ({"lineItems": [SHIRT | {"price": {"value": {"currencyCode": "USD", "centAmount": 1}}}]}, InvalidField),
        ({"taxedPrice": {"totalNet": eur(1), "totalGross": {"currencyCode": "USD", "centAmount": 1}}}, InvalidField),
        (
            {"lineItems": [SHIRT | {"taxRate": None, "taxedPrice": {"totalNet": eur(1), "totalGross": eur(1)}}]},
            InvalidOperation,
        ),
        ({"lineItems": [SHIRT | {"state": [{"quantity": 1, "state": {"key": "picked"}}]}]}, InvalidOperation),
        (
            {
                "lineItems": [
                    SHIRT
                    | {
                        "state": [
                            {"quantity": 5, "state": {"key": "picked"}},
                            {"quantity": -3, "state": {"key": "returned"}},
                        ]
                    }
                ]
            },
            InvalidOperation,
        ),
        ({"customerId": "nobody"}, ReferencedResourceNotFound),
        ({"store": {"key": "nowhere"}}, ReferencedResourceNotFound),
        ({"paymentInfo": {"payments": [{"id": "none"}]}}, ReferencedResourceNotFound),
        ({"state": {"key": "picked"}}, InvalidOperation),
        ({"lineItems": [SHIRT | {"price": {"value": eur(2**53 - 1)}}]}, InvalidOperation),
    ],
)
def test_an_import_that_contradicts_itself_is_refused(draft: dict[str, Any], refusal: type[ApiError]) -> None:
    with pytest.raises(refusal):
        imported(**draft)


@pytest.mark.parametrize(
    "line",
    [
        {"quantity": 10**10},
        {"taxRate": RATE | {"amount": -1}},
        {"taxRate": RATE | {"amount": 1e308}},
        {"name": "shirt"},
    ],
)
def test_a_malformed_line_is_refused_by_its_shape(line: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        imported(lineItems=[SHIRT | line])
