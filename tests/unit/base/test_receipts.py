"""Receipts are proofs: nobody else can write one, and a changed one is none."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.receipts import ForgedReceipt, Order, Signer, order_in, order_told, read_signer, totals_of

SIGNER = Signer(bytes(range(32)))


def euros(cents: int) -> dict[str, Any]:
    return {"type": "centPrecision", "currencyCode": "EUR", "centAmount": cents, "fractionDigits": 2}


def an_order(**fields: Any) -> dict[str, Any]:
    line = {"id": "line-1", "productId": "p", "quantity": 2, "totalPrice": euros(1990)}
    extra = {"id": "custom-1", "totalPrice": euros(-100)}
    taxed = {"totalNet": euros(1916), "totalGross": euros(2280)}
    given = {"id": "order-1", "version": 3, "totalPrice": euros(2280), "taxedPrice": taxed}
    return given | {"lineItems": [line], "customLineItems": [extra], "orderNumber": "N1"} | fields


def body(**fields: Any) -> bytes:
    return json.dumps(an_order(**fields)).encode()


def totals(**fields: Any) -> str:
    return totals_of(order_in(body(**fields)))


def test_a_receipt_says_what_was_acknowledged() -> None:
    receipt = SIGNER.verifier.read(SIGNER.receipt("shop", body()))
    assert (receipt.project, receipt.order_id, receipt.version) == ("shop", "order-1", 3)
    assert (receipt.order_number, receipt.key) == ("N1", SIGNER.verifier.key)
    assert receipt.at.endswith("Z")


def test_the_totals_are_the_hash_of_a_text_anybody_can_write() -> None:
    text = "total EUR 2280\nnet EUR 1916\ngross EUR 2280\nline line-1 EUR 1990\ncustom custom-1 EUR -100"
    assert totals() == hashlib.sha256(text.encode()).hexdigest()


def test_an_order_without_taxes_and_lines_has_totals_too() -> None:
    plain = {"id": "o", "version": 1, "totalPrice": euros(0)}
    assert totals_of(order_in(json.dumps(plain).encode())) == hashlib.sha256(b"total EUR 0").hexdigest()


@pytest.mark.parametrize(
    "changed",
    [
        {"totalPrice": euros(2281)},
        {"totalPrice": euros(2280) | {"currencyCode": "USD"}},
        {"taxedPrice": {"totalNet": euros(1915), "totalGross": euros(2280)}},
        {"lineItems": []},
        {"customLineItems": []},
    ],
    ids=json.dumps,
)
def test_other_amounts_are_other_totals(changed: dict[str, Any]) -> None:
    assert totals(**changed) != totals()


def test_a_receipt_of_another_key_is_forged() -> None:
    other = Signer(os.urandom(32))
    with pytest.raises(ForgedReceipt):
        SIGNER.verifier.read(other.receipt("shop", body()))


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_receipt_with_one_byte_changed_is_forged(place: int, change: int) -> None:
    said, _, signature = SIGNER.receipt("shop", body()).partition(".")
    content = bytearray(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))
    content[place % len(content)] ^= change
    changed = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
    with pytest.raises(ForgedReceipt):
        SIGNER.verifier.read(f"{changed}.{signature}")


@given(st.text(max_size=50))
def test_no_text_is_a_receipt_by_chance(text: str) -> None:
    with pytest.raises(ForgedReceipt):
        SIGNER.verifier.read(text)


def test_a_signer_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "receipt.key"
    file.write_text(base64.urlsafe_b64encode(bytes(range(32))).decode() + "\n")
    assert read_signer(file).verifier.public == SIGNER.verifier.public


def test_a_file_that_was_cut_short_is_no_key(tmp_path: Path) -> None:
    file = tmp_path / "receipt.key"
    file.write_text(base64.urlsafe_b64encode(bytes(16)).decode())
    with pytest.raises(ValueError, match="does not hold a key of 32 bytes"):
        read_signer(file)


def test_orders_are_read_as_they_are_answered() -> None:
    order = order_in(body())
    assert isinstance(order, Order)
    assert order.line_items[0].id == "line-1"


def test_the_public_key_is_told_in_a_form_that_fits_everywhere() -> None:
    text = SIGNER.verifier.public_text
    assert base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) == SIGNER.verifier.public


def test_the_message_that_told_of_an_order_has_its_totals_too() -> None:
    told = json.dumps({"type": "OrderCreated", "order": an_order()}).encode()
    assert totals_of(order_told(told)) == totals()


def test_the_recipe_on_the_page_checks_receipts_without_us() -> None:
    page = (Path(__file__).parents[3] / "docs" / "receipts.md").read_text()
    recipe = page.partition("```python\n")[2].partition("```")[0]
    receipt, public_key = SIGNER.receipt("shop", body()), SIGNER.verifier.public_text
    printed: list[bytes] = []
    exec(recipe, {"receipt": receipt, "public_key": public_key, "print": printed.append})
    assert json.loads(printed[0])["orderId"] == "order-1"
    with pytest.raises(InvalidSignature):
        exec(recipe, {"receipt": f"A{receipt[1:]}", "public_key": public_key, "print": printed.append})
