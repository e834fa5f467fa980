"""Published SDKs, written by others, import the Sunrise data, browse, and buy; every total is recalculated here."""

from typing import Any

import pytest
from tests.clients.conftest import RunNode
from tests.clients.python_sdk import PythonShopper
from tests.clients.scenarios import PURCHASES, browsing, expected_counts, plan_for_clients

Summary = dict[str, Any]


def check(summary: Summary) -> None:
    """Compare what a client saw with what the files say, most telling part first."""
    assert summary["counts"] == expected_counts()
    assert summary["browsing"] == browsing()["expected"]
    for purchase in PURCHASES:
        seen = summary["purchases"][purchase.name]
        pictures = purchase.pictures()
        assert seen["steps"] == pictures, purchase.name
        assert seen["order"] == pictures[-1], purchase.name
        reserved = [
            {part: entry[part] for part in ("key", "quantityOnStock", "available")} for entry in purchase.stock()
        ]
        assert seen["stock"] == reserved, purchase.name
        gone = [entry["sku"] for entry in purchase.stock() if entry["available"] == 0]
        assert seen["soldOut"] == (gone or None), purchase.name


def test_platform_sdk_with_ts_client_completes_every_purchase(project: dict[str, str], run_node: RunNode) -> None:
    check(run_node("platform_sdk.mjs", {"shop": project, **plan_for_clients()}))


def test_the_older_sdk_client_completes_every_purchase(project: dict[str, str], run_node: RunNode) -> None:
    check(run_node("sdk_client.mjs", {"shop": project, **plan_for_clients()}))


# The package's own schemas say so while they are imported.
@pytest.mark.filterwarnings("ignore:Passing field metadata as keyword arguments")
def test_the_python_sdk_completes_every_purchase(project: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    # The shop speaks plain HTTP on the loopback interface; oauthlib wants to be told that this is meant.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    check(PythonShopper(project).run(plan_for_clients()))
