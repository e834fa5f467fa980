"""`holdfast receipts`: what a client wrote down, compared with what the shop has."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.conftest import Shop, run_holdfast
from tests.http.api import Api

from holdfast.ops.receipts import run
from holdfast.ops.server.layout import Layout
from holdfast.ops.trouble import Trouble

Json = dict[str, Any]
RECEIPT = "holdfast-receipt"


@pytest.fixture(scope="module")
def api(shop: Shop) -> Iterator[Api]:
    with Api(shop.create_project("receipts")) as api:
        rate = {"name": "19 %", "amount": 0.19, "includedInPrice": True, "country": "DE"}
        api.create("/tax-categories", {"key": "normal", "name": "normal", "rates": [rate]})
        yield api


def ordered(api: Api) -> tuple[Json, str]:
    """An order, and the receipt for it."""
    item = {
        "name": {"en": "Thing"},
        "quantity": 2,
        "money": {"currencyCode": "EUR", "centAmount": 1190},
        "slug": "thing",
        "taxCategory": {"key": "normal"},
    }
    cart = api.create("/carts", {"currency": "EUR", "shippingAddress": {"country": "DE"}, "customLineItems": [item]})
    body = {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]}
    answer = api.send("POST", "/orders", body)
    assert answer.status_code == 201, answer.text
    return answer.json(), answer.headers[RECEIPT]


def verified(shop: Shop, file: Path, text: str) -> tuple[int, Json]:
    file.write_text(text)
    done = run_holdfast("receipts", "verify", str(file), "--data", str(shop.data), "--json")
    facts: Json = json.loads(done.stdout)
    return done.returncode, facts


def spoil(shop: Shop, statement: str, *arguments: Any) -> None:
    """Damage the database the way the product never would."""

    async def run() -> None:
        connection = await asyncpg.connect(shop.database_url)
        try:
            await connection.execute(statement, *arguments)
        finally:
            await connection.close()

    asyncio.run(run())


def test_receipts_of_orders_that_are_there_are_sound_however_the_client_kept_them(
    shop: Shop, api: Api, tmp_path: Path
) -> None:
    order, first = ordered(api)
    _, second = ordered(api)
    api.update("/orders", order, {"action": "changeOrderState", "orderState": "Confirmed"})
    log = json.dumps({"status": 201, "receipt": second})
    code, facts = verified(shop, tmp_path / "file", f"{first}\n\n{log}\n{json.dumps({'status': 503})}\n")
    assert (code, facts["receipts"], facts["sound"], facts["offences"]) == (0, 2, 2, [])


def test_an_order_that_was_deleted_by_request_is_not_lost(shop: Shop, api: Api, tmp_path: Path) -> None:
    order, receipt = ordered(api)
    api.send("DELETE", f"/orders/{order['id']}", parameters={"version": order["version"]})
    code, facts = verified(shop, tmp_path / "file", receipt)
    assert (code, facts["deleted"]) == (0, 1)


def test_a_lost_order_is_named(shop: Shop, api: Api, tmp_path: Path) -> None:
    order, receipt = ordered(api)
    _, other = ordered(api)
    spoil(shop, 'DELETE FROM "order" WHERE project = $1 AND id = $2', api.key, order["id"])
    code, facts = verified(shop, tmp_path / "file", f"{other}\n{receipt}\n")
    assert (code, facts["sound"], facts["missing"]) == (1, 1, 1)
    assert facts["offences"] == [{"line": 2, "what": "missing", "orderId": order["id"]}]


def test_forged_and_unreadable_lines_are_named(shop: Shop, api: Api, tmp_path: Path) -> None:
    said, _, signature = ordered(api)[1].partition(".")
    forged = f"{said}.{'A' * len(signature)}"
    code, facts = verified(shop, tmp_path / "file", f"{forged}\nhello\n")
    assert (code, facts["forged"], facts["unreadable"], facts["sound"]) == (1, 1, 1, 0)
    assert [offence["line"] for offence in facts["offences"]] == [1, 2]


def test_without_json_it_says_so_in_words(shop: Shop, api: Api, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(f"{ordered(api)[1]}\nhello\n")
    done = run_holdfast("receipts", "verify", str(file), "--data", str(shop.data))
    assert done.returncode == 1
    assert done.stdout == "not sound  2 receipts: 1 sound, 1 unreadable\n  line 2: unreadable\n"


async def test_a_long_file_is_compared_piece_by_piece(
    shop: Shop, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH_RECEIPTS", 2)
    file = tmp_path / "file"
    file.write_text("\n".join(ordered(api)[1] for _ in range(5)))
    result = await run.verify(file, run.signer_of(Layout(shop.data)).verifier, shop.database_url)
    assert (result.is_sound, result.counts) == (True, {"sound": 5})


async def test_a_line_without_end_is_refused(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LINE_CHARACTERS_MAX", 100)
    file = tmp_path / "file"
    file.write_text("{" + "x" * 200)
    with pytest.raises(Trouble, match="Line 1 is too long"):
        await run.verify(file, run.signer_of(Layout(shop.data)).verifier, shop.database_url)


@pytest.mark.parametrize("text", ["", "\n\n", '{"status": 503}\n'])
def test_a_file_without_a_receipt_proves_nothing(shop: Shop, tmp_path: Path, text: str) -> None:
    code, told = verified(shop, tmp_path / "file", text)
    assert (code, told["error"]) == (1, "no-receipts")


def test_a_file_that_is_not_there_is_said_to_be_missing(shop: Shop, tmp_path: Path) -> None:
    done = run_holdfast("receipts", "verify", str(tmp_path / "none"), "--data", str(shop.data), "--json")
    assert done.returncode == 1
    assert str(tmp_path / "none") in json.loads(done.stdout)["what"]


def test_without_a_key_it_says_where_to_run(tmp_path: Path) -> None:
    done = run_holdfast("receipts", "key", "--data", str(tmp_path), "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]) == (1, "no-receipt-key")


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_anybody_with_the_public_key_can_check_a_receipt(shop: Shop, api: Api) -> None:
    order, receipt = ordered(api)
    told = shop.command("receipts", "key")
    said, _, signature = receipt.partition(".")
    Ed25519PublicKey.from_public_bytes(decoded(told["publicKey"])).verify(decoded(signature), said.encode())
    (item,) = order["customLineItems"]
    text = (
        f"total EUR {order['totalPrice']['centAmount']}\n"
        f"net EUR {order['taxedPrice']['totalNet']['centAmount']}\n"
        f"gross EUR {order['taxedPrice']['totalGross']['centAmount']}\n"
        f"custom {item['id']} EUR {item['totalPrice']['centAmount']}"
    )
    facts = json.loads(decoded(said))
    assert facts["key"] == told["key"]
    assert (facts["project"], facts["orderId"], facts["version"]) == (api.key, order["id"], 1)
    assert facts["totals"] == hashlib.sha256(text.encode()).hexdigest()


def test_the_key_is_private(shop: Shop) -> None:
    assert (shop.data / "receipt.key").stat().st_mode & 0o777 == 0o600
