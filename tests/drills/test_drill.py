"""`holdfast drill` itself: a short run of it holds, and a shop that is tampered with is found out."""

from __future__ import annotations

import json
import random
from pathlib import Path

import asyncpg
from tests.conftest import run_holdfast

from holdfast.ops.drill.fault import Fault, Setting
from holdfast.ops.drill.play import play
from holdfast.ops.drill.sale import Habits
from holdfast.ops.drill.scene import Script

FEW = Habits(clients=8, by_steps=0.0)
FAULTS = ("kill-api-worker", "pause-postgres", "kill-everything")

LOSE = 'DELETE FROM "order" WHERE id = (SELECT id FROM "order" ORDER BY id LIMIT 1)'
DUPLICATE = """
INSERT INTO "order" (project, id, version, sequence_number, created_at, modified_at, body, query)
SELECT project, gen_random_uuid(), version, sequence_number, created_at, modified_at, body, query
  FROM "order" ORDER BY id DESC LIMIT 1
"""
MISCOUNT = "UPDATE stock SET reserved = reserved + 1 WHERE entry_id = (SELECT entry_id FROM stock ORDER BY 1 LIMIT 1)"


async def test_a_short_run_holds_and_leaves_a_page_and_a_line(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    words = ["--faults", ",".join(FAULTS), "--clients", "8", "--seed", "4", "--no-controls", "--report", str(page)]
    done = run_holdfast("drill", "run", "--json", *words, timeout_seconds=120)
    assert done.returncode == 0, done.stdout + done.stderr
    facts = json.loads(done.stdout)
    assert {each["fault"] for scene in facts["scenes"] for each in scene["struck"] if each["in_flight"]} == set(FAULTS)
    assert facts["verdict"]["acknowledged"] > 100
    text = page.read_text()
    assert "<svg" in text
    assert "http" not in text, "the page stands alone"
    totals = json.loads(run_holdfast("drill", "totals", "--json", "--reports", str(tmp_path)).stdout)
    assert (totals["runs"], totals["failedRuns"], totals["lost"]) == (1, 0, 0)
    assert totals["acknowledged"] == facts["verdict"]["acknowledged"]


def tampering(name: str, statement: str) -> Fault[Setting]:
    async def tamper(setting: Setting, _chance: random.Random) -> None:
        connection = await asyncpg.connect(setting.stage.dsn)
        await connection.execute(statement)
        await connection.close()

    return Fault(name, "somebody writes into the tables", Setting, tamper)


async def test_tampering_is_found_out(tmp_path: Path) -> None:
    faults = [tampering("lose", LOSE), tampering("duplicate", DUPLICATE), tampering("miscount", MISCOUNT)]
    script = Script(setting=Setting, faults=faults, seed="1", habits=FEW, distinct=5, scarce=2, workers=1)
    scene = await play(script, None, print, tmp_path / "journal")
    assert {kind for kind, count in scene.verdict.counts.items() if count} >= {"lost", "duplicated", "unexplained"}
    assert not scene.holds
    assert (tmp_path / "journal").exists(), "what was acknowledged is kept as evidence"


def test_a_fault_nobody_knows_is_refused() -> None:
    done = run_holdfast("drill", "run", "--faults", "rain")
    assert done.returncode == 2
    assert "rain" in done.stderr
