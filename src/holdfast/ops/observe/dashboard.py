"""A dashboard for Grafana: whether objectives hold, what is sold, and which part is the reason when they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from holdfast.base.slo import ALERTS, SLOS, Alert, Slo
from holdfast.ops.observe.rules import error_ratio, recorded

SCHEMA_VERSION = 39
COLUMNS, HEIGHT = 24, 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_REQUESTS = "holdfast_http_requests_total"
_SECONDS = "holdfast_http_request_duration_seconds_bucket"


class Panel(NamedTuple):
    """Lines over time: what each is called, and the query behind it."""

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]
    width: int = 8
    kind: str = "timeseries"


def _quantile(share: float, of: str, by: str = "") -> str:
    labels = f"le,{by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({of}[$__rate_interval])))"


def _rate(of: str, by: str) -> str:
    return f"sum by ({by}) (rate({of}[$__rate_interval]))"


def _budget_left(slo: Slo) -> str:
    return f"1 - ({error_ratio(slo, '30d')}) / {slo.allowed:.6g}"


def _burn(slo: Slo, alert: Alert) -> str:
    return f'{recorded(alert.long)}{{slo="{slo.name}"}} / {slo.allowed:.6g}'


def panels() -> list[tuple[str, list[Panel]]]:
    """The rows, most asked for first."""
    return [
        (
            "Objectives",
            [
                Panel(
                    "Error budget left (30 d)", "percentunit", [(s.name, _budget_left(s)) for s in SLOS], 12, "bargauge"
                ),
                Panel("Burn over 1 h", "none", [(slo.name, _burn(slo, ALERTS[0])) for slo in SLOS], 12),
            ],
        ),
        (
            "Sales",
            [
                Panel("Orders", "reqps", [("{{outcome}}", _rate("holdfast_orders_total", "outcome"))]),
                Panel(
                    "Placing an order",
                    "s",
                    [
                        (f"p{share * 100:g}", _quantile(share, f'{_SECONDS}{{endpoint="order.place"}}'))
                        for share in (0.5, 0.99)
                    ],
                ),
                Panel("Payments that ended nowhere", "none", [("payments", "holdfast_payment_breaks")]),
            ],
        ),
        (
            "Requests",
            [
                Panel("Requests by endpoint", "reqps", [("{{endpoint}}", _rate(_REQUESTS, "endpoint"))]),
                Panel("Failures", "reqps", [("{{status}}", _rate(f'{_REQUESTS}{{status=~"5..|429"}}', "status"))]),
                Panel("p99 by endpoint", "s", [("{{endpoint}}", _quantile(0.99, _SECONDS, "endpoint"))]),
                Panel("Refusals by code", "reqps", [("{{code}}", _rate("holdfast_http_refusals_total", "code"))]),
                Panel(
                    "The gate",
                    "none",
                    [
                        ("under way {{process}}", "holdfast_gate_in_flight"),
                        ("limit {{process}}", "holdfast_gate_limit"),
                        ("waiting {{process}}", "holdfast_gate_waiting"),
                    ],
                ),
                Panel(
                    "Refused at the gate",
                    "reqps",
                    [("{{criticality}}", _rate("holdfast_gate_refused_total", "criticality"))],
                ),
            ],
        ),
        (
            "Committing",
            [
                Panel(
                    "A batch takes",
                    "s",
                    [(f"p{s * 100:g}", _quantile(s, "holdfast_commit_duration_seconds_bucket")) for s in (0.5, 0.99)],
                ),
                Panel(
                    "Changes in a batch",
                    "none",
                    [(f"p{s * 100:g}", _quantile(s, "holdfast_commit_batch_changes_bucket")) for s in (0.5, 0.99)],
                ),
                Panel("Verdicts", "ops", [("{{verdict}}", _rate("holdfast_commit_changes_total", "verdict"))]),
                Panel("Mishaps under a batch", "ops", [("{{event}}", _rate("holdfast_commit_events_total", "event"))]),
                Panel("Changes that wait", "none", [("{{process}}", "holdfast_commit_waiting")]),
                Panel("Findings of the audit", "none", [("{{check}}", "holdfast_audit_findings > 0")]),
            ],
        ),
        (
            "Events",
            [
                Panel(
                    "The longest wait", "s", [("for a subscriber that takes events", "holdfast_events_wait_seconds")]
                ),
                Panel("Waiting", "none", [("{{state}}", "holdfast_events_waiting")]),
                Panel("Attempts", "ops", [("{{outcome}}", _rate("holdfast_events_total", "outcome"))]),
                Panel("Dead letters", "none", [("given up", "holdfast_events_dead_letters")]),
                Panel("Breakers", "none", [("{{phase}}", "sum by (phase) (holdfast_outbound_destinations)")]),
                Panel("Calls to others", "ops", [("{{outcome}}", _rate("holdfast_outbound_calls_total", "outcome"))]),
            ],
        ),
        (
            "Kept answers and rates",
            [
                Panel("Catalogue answers", "reqps", [("{{outcome}}", _rate("holdfast_kept_answers_total", "outcome"))]),
                Panel("Kept", "bytes", [("{{process}}", "holdfast_kept_bytes")]),
                Panel("Refused by tier", "reqps", [("{{tier}}", _rate("holdfast_rates_limited_total", "tier"))]),
            ],
        ),
        (
            "Parts",
            [
                Panel("Memory", "bytes", [("{{process}}", "holdfast_process_resident_bytes")]),
                Panel(
                    "Processor",
                    "percentunit",
                    [("{{process}}", _rate("holdfast_process_cpu_seconds_total", "process"))],
                ),
                Panel("Event loop late by", "s", [("{{process}}", "holdfast_process_event_loop_lag_seconds")]),
                Panel(
                    "Garbage collection",
                    "percentunit",
                    [("{{process}}", _rate("holdfast_process_gc_seconds_total", "process"))],
                ),
                Panel("Database connections", "none", [("{{state}}", "holdfast_database_connections")]),
                Panel("Standbys behind", "s", [("slowest", "holdfast_database_standby_lag_seconds")]),
            ],
        ),
    ]


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    return {
        "uid": "holdfast",
        "title": "Holdfast",
        "tags": ["holdfast"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}]
        },
        "annotations": {"list": []},
        "panels": _laid_out(),
    }


def _laid_out() -> list[dict[str, Any]]:
    """Rows and panels with their places, left to right and top to bottom."""
    laid: list[dict[str, Any]] = []
    y = 0
    for title, row in panels():
        laid.append(_row(len(laid) + 1, title, y))
        y += 1
        x = 0
        for panel in row:
            if x + panel.width > COLUMNS:
                x, y = 0, y + HEIGHT
            laid.append(_panel(len(laid) + 1, panel, x, y))
            x += panel.width
        y += HEIGHT
    return laid


def _row(number: int, title: str, y: int) -> dict[str, Any]:
    place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    targets: list[Mapping[str, Any]] = [
        {"refId": chr(ord("A") + n), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
        for n, (legend, query) in enumerate(panel.queries)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {},
        "targets": targets,
    }
