"""What the parts of an API process tell of themselves once a second."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.base.counts import Figure
from holdfast.http.admission import Gate
from holdfast.http.criticality import Criticality
from holdfast.store.store import Store


def of_gate(gate: Gate) -> Iterator[Figure]:
    figures = gate.figures
    for name, counts in (("admitted", figures.admitted), ("waited", figures.waited), ("refused", figures.refused)):
        for criticality in Criticality:
            labels = {"criticality": criticality.name.lower()}
            yield Figure(f"holdfast_gate_{name}_total", counts[criticality], labels)
    yield Figure("holdfast_gate_in_flight", figures.in_flight)
    yield Figure("holdfast_gate_waiting", figures.waiting)
    yield Figure("holdfast_gate_limit", figures.limit)
    yield Figure("holdfast_gate_overloaded", float(figures.overloaded))


def of_store(store: Store) -> Iterator[Figure]:
    standing = store.standing
    yield Figure("holdfast_pool_connections", standing.in_use, {"state": "in use"})
    yield Figure("holdfast_pool_connections", standing.spare, {"state": "spare"})
    yield Figure("holdfast_commit_waiting", standing.waiting)
