"""What a drill makes of the lines an audit prints."""

from __future__ import annotations

import json

import pytest

from holdfast.ops.drill.second_opinion import findings_in
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
