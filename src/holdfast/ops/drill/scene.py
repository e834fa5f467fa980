"""One scene of a drill: what is to happen in it, and what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from holdfast.ops.drill.fault import AnyFault, Setting
from holdfast.ops.drill.pulse import Pulse
from holdfast.ops.drill.sale import Habits
from holdfast.ops.drill.verdict import Verdict

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Script:
    """What is to happen in a scene."""

    setting: type[Setting]
    faults: Sequence[AnyFault]
    seed: str
    habits: Habits
    # Rounds of all faults go on until both are reached; each fault strikes its `times` at least.
    seconds: float = 0.0
    orders: int = 0
    distinct: int = 100
    scarce: int = 30
    workers: int = 2
    # Selling before each strike, on average.
    calm_seconds: float = 0.5
    # Set when the operator has seen enough: no more strikes, but the verdict on what was sold so far.
    stop: asyncio.Event = field(default_factory=asyncio.Event)


class Struck(NamedTuple):
    """One fault that struck. Seconds count from the strike, `at` from the beginning of the sale."""

    fault: str
    at: float
    in_flight: int
    # When the shop or a client first noticed; None when nobody did.
    noticed_seconds: float | None
    # The longest time without an acknowledgement, and when it was over; 0 when selling went on.
    pause_seconds: float
    recovered_seconds: float
    # When every process ran again.
    whole_seconds: float
    requests: int
    failures: int

    @property
    def error_rate(self) -> float:
        return self.failures / self.requests if self.requests else 0.0


@dataclass
class Scene:
    """What happened."""

    setting: str
    seed: str
    struck: list[Struck] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    pulse: Pulse = field(default_factory=Pulse)
    outcomes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    # Whether the shop was whole in the end, so that it could be asked what it holds.
    came_back: bool = False
    # Why the scene is worth nothing although nothing was found: a fault that hit nobody, a shop that stayed down.
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return self.verdict.holds and not self.problems

    def facts(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "setting": self.setting,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "orders": self.pulse.orders,
            "requests": self.pulse.requests,
            "failures": self.pulse.failures,
            "outcomes": self.outcomes,
            "verdict": self.verdict.facts(),
            "problems": self.problems,
            "struck": [each._asdict() for each in self.struck],
        }


def told(struck: Struck) -> str:
    """A strike in a line."""
    noticed = "unnoticed" if struck.noticed_seconds is None else f"noticed after {struck.noticed_seconds:.2f} s"
    pause = f"stopped for {struck.pause_seconds:.2f} s, sold again after {struck.recovered_seconds:.2f} s"
    times = f"{noticed}, {pause if struck.recovered_seconds else 'went on selling'}"
    return f"{struck.fault:22} {struck.in_flight:3} in flight, {times}, {struck.error_rate:.1%} errors"
