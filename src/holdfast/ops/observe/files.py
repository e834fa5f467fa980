"""The files an operator gives to Prometheus and Grafana, written from the objectives."""

from __future__ import annotations

import json
from pathlib import Path

from holdfast.ops.observe.dashboard import dashboard
from holdfast.ops.observe.rules import MADE, as_yaml, rules

RULES = "prometheus-rules.yml"
DASHBOARD = "grafana-dashboard.json"


def contents() -> dict[str, str]:
    """What belongs into each file."""
    return {
        RULES: MADE + as_yaml(rules()),
        DASHBOARD: json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n",
    }


def write_files(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents().items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in contents()]
