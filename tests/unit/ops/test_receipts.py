"""Verdicts on receipts, true on paper; and finding receipts in whatever a client wrote down."""

from __future__ import annotations

import json

import pytest

from holdfast.base.receipts import Receipt, Signer
from holdfast.ops.receipts.plan import judge, receipts_in
from holdfast.store.placed_orders import Placed

SIGNER = Signer(bytes(32))


def body(version: int = 1, cents: int = 100) -> bytes:
    price = {"currencyCode": "EUR", "centAmount": cents}
    return json.dumps({"id": "order-1", "version": version, "totalPrice": price}).encode()


def told(cents: int = 100) -> bytes:
    return json.dumps({"type": "OrderCreated", "order": json.loads(body(1, cents))}).encode()


def receipt(version: int = 1, cents: int = 100) -> Receipt:
    return SIGNER.verifier.read(SIGNER.receipt("shop", body(version, cents)))


@pytest.mark.parametrize(
    ("given", "placed", "verdict"),
    [
        (receipt(), Placed(body(), told(), False), "sound"),
        (receipt(), Placed(body(5), told(), False), "sound"),
        (receipt(), Placed(body(5, cents=999), told(), False), "sound"),
        (receipt(), Placed(body(5, cents=999), None, False), "sound"),
        (receipt(3), Placed(body(3), told(), False), "sound"),
        (receipt(3), Placed(body(4, cents=999), told(), False), "sound"),
        (receipt(), Placed(None, told(), True), "deleted"),
        (receipt(), Placed(None, told(), False), "missing"),
        (receipt(), Placed(None, None, False), "missing"),
        (receipt(3), Placed(body(2), told(), False), "older"),
        (receipt(), Placed(body(5), told(cents=99), False), "changed"),
        (receipt(), Placed(body(1, cents=99), None, False), "changed"),
        (receipt(3), Placed(body(3, cents=99), told(), False), "changed"),
    ],
)
def test_a_receipt_is_compared_with_the_order_as_it_was_in_its_version(
    given: Receipt, placed: Placed, verdict: str
) -> None:
    assert judge(given, placed) == verdict


def test_a_receipt_is_found_alone_and_in_any_log() -> None:
    one, other = SIGNER.receipt("shop", body()), SIGNER.receipt("shop", body(2))
    log = json.dumps({"status": 201, "headers": {"Holdfast-Receipt": one}, "body": {"receipt": other}})
    assert receipts_in(f"{one}\n") == [one]
    assert receipts_in(log) == [one, other]


@pytest.mark.parametrize("text", ["", "eyJ", "no receipt", "{}", f"eyJhbGciOi.{'x' * 86}.{'y' * 86}"])
def test_what_is_no_receipt_is_not_taken_for_one(text: str) -> None:
    assert receipts_in(text) == []


def test_a_changed_receipt_is_still_found_so_that_it_can_be_called_forged() -> None:
    said, _, signature = SIGNER.receipt("shop", body()).partition(".")
    assert receipts_in(f"{said}.{'A' * len(signature)}") != []
