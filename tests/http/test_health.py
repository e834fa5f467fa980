"""Health of a running shop: what is missing is told, and a lost part takes nobody out of service."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from tests.conftest import Shop, Start
from tests.http.metrics_page import scrape

PATIENCE_SECONDS = 60


def readiness(shop: Shop) -> dict[str, Any]:
    answer = httpx.get(f"{shop.api_url}/-/ready", timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200
    facts: dict[str, Any] = answer.json()
    return facts


def wait_until(shop: Shop, expected: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not expected(facts := readiness(shop)):
        assert time.monotonic() < deadline, facts
        time.sleep(0.05)
    return facts


def test_a_shop_in_order_is_live_started_and_ready(shop: Shop) -> None:
    assert httpx.get(f"{shop.api_url}/-/live").json() == {"status": "live"}
    started = httpx.get(f"{shop.api_url}/-/startup")
    assert (started.status_code, started.json()["status"]) == (200, "started")
    facts = wait_until(shop, lambda facts: facts["status"] == "ready")
    assert facts["parts"]["database"]["status"] == "up"
    assert facts["parts"]["background"]["status"] == "up"
    assert facts["parts"]["database"]["sinceSeconds"] >= 0
    assert "reason" not in facts["parts"]["database"]


def test_without_its_database_a_process_is_degraded_and_says_since_when(folder: Path, start: Start) -> None:
    shop, _ = start(folder, "--workers", "1")
    wait_until(shop, lambda facts: facts["status"] == "ready")
    postgres = shop.pids["postgres"]
    os.kill(postgres, signal.SIGSTOP)
    try:
        for child in children(postgres):
            os.kill(child, signal.SIGSTOP)
        facts = wait_until(shop, lambda facts: facts["status"] == "degraded")
        assert facts["parts"]["database"]["status"] == "down"
        assert facts["parts"]["database"]["reason"]
        assert facts["parts"]["database"]["lastUpSeconds"] >= 0
        assert facts["parts"]["background"]["status"] == "up"
        assert httpx.get(f"{shop.api_url}/-/live").status_code == 200
        # Once the last look at the database has been forgotten.
        assert "holdfast_database_up 0" in scrape(shop, wanted=["holdfast_database_up 0"])
        assert shop.command("status")["serving"] is False
    finally:
        for pid in (*children(postgres), postgres):
            os.kill(pid, signal.SIGCONT)
    wait_until(shop, lambda facts: facts["status"] == "ready")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
