"""What limiter, breaker, metrics and tracing add to a request: `python -m tests.unit.http.costs` prints a table.

The parts are timed in loops, the best of some; the whole is what a kept answer, the cheapest request there is, costs
the process that serves it through the real HTTP server. Both in one run, so that the shares are of one machine.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from typing import Any, NamedTuple

import uvloop
from tests.unit.http.limited import AUTHORIZATION, CLIENT, know, limiter

from holdfast.base import tracing
from holdfast.http.app import App, Asked, Scope
from holdfast.http.auth import Authenticator
from holdfast.http.bucket import Tier
from holdfast.http.kept_answer import Keeping, KeptAnswer
from holdfast.http.ladder import ladder_of
from holdfast.http.measured import count_answer, endpoint_of
from holdfast.http.rate_page import Page
from holdfast.http.routes import Router
from holdfast.http.server import Server
from holdfast.ops.bench.limits import _wait_for, cpu_seconds, free_port
from holdfast.ops.bench.load import drive, request
from holdfast.outbound.breaker import Breaker, Policy, admitted, judged
from holdfast.store.epochs import Epochs
from holdfast.store.store import Store
from holdfast.store.tokens import Tokens

PATH = "/shop/product-projections/0190c6b2-0000-7000-8000-000000000000"
BODY_BYTES = 3_000
LOOPS = 20_000
REPETITIONS = 7
REQUESTS = 40_000
ROUNDS = 5
CONNECTIONS = 64
# More than any server answers.
UNLIMITED = Tier(per_second=1e9, burst=1e9)
# Points of an order where a trace would begin a span.
ORDER_SPANS = 6


class Cost(NamedTuple):
    """A part, what it takes in microseconds, and whether a kept answer pays it."""

    part: str
    microseconds: float
    of_kept: bool


def main() -> None:
    parts, whole = measured_parts(), measured_whole()
    print(f"a kept answer costs {whole:.1f} us of CPU")
    for part in parts:
        share = f"{100 * part.microseconds / whole:.1f} % of it" if part.of_kept else "not in it"
        print(f"{part.microseconds:6.2f} us  {part.part}: {share}")
    total = sum(part.microseconds for part in parts if part.of_kept)
    print(f"{total:6.2f} us  in all: {100 * total / whole:.1f} %")


# --- the parts -----------------------------------------------------------------------------


def measured_parts() -> list[Cost]:
    rates = limiter(Page(None))
    scope = {"path": PATH, "client": ("192.0.2.1", 50_000), "headers": []}
    clock, policy, breaker = time.perf_counter, Policy(), Breaker()
    endpoint = endpoint_of("GET", PATH)

    def count() -> None:
        began = clock()
        count_answer(endpoint, 200, clock() - began)

    def span() -> None:
        with tracing.span("gather"):
            pass

    def call() -> None:
        allowed = admitted(breaker, 1.0)
        assert allowed is not None
        judged(allowed, policy, 1.0, allowed.turn, 0.5, good=True)

    return [
        Cost("limiter, leases included", best(lambda: rates.spend(scope, AUTHORIZATION, 1.0)), of_kept=True),
        Cost("metrics: two clocks, a counter and a histogram", best(count), of_kept=True),
        Cost(
            "metrics, otherwise: the endpoint out of the path", best(lambda: endpoint_of("POST", PATH)), of_kept=False
        ),
        Cost("tracing off, the spans of an order", ORDER_SPANS * best(span), of_kept=False),
        Cost("breaker, each call to the outside", best(call), of_kept=False),
    ]


def best(function: Callable[[], object]) -> float:
    """Microseconds a call, the loop's own included."""
    return min(timeit.repeat(function, number=LOOPS, repeat=REPETITIONS)) / LOOPS * 1e6


# --- the whole -----------------------------------------------------------------------------


def measured_whole() -> float:
    """Microseconds of CPU a kept answer costs its process; the median of some rounds."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "tests.unit.http.costs", str(port)])
    try:
        _wait_for(port)
        url = f"http://127.0.0.1:{port}"
        asked = [request("GET", url + PATH, AUTHORIZATION.decode().removeprefix("Bearer "))] * REQUESTS
        costs = []
        for _ in range(ROUNDS):
            before = cpu_seconds([server.pid])
            result = uvloop.run(drive(url, asked, connections=CONNECTIONS))
            assert result.statuses == {200: REQUESTS}, result.statuses
            costs.append(1e6 * (cpu_seconds([server.pid]) - before) / REQUESTS)
    finally:
        server.terminate()
        server.wait()
    return sorted(costs)[ROUNDS // 2]


def app() -> App:
    """The application with one kept answer, and nothing behind it."""
    store = Store("postgresql://nowhere")
    authenticator = Authenticator(Tokens(store.database, store.epochs), store.epochs)
    know(authenticator, AUTHORIZATION, CLIENT._replace(scopes=frozenset({"view_published_products"})))
    made = App(store, authenticator, Router({}), {}, rates=limiter(Page(None), UNLIMITED))
    slot = Epochs.slot("shop", "product")
    keeping = Keeping(
        (PATH, b""),
        "shop",
        "view_published_products",
        None,
        "product",
        ladder_of("product"),
        single=True,
        slots=(slot,),
        epoch=store.epochs.read(slot),
        began_at=time.monotonic(),
    )
    made.kept._keep(KeptAnswer(keeping, b"x" * BODY_BYTES))
    return made


class Evergreen:
    """An application whose kept answer is as if made just now."""

    def __init__(self) -> None:
        self._app = app()
        self.turn_away, self.go_on = self._app.turn_away, self._app.go_on
        (self._kept,) = self._app.kept._answers.values()

    def look(self, scope: Scope) -> Asked:
        self._kept.began_at = time.monotonic()
        self._kept.fresh_until = self._kept.began_at + 1.0
        return self._app.look(scope)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)


async def serve(port: int) -> None:
    server = Server(Evergreen(), "127.0.0.1", port, drain_seconds=1.0)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        uvloop.run(serve(int(sys.argv[1])))
    else:
        main()
