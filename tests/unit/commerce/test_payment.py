from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commerce.builders.payment import a_payment, a_transaction
from tests.unit.commerce.builders.state import a_state
from tests.unit.commerce.builders.type import a_type
from tests.unit.commerce.facts import create, facts_with, update

from holdfast.base.errors import InvalidField, InvalidOperation, ReferencedResourceNotFound
from holdfast.commerce.messages import payment as told
from holdfast.commerce.resources.customer.shape import Customer, customers
from holdfast.commerce.resources.payment import method_info, particulars, transactions  # noqa: F401 - register actions
from holdfast.commerce.resources.payment.shape import Payment, PaymentMethodInfo, PaymentStatus, payments
from holdfast.commerce.resources.state import states
from holdfast.commerce.resources.type import types
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.money import money
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import encode

ADA = Customer(id="ada", email="ada@example.com", authentication_mode="Password")
IS_ADA = Reference(type_id="customer", id="ada")
PENDING = a_state("pending", type="PaymentState")
SETTLED = a_state("settled", type="PaymentState", initial=False)
EUR_42 = {"currencyCode": "EUR", "centAmount": 4200}
USD_1 = {"currencyCode": "USD", "centAmount": 100}
FACTS = facts_with(
    (customers, ADA),
    (states, PENDING),
    (states, SETTLED),
    (types, a_type("for-payment", of="payment")),
    (types, a_type("for-transaction", of="transaction")),
    (types, a_type("for-info", of="payment-method-info")),
    (types, a_type("for-interaction", of="payment-interface-interaction")),
)
SHOPPER = facts_with((types, a_type("for-transaction", of="transaction")), anonymous_id="guest", scopes=())


def noted(type_id: str, note: str = "x") -> CustomFields:
    return CustomFields(type=Reference(type_id="type", id=type_id), fields={"note": note})


def test_a_draft_becomes_a_payment_that_tells_of_itself() -> None:
    draft = {
        "key": "first",
        "amountPlanned": EUR_42,
        "customer": {"typeId": "customer", "id": "ada"},
        "interfaceId": "psp-1",
        "paymentMethodInfo": {"paymentInterface": "psp", "method": "card", "name": {"en": "Card"}},
        "paymentStatus": {"interfaceCode": "ok", "state": {"key": "settled"}},
        "transactions": [{"type": "Charge", "amount": EUR_42, "state": "Success", "interactionId": "i-1"}],
        "interfaceInteractions": [{"type": {"key": "for-interaction"}, "fields": {"note": "sent"}}],
    }
    changed = create(payments, draft, FACTS)
    payment = changed.resource
    assert changed.messages == (told.PaymentCreated(payment=payment),)
    assert (payment.customer, payment.amount_planned) == (IS_ADA, money(4200, "EUR"))
    assert payment.payment_status.state == Reference(type_id="state", id="settled")
    assert [(each.type, each.state, each.interaction_id) for each in payment.transactions] == [
        ("Charge", "Success", "i-1")
    ]
    assert payment.interface_interactions == (noted("for-interaction", "sent"),)
    assert ("interfaceId", "psp/psp-1") in payments.unique_values(payment)


def test_a_bare_payment_still_shows_its_empty_parts() -> None:
    body = msgspec.json.decode(encode(create(payments, {"amountPlanned": EUR_42}).resource))
    assert (body["paymentMethodInfo"], body["paymentStatus"]) == ({}, {})
    assert (body["transactions"], body["interfaceInteractions"]) == ([], [])


