"""What the page is told of traffic, and what it makes of it."""

from __future__ import annotations

import json
import subprocess
from importlib import resources
from typing import Any

import pytest
from tests.npm import tool

from holdfast.base.series import NUMBERS, ORDERS, REQUEST_BOUNDS, REQUEST_SECONDS, REQUESTS, place
from holdfast.http.operations.traffic import traffic

COURSE = resources.files("holdfast.http").joinpath("operations/page/course.js")
SCRIPT_SECONDS = 60


def counted(requests: int, orders: int) -> dict[str, Any]:
    """So many orders asked for, half of them in 10 ms and the others in 100 ms."""
    numbers = [0.0] * NUMBERS
    numbers[place(REQUESTS, "order.place", "201")] = requests
    numbers[place(REQUESTS, "internal", "200")] = 99
    first = place(REQUEST_SECONDS, "order.place", "2xx")
    numbers[first + REQUEST_BOUNDS.index(0.01)] = requests / 2
    numbers[first + REQUEST_BOUNDS.index(0.1)] = requests / 2
    numbers[place(ORDERS, "placed")] = orders
    return traffic(numbers)


def test_only_what_was_asked_for_is_told_and_the_page_itself_is_no_traffic() -> None:
    told = counted(4, 3)
    assert list(told["endpoints"]) == ["order.place"]
    assert told["endpoints"]["order.place"]["statuses"] == {"201": 4}
    assert told["orders"] == {"placed": 3}


def recent(*looks: dict[str, Any]) -> dict[str, Any] | None:
    """What the page's own code says of looks, two seconds apart."""
    states = [{"at": f"2026-01-31T10:00:{2 * place:02}.000Z", "traffic": each} for place, each in enumerate(looks)]
    script = f"""
        import {{ Course }} from {json.dumps(str(COURSE))};
        const course = new Course();
        for (const state of {json.dumps(states)}) course.add(state);
        console.log(JSON.stringify(course.recent ?? null));
    """
    done = subprocess.run(
        [tool("node"), "--input-type=module", "--no-warnings", "--eval", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=SCRIPT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] | None = json.loads(done.stdout)
    return said


def test_rates_and_latencies_are_those_between_two_looks() -> None:
    said = recent(counted(1000, 10), counted(1100, 16))
    assert said is not None
    assert (said["requests"], said["orders"], said["errors"]) == (50, 3, 0)
    assert said["p50"] == pytest.approx(0.01)
    assert said["p99"] == pytest.approx(0.099)


def test_one_look_says_nothing_of_rates_and_counting_anew_nothing_wrong() -> None:
    assert recent(counted(10, 1)) is None
    said = recent(counted(1000, 10), counted(4, 0))
    assert said is not None
    assert (said["requests"], said["orders"]) == (0, 0)
