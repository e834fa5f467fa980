"""The files for Prometheus and Grafana are what the objectives say, can be read, and link to where help is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from holdfast.base.slo import ALERTS, SLOS, WINDOWS
from holdfast.ops.observe.files import DASHBOARD, RULES, contents, write_files
from holdfast.ops.observe.rules import as_yaml, rules

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "deploy" / "observability"
RUNBOOK = (ROOT / "docs" / "runbooks" / "alerts.md").read_text()
GRID_COLUMNS = 24


def every_rule() -> list[dict[str, Any]]:
    loaded = yaml.safe_load((FOLDER / RULES).read_text())
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads((FOLDER / DASHBOARD).read_text())["panels"]
    return loaded


def queries() -> Iterator[str]:
    yield from (rule["expr"] for rule in every_rule())
    yield from (target["expr"] for panel in panels() for target in panel.get("targets", ()))


@pytest.mark.parametrize("name", [RULES, DASHBOARD])
def test_the_files_are_what_the_objectives_say(name: str, tmp_path: Path) -> None:
    assert (FOLDER / name).read_text() == contents()[name], "run `holdfast slo --files deploy/observability`"
    assert tmp_path / name in write_files(tmp_path)
    assert (tmp_path / name).read_text() == contents()[name]


def test_the_rules_read_back_as_they_were_meant() -> None:
    assert yaml.safe_load(as_yaml(rules())) == rules()


@pytest.mark.parametrize("query", sorted(set(queries())))
def test_every_query_parses(query: str) -> None:
    promql_parser.parse(query.replace("$__rate_interval", "1m"))


def test_a_query_that_is_none_would_be_found() -> None:
    with pytest.raises(ValueError, match=r"."):
        promql_parser.parse("sum(rate(holdfast_orders_total[5m])")


def test_every_objective_is_recorded_over_every_window_and_alerted_of() -> None:
    recorded = {(rule["labels"]["slo"], rule["record"]) for rule in every_rule() if "record" in rule}
    assert recorded == {(slo.name, f"slo:error_ratio:rate{window.name}") for slo in SLOS for window in WINDOWS}
    burning = [rule for rule in every_rule() if "slo" in rule["labels"] and "alert" in rule]
    assert len(burning) == len(SLOS) * len(ALERTS)
    used = {name for rule in burning for name in re.findall(r"slo:error_ratio:rate\w+", rule["expr"])}
    assert used <= {name for _, name in recorded}


def test_every_alert_has_a_name_of_its_own_an_urgency_and_a_section_in_the_runbook() -> None:
    alerts = [rule for rule in every_rule() if "alert" in rule]
    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    headings = {heading.lower() for heading in re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE)}
    for rule in alerts:
        assert rule["labels"]["severity"] in ("page", "ticket")
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (ROOT / page).exists()
        assert anchor in headings


def test_panels_lie_side_by_side_and_name_their_source() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= GRID_COLUMNS
        assert not cells & taken
        taken |= cells
        assert {target["datasource"]["uid"] for target in panel.get("targets", ())} <= {"${datasource}"}
    assert len({panel["id"] for panel in panels()}) == len(panels())
    variables = json.loads((FOLDER / DASHBOARD).read_text())["templating"]["list"]
    assert [(variable["name"], variable["type"]) for variable in variables] == [("datasource", "datasource")]
