from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders import cart as shop_of
from tests.unit.commerce.builders.cart import DE, eur, sku
from tests.unit.commerce.builders.customer import a_customer
from tests.unit.commerce.builders.order import CART_ID, INITIAL_ID, a_ready_cart, an_order, placed, shop, state
from tests.unit.commerce.builders.payment import a_payment
from tests.unit.commerce.builders.state import a_state
from tests.unit.commerce.facts import NOW, update

from holdfast.base.errors import ApiError, InvalidField, InvalidOperation, ReferencedResourceNotFound, RequiredField
from holdfast.commerce.messages import order as told
from holdfast.commerce.messages.message import Message
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.shape import EstimatedDelivery, PaymentInfo
from holdfast.commerce.resources.order.shape import Order, SyncInfo, orders
from holdfast.commerce.values.address import Address
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.reference import KeyReference, Reference

WRAP = {"name": {"en": "Wrap"}, "slug": "wrap", "money": eur(250), "taxCategory": {"id": "normal"}, "key": "wrap"}
ORDER = an_order(
    sku("shirt", 2, key="the-shirt"),
    customLineItems=[WRAP],
    shippingMethod={"id": "standard"},
    itemShippingAddresses=[{"country": "DE", "key": "gran"}, {"country": "DE", "key": "spare"}],
)
LINE, EXTRA = ORDER.line_items[0], ORDER.custom_line_items[0]
ADA = a_customer("ada", customer_group=Reference(type_id="customer-group", id="vip"))
REVIEW = a_state("review")
DONE = a_state("done", initial=False)
IS_ADA = Reference(type_id="customer", id="ada")
IS_VIP = Reference(type_id="customer-group", id="vip")
PAYMENT = Reference(type_id="payment", id="payment-1")
TO_GERMANY, TO_FRANCE = Address(country="DE"), Address(country="FR")


def noted(of: str, note: str = "x") -> CustomFields:
    return CustomFields(type=Reference(type_id="type", id=f"for-{of}"), fields={"note": note})


def changed(order: Order, *actions: dict[str, Any]) -> Changed[Order]:
    return update(orders, order, *actions, facts=shop(ADA, REVIEW, DONE, a_payment()))


def custom_type(action: str, of: str, **more: Any) -> dict[str, Any]:
    return {"action": action, "type": {"typeId": "type", "id": f"for-{of}"}, "fields": {"note": "x"}, **more}


def custom_field(action: str, **more: Any) -> dict[str, Any]:
    return {"action": action, "name": "note", "value": "y", **more}


def test_every_published_action_is_registered() -> None:
    assert len(orders.actions) == 61


# --- the order itself ----------------------------------------------------------------------

