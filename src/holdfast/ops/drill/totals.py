"""What all runs came to: one line a run in a file beside the reports."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from holdfast.ops.drill.run import Campaign
from holdfast.ops.drill.verdict import KINDS

FILE = "runs.jsonl"


def remember(folder: Path, campaign: Campaign) -> None:
    """Add a run."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("a") as file:
        file.write(json.dumps(line_of(campaign)) + "\n")


def line_of(campaign: Campaign) -> dict[str, Any]:
    """A run in a line."""
    verdict = campaign.verdict
    return {
        "began": campaign.began,
        "version": campaign.version,
        "seed": campaign.plan.seed,
        "holds": campaign.holds,
        "acknowledged": verdict.placed,
        **{kind: verdict.counts[kind] for kind in KINDS},
        "struck": Counter(each.fault for scene in campaign.scenes for each in scene.struck),
        "controls": {each.name: each.noticed for each in campaign.controls},
    }


def total(folder: Path) -> dict[str, Any]:
    """All runs together."""
    path = folder / FILE
    runs = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    struck: Counter[str] = Counter()
    controls: Counter[str] = Counter()
    for run in runs:
        struck.update(run["struck"])
        controls.update(name for name, noticed in run["controls"].items() if noticed)
    return {
        "runs": len(runs),
        "failedRuns": sum(not run["holds"] for run in runs),
        "acknowledged": sum(run["acknowledged"] for run in runs),
        **{kind: sum(run[kind] for run in runs) for kind in KINDS},
        "struck": dict(sorted(struck.items())),
        "controlsFoundOut": dict(sorted(controls.items())),
        "seeds": [run["seed"] for run in runs],
    }
