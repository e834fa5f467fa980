"""One benchmark run: a fresh shop, its raw limits, the figures and their ratios."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.ops.bench.flood import STEPS
from holdfast.ops.bench.limits import Pgbench, constant_server, cpu_seconds, free_port
from holdfast.ops.bench.load import Result, drive
from holdfast.ops.bench.shop import Shop, add_item, fill_carts, open_shop, order_of, stock_up
from holdfast.ops.bench.shoppers import percentile_ms, shop_around

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
RUSH_SECONDS_MAX = 60.0
# What a product projection of the measured shop weighs; the constant answer is as long.
PROJECTION_BYTES = 3_000
# The share of its peak at which a shop should still feel quick.
CALM = 0.7
# What `holdfast up` starts on the machine this is meant for.
API_PROCESSES = 2


@dataclass(frozen=True)
class Scale:
    """How much is measured. The short scale shows that everything works, not how fast it is."""

    products: int = 1_000
    reads: int = 60_000
    orders: int = 6_000
    buyers: int = 5_000
    hot_units: int = 1_000
    connections: int = 64
    pgbench_seconds: int = 5
    pgbench_carts: int = 20_000
    checkout_seconds: float = 6
    rounds: int = 5


SHORT = Scale(
    products=20,
    reads=400,
    orders=60,
    buyers=50,
    hot_units=10,
    connections=8,
    pgbench_seconds=1,
    pgbench_carts=100,
    checkout_seconds=1,
    rounds=1,
)


@dataclass(frozen=True)
class Figure:
    """One measurement beside the raw limit of the same minute."""

    name: str
    per_second: float
    p50_ms: float
    p99_ms: float
    api_cpu_us: float
    database_cpu_us: float
    limit_name: str
    limit_per_second: float
    target_ratio: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.per_second / self.limit_per_second if self.limit_per_second else 0.0


class Limit(NamedTuple):
    """What a figure is compared with, and the ratio we aim for."""

    name: str
    per_second: float
    target_ratio: float | None


@dataclass
class Bench:
    """A running shop of our own and the processes whose cost is counted."""

    shop: Shop
    worker_pids: list[int]
    postgres_pid: int
    pgbench: Pgbench
    scale: Scale
    report: Callable[[str], None]

    async def measured(self, requests: Sequence[bytes], **options: Any) -> tuple[Result, float, float]:
        """A load with what it cost: the result, API and database CPU in microseconds per request."""
        api_before, database_before = cpu_seconds(self.worker_pids), cpu_seconds([self.postgres_pid])
        result = await drive(self.shop.url, requests, connections=self.scale.connections, **options)
        api = cpu_seconds(self.worker_pids) - api_before
        return (
            result,
            1e6 * api / result.count,
            1e6 * (cpu_seconds([self.postgres_pid]) - database_before) / result.count,
        )


async def run(scale: Scale, report: Callable[[str], None]) -> list[Figure]:
    """Measure everything once: reads of one API process, then orders through all of a default shop's."""
    reads = await _in_shop(1, scale, report, measure_reads)
    return [*reads, *await _in_shop(API_PROCESSES, scale, report, measure_orders)]


