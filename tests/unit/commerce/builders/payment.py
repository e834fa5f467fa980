from __future__ import annotations

from typing import Any

from holdfast.commerce.resources.payment.shape import Payment, Transaction
from holdfast.commerce.values.money import money


def a_payment(id: str = "payment-1", **fields: Any) -> Payment:
    given: dict[str, Any] = {"id": id, "amount_planned": money(4_200, "EUR")} | fields
    return Payment(**given)


def a_transaction(id: str = "transaction-1", **fields: Any) -> Transaction:
    given: dict[str, Any] = {"id": id, "type": "Charge", "amount": money(4_200, "EUR"), "state": "Initial"} | fields
    return Transaction(**given)
