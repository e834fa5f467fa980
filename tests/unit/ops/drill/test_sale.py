"""What shoppers make of answers: a loss, a doubt and a surprise are three things."""

from __future__ import annotations

import json

import pytest

from holdfast.ops.drill.caller import Answer
from holdfast.ops.drill.checkout import Kept, Line, Told, digest_of
from holdfast.ops.drill.journal import PLACED, REFUSED, UNKNOWN, VIOLATION
from holdfast.ops.drill.sale import entry_of, settled

CART = Kept("cart-1", 4)
LINES = [Line("A", 2), Line("B", 1)]
ORDER = b'{"id":"order-1","version":1,"lineItems":[]}'
SOLD_OUT = json.dumps({"statusCode": 400, "errors": [{"code": "OutOfStock"}]}).encode()


def told(status: int, body: bytes, *, doubtful: bool = False) -> Told:
    return Told(Answer(status, b"HTTP/1.1 200\r\nHoldfast-Receipt: Abc", body), 1, doubtful)


def test_an_acknowledgement_is_written_down_with_all_that_can_be_checked() -> None:
    entry = entry_of(CART, LINES, told(201, ORDER))
    assert (entry.outcome, entry.cart_id, entry.lines) == (PLACED, "cart-1", "A×2,B×1")
    assert (entry.order_id, entry.version, entry.digest, entry.receipt) == ("order-1", 1, digest_of(ORDER), "Abc")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (told(400, SOLD_OUT), REFUSED),
        (told(400, SOLD_OUT, doubtful=True), UNKNOWN),
        (Told(None, 9, doubtful=True), UNKNOWN),
        (told(409, b'{"errors":[{"code":"ConcurrentModification"}]}'), VIOLATION),
        (told(404, b"not json"), VIOLATION),
    ],
)
def test_other_answers_are_a_refusal_a_doubt_or_a_surprise(answer: Told, outcome: str) -> None:
    assert entry_of(CART, LINES, answer).outcome == outcome


def outcomes(*answers: Told) -> list[str]:
    return [entry.outcome for entry in settled([entry_of(CART, LINES, answer) for answer in answers])]


def test_two_tabs_with_one_answer_are_one_order() -> None:
    assert outcomes(told(201, ORDER), told(201, ORDER)) == [PLACED]
    assert outcomes(told(201, ORDER), Told(None, 9, doubtful=True)) == [PLACED]
    assert outcomes(told(400, SOLD_OUT), Told(None, 9, doubtful=True)) == [UNKNOWN]


def test_two_tabs_with_two_orders_are_both_written_down() -> None:
    assert outcomes(told(201, ORDER), told(201, ORDER.replace(b"order-1", b"order-2"))) == [PLACED, PLACED]


@pytest.mark.parametrize("other", [ORDER.replace(b"[]", b"[1]"), ORDER.replace(b'"version":1', b'"version":2')])
def test_two_tabs_that_were_told_two_things_of_one_order_are_both_written_down(other: bytes) -> None:
    assert outcomes(told(201, ORDER), told(201, other)) == [PLACED, PLACED]


def test_an_order_in_one_tab_and_a_refusal_in_the_other_is_a_surprise() -> None:
    assert outcomes(told(201, ORDER), told(400, SOLD_OUT)) == [VIOLATION, PLACED]
