"""What a drill makes of what the audit and the check of receipts print."""

from __future__ import annotations

import json

import pytest

from holdfast.ops.drill.second_opinion import findings_in, offences_in
from holdfast.ops.trouble import Trouble

FINDING = {"project": "p", "check": "stock-ledger", "kind": "inventory-entry", "subject": "e", "detail": "3 is not 4"}


def printed(*lines: object) -> str:
    return "\n".join(json.dumps(line) for line in lines)


def summary(findings: int, *, looked_at: int = 12, passed_over: int = 0) -> dict[str, int]:
    return {"findings": findings, "lookedAt": looked_at, "passedOver": passed_over}


def test_findings_become_sentences() -> None:
    assert findings_in(printed(FINDING, summary(1)), placed=3) == [
        "audit: stock-ledger of inventory-entry e: 3 is not 4"
    ]
    assert findings_in(printed(summary(0)), placed=3) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no database",
        printed(FINDING),
        printed(summary(0, passed_over=2)),
        printed(summary(0, looked_at=0)),
        printed(summary(0, looked_at=3)),
    ],
)
def test_an_audit_that_did_not_see_everything_is_trouble(text: str) -> None:
    with pytest.raises(Trouble):
        findings_in(text, placed=3)


def test_receipts_that_do_not_hold_and_acknowledgements_without_one_are_told() -> None:
    assert offences_in(printed({"receipts": 2, "offences": []}), placed=2) == []
    bad = {"receipts": 1, "offences": [{"line": 1, "what": "lost", "orderId": "o"}]}
    assert offences_in(printed(bad), placed=3) == [
        "receipt of order o: lost",
        "2 orders were acknowledged without a receipt",
    ]


def test_receipts_that_could_not_be_checked_are_trouble() -> None:
    with pytest.raises(Trouble):
        offences_in("no database", placed=0)
