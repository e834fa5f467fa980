"""A circuit breaker as a value: what it knows, and what follows from what happens. No clock, no chance, no lock.

Closed, it counts. When enough calls of the last while have failed, and more than a share of them, it
opens: nobody is called. After a time that doubles with every vain attempt it lets one call through at a
time; as many good ones in a row close it, a bad one opens it again.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Phase = Literal["closed", "open", "half-open"]

# What is remembered of its past, for people.
HISTORY_MAX = 20
# The window moves in steps of this share of it.
BUCKETS = 10


class Policy(NamedTuple):
    """When a breaker opens, for how long, and what closes it."""

    window_seconds: float = 30.0
    failures_min: int = 5
    failure_ratio: float = 0.5
    open_seconds: float = 5.0
    open_seconds_max: float = 60.0
    successes_to_close: int = 2


class Bucket(NamedTuple):
    """The calls of one step of the window."""

    step: int
    good: int = 0
    bad: int = 0


class Transition(NamedTuple):
    """A change of phase: when, to what, and why."""

    at: float
    phase: Phase
    why: str


class Breaker(NamedTuple):
    """What is known of a destination. `turn` grows with every change of phase."""

    phase: Phase = "closed"
    since: float = 0.0
    until: float = 0.0
    turn: int = 0
    vain: int = 0
    probing: bool = False
    good_probes: int = 0
    buckets: tuple[Bucket, ...] = ()
    history: tuple[Transition, ...] = ()


def admitted(breaker: Breaker, now: float) -> Breaker | None:
    """The breaker with one more call under way, None where the call must not be made."""
    if breaker.phase == "closed":
        return breaker
    if breaker.phase == "open":
        if now < breaker.until:
            return None
        breaker = _moved(breaker, now, "half-open", "its time was over")
    return None if breaker.probing else breaker._replace(probing=True)


def judged(breaker: Breaker, policy: Policy, now: float, turn: int, chance: float, *, good: bool | None) -> Breaker:
    """The breaker after a call that was admitted in `turn`; good: None for one that says nothing either way.

    chance: between 0 and 1; breakers that opened together try again apart.
    """
    if turn != breaker.turn:
        return breaker  # it began in another time
    if breaker.phase == "half-open":
        return _probed(breaker, policy, now, chance, good=good)
    if good is None:
        return breaker
    counted = _counted(breaker, policy, now, good=good)
    failed, calls = sum(bucket.bad for bucket in counted), sum(bucket.good + bucket.bad for bucket in counted)
    breaker = breaker._replace(buckets=counted)
    if not good and failed >= policy.failures_min and failed >= calls * policy.failure_ratio:
        return _opened(breaker, policy, now, chance, f"{failed} of {calls} calls failed")
    return breaker


def _probed(breaker: Breaker, policy: Policy, now: float, chance: float, *, good: bool | None) -> Breaker:
    breaker = breaker._replace(probing=False)
    if good is None:
        return breaker
    if not good:
        return _opened(breaker, policy, now, chance, "the attempt failed")
    if breaker.good_probes + 1 < policy.successes_to_close:
        return breaker._replace(good_probes=breaker.good_probes + 1)
    return _moved(breaker, now, "closed", f"{policy.successes_to_close} attempts succeeded")._replace(vain=0)


def _opened(breaker: Breaker, policy: Policy, now: float, chance: float, why: str) -> Breaker:
    longest = min(policy.open_seconds_max, policy.open_seconds * 2 ** min(breaker.vain, 16))
    moved = _moved(breaker, now, "open", why)
    return moved._replace(until=now + longest * (1 + chance) / 2, vain=breaker.vain + 1)


def _moved(breaker: Breaker, now: float, phase: Phase, why: str) -> Breaker:
    history = (*breaker.history, Transition(now, phase, why))[-HISTORY_MAX:]
    turn = breaker.turn + 1
    return breaker._replace(
        phase=phase, since=now, turn=turn, probing=False, good_probes=0, buckets=(), history=history
    )


def _counted(breaker: Breaker, policy: Policy, now: float, *, good: bool) -> tuple[Bucket, ...]:
    step = int(now / policy.window_seconds * BUCKETS)
    recent = [bucket for bucket in breaker.buckets if bucket.step > step - BUCKETS]
    last = recent.pop() if recent and recent[-1].step == step else Bucket(step)
    counted = last._replace(good=last.good + 1) if good else last._replace(bad=last.bad + 1)
    return (*recent, counted)
