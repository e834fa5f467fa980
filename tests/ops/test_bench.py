"""The benchmark runs whole, on a small scale: what it prints is its own business, that it sells exactly is ours."""

from __future__ import annotations

import json

from tests.conftest import run_holdfast


def test_a_short_benchmark_measures_everything_once() -> None:
    done = run_holdfast("bench", "--short", "--json", timeout_seconds=180)
    assert done.returncode == 0, done.stderr
    figures = {figure["name"]: figure for figure in json.loads(done.stdout)}
    assert set(figures) == {
        "projection by id",
        "projection by slug",
        "order, store level",
        "place order, distinct items",
        "place order, hot item",
        "place order, 70 % load",
        "full checkout",
    }
    assert all(figure["per_second"] > 0 and figure["limit_per_second"] > 0 for figure in figures.values())
    assert "10 sold of 10" in figures["place order, hot item"]["note"]


def test_in_a_flood_every_answer_is_a_success_or_an_honest_refusal() -> None:
    done = run_holdfast("bench", "overload", "--short", "--json", timeout_seconds=180)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    (flood,) = outcome["rounds"]
    assert outcome["goodput_ratio"] == flood["goodput_per_second"] / flood["peak_per_second"] > 0
    assert flood["other_answers"] == {}
    assert flood["unserved"] == 0