Case = tuple[Order, dict[str, Any], dict[str, Any], tuple[Message, ...]]
WITH_PAYMENT = replace(ORDER, payment_info=PaymentInfo(payments=(PAYMENT,)))
CASES: list[Case] = [
    (
        ORDER,
        {"action": "changeOrderState", "orderState": "Confirmed"},
        {"order_state": "Confirmed"},
        (told.OrderStateChanged(order_state="Confirmed", old_order_state="Open"),),
    ),
    (
        ORDER,
        {"action": "changeShipmentState", "shipmentState": "Shipped"},
        {"shipment_state": "Shipped"},
        (told.OrderShipmentStateChanged(shipment_state="Shipped"),),
    ),
    (
        replace(ORDER, payment_state="Pending"),
        {"action": "changePaymentState", "paymentState": "Paid"},
        {"payment_state": "Paid"},
        (told.OrderPaymentStateChanged(payment_state="Paid", old_payment_state="Pending"),),
    ),
    (
        ORDER,
        {"action": "transitionState", "state": {"key": "review"}},
        {"state": state("review")},
        (told.OrderStateTransition(state=state("review")),),
    ),
    (
        replace(ORDER, state=state("review")),
        {"action": "transitionState", "state": {"id": "done"}, "force": True},
        {"state": state("done")},
        (told.OrderStateTransition(state=state("done"), old_state=state("review"), force=True),),
    ),
    (ORDER, {"action": "setOrderNumber", "orderNumber": "2026-1"}, {"order_number": "2026-1"}, ()),
    (
        ORDER,
        {"action": "setPurchaseOrderNumber", "purchaseOrderNumber": "po"},
        {"purchase_order_number": "po"},
        (told.OrderPurchaseOrderNumberSet(purchase_order_number="po"),),
    ),
    (
        ORDER,
        {"action": "setCustomerEmail", "email": "ada@example.com"},
        {"customer_email": "ada@example.com"},
        (told.OrderCustomerEmailSet(email="ada@example.com"),),
    ),
    (
        ORDER,
        {"action": "setCustomerId", "customerId": "ada"},
        {"customer_id": "ada", "customer_group": IS_VIP},
        (told.OrderCustomerSet(customer=IS_ADA, customer_group=IS_VIP),),
    ),
    (
        replace(ORDER, customer_id="ada", customer_group=IS_VIP),
        {"action": "setCustomerId"},
        {"customer_id": None, "customer_group": None},
        (told.OrderCustomerSet(old_customer=IS_ADA, old_customer_group=IS_VIP),),
    ),
    (ORDER, {"action": "setLocale", "locale": "de"}, {"locale": "de"}, ()),
    (
        ORDER,
        {"action": "setStore", "store": {"typeId": "store", "key": "boutique"}},
        {"store": KeyReference(type_id="store", key="boutique")},
        (told.OrderStoreSet(store=KeyReference(type_id="store", key="boutique")),),
    ),
    (
        replace(ORDER, business_unit=KeyReference(type_id="business-unit", key="acme")),
        {"action": "setBusinessUnit"},
        {"business_unit": None},
        (told.OrderBusinessUnitSet(old_business_unit=KeyReference(type_id="business-unit", key="acme")),),
    ),
    (
        ORDER,
        {"action": "addPayment", "payment": {"typeId": "payment", "id": "payment-1"}},
        {"payment_info": PaymentInfo(payments=(PAYMENT,))},
        (told.OrderPaymentAdded(payment_ref=PAYMENT),),
    ),
    (
        WITH_PAYMENT,
        {"action": "removePayment", "payment": {"typeId": "payment", "id": "payment-1"}},
        {"payment_info": None},
        (told.OrderPaymentRemoved(payment_ref=PAYMENT, removed_payment_info=True),),
    ),
    (
        ORDER,
        {
            "action": "updateSyncInfo",
            "channel": {"key": "depot"},
            "externalId": "e",
            "syncedAt": "2026-01-01T00:00:00Z",
        },
        {
            "sync_info": (
                SyncInfo(
                    channel=Reference(type_id="channel", id="depot"),
                    external_id="e",
                    synced_at="2026-01-01T00:00:00.000Z",
                ),
            )
        },
        (),
    ),
    (
        ORDER,
        custom_type("setCustomType", "order"),
        {"custom": noted("order")},
        (told.OrderCustomTypeSet(custom_fields=noted("order")),),
    ),
    (
        replace(ORDER, custom=noted("order")),
        custom_field("setCustomField"),
        {"custom": noted("order", "y")},
        (told.OrderCustomFieldChanged(name="note", value="y", previous_value="x"),),
    ),
    (
        ORDER,
        {"action": "setShippingAddress", "address": {"country": "FR"}},
        {"shipping_address": TO_FRANCE, "taxed_price": ORDER.taxed_price},
        (told.OrderShippingAddressSet(address=TO_FRANCE, old_address=TO_GERMANY),),
    ),
    (
        ORDER,
        {"action": "setBillingAddress", "address": {"country": "FR"}},
        {"billing_address": TO_FRANCE},
        (told.OrderBillingAddressSet(address=TO_FRANCE),),
    ),
    (
        ORDER,
        custom_type("setShippingAddressCustomType", "address"),
        {"shipping_address": replace(TO_GERMANY, custom=noted("address"))},
        (),
    ),
    (
        replace(ORDER, shipping_address=replace(TO_GERMANY, custom=noted("address"))),
        custom_field("setShippingAddressCustomField"),
        {"shipping_address": replace(TO_GERMANY, custom=noted("address", "y"))},
        (),
    ),
    (
        replace(ORDER, billing_address=TO_FRANCE),
        custom_type("setBillingAddressCustomType", "address"),
        {"billing_address": replace(TO_FRANCE, custom=noted("address"))},
        (),
    ),
    (
        replace(ORDER, billing_address=replace(TO_FRANCE, custom=noted("address"))),
        custom_field("setBillingAddressCustomField"),
        {"billing_address": replace(TO_FRANCE, custom=noted("address", "y"))},
        (),
    ),
    (
        ORDER,
        {"action": "addItemShippingAddress", "address": {"country": "FR", "key": "paris"}},
        {"item_shipping_addresses": (*ORDER.item_shipping_addresses, Address(country="FR", key="paris"))},
        (),
    ),
    (
        ORDER,
        {"action": "updateItemShippingAddress", "address": {"country": "FR", "key": "gran"}},
        {"item_shipping_addresses": (Address(country="FR", key="gran"), ORDER.item_shipping_addresses[1])},
        (),
    ),
    (
        ORDER,
        {"action": "removeItemShippingAddress", "addressKey": "gran"},
        {"item_shipping_addresses": ORDER.item_shipping_addresses[1:]},
        (),
    ),
    (
        ORDER,
        custom_type("setItemShippingAddressCustomType", "address", addressKey="gran"),
        {
            "item_shipping_addresses": (
                Address(country="DE", key="gran", custom=noted("address")),
                ORDER.item_shipping_addresses[1],
            )
        },
        (),
    ),
    (
        replace(ORDER, item_shipping_addresses=(Address(country="DE", key="gran", custom=noted("address")),)),
        custom_field("setItemShippingAddressCustomField", addressKey="gran"),
        {"item_shipping_addresses": (Address(country="DE", key="gran", custom=noted("address", "y")),)},
        (),
    ),
    (
        ORDER,
        custom_type("setShippingCustomType", "shipping"),
        {"shipping_custom_fields": noted("shipping")},
        (),
    ),
    (
        replace(ORDER, shipping_custom_fields=noted("shipping")),
        custom_field("setShippingCustomField"),
        {"shipping_custom_fields": noted("shipping", "y")},
        (),
    ),
]


