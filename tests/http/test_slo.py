"""Objectives of a running shop: the command tells them, and rules and dashboard ask for nothing it does not export."""

import json
import time
from pathlib import Path

import httpx
import promql_parser
from tests.conftest import Shop, run_holdfast
from tests.http.metrics_page import scrape

from holdfast.base.slo import SLOS
from holdfast.ops.observe.files import DASHBOARD, RULES, contents
from holdfast.ops.observe.rules import rules

PATIENCE_SECONDS = 60


def slo(shop: Shop) -> dict[str, dict[str, object]]:
    done = run_holdfast("slo", "--data", str(shop.data), "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["slo"]: line for line in lines}


def test_a_shop_tells_how_its_objectives_stand(shop: Shop) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while None in ((found := slo(shop))[looked_at]["budgetLeft"] for looked_at in ("durability", "event-delivery")):
        assert time.monotonic() < deadline, found
        time.sleep(1)
    assert set(found) == {objective.name for objective in SLOS}
    assert found["browse-availability"]["objective"] == 0.9995
    told = run_holdfast("slo", "--data", str(shop.data))
    assert "durability" in told.stdout
    assert "99.99 %" in told.stdout


def test_without_a_shop_there_is_nothing_to_tell(tmp_path: Path) -> None:
    done = run_holdfast("slo", "--data", str(tmp_path), "--json")
    assert done.returncode == 4
    assert json.loads(done.stdout)["error"] == "not-running"


def test_the_files_ask_for_nothing_that_is_not_exported(shop: Shop) -> None:
    httpx.get(f"{shop.api_url}/nobody/products/1")
    text = scrape(shop)
    exported = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    exported |= {line.split(" ")[2] for line in text.splitlines() if line.startswith("# TYPE")}
    recorded = {rule["record"] for group in rules()["groups"] for rule in group["rules"] if "record" in rule}
    asked = asked_for()
    assert "holdfast_http_requests_total" in asked
    assert asked - recorded - exported == set()


def asked_for() -> set[str]:
    """Every metric that rules and dashboard name."""
    expressions = [rule["expr"] for group in rules()["groups"] for rule in group["rules"]]
    for panel in json.loads(contents()[DASHBOARD])["panels"]:
        expressions += [target["expr"] for target in panel.get("targets", ())]
    assert RULES in contents()
    found: set[str] = set()
    for expression in expressions:
        found |= set(names(promql_parser.parse(expression.replace("$__rate_interval", "1m"))))
    return found


def names(node: object) -> list[str]:
    """The metrics in a parsed query."""
    if isinstance(node, promql_parser.VectorSelector):
        return [node.name or ""]
    below = [
        getattr(node, part)
        for part in ("expr", "lhs", "rhs", "args", "vector_selector", "param")
        if hasattr(node, part)
    ]
    flat = [one for part in below for one in (part if isinstance(part, list) else [part])]
    return [name for one in flat for name in names(one)]
