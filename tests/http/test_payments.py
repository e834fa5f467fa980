from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.http.api import Api, fresh, refusal

EUR_42 = {"currencyCode": "EUR", "centAmount": 4200}
CHARGE = {"type": "Charge", "amount": EUR_42, "state": "Success"}


@pytest.fixture(scope="module")
def api(shop: Any) -> Any:
    with Api(shop.create_project("payments")) as api:
        yield api


def guest(api: Api) -> str:
    """A token of a new anonymous session that may do nothing but shop."""
    scope = f"manage_my_payments:{api.key} manage_my_orders:{api.key}"
    answer = httpx.post(
        f"{api.project['authUrl']}/oauth/{api.key}/anonymous/token",
        data={"grant_type": "client_credentials", "scope": scope},
        auth=(api.project["clientId"], api.project["clientSecret"]),
    )
    return str(answer.json()["access_token"])


def test_a_payment_is_read_back_as_it_was_answered(api: Api) -> None:
    draft = {"key": fresh("payment"), "amountPlanned": EUR_42, "transactions": [CHARGE]}
    payment = api.create("/payments", draft)
    assert api.get(f"/payments/{payment['id']}") == payment == api.get(f"/payments/key={payment['key']}")
    assert payment["amountPlanned"] == EUR_42 | {"type": "centPrecision", "fractionDigits": 2}


def test_a_service_knows_one_payment_by_each_identifier(api: Api) -> None:
    draft = {"amountPlanned": EUR_42, "interfaceId": fresh("psp"), "paymentMethodInfo": {"paymentInterface": "psp"}}
    api.create("/payments", draft)
    refusal(api.send("POST", "/payments", draft), 400, "DuplicateField")
    api.create("/payments", draft | {"paymentMethodInfo": {"paymentInterface": "other"}})
    api.create("/payments", draft | {"paymentMethodInfo": {}})


def test_a_payment_of_a_shopper_is_seen_by_that_shopper_alone(api: Api) -> None:
    mine, somebody = guest(api), guest(api)
    payment = api.send("POST", "/me/payments", {"amountPlanned": EUR_42}, token=mine).json()
    path = f"/me/payments/{payment['id']}"
    assert api.send("GET", path, token=mine).json() == payment
    refusal(api.send("GET", path, token=somebody), 404, "ResourceNotFound")
    assert api.send("GET", "/me/payments", token=somebody).json()["count"] == 0
    refusal(api.send("GET", f"/payments/{payment['id']}", token=mine), 403, "insufficient_scope")


def test_a_shopper_starts_a_payment_and_leaves_the_rest_to_the_shop(api: Api) -> None:
    mine = guest(api)
    payment = api.send("POST", "/me/payments", {"amountPlanned": EUR_42}, token=mine).json()
    path = f"/me/payments/{payment['id']}"
    charge = {"version": 1, "actions": [{"action": "addTransaction", "transaction": CHARGE}]}
    started = api.send("POST", path, charge, token=mine).json()
    assert started["transactions"][0]["state"] == "Initial"
    more = {"version": 2, "actions": [{"action": "setMethodInfoMethod", "method": "card"}]}
    refusal(api.send("POST", path, more, token=mine), 400, "InvalidOperation")
    refusal(api.send("DELETE", path, token=mine, parameters={"version": 2}), 400, "InvalidOperation")
    settle = {"action": "changeTransactionState", "transactionId": started["transactions"][0]["id"], "state": "Success"}
    assert api.update("/payments", started, settle)["transactions"][0]["state"] == "Success"
    shops_own = {"version": 3, "actions": [settle]}
    refusal(api.send("POST", path, shops_own, token=mine), 400, "InvalidJsonInput")


def test_a_customer_may_be_deleted_while_payments_remember_them(api: Api) -> None:
    customer = api.create("/customers", {"email": f"{fresh('a')}@example.com", "password": "a pass phrase"})["customer"]
    payment = api.create("/payments", {"amountPlanned": EUR_42, "customer": {"id": customer["id"]}})
    gone = api.send("DELETE", f"/customers/{customer['id']}", parameters={"version": customer["version"]})
    assert gone.status_code == 200, gone.text
    assert api.get(f"/payments/{payment['id']}") == payment
