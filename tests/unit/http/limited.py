"""A limiter with one known client, and a crowd of processes that share its bucket.

`python -m tests.unit.http.limited ARRIVALS PROCESSES` lets a crowd loose and compares what it got with the reference.
"""

from __future__ import annotations

import math
import random
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.unit.http.reference_bucket import ReferenceBucket

from holdfast.commerce.facts import Caller
from holdfast.http.addresses import Addresses
from holdfast.http.auth import Authenticator, Seen
from holdfast.http.bucket import Tier
from holdfast.http.rate_page import Page
from holdfast.http.rate_settings import RateSettings
from holdfast.http.rate_tiers import PARTNER
from holdfast.http.rates import Rates
from holdfast.store.store import Store
from holdfast.store.tokens import Tokens

AUTHORIZATION = b"Bearer shop.token"
CLIENT = Caller("shop", "shop.client", frozenset({"view_products"}))
SCOPE: dict[str, Any] = {"path": "/shop/products", "client": ("192.0.2.1", 50_000), "headers": []}
# More than this is asked for while the crowd asks; in its pauses the bucket fills, some of them to the brim.
TIER = Tier(per_second=40_000.0, burst=10_000.0)
GAP_NANOSECONDS = 50_000
# Whatever is due within this time is asked for at once: the crowd leaves the processors to others, too.
NAP_NANOSECONDS = 1_000_000
PERIOD_NANOSECONDS = 400_000_000
ASKING_SHARE = 0.5
COSTS = (1.0, 2.0, 5.0)
MODULE = "tests.unit.http.limited"
PATIENCE_SECONDS = 120


def limiter(page: Page, tier: Tier | None = None, clock: Callable[[], int] = time.monotonic_ns) -> Rates:
    """A limiter that knows CLIENT by AUTHORIZATION; `tier` is what its project's partners have."""
    store = Store("postgresql://nowhere")
    authenticator = Authenticator(Tokens(store.database, store.epochs), store.epochs)
    know(authenticator, AUTHORIZATION, CLIENT)
    settings = RateSettings(store)
    if tier is not None:
        settings._tiers["shop", PARTNER] = tier
    return Rates(page, authenticator, settings, Addresses(), clock=clock)


def know(authenticator: Authenticator, authorization: bytes, caller: Caller) -> None:
    epoch = authenticator._epochs.read(0)
    authenticator._seen[authorization] = Seen(caller, 0, epoch, math.inf, math.inf)


class Outcome(NamedTuple):
    """What a crowd got, beside what the reference would have given it."""

    arrivals: int
    seconds: float
    admitted: float
    expected: float
    # The most that one was ahead of the other at any time, in tokens.
    apart_most: float

    @property
    def error(self) -> float:
        return abs(self.admitted - self.expected) / self.expected


def crowd(arrivals: int, processes: int) -> Outcome:
    """Let processes loose on one bucket, each asking at random, and hold what they got against the reference."""
    with tempfile.TemporaryDirectory() as folder:
        share, page = arrivals // processes, Path(folder, "rates")
        Page(page)
        running = [
            subprocess.Popen([sys.executable, "-m", MODULE, "one", str(page), str(share), f"{folder}/{number}"])
            for number in range(processes)
        ]
        for process in running:
            assert process.wait(PATIENCE_SECONDS) == 0
        asked = sorted(row for number in range(processes) for row in read(Path(folder, str(number))))
    return judged(asked)


def ask_at_random(page: Path, arrivals: int, notes: Path) -> None:
    """One of the crowd: it notes when it asked, for how much, and whether it got it."""
    rates, dice = limiter(Page(page), TIER), random.Random()
    moments, numbers = array("q"), array("d")
    due = time.monotonic_ns()
    for _ in range(arrivals):
        due += int(dice.expovariate(1 / GAP_NANOSECONDS))
        if due % PERIOD_NANOSECONDS > ASKING_SHARE * PERIOD_NANOSECONDS:
            due += PERIOD_NANOSECONDS - due % PERIOD_NANOSECONDS
        now = time.monotonic_ns()
        if due > now + NAP_NANOSECONDS:
            time.sleep((due - now) / 1e9)
            now = time.monotonic_ns()
        cost = dice.choice(COSTS)
        moments.append(now)
        numbers.append(cost if rates.spend(SCOPE, AUTHORIZATION, cost) is None else -cost)
    notes.write_bytes(moments.tobytes() + numbers.tobytes())


def read(notes: Path) -> list[tuple[int, float]]:
    moments, numbers, content = array("q"), array("d"), notes.read_bytes()
    moments.frombytes(content[: len(content) // 2])
    numbers.frombytes(content[len(content) // 2 :])
    return list(zip(moments, numbers, strict=True))


def judged(asked: list[tuple[int, float]]) -> Outcome:
    reference = ReferenceBucket(TIER)
    admitted = expected = apart_most = 0.0
    for moment, cost in asked:
        admitted += max(cost, 0.0)
        expected += abs(cost) if reference.admits(moment, abs(cost)) else 0.0
        apart_most = max(apart_most, abs(admitted - expected))
    return Outcome(len(asked), (asked[-1][0] - asked[0][0]) / 1e9, admitted, expected, apart_most)


if __name__ == "__main__":
    if sys.argv[1] == "one":
        ask_at_random(Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
    else:
        outcome = crowd(int(sys.argv[1]), int(sys.argv[2]))
        print(
            f"{outcome}\nerror {outcome.error:.3%}, at most {outcome.apart_most / TIER.burst:.2%} of the bucket apart"
        )
