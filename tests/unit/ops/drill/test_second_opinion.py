"""What a drill makes of what the audit and the check of receipts print."""

from __future__ import annotations

import json

import pytest

from holdfast.ops.drill.second_opinion import findings_in, offences_in
from holdfast.ops.trouble import Trouble

FINDING = {"project": "p", "check": "stock-ledger", "kind": "inventory-entry", "subject": "e", "detail": "3 is not 4"}


def printed(*lines: object) -> str:
    return "\n".join(json.dumps(line) for line in lines)


def test_findings_become_sentences() -> None:
    assert findings_in(printed(FINDING, {"findings": 1, "passedOver": 0})) == [
        "audit: stock-ledger of inventory-entry e: 3 is not 4"
    ]
    assert findings_in(printed({"findings": 0, "passedOver": 0})) == []


@pytest.mark.parametrize("text", ["", "no database", printed(FINDING), printed({"findings": 0, "passedOver": 2})])
def test_an_audit_that_did_not_see_everything_is_trouble(text: str) -> None:
    with pytest.raises(Trouble):
        findings_in(text)


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
