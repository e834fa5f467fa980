"""What goes wrong in a schedule: drawn from its seed before it starts, or at each I/O.

A third of the schedules meet one fault at one I/O, counted through, so that every I/O of a request
gets its turn; the others meet faults at random, and one in eight none at all.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

# What can happen to one exchange with the database.
LOST_BEFORE = "lost before it arrived"
LOST_AFTER = "answer lost"
LATE = "given up, yet it arrives"
SLOW = "slow"
HANGS = "no answer at all"
EXCHANGES = (LOST_BEFORE, LOST_AFTER, LATE, SLOW, HANGS)
_WEIGHTS = (30, 40, 15, 12, 3)

SLOW_SECONDS = 2.5
# I/Os of a schedule that a counted fault can hit.
IO_MAX = 120


class Plan(NamedTuple):
    """The faults of one schedule. Times are seconds of the loop, rates chances per exchange.

    pauses: whether others get in between two locks of one statement. rush: whether everybody orders
    at once, a cart each, before doing anything else.
    """

    exchange_rate: float = 0.0
    network_rate: float = 0.0
    only_at: int | None = None
    crash_process_at: float | None = None
    crash_database_at: float | None = None
    down_seconds: float = 0.0
    jump_clock_at: float | None = None
    jump_seconds: float = 0.0
    delay_seconds: float = 0.002
    pauses: bool = False
    rush: bool = False

    @property
    def is_calm(self) -> bool:
        """Whether the database answers all the time."""
        return not (self.exchange_rate or self.network_rate or self.only_at is not None or self.crash_database_at)


def plan_of(chance: Random) -> Plan:
    """The plan of a seed."""
    delay = 10 ** chance.uniform(-3.5, -1.7)
    usual = Plan(delay_seconds=delay, pauses=chance.random() < 0.4, rush=chance.random() < 0.4)
    kind = chance.random()
    if kind < 0.12:
        return usual
    if kind < 0.45:
        return usual._replace(only_at=chance.randrange(IO_MAX))
    # A request takes some ten delays: what strikes at a time should strike in the middle of things.
    span = delay * 60
    return usual._replace(
        exchange_rate=chance.choice((0.0, 0.02, 0.05, 0.15)),
        network_rate=chance.choice((0.0, 0.05, 0.2)),
        crash_process_at=chance.uniform(0, span) if chance.random() < 0.4 else None,
        crash_database_at=chance.uniform(0, span) if chance.random() < 0.35 else None,
        down_seconds=chance.choice((0.05, 0.5, 3.0, 12.0)),
        jump_clock_at=chance.uniform(0, span) if chance.random() < 0.2 else None,
        jump_seconds=chance.choice((-3600.0, -0.5, 3600.0)),
    )


class Faults:
    """Draws what happens to each exchange, and remembers what did."""

    def __init__(self, plan: Plan, chance: Random) -> None:
        self.plan = plan
        self._chance = chance
        self._exchanges = 0
        self.quiet = False

    def delay(self) -> float:
        return self._chance.expovariate(1.0) * self.plan.delay_seconds

    def of_exchange(self) -> str | None:
        """What happens to the next exchange with the database."""
        if self.quiet:
            return None
        self._exchanges += 1
        if self._exchanges - 1 == self.plan.only_at or self._chance.random() < self.plan.exchange_rate:
            return self._chance.choices(EXCHANGES, _WEIGHTS)[0]
        return None

    def of_network(self) -> str | None:
        """What happens to the next request of a client."""
        if self.quiet or self._chance.random() >= self.plan.network_rate:
            return None
        return self._chance.choice((LOST_BEFORE, LOST_AFTER))

    def flushed_before_the_crash(self) -> bool:
        """Whether the commit that a crash met in its flush is on the disk."""
        return self._chance.random() < 0.5

    def seconds(self, longest: float) -> float:
        return self._chance.uniform(0, longest)