@pytest.mark.parametrize(
    ("before", "action", "fields", "messages"), CASES, ids=[str(case[1]["action"]) for case in CASES]
)
def test_an_action_changes_and_tells_what_it_names(
    before: Order, action: dict[str, Any], fields: dict[str, Any], messages: tuple[Message, ...]
) -> None:
    result = changed(before, action)
    assert {name: getattr(result.resource, name) for name in fields} == fields
    assert result.messages == messages
    assert (result.resource.version, result.stock) == (before.version + 1, ())


@pytest.mark.parametrize(
    "action",
    [
        {"action": "changeOrderState", "orderState": "Open"},
        {"action": "setOrderNumber"},
        {"action": "setCustomerEmail"},
        {"action": "removePayment", "payment": {"id": "payment-1"}},
        {"action": "setBillingAddress"},
        {"action": "setReturnInfo", "items": []},
    ],
)
def test_an_action_that_changes_nothing_says_nothing(action: dict[str, Any]) -> None:
    result = changed(ORDER, action)
    assert (result.resource, result.messages) == (ORDER, ())


def test_a_payment_is_added_once() -> None:
    assert changed(WITH_PAYMENT, {"action": "addPayment", "payment": {"id": "payment-1"}}).resource == WITH_PAYMENT


def test_each_channel_has_one_note_about_its_latest_exchange() -> None:
    action = {"action": "updateSyncInfo", "channel": {"key": "depot"}}
    order = changed(ORDER, action | {"externalId": "one"}, action | {"externalId": "two"}).resource
    assert [(info.external_id, info.synced_at) for info in order.sync_info] == [("two", NOW)]


def test_the_expected_day_is_noted_at_the_shipping() -> None:
    window = {"from": "2026-02-01T00:00:00Z", "until": "2026-02-03T00:00:00Z"}
    result = changed(ORDER, {"action": "setEstimatedDelivery", "estimatedDelivery": window})
    expected = EstimatedDelivery(from_="2026-02-01T00:00:00.000Z", until="2026-02-03T00:00:00.000Z")
    assert result.resource.shipping_info is not None
    assert result.resource.shipping_info.estimated_delivery == expected
    assert result.messages == (told.OrderEstimatedDeliverySet(estimated_delivery=expected),)


# --- items ---------------------------------------------------------------------------------


TO_GRAN = {"targets": [{"addressKey": "gran", "quantity": 2}], "valid": True}


@pytest.mark.parametrize("by", [{"lineItemId": LINE.id}, {"lineItemKey": "the-shirt"}])
@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        (custom_type("setLineItemCustomType", "line-item"), "custom", shop_of.as_json(noted("line-item"))),
        ({"action": "setLineItemShippingDetails", "shippingDetails": TO_GRAN}, "shippingDetails", TO_GRAN),
        (
            {"action": "importLineItemState", "state": [{"quantity": 2, "state": {"id": "picked"}}]},
            "state",
            [{"quantity": 2, "state": {"typeId": "state", "id": "picked"}}],
        ),
    ],
)
def test_a_line_item_is_named_by_id_or_key(by: dict[str, str], action: dict[str, Any], field: str, value: Any) -> None:
    after = shop_of.as_json(changed(ORDER, action | by).resource)["lineItems"][0]
    assert after == shop_of.as_json(LINE) | {field: value}


