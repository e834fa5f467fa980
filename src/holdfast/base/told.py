"""What processes tell of themselves, by name: the kind of number and what it means, for whoever reads the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Described(NamedTuple):
    """A counter grows for as long as its process lives; a gauge is how things stand."""

    kind: str
    text: str


TOLD: Mapping[str, Described] = {
    "holdfast_process_cpu_seconds_total": Described("counter", "Processor time a process has used."),
    "holdfast_process_resident_bytes": Described("gauge", "Memory a process has in use."),
    "holdfast_process_event_loop_lag_seconds": Described("gauge", "The latest an event loop was within half a minute."),
    "holdfast_process_gc_collections_total": Described("counter", "Garbage collections."),
    "holdfast_process_gc_seconds_total": Described("counter", "Time a process stood still for garbage collection."),
    "holdfast_gate_admitted_total": Described("counter", "Requests let in, by how much they matter."),
    "holdfast_gate_waited_total": Described("counter", "Requests that waited at the gate."),
    "holdfast_gate_refused_total": Described("counter", "Requests refused by the gate."),
    "holdfast_gate_in_flight": Described("gauge", "Requests under way."),
    "holdfast_gate_waiting": Described("gauge", "Requests that wait at the gate."),
    "holdfast_gate_limit": Described("gauge", "Requests that may be under way at once."),
    "holdfast_gate_overloaded": Described("gauge", "Whether the gate refuses what has not begun."),
    "holdfast_pool_connections": Described("gauge", "Connections for statements by key, by whether they are in use."),
    "holdfast_kept_answers_total": Described("counter", "Catalogue answers, by what became of the request."),
    "holdfast_kept_entries": Described("gauge", "Answers kept."),
    "holdfast_kept_absent_entries": Described("gauge", "Answers kept that say something does not exist."),
    "holdfast_kept_bytes": Described("gauge", "Memory kept answers take."),
    "holdfast_kept_stale_seconds_max": Described(
        "gauge", "Age of the oldest answer given while the database was away."
    ),
    "holdfast_kept_outages_total": Described("counter", "Times the database was noticed to be away."),
    "holdfast_kept_outage_seconds": Described("gauge", "How long the database has been away; 0 while it is there."),
    "holdfast_kept_ages_total": Described("counter", "Answers given from what is kept, by whole seconds of their age."),
    "holdfast_shelf_lookups_total": Described("counter", "Look-ups in the memory hosts share, by how they ended."),
    "holdfast_shelf_puts_total": Described("counter", "Answers laid in the memory hosts share."),
    "holdfast_shelf_closed": Described("gauge", "Whether the memory hosts share is left alone for a while."),
    "holdfast_rates_admitted_total": Described("counter", "Requests within their caller's rate, by tier."),
    "holdfast_rates_limited_total": Described("counter", "Requests refused with 429, by tier."),
    "holdfast_rates_leases_total": Described("counter", "Leases taken from shared buckets."),
    "holdfast_rates_alone_total": Described("counter", "Leases taken without the other processes knowing."),
    "holdfast_rates_forgotten_total": Described("counter", "Buckets that made room before they were full."),
    "holdfast_rates_accounts": Described("gauge", "Callers a process knows."),
    "holdfast_rates_hosts_total": Described("counter", "Buckets other hosts were told of, by whether they were."),
    "holdfast_rates_hosts_away": Described("gauge", "Whether each host limits by itself for a while."),
    "holdfast_outbound_destinations": Described("gauge", "Destinations called, by the phase of their breaker."),
    "holdfast_outbound_calls_total": Described("counter", "Attempts to call a destination, by how they ended."),
    "holdfast_outbound_in_flight": Described("gauge", "Calls under way."),
    "holdfast_outbound_waiting": Described("gauge", "Calls that wait for others to end."),
    "holdfast_commit_waiting": Described("gauge", "Changes that wait for the next batch."),
}
