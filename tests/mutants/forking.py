"""A pytest plugin: collect once, then run the tests of each mutant in a fork, the quick ones first."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, settings
from mutmut.state import state

# The variable mutmut's trampolines read: which mutant acts, or that calls are to be recorded.
ACTING = "MUTANT_UNDER_TEST"
# A test that takes this long, and this many times what it took without a mutant, waits for what never comes.
WAITING_SECONDS_MIN = 5.0
TIMES_AS_LONG_MAX = 20.0
# All the tests of a mutant use no more than this: one that does runs in circles.
CPU_SECONDS_MAX = 60

# Slowness is no failure here, and a mutant must meet the same examples each time.
settings.register_profile(
    "mutants", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("mutants")
# Not with every frame's variables drawn, as is structlog's default: that takes longer than any test.
structlog.configure(processors=[structlog.processors.JSONRenderer()])


class Seen(NamedTuple):
    """What the unchanged code showed: for each test how long it takes and which functions it calls."""

    seconds: list[float]
    functions: list[list[str]]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Run every mutant of the list instead of the tests."""
    seen = _watch(session.items)
    with Path(os.environ["MUTANTS_RESULTS"]).open("a") as results:
        for mutant in Path(os.environ["MUTANTS"]).read_text().split():
            results.write(json.dumps((mutant, _fate(mutant, session.items, seen))) + "\n")
            results.flush()
    return True


def _watch(items: Sequence[pytest.Item]) -> Seen:
    reading, writing = os.pipe()

    def run() -> int:
        functions, seconds = [], []
        for item, following in zip(items, (*items[1:], None), strict=True):
            state()._stats.clear()
            began = time.perf_counter()
            if not _passes(item, following):
                os.write(2, f"fails unchanged: {item.nodeid}\n".encode())
                return 1
            seconds.append(time.perf_counter() - began)
            functions.append(sorted(state()._stats))
        with os.fdopen(writing, "w") as pipe:
            json.dump((seconds, functions), pipe)
        return 0

    child = _forked("stats", run)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    if not said:
        pytest.exit("The tests fail without a mutant.", 1)
    return Seen(*json.loads(said))


def _fate(mutant: str, items: Sequence[pytest.Item], seen: Seen) -> str:
    function = mutant.rpartition("__mutmut_")[0]
    chosen = [n for n in range(len(items)) if function in seen.functions[n]]
    if not chosen:
        return "no tests"
    chosen.sort(key=lambda n: seen.seconds[n])

    def run() -> int:
        for n, following in zip(chosen, (*chosen[1:], None), strict=True):
            signal.setitimer(signal.ITIMER_REAL, max(WAITING_SECONDS_MIN, TIMES_AS_LONG_MAX * seen.seconds[n]))
            if not _passes(items[n], None if following is None else items[following]):
                return 1
        return 0

    return _named(os.waitpid(_forked(mutant, run), 0)[1])


def _named(status: int) -> str:
    if os.WIFSIGNALED(status):
        ends = {signal.SIGXCPU: "runs forever", signal.SIGALRM: "waits forever"}
        return ends.get(signal.Signals(os.WTERMSIG(status)), f"signal {os.WTERMSIG(status)}")
    return {0: "survived", 1: "killed"}.get(os.WEXITSTATUS(status), "broken")


def _forked(acting: str, run: Callable[[], int]) -> int:
    child = os.fork()
    if child:
        return child
    code = 3
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX + 5))
        os.environ[ACTING] = acting
        code = run()
    finally:
        os._exit(code)


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))
