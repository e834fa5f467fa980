"""What the parts of an API process tell of themselves once a second."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.base.counts import Figure
from holdfast.http.admission import Gate
from holdfast.http.criticality import Criticality
from holdfast.http.kept import Kept
from holdfast.http.rates import Rates
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


def of_kept(kept: Kept) -> Iterator[Figure]:
    figures = kept.figures
    for outcome in ("cached", "held", "stale", "missed", "joined", "dropped"):
        yield Figure("holdfast_kept_answers_total", getattr(figures, outcome), {"outcome": outcome})
    yield Figure("holdfast_kept_entries", figures.entries)
    yield Figure("holdfast_kept_absent_entries", figures.absent)
    yield Figure("holdfast_kept_bytes", figures.bytes)
    yield Figure("holdfast_kept_stale_seconds_max", figures.stale_seconds_max)
    yield Figure("holdfast_kept_outages_total", figures.outages)
    yield Figure("holdfast_kept_outage_seconds", figures.outage_seconds)
    for age_seconds, count in enumerate(figures.ages):
        yield Figure("holdfast_kept_ages_total", count, {"seconds": str(age_seconds)})
    shelf = kept.shelf_figures
    if shelf is not None:
        for outcome in ("found", "missed", "failed", "left_out"):
            yield Figure("holdfast_shelf_lookups_total", getattr(shelf, outcome), {"outcome": outcome})
        yield Figure("holdfast_shelf_puts_total", shelf.put)
        yield Figure("holdfast_shelf_closed", float(shelf.closed))


def of_rates(rates: Rates) -> Iterator[Figure]:
    figures = rates.figures
    for name, by_tier in (("admitted", figures.admitted), ("limited", figures.limited)):
        for tier, count in by_tier.items():
            yield Figure(f"holdfast_rates_{name}_total", count, {"tier": tier})
    yield Figure("holdfast_rates_leases_total", figures.leases)
    yield Figure("holdfast_rates_alone_total", figures.alone)
    yield Figure("holdfast_rates_forgotten_total", figures.forgotten)
    yield Figure("holdfast_rates_accounts", figures.accounts)
    hosts = figures.elsewhere
    if hosts is not None:
        for outcome in ("told", "failed", "untold"):
            yield Figure("holdfast_rates_hosts_total", getattr(hosts, outcome), {"outcome": outcome})
        yield Figure("holdfast_rates_hosts_away", float(hosts.is_away))
