"""What a client tells of its destinations, all of them together: their names would name projects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import get_args

from holdfast.base.counts import Figure
from holdfast.outbound.breaker import Phase
from holdfast.outbound.client import Client


def of_outbound(client: Client) -> Iterator[Figure]:
    lines = client.figures()
    phases = Counter(line.phase for line in lines)
    for phase in get_args(Phase):
        yield Figure("holdfast_outbound_destinations", phases[phase], {"phase": phase})
    for outcome in ("answered", "failed", "refused_open", "refused_busy", "retries"):
        total = sum(getattr(line, outcome) for line in lines)
        yield Figure("holdfast_outbound_calls_total", total, {"outcome": outcome})
    yield Figure("holdfast_outbound_in_flight", sum(line.in_flight for line in lines))
    yield Figure("holdfast_outbound_waiting", sum(line.waiting for line in lines))