async def _in_shop(
    workers: int,
    scale: Scale,
    report: Callable[[str], None],
    measure: Callable[[Bench, Sequence[str]], Awaitable[list[Figure]]],
) -> list[Figure]:
    """Measure something in a stocked shop of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101,S103 - the database account has to pass through
        with running_shop(Path(folder), workers) as facts:
            shop = open_shop(facts["apiUrl"], facts["projectKey"], facts["clientId"], facts["clientSecret"])
            pids = facts["pids"]
            bench = Bench(shop, pids["workers"], pids["postgres"], pgbench_of(pids["postgres"]), scale, report)
            report(f"stocking up {scale.products} products, API processes: {workers}")
            return await measure(bench, await stock_up(shop, scale.products))


# --- reads ---------------------------------------------------------------------------------


async def measure_reads(bench: Bench, products: Sequence[str]) -> list[Figure]:
    """Product projections by id and by slug, between two constant answers each; the median of some rounds."""
    by_id = [bench.shop.get(f"product-projections/{product}") for product in products]
    slugs = [f'product-projections?where=slug(en%3D"thing-{n}")&limit=1' for n in range(len(products))]
    by_slug = [bench.shop.get(path.replace('"', "%22")) for path in slugs]
    rounds = []
    with constant_server(PROJECTION_BYTES) as (url, pid):
        for number in range(bench.scale.rounds):
            bench.report(f"reads, round {number + 1} of {bench.scale.rounds}")
            figures = []
            limit = await _constant(bench, url, pid, by_id)
            for name, requests in (("projection by id", by_id), ("projection by slug", by_slug)):
                before, read = limit, await _read(bench, requests, f"{name} {number}")
                limit = await _constant(bench, url, pid, by_id)
                note = f"constant answer costs {(before.cpu_us + limit.cpu_us) / 2:.0f} us CPU"
                mean = Limit("constant answer", (before.per_second + limit.per_second) / 2, 0.8)
                figures.append(_figure(name, *read, mean, note))
            rounds.append(figures)
    return [sorted(kind, key=lambda figure: figure.ratio)[len(kind) // 2] for kind in zip(*rounds, strict=True)]


class Constant(NamedTuple):
    """What the HTTP server does when it always answers the same: answers a second, and CPU for each."""

    per_second: float
    cpu_us: float


async def _constant(bench: Bench, url: str, pid: int, requests: Sequence[bytes]) -> Constant:
    before = cpu_seconds([pid])
    result = await drive(url, _some(requests, bench.scale.reads), connections=bench.scale.connections)
    return Constant(result.rate, 1e6 * (cpu_seconds([pid]) - before) / result.count)


async def _read(bench: Bench, requests: Sequence[bytes], news: str) -> tuple[Result, tuple[float, float]]:
    # What was kept is overtaken by a new product, and made anew: the figure is of answers that are kept. What it costs
    # that they expire depends on how many are asked for how often, and would come in one of two rounds.
    await add_item(bench.shop, news.replace(" ", "-"), 1)
    await drive(bench.shop.url, requests, connections=bench.scale.connections)
    result, *costs = await bench.measured(_some(requests, bench.scale.reads))
    _expect(result, {200})
    return result, (costs[0], costs[1])


def _some(requests: Sequence[bytes], count: int) -> list[bytes]:
    chosen = random.Random(1)  # noqa: S311 - a load, not a secret
    return [chosen.choice(requests) for _ in range(count)]


# --- orders --------------------------------------------------------------------------------


async def measure_orders(bench: Bench, _products: Sequence[str]) -> list[Figure]:
    """Orders of distinct items between two runs of pgbench, then of one hot item beside those."""
    sample = await fill_carts(bench.shop, iter(["SKU-0", "SKU-1"]), 2)
    _expect(await drive(bench.shop.url, [order_of(bench.shop, sample[0])], connections=1), {201})
    bench.pgbench.prepare(bench.scale.pgbench_carts)
    rounds = []
    for number in range(bench.scale.rounds):
        bench.report(f"orders, round {number + 1} of {bench.scale.rounds}")
        before = await _pgbench(bench)
        placed = await bench.measured(await _orders(bench))
        after = await _pgbench(bench)
        rate = (before.per_second + after.per_second) / 2
        distinct = _distinct(placed, rate, after)
        rounds.append(
            [
                await asyncio.to_thread(_store_level, bench, rate),
                distinct,
                await _hot(bench, number, distinct),
                await _calm(bench, distinct.per_second, rate),
                await _whole(bench, distinct.per_second),
            ]
        )
    bench.pgbench.clean()
    return [sorted(kind, key=lambda figure: figure.ratio)[len(kind) // 2] for kind in zip(*rounds, strict=True)]


def _store_level(bench: Bench, limit: float) -> Figure:
    """Orders straight into the store, from a process of its own."""
    scale = bench.scale
    command = [sys.executable, "-m", "holdfast.ops.bench.rush", bench.pgbench.dsn, bench.shop.project]
    before = cpu_seconds([bench.postgres_pid])
    printed = subprocess.run(
        [*command, str(scale.orders), str(scale.connections)], capture_output=True, check=True, timeout=RUSH_SECONDS_MAX
    ).stdout
    database = 1e6 * (cpu_seconds([bench.postgres_pid]) - before) / scale.orders
    seen = json.loads(printed)
    note = "no HTTP, no rules, one process; DB cost with the carts"
    return Figure(
        "order, store level", seen["perSecond"], 0, 0, seen["cpuMicroseconds"], database, "pgbench", limit, 0.8, note
    )


class Pgbenched(NamedTuple):
    """What pgbench does with its one order: orders a second, p99, and CPU for each."""

    per_second: float
    p99_seconds: float
    cpu_us: float


async def _pgbench(bench: Bench) -> Pgbenched:
    seconds, before = bench.scale.pgbench_seconds, cpu_seconds([bench.postgres_pid])
    rate, p99 = await asyncio.to_thread(bench.pgbench.place_orders, bench.scale.connections, seconds)
    return Pgbenched(rate, p99, 1e6 * (cpu_seconds([bench.postgres_pid]) - before) / (rate * seconds))


def _distinct(placed: tuple[Result, float, float], limit: float, pgbench: Pgbenched) -> Figure:
    result, api, database = placed
    _expect(result, {201})
    note = f"pgbench p99 {pgbench.p99_seconds * 1e3:.1f} ms, DB {pgbench.cpu_us:.0f} us an order"
    return _figure("place order, distinct items", result, (api, database), Limit("pgbench", limit, 0.6), note)


async def _orders(bench: Bench) -> list[bytes]:
    """Orders to place, of items all over the shop."""
    skus = (f"SKU-{number % bench.scale.products}" for number in itertools.count())
    return [order_of(bench.shop, cart) for cart in await fill_carts(bench.shop, skus, bench.scale.orders)]


async def _calm(bench: Bench, peak: float, limit: float) -> Figure:
    """How long an order takes when orders come at 70 % of the rate the shop can do; pgbench likewise."""
    result, api, database = await bench.measured(await _orders(bench), per_second=CALM * peak)
    _expect(result, {201})
    _, p99 = await asyncio.to_thread(
        bench.pgbench.place_orders, bench.scale.connections, bench.scale.pgbench_seconds, CALM * limit
    )
    ratio = result.percentile_seconds(0.99) / p99
    note = f"p99 is {ratio:.1f} times that of pgbench at 70 % of its rate, {p99 * 1e3:.1f} ms (wanted: at most 5)"
    name = "place order, 70 % load"
    return _figure(name, result, (api, database), Limit("the peak", peak, None), note)


async def _whole(bench: Bench, orders_per_second: float) -> Figure:
    """Whole checkouts: cart, line, address, shipping method, payment, payment on the cart, order."""
    scale = bench.scale
    before = cpu_seconds(bench.worker_pids), cpu_seconds([bench.postgres_pid])
    seen = await shop_around(bench.shop, scale.products, scale.checkout_seconds, clients=scale.connections, rate=0)
    after = cpu_seconds(bench.worker_pids), cpu_seconds([bench.postgres_pid])
    assert set(seen.statuses) <= {"200", "201"}, f"unexpected answers: {seen.statuses}"
    placed = len(seen.checkout_seconds)
    costs = [1e6 * (late - early) / placed for early, late in zip(before, after, strict=True)]
    p50, p99 = (percentile_ms(seen.checkout_seconds, share) for share in (0.5, 0.99))
    note = f"{STEPS} requests, {seen.placed_per_second * STEPS:.0f}/s; latency of a whole checkout"
    rate, (api, database) = seen.placed_per_second, costs
    return Figure("full checkout", rate, p50, p99, api, database, "place order", orders_per_second, None, note)


async def _hot(bench: Bench, number: int, distinct: Figure) -> Figure:
    """One item, more buyers than units: the rate while there is something to sell, and what was sold."""
    sku = f"HOT-{number}"
    await add_item(bench.shop, sku, bench.scale.hot_units)
    carts = await fill_carts(bench.shop, itertools.repeat(sku), bench.scale.buyers)
    result, api, database = await bench.measured([order_of(bench.shop, cart) for cart in carts])
    _expect(result, {201, 400})
    sold = result.statuses[201]
    assert sold == bench.scale.hot_units, f"{sold} sold of {bench.scale.hot_units} in stock"
    selling = Result(result.created_at_seconds[-1], result.statuses & type(result.statuses)({201: sold}))
    selling.latencies_seconds = result.latencies_seconds
    note = f"{sold} sold of {bench.scale.hot_units} to {bench.scale.buyers} buyers; {result.rate:.0f} answers/s in all"
    name = "place order, hot item"
    return _figure(name, selling, (api, database), Limit("distinct items", distinct.per_second, 0.8), note)


# --- the shop and its parts ----------------------------------------------------------------


@contextmanager
def running_shop(folder: Path, workers: int | None = None) -> Iterator[dict[str, Any]]:
    """`holdfast up` in a folder, with as many API processes as it starts of itself; yields what its ready file says."""
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "holdfast.cli.main", "up", "--no-demo", "--data", str(folder / "data")]
    command += ["--port", str(free_port()), "--ready-file", str(ready)]
    command += [] if workers is None else ["--workers", str(workers)]
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        give_up = time.monotonic() + START_SECONDS_MAX
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"the shop did not start: {(folder / 'up.log').read_text()[-2000:]}")
            time.sleep(0.05)
        yield json.loads(ready.read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS_MAX)


def pgbench_of(postgres_pid: int) -> Pgbench:
    """Pgbench for a running server, found the way an operator would: by its process."""
    binaries = Path(f"/proc/{postgres_pid}/exe").resolve().parent
    arguments = Path(f"/proc/{postgres_pid}/cmdline").read_bytes().decode().split("\0")
    data = Path(arguments[arguments.index("-D") + 1])
    sockets = (data / "postmaster.pid").read_text().splitlines()[4]
    return Pgbench(binaries, sockets, "holdfast", "holdfast")


def _expect(result: Result, statuses: set[int]) -> None:
    unexpected = {status: count for status, count in result.statuses.items() if status not in statuses}
    assert not unexpected, f"unexpected answers: {unexpected}"


def _figure(name: str, result: Result, cost: tuple[float, float], limit: Limit, note: str) -> Figure:
    p50, p99 = (1e3 * result.percentile_seconds(share) for share in (0.5, 0.99))
    return Figure(name, result.rate, p50, p99, *cost, limit.name, limit.per_second, limit.target_ratio, note)


def as_facts(figure: Figure) -> dict[str, Any]:
    """A figure for programs."""
    return asdict(figure) | {"ratio": figure.ratio}
