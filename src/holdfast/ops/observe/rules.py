"""Recording and alerting rules for Prometheus, made from the objectives; as YAML, because that is what it reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from holdfast.base.series import REQUEST_SECONDS, SLICES
from holdfast.base.slo import ALERTS, ANSWERED, FAILED, SLOS, WINDOWS, Alert, Answered, Held, Slo, Window, Within

MADE = "# Made by `holdfast slo --files FOLDER` from the objectives in base/slo.py; change it there.\n"
RUNBOOK = "docs/runbooks/alerts.md"
EVALUATION_SECONDS = 30


class Symptom(NamedTuple):
    """Something to alert of that is not an objective: what is wrong, for how long, how urgent, and in words."""

    name: str
    expression: str
    lasts: str
    severity: str
    text: str


SYMPTOMS = (
    Symptom(
        "HoldfastNotSeen",
        "absent(holdfast_build_info)",
        "2m",
        "page",
        "No process of the shop answers Prometheus.",
    ),
    Symptom("HoldfastDatabaseDown", "holdfast_database_up == 0", "1m", "page", "The database does not answer."),
    Symptom(
        "HoldfastProcessSilent",
        "holdfast_process_up == 0",
        "2m",
        "ticket",
        "{{ $labels.process }} has stopped telling of itself and was not replaced.",
    ),
    Symptom(
        "HoldfastBrokenPromise",
        "holdfast_audit_findings > 0",
        "1m",
        "page",
        "The audit has open findings of {{ $labels.check }}.",
    ),
    Symptom(
        "HoldfastAuditBlind",
        "holdfast_audit_pass_passed_over > 0 or holdfast_audit_pass_age_seconds > 259200",
        "1h",
        "ticket",
        "The audit could not look at all of {{ $labels.walk }}, or has not been through it for three days.",
    ),
    Symptom(
        "HoldfastPaymentBreaks",
        "holdfast_payment_breaks > 0",
        "15m",
        "ticket",
        "Captured payments became neither an order nor a refund.",
    ),
    Symptom(
        "HoldfastUnknownCommits",
        'increase(holdfast_commit_changes_total{verdict="unknown"}[15m]) > 0',
        "0s",
        "ticket",
        "Clients were told that nobody knows whether their change happened.",
    ),
    Symptom(
        "HoldfastEventsWaiting",
        "holdfast_events_wait_seconds > 300",
        "5m",
        "ticket",
        "Events wait for minutes although their subscribers take events.",
    ),
    Symptom(
        "HoldfastDeadLetters",
        "holdfast_events_dead_letters > 0",
        "1m",
        "ticket",
        "Events were given up: a subscriber did not take them for as long as it was tried.",
    ),
    Symptom(
        "HoldfastDestinationsClosed",
        'sum by (phase) (holdfast_outbound_destinations{phase="open"}) > 0',
        "5m",
        "ticket",
        "Calls to a destination are not made because it fails: extensions fall back, events wait.",
    ),
    Symptom(
        "HoldfastServedStale",
        "max(holdfast_kept_outage_seconds) > 0",
        "1m",
        "page",
        "The catalogue is answered from what was seen before the database went away.",
    ),
    Symptom(
        "HoldfastOverloaded",
        "max_over_time(holdfast_gate_overloaded[5m]) == 1",
        "5m",
        "ticket",
        "{{ $labels.process }} refuses requests that have not begun a checkout.",
    ),
    Symptom(
        "HoldfastEventLoopLate",
        "holdfast_process_event_loop_lag_seconds > 0.5",
        "5m",
        "ticket",
        "{{ $labels.process }} answers late: its event loop is held up.",
    ),
    Symptom(
        "HoldfastConnectionsNearlyUsed",
        'sum(holdfast_database_connections{state!="lock"}) / max(holdfast_database_connections_max) > 0.8',
        "5m",
        "ticket",
        "More than 80 % of the connections the database allows are open.",
    ),
    Symptom(
        "HoldfastTransactionOpen",
        "holdfast_database_oldest_transaction_seconds > 300",
        "1m",
        "ticket",
        "A transaction has been open for minutes; it keeps dead rows and may hold locks.",
    ),
    Symptom(
        "HoldfastStandbyBehind",
        "holdfast_database_standby_lag_seconds > 30",
        "5m",
        "ticket",
        "A standby is more than 30 s behind.",
    ),
)


def recorded(window: Window) -> str:
    """The name under which the share of bad events in a window is recorded."""
    return f"slo:error_ratio:rate{window.name}"


def error_ratio(slo: Slo, window: str) -> str:
    """PromQL for the share of bad events of an objective."""
    name = REQUEST_SECONDS.name
    match slo.indicator:
        case Answered(endpoints):
            base = f'endpoint=~"{"|".join(endpoints)}"'
            bad = f'sum(rate({name}_count{{{base},status_class="{FAILED}"}}[{window}]))'
            return f"({bad} or vector(0)) / sum(rate({name}_count{{{base}}}[{window}]))"
        case Within(endpoints, seconds):
            base = f'endpoint=~"{"|".join(endpoints)}",status_class="{ANSWERED}"'
            good = f'sum(rate({name}_bucket{{{base},le="{seconds:g}"}}[{window}]))'
            return f"1 - {good} / sum(rate({name}_count{{{base}}}[{window}]))"
        case Held(what):
            good = f'sum(rate({SLICES.name}{{slo="{what}",held="yes"}}[{window}]))'
            return f'1 - {good} / sum(rate({SLICES.name}{{slo="{what}"}}[{window}]))'


def rules() -> dict[str, Any]:
    """Everything Prometheus is to record and to alert of."""
    return {
        "groups": [
            {"name": "holdfast-slo", "interval": f"{EVALUATION_SECONDS}s", "rules": list(_recordings())},
            {"name": "holdfast-slo-alerts", "rules": [_alert(slo, alert) for slo in SLOS for alert in ALERTS]},
            {"name": "holdfast-symptoms", "rules": [_symptom(symptom) for symptom in SYMPTOMS]},
        ]
    }


def _recordings() -> Iterator[Mapping[str, Any]]:
    for slo in SLOS:
        for window in WINDOWS:
            yield {"record": recorded(window), "expr": error_ratio(slo, window.name), "labels": {"slo": slo.name}}


def alert_name(slo: Slo, alert: Alert) -> str:
    words = "".join(word.capitalize() for word in slo.name.split("-"))
    return f"HoldfastBurning{words}{alert.long.name.upper()}"


def _alert(slo: Slo, alert: Alert) -> Mapping[str, Any]:
    threshold = f"{alert.factor * slo.allowed:.6g}"
    long, short = (f'{recorded(window)}{{slo="{slo.name}"}} > {threshold}' for window in (alert.long, alert.short))
    text = f"{slo.text}: the error budget is spent {alert.factor:g} times as fast as allowed, over {alert.long.name}."
    return {
        "alert": alert_name(slo, alert),
        "expr": f"{long} and {short}",
        "labels": {"severity": alert.severity, "slo": slo.name},
        "annotations": {"summary": text, "runbook": f"{RUNBOOK}#burning"},
    }


def _symptom(symptom: Symptom) -> Mapping[str, Any]:
    return {
        "alert": symptom.name,
        "expr": symptom.expression,
        "for": symptom.lasts,
        "labels": {"severity": symptom.severity},
        "annotations": {"summary": symptom.text, "runbook": f"{RUNBOOK}#{symptom.name.lower()}"},
    }


def as_yaml(value: object, depth: int = 0) -> str:
    """Mappings, lists and scalars as YAML; texts are quoted as JSON quotes them, which YAML reads alike."""
    pad = "  " * depth
    if isinstance(value, Mapping):
        return "".join(f"{pad}{key}:{_nested(item, depth + 1)}" for key, item in value.items())
    assert isinstance(value, Sequence)
    return "".join(f"{pad}- {as_yaml(item, depth + 1).lstrip()}" for item in value)


def _nested(value: object, depth: int) -> str:
    if isinstance(value, (Mapping, list)):
        return f"\n{as_yaml(value, depth)}"
    return f" {json.dumps(value, ensure_ascii=False)}\n"