ONE_TO_GRAN = {"targets": [{"addressKey": "gran", "quantity": 1}], "valid": True}
TRANSITION = {"action": "transitionCustomLineItemState", "quantity": 1, "fromState": {"key": "Initial"}}


@pytest.mark.parametrize("by", [{"customLineItemId": EXTRA.id}, {"customLineItemKey": "wrap"}])
@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        (
            custom_type("setCustomLineItemCustomType", "custom-line-item"),
            "custom",
            shop_of.as_json(noted("custom-line-item")),
        ),
        (
            {"action": "setCustomLineItemShippingDetails", "shippingDetails": ONE_TO_GRAN},
            "shippingDetails",
            ONE_TO_GRAN,
        ),
        (
            {"action": "importCustomLineItemState", "state": [{"quantity": 1, "state": {"id": "picked"}}]},
            "state",
            [{"quantity": 1, "state": {"typeId": "state", "id": "picked"}}],
        ),
        (
            TRANSITION | {"toState": {"id": "returned"}},
            "state",
            [{"quantity": 1, "state": {"typeId": "state", "id": "returned"}}],
        ),
    ],
)
def test_a_custom_line_item_is_named_by_id_or_key(
    by: dict[str, str], action: dict[str, Any], field: str, value: Any
) -> None:
    result = changed(ORDER, action | by)
    (after,) = result.resource.custom_line_items
    assert shop_of.as_json(after) == shop_of.as_json(EXTRA) | {field: value}
    assert result.stock == ()


def test_custom_fields_of_items_are_set_one_by_one() -> None:
    order = changed(
        ORDER,
        custom_type("setLineItemCustomType", "line-item", lineItemId=LINE.id),
        custom_field("setLineItemCustomField", lineItemId=LINE.id),
        custom_type("setCustomLineItemCustomType", "custom-line-item", customLineItemId=EXTRA.id),
        custom_field("setCustomLineItemCustomField", customLineItemKey="wrap"),
    ).resource
    assert order.line_items[0].custom == noted("line-item", "y")
    assert order.custom_line_items[0].custom == noted("custom-line-item", "y")


def test_a_custom_line_item_transition_is_told() -> None:
    given = {"customLineItemId": EXTRA.id, "toState": {"key": "picked"}, "actualTransitionDate": "2026-01-01"}
    (message,) = changed(ORDER, TRANSITION | given).messages
    assert isinstance(message, told.CustomLineItemStateTransition)
    assert (message.custom_line_item_key, message.to_state) == ("wrap", state("picked"))
    assert message.transition_date == "2026-01-01T00:00:00.000Z"


# --- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "action", "refusal"),
    [
        (replace(ORDER, order_number="1"), {"action": "setOrderNumber", "orderNumber": "2"}, InvalidOperation),
        (replace(ORDER, order_number="1"), {"action": "setOrderNumber"}, InvalidOperation),
        (ORDER, {"action": "transitionState", "state": {"id": "done"}}, InvalidOperation),
        (ORDER, {"action": "transitionState", "state": {"id": "picked"}, "force": True}, InvalidOperation),
        (ORDER, {"action": "setLocale", "locale": "fr"}, InvalidField),
        (ORDER, {"action": "setStore"}, InvalidOperation),
        (ORDER, {"action": "setCustomerId", "customerId": "nobody"}, ReferencedResourceNotFound),
        (ORDER, {"action": "addPayment", "payment": {"id": "none"}}, ReferencedResourceNotFound),
        (ORDER, {"action": "setBusinessUnit", "businessUnit": {"key": "acme"}}, ReferencedResourceNotFound),
        (ORDER, custom_type("setBillingAddressCustomType", "address"), InvalidOperation),
        (ORDER, {"action": "addItemShippingAddress", "address": DE}, RequiredField),
        (ORDER, {"action": "addItemShippingAddress", "address": DE | {"key": "gran"}}, InvalidOperation),
        (ORDER, {"action": "updateItemShippingAddress", "address": DE | {"key": "nobody"}}, InvalidOperation),
        (ORDER, {"action": "removeItemShippingAddress", "addressKey": "nobody"}, InvalidOperation),
        (ORDER, custom_type("setLineItemCustomType", "line-item"), RequiredField),
        (ORDER, custom_type("setLineItemCustomType", "line-item", lineItemId="none"), InvalidOperation),
        (ORDER, custom_type("setShippingCustomType", "shipping", shippingKey="none"), InvalidOperation),
        (ORDER, {"action": "setEstimatedDelivery", "shippingKey": "none"}, InvalidOperation),
        (
            ORDER,
            {
                "action": "importLineItemState",
                "lineItemId": LINE.id,
                "state": [{"quantity": 1, "state": {"id": "picked"}}],
            },
            InvalidOperation,
        ),
        (
            ORDER,
            {
                "action": "importLineItemState",
                "lineItemId": LINE.id,
                "state": [{"quantity": 2, "state": {"id": "review"}}],
            },
            InvalidOperation,
        ),
    ],
)
def test_an_action_that_does_not_fit_is_refused(before: Order, action: dict[str, Any], refusal: type[ApiError]) -> None:
    with pytest.raises(refusal):
        changed(before, action)


