"""Schedules of the simulation as a test: no promise broken, all faults met, the same seed the same run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# As many as must meet every fault of the list; long campaigns are run by hand.
SEEDS = 2_000
TIMEOUT_SECONDS = 300


def simulated(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the simulation in processes of its own: it takes over their clocks."""
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


def test_no_schedule_breaks_a_promise_and_every_fault_strikes() -> None:
    done = simulated("--seeds", f"0..{SEEDS}")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_planted_bug_is_found() -> None:
    done = simulated("--planted")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "35 of 35 planted bugs found" in done.stdout


def test_a_seed_replays_to_the_last_answer() -> None:
    first, second = (simulated("--seeds", "0..20", "--jobs", "1", "--trace").stdout for _ in range(2))
    assert first.count("\n") > 100
    assert first.rpartition("schedules in")[0] == second.rpartition("schedules in")[0]
