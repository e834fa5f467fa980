"""`/metrics` of a running shop: the whole host's numbers, from whichever process, for those who may see them."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import Shop, Start
from tests.http.metrics_page import PATIENCE_SECONDS, scrape

from holdfast.base.series import ENDPOINTS, OUTCOMES, REFUSALS, STATUS_CLASSES, STATUSES

# Labels whose values are listed in the code, and what they may be.
ALLOWED = {"endpoint": ENDPOINTS, "status": STATUSES, "status_class": STATUS_CLASSES, "code": REFUSALS}


def samples(text: str) -> list[tuple[str, Mapping[str, str], float]]:
    """Every number of the page."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415 - slow to load

    families = list(text_string_to_metric_families(text))
    return [(sample.name, sample.labels, sample.value) for family in families for sample in family.samples]


def number(text: str, name: str, **labels: str) -> float:
    """The sum over all series with these labels."""
    found = [value for told, of, value in samples(text) if told == name and labels.items() <= of.items()]
    return sum(found)


def requests_for(shop: Shop, endpoint: str, status: str) -> float:
    return number(scrape(shop), "holdfast_http_requests_total", endpoint=endpoint, status=status)


@pytest.mark.parametrize("path", ["/metrics", "/-/metrics"])
def test_only_those_with_a_token_see_the_numbers(shop: Shop, path: str) -> None:
    url = f"{shop.api_url}{path}"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        refused = httpx.get(url, headers=headers)
        assert refused.status_code == 401
        assert refused.json()["errors"][0]["code"] == "invalid_token"
    operator = (shop.data / "operator.token").read_text().strip()
    assert httpx.get(url, headers={"Authorization": f"Bearer {operator}"}).status_code == 200
    metrics = (shop.data / "metrics.token").read_text().strip()
    answer = httpx.get(url, headers={"Authorization": f"Bearer {metrics}"})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    # What reads the numbers does nothing else.
    headers = {"Authorization": f"Bearer {metrics}"}
    assert httpx.post(f"{shop.api_url}/-/projects", json={}, headers=headers).status_code == 401


def test_every_request_is_counted_whichever_process_had_it(shop: Shop) -> None:
    before = requests_for(shop, "catalogue.read", "401")
    for _ in range(20):  # each over a connection of its own, so that the kernel spreads them
        assert httpx.get(f"{shop.api_url}/nobody/products/1").status_code == 401
    assert requests_for(shop, "catalogue.read", "401") == before + 20


def test_a_killed_process_takes_no_counts_along(folder: Path, start: Start) -> None:
    shop, _ = start(folder, "--workers", "2")
    for _ in range(20):
        httpx.get(f"{shop.api_url}/nobody/products/1")
    assert requests_for(shop, "catalogue.read", "401") == 20
    victim = shop.pids["workers"][0]
    os.kill(victim, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not has_heir(shop, victim):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert requests_for(shop, "catalogue.read", "401") == 20
    for _ in range(20):
        httpx.get(f"{shop.api_url}/nobody/products/1")
    assert requests_for(shop, "catalogue.read", "401") == 40


def has_heir(shop: Shop, victim: int) -> bool:
    """Whether another process tells of itself in the place of the one that was killed."""
    token = (shop.data / "operator.token").read_text().strip()
    try:
        state = httpx.get(f"{shop.api_url}/-/ops/state", headers={"Authorization": f"Bearer {token}"}).json()
    except httpx.TransportError:
        return False
    pids = {each["process"]: each["pid"] for each in state["processes"]}
    return {"api-0", "api-1"} <= pids.keys() and victim not in pids.values()


def test_a_page_has_what_operators_look_for_and_names_nothing_from_outside(shop: Shop, project: dict[str, Any]) -> None:
    httpx.get(f"{shop.api_url}/{project['projectKey']}/products")
    text = scrape(shop)
    names = {name for name, _, _ in samples(text)}
    assert {
        "holdfast_build_info",
        "holdfast_http_requests_total",
        "holdfast_http_request_duration_seconds_bucket",
        "holdfast_orders_total",
        "holdfast_commit_duration_seconds_count",
        "holdfast_commit_batch_changes_bucket",
        "holdfast_gate_limit",
        "holdfast_pool_connections",
        "holdfast_process_resident_bytes",
        "holdfast_process_event_loop_lag_seconds",
        "holdfast_database_connections",
        "holdfast_database_up",
        "holdfast_audit_findings",
    } <= names
    assert project["projectKey"] not in text
    for name, labels, _ in samples(text):
        for label, allowed in ALLOWED.items():
            assert labels.get(label, allowed[0]) in allowed
        assert name != "holdfast_orders_total" or labels["outcome"] in OUTCOMES
    assert number(text, "holdfast_commit_changes_total", verdict="committed") >= 1
    assert number(text, "holdfast_database_up") == 1