def test_an_address_items_are_sent_to_stays() -> None:
    details = {"targets": [{"addressKey": "gran", "quantity": 2}]}
    order = changed(
        ORDER, {"action": "setLineItemShippingDetails", "lineItemId": LINE.id, "shippingDetails": details}
    ).resource
    with pytest.raises(InvalidOperation):
        changed(order, {"action": "removeItemShippingAddress", "addressKey": "gran"})
    assert changed(order, {"action": "removeItemShippingAddress", "addressKey": "spare"}).resource.version == 3


@pytest.mark.parametrize("quantity", [0, -1, 10**19])
def test_a_transition_of_no_units_is_refused_by_its_shape(quantity: int) -> None:
    action = {"action": "transitionLineItemState", "lineItemId": LINE.id, "quantity": quantity}
    with pytest.raises(msgspec.ValidationError):
        changed(ORDER, action | {"fromState": {"id": INITIAL_ID}, "toState": {"id": "picked"}})


# --- several ways of shipping --------------------------------------------------------------


def a_twice_shipped_order() -> Order:
    ways = [
        {"key": key, "shippingMethod": {"id": "standard"}, "shippingAddress": DE | {"key": f"to-{key}"}}
        for key in ("one", "two")
    ]
    cart = shop_of.a_cart(shop(), shippingMode="Multiple", lineItems=[sku("shirt", 2)], shipping=ways)
    line = cart.line_items[0]
    targets = [{"addressKey": f"to-{key}", "quantity": 1, "shippingMethodKey": key} for key in ("one", "two")]
    addresses = [{"action": "addItemShippingAddress", "address": DE | {"key": f"to-{key}"}} for key in ("one", "two")]
    details = {"action": "setLineItemShippingDetails", "lineItemId": line.id, "shippingDetails": {"targets": targets}}
    whole = shop_of.changed(cart, *addresses, details, facts=shop())
    return placed(replace(whole, id=CART_ID)).resource


def test_an_order_shipped_several_ways_names_the_way() -> None:
    order = a_twice_shipped_order()
    assert [entry.shipping_key for entry in order.shipping] == ["one", "two"]
    result = changed(
        order,
        {"action": "setEstimatedDelivery", "shippingKey": "two", "estimatedDelivery": {"until": "2026-02-03"}},
        custom_type("setShippingCustomType", "shipping", shippingKey="two"),
        custom_field("setShippingCustomField", shippingKey="two"),
        {"action": "addDelivery", "shippingKey": "two", "items": [{"id": order.line_items[0].id, "quantity": 1}]},
    )
    one, two = result.resource.shipping
    assert one == order.shipping[0]
    assert two.shipping_custom_fields == noted("shipping", "y")
    assert two.shipping_info.estimated_delivery == EstimatedDelivery(until="2026-02-03T00:00:00.000Z")
    assert len(two.shipping_info.deliveries) == 1
    for needless in ({"action": "addDelivery"}, {"action": "addDelivery", "shippingKey": "three"}):
        with pytest.raises(InvalidOperation):
            changed(order, needless)


def test_a_cart_of_nothing_shipped_has_no_deliveries() -> None:
    with pytest.raises(InvalidOperation):
        changed(placed(a_ready_cart()).resource, {"action": "addDelivery"})
