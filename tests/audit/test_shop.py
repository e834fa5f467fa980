"""The audit of a running shop: its commands tell and mend, its API lists, its metrics count."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import ANY

import asyncpg
import pytest
from tests.conftest import Shop
from tests.http.api import Api, refusal
from tests.http.metrics_page import scrape

from holdfast.base import clock
from holdfast.base.ids import uuid7
from holdfast.cli.main import main
from holdfast.commerce.rules.reconciliation import GRACE_MINUTES
from holdfast.delivery.auditing import Auditor, Lane, recent_lane
from holdfast.store.audit.examine import checks

Audit = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def api(shop: Shop) -> Iterator[Api]:
    with Api(shop.create_project("audited")) as api:
        yield api


@pytest.fixture
def audit(shop: Shop, api: Api, capsys: pytest.CaptureFixture[str]) -> Audit:
    """Run `holdfast audit` on this project; its exit code and its lines."""

    def run(*words: str) -> tuple[int, list[dict[str, Any]]]:
        code = main(["audit", "--data", str(shop.data), "--json", "--project", api.key, *words])
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def sql(shop: Shop, statement: str, *arguments: Any) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(shop.database_url)
        try:
            await connection.execute(statement, *arguments)
        finally:
            await connection.close()

    asyncio.run(run())


def go_along(shop: Shop, lane: Lane) -> None:
    """Do what the background worker does, at once: a whole pass of a lane."""

    async def run() -> None:
        auditor = Auditor(shop.database_url, lane._replace(name=f"test-{uuid7()}"))
        while await auditor.step():
            pass
        auditor.stop()

    asyncio.run(run())


def an_old_payment(shop: Shop, api: Api) -> dict[str, Any]:
    """A captured payment that nobody has touched for some time."""
    amount = {"currencyCode": "EUR", "centAmount": 990}
    charge = {"type": "Charge", "amount": amount, "state": "Success"}
    payment = api.create("/payments", {"amountPlanned": amount, "transactions": [charge]})
    before = clock.timestamp(datetime.now(UTC) - timedelta(minutes=2 * GRACE_MINUTES))
    # Small enough to lie there as it was written.
    sql(
        shop,
        "UPDATE payment SET body = convert_to(replace(convert_from(body, 'UTF8'), $2, $3), 'UTF8'),"
        " query = replace(query::text, $2, $3)::jsonb WHERE id = $1",
        payment["id"],
        payment["lastModifiedAt"],
        before,
    )
    return payment


def breaks(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/payment-breaks")["results"]
    return found


def test_captured_money_is_listed_until_it_was_settled(
    shop: Shop, api: Api, audit: Audit, capsys: pytest.CaptureFixture[str]
) -> None:
    payment = an_old_payment(shop, api)
    go_along(shop, recent_lane())
    [found] = breaks(api)
    assert (found["type"], found["resource"]) == ("payment-unmatched", {"typeId": "payment", "id": payment["id"]})
    assert found["proposedRepair"] == f"refund 990 of payment {payment['id']}"
    assert main(["payments", "unmatched", "--project", api.key, "--data", str(shop.data)]) == 1
    assert payment["id"] in capsys.readouterr().out

    code, lines = audit("--check", "payment-unmatched", "--apply", "--yes")
    assert (code, lines[-1]["findings"], lines[-1]["left"]) == (0, 1, 0), lines
    assert breaks(api) == []
    assert main(["payments", "unmatched", "--project", api.key, "--data", str(shop.data)]) == 0
    refund = api.get(f"/payments/{payment['id']}")["transactions"][-1]
    assert (refund["type"], refund["state"], refund["amount"]["centAmount"]) == ("Refund", "Initial", 990)


def test_a_break_that_somebody_settled_leaves_the_list_with_the_next_pass(shop: Shop, api: Api) -> None:
    payment = an_old_payment(shop, api)
    go_along(shop, recent_lane())
    assert len(breaks(api)) == 1
    refund = {"type": "Refund", "amount": payment["amountPlanned"], "state": "Success"}
    api.update("/payments", payment, {"action": "addTransaction", "transaction": refund})
    go_along(shop, recent_lane())
    assert breaks(api) == []


def test_nothing_is_changed_without_apply(shop: Shop, api: Api, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = api.create("/zones", {"key": "mine", "name": "Mine"})
    sql(shop, "DELETE FROM unique_value WHERE id = $1", zone["id"])
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    for words in ((), ("--repair-plan",), ("--yes",)):
        code, lines = audit(*words)
        assert (code, [line.get("check") for line in lines]) == (1, ["unique-value-missing", None])
        assert lines[0]["repair"] == "claim the value for the resource"
    code, lines = audit("--apply")
    assert (code, lines[-1]["what"]) == (1, "Nothing was changed.")
    code, lines = audit("--apply", "--yes")
    assert (code, lines[1]["done"]) == (0, "claimed key = mine")
    assert audit() == (0, [lines[-1] | {"findings": 0, "seconds": ANY, "lookedAt": ANY}])
    assert api.get("/zones/key=mine")["id"] == zone["id"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--project", "nobody"), "There is no project 'nobody'."),
        (("--check", "nothing"), "There is no check 'nothing'."),
    ],
)
def test_a_name_nobody_knows_is_refused(audit: Audit, words: tuple[str, str], said: str) -> None:
    code, lines = audit(*words)
    assert (code, lines[0]["what"]) == (1, said)


def test_the_list_of_breaks_needs_its_scope_and_refuses_wild_pages(api: Api) -> None:
    narrow = api.fetch_token(f"view_products:{api.key}")
    refusal(api.send("GET", "/payment-breaks", token=narrow), 403, "insufficient_scope")
    refusal(api.send("GET", "/payment-breaks", parameters={"limit": 501}), 400, "InvalidInput")
    assert api.get("/payment-breaks", limit=1, offset=100)["total"] == len(breaks(api))


def test_every_check_is_counted(shop: Shop) -> None:
    page = scrape(shop)
    for name in checks():
        assert f'holdfast_audit_findings{{check="{name}"}} ' in page