@pytest.mark.parametrize(
    ("draft", "refusal"),
    [
        ({"amountPlanned": EUR_42, "customer": {"id": "ada"}, "anonymousId": "guest"}, InvalidOperation),
        ({"amountPlanned": EUR_42, "customer": {"id": "nobody"}}, ReferencedResourceNotFound),
        ({"amountPlanned": EUR_42, "paymentStatus": {"state": {"id": "nowhere"}}}, ReferencedResourceNotFound),
        ({"amountPlanned": EUR_42, "transactions": [{"type": "Charge", "amount": USD_1}]}, InvalidField),
        (
            {"amountPlanned": EUR_42 | {"type": "highPrecision", "preciseAmount": 1, "fractionDigits": 4}},
            InvalidField,
        ),
    ],
)
def test_a_contradictory_draft_is_refused(draft: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        create(payments, draft, FACTS)


@pytest.mark.parametrize(
    ("before", "action", "changed"),
    [
        (a_payment(), {"action": "setKey", "key": "first"}, {"key": "first"}),
        (a_payment(), {"action": "changeAmountPlanned", "amount": USD_1}, {"amount_planned": money(100, "USD")}),
        (a_payment(anonymous_id="g"), {"action": "setCustomer", "customer": {"id": "ada"}}, {"customer": IS_ADA}),
        (a_payment(customer=IS_ADA), {"action": "setCustomer"}, {"customer": None}),
        (a_payment(), {"action": "setAnonymousId", "anonymousId": "guest"}, {"anonymous_id": "guest"}),
        (a_payment(), {"action": "setInterfaceId", "interfaceId": "psp-1"}, {"interface_id": "psp-1"}),
        (
            a_payment(),
            {"action": "setStatusInterfaceCode", "interfaceCode": "ok"},
            {"payment_status": PaymentStatus(interface_code="ok")},
        ),
        (
            a_payment(payment_status=PaymentStatus(interface_text="fine")),
            {"action": "setStatusInterfaceText", "interfaceText": ""},
            {"payment_status": PaymentStatus()},
        ),
        (
            a_payment(),
            {"action": "transitionState", "state": {"key": "pending"}},
            {"payment_status": PaymentStatus(state=Reference(type_id="state", id="pending"))},
        ),
        (
            a_payment(),
            {"action": "addInterfaceInteraction", "type": {"id": "for-interaction"}, "fields": {"note": "x"}},
            {"interface_interactions": (noted("for-interaction"),)},
        ),
        (
            a_payment(),
            {"action": "setMethodInfo", "paymentInterface": "psp", "method": "card", "token": {"value": "t"}},
            {
                "payment_method_info": msgspec.convert(
                    {"paymentInterface": "psp", "method": "card", "token": {"value": "t"}}, PaymentMethodInfo
                )
            },
        ),
        (
            a_payment(),
            {"action": "setMethodInfoInterface", "interface": "psp"},
            {"payment_method_info": PaymentMethodInfo(payment_interface="psp")},
        ),
        (
            a_payment(),
            {"action": "setMethodInfoMethod", "method": "card"},
            {"payment_method_info": PaymentMethodInfo(method="card")},
        ),
        (
            a_payment(),
            {"action": "setMethodInfoName", "name": {"en": "Card"}},
            {"payment_method_info": PaymentMethodInfo(name={"en": "Card"})},
        ),
        (
            a_payment(),
            {"action": "setMethodInfoInterfaceAccount", "interfaceAccount": "eu"},
            {"payment_method_info": PaymentMethodInfo(interface_account="eu")},
        ),
        (
            a_payment(payment_method_info=PaymentMethodInfo(method="card")),
            {"action": "setMethodInfoToken"},
            {"payment_method_info": PaymentMethodInfo(method="card")},
        ),
        (
            a_payment(),
            {"action": "setMethodInfoCustomType", "type": {"id": "for-info"}, "fields": {"note": "x"}},
            {"payment_method_info": PaymentMethodInfo(custom=noted("for-info"))},
        ),
        (
            a_payment(payment_method_info=PaymentMethodInfo(custom=noted("for-info"))),
            {"action": "setMethodInfoCustomField", "name": "note", "value": "y"},
            {"payment_method_info": PaymentMethodInfo(custom=noted("for-info", "y"))},
        ),
        (
            a_payment(),
            {"action": "setCustomType", "type": {"id": "for-payment"}, "fields": {"note": "x"}},
            {"custom": noted("for-payment")},
        ),
        (
            a_payment(custom=noted("for-payment")),
            {"action": "setCustomField", "name": "note", "value": "y"},
            {"custom": noted("for-payment", "y")},
        ),
        (a_payment(), {"action": "setExternalId", "externalId": "e"}, {"external_id": "e"}),
        (
            a_payment(),
            {"action": "setAuthorization", "amount": EUR_42, "until": "2026-02-01T00:00:00Z"},
            {"amount_authorized": money(4200, "EUR"), "authorized_until": "2026-02-01T00:00:00.000Z"},
        ),
        (a_payment(), {"action": "setAmountPaid", "amount": EUR_42}, {"amount_paid": money(4200, "EUR")}),
        (a_payment(amount_refunded=money(1, "EUR")), {"action": "setAmountRefunded"}, {"amount_refunded": None}),
    ],
)
def test_an_action_changes_what_it_names(before: Payment, action: dict[str, Any], changed: dict[str, Any]) -> None:
    after = update(payments, before, action, facts=FACTS).resource
    assert {name: getattr(after, name) for name in changed} == changed


@pytest.mark.parametrize(
    ("action", "changed"),
    [
        ({"action": "changeTransactionState", "state": "Success"}, {"state": "Success"}),
        (
            {"action": "changeTransactionTimestamp", "timestamp": "2026-02-01T00:00:00Z"},
            {"timestamp": "2026-02-01T00:00:00.000Z"},
        ),
        ({"action": "changeTransactionInteractionId", "interactionId": "i-2"}, {"interaction_id": "i-2"}),
        ({"action": "setTransactionInterfaceId", "interfaceId": "psp-2"}, {"interface_id": "psp-2"}),
        (
            {"action": "setTransactionCustomType", "type": {"id": "for-transaction"}, "fields": {"note": "x"}},
            {"custom": noted("for-transaction")},
        ),
        ({"action": "setTransactionCustomType"}, {"custom": None}),
        (
            {"action": "setTransactionCustomField", "name": "note", "value": "y"},
            {"custom": noted("for-transaction", "y")},
        ),
    ],
)
def test_a_transaction_action_changes_that_transaction_alone(action: dict[str, Any], changed: dict[str, Any]) -> None:
    one, two = a_transaction("one", custom=noted("for-transaction", "old")), a_transaction("two")
    before = a_payment(transactions=(one, two))
    first, second = update(payments, before, action | {"transactionId": "one"}, facts=FACTS).resource.transactions
    assert {name: getattr(first, name) for name in changed} == changed
    assert second == two
    with pytest.raises(InvalidOperation):
        update(payments, before, action | {"transactionId": "three"}, facts=FACTS)


def test_an_added_transaction_is_told() -> None:
    action = {"action": "addTransaction", "transaction": {"type": "Refund", "amount": EUR_42, "state": "Pending"}}
    changed = update(payments, a_payment(), action)
    (added,) = changed.resource.transactions
    assert (added.type, added.state) == ("Refund", "Pending")
    assert changed.messages == (told.PaymentTransactionAdded(transaction=added),)


def test_a_transaction_state_is_told_when_it_changes_only() -> None:
    before = a_payment(transactions=(a_transaction("one"),))
    succeed = {"action": "changeTransactionState", "transactionId": "one", "state": "Success"}
    changed = update(payments, before, succeed)
    assert changed.messages == (told.PaymentTransactionStateChanged(transaction_id="one", state="Success"),)
    again = update(payments, changed.resource, succeed)
    assert (again.messages, again.resource.version) == ((), changed.resource.version)


def test_several_parts_of_the_method_info_are_told_one_by_one() -> None:
    info = PaymentMethodInfo(method="card", name={"en": "Card"})
    action = {"action": "setMethodInfo", "method": "invoice", "name": None, "paymentInterface": "psp"}
    changed = update(payments, a_payment(payment_method_info=info), action)
    assert changed.resource.payment_method_info == PaymentMethodInfo(method="invoice", payment_interface="psp")
    assert changed.messages == (
        told.PaymentMethodInfoInterfaceSet(interface="psp"),
        told.PaymentMethodInfoMethodSet(method="invoice", old_method="card"),
        told.PaymentMethodInfoNameSet(old_name={"en": "Card"}),
    )


def test_custom_fields_of_the_method_info_are_told_by_what_differs() -> None:
    set_type = {"action": "setMethodInfoCustomType", "type": {"id": "for-info"}, "fields": {"note": "x"}}
    set_field = {"action": "setMethodInfoCustomField", "name": "note", "value": "y"}
    drop_field = {"action": "setMethodInfoCustomField", "name": "note"}
    add_field = set_field | {"value": "z"}
    drop_type = {"action": "setMethodInfoCustomType"}
    changed = update(payments, a_payment(), set_type, set_field, drop_field, add_field, facts=FACTS)
    assert changed.messages == (
        told.PaymentMethodInfoCustomTypeSet(custom_fields=noted("for-info")),
        told.PaymentMethodInfoCustomFieldChanged(name="note", value="y"),
        told.PaymentMethodInfoCustomFieldRemoved(name="note"),
        told.PaymentMethodInfoCustomFieldAdded(name="note", value="z"),
    )
    bare = update(payments, changed.resource, drop_type, facts=FACTS)
    assert bare.messages == (told.PaymentMethodInfoCustomTypeRemoved(old_type_id="for-info"),)


@pytest.mark.parametrize(
    ("before", "action"),
    [
        (a_payment(customer=IS_ADA), {"action": "setAnonymousId", "anonymousId": "guest"}),
        (a_payment(interface_id="psp-1"), {"action": "setInterfaceId", "interfaceId": "psp-2"}),
        (
            a_payment(payment_method_info=PaymentMethodInfo(payment_interface="psp")),
            {"action": "setMethodInfoInterface", "interface": "other"},
        ),
        (
            a_payment(payment_method_info=PaymentMethodInfo(payment_interface="psp")),
            {"action": "setMethodInfo", "paymentInterface": None},
        ),
        (a_payment(), {"action": "transitionState", "state": {"key": "settled"}}),
    ],
)
def test_what_is_set_for_good_stays(before: Payment, action: dict[str, Any]) -> None:
    with pytest.raises(InvalidOperation):
        update(payments, before, action, facts=FACTS)


def test_transactions_fix_the_currency_of_the_planned_amount() -> None:
    before = a_payment(transactions=(a_transaction(),))
    with pytest.raises(InvalidField):
        update(payments, before, {"action": "changeAmountPlanned", "amount": USD_1})


def test_a_customer_takes_the_payment_out_of_its_anonymous_session() -> None:
    action = {"action": "setCustomer", "customer": {"id": "ada"}}
    assert update(payments, a_payment(anonymous_id="guest"), action, facts=FACTS).resource.anonymous_id is None


# --- shoppers ------------------------------------------------------------------------------


def test_a_shopper_owns_what_they_create() -> None:
    draft = {"amountPlanned": EUR_42, "customer": {"id": "someone-else"}}
    assert create(payments, draft, SHOPPER, my=True).resource.anonymous_id == "guest"
    signed_in = facts_with(customer_id="ada", anonymous_id="guest", scopes=())
    mine = create(payments, draft, signed_in, my=True).resource
    assert (mine.customer, mine.anonymous_id) == (IS_ADA, None)


def test_a_shopper_cannot_call_a_transaction_successful() -> None:
    paid = {"type": "Charge", "amount": EUR_42, "state": "Success"}
    mine = create(payments, {"amountPlanned": EUR_42, "transaction": paid}, SHOPPER, my=True).resource
    assert mine.transactions[0].state == "Initial"
    added = update(payments, a_payment(), {"action": "addTransaction", "transaction": paid}, facts=SHOPPER, my=True)
    assert added.resource.transactions[0].state == "Initial"


def test_a_shopper_no_longer_changes_a_payment_with_transactions() -> None:
    used = a_payment(transactions=(a_transaction("one", custom=noted("for-transaction")),))
    with pytest.raises(InvalidOperation):
        update(payments, used, {"action": "setMethodInfoMethod", "method": "x"}, facts=SHOPPER, my=True)
    with pytest.raises(InvalidOperation):
        payments.deleted(used, SHOPPER)
    field = {"action": "setTransactionCustomField", "transactionId": "one", "name": "note", "value": "y"}
    assert update(payments, used, field, facts=SHOPPER, my=True).resource.version == 2
    assert payments.deleted(a_payment(), SHOPPER).resource == a_payment()


def test_a_shopper_does_not_reach_the_actions_of_the_shop() -> None:
    with pytest.raises(msgspec.ValidationError):
        update(payments, a_payment(), {"action": "setInterfaceId", "interfaceId": "x"}, my=True)


def test_every_published_action_is_registered() -> None:
    assert len(payments.actions) == 30
    assert len(payments.my_actions) == 10
