"""`holdfast bench`: how fast a shop is here, beside what this machine can do at all, and what is left in a flood."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from holdfast.cli.printing import add_json, print_json

if TYPE_CHECKING:
    from holdfast.ops.bench.overload import Overload
    from holdfast.ops.bench.run import Figure


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        choices=["rates", "overload"],
        default="rates",
        help="rates beside raw limits (default), or ten times the shoppers that can be served",
    )
    parser.add_argument("--short", action="store_true", help="a few requests of each kind: shows that all works")
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    return run_overload(given) if given.what == "overload" else run_rates(given)


def report(step: str) -> None:
    import sys

    print(f"  {step} ...", file=sys.stderr, flush=True)


def run_rates(given: argparse.Namespace) -> int:
    import uvloop

    from holdfast.ops.bench.run import SHORT, Scale, as_facts
    from holdfast.ops.bench.run import run as measure

    figures: list[Figure] = uvloop.run(measure(SHORT if given.short else Scale(), report))
    if given.json:
        print_json([as_facts(figure) for figure in figures])
    else:
        print_table(figures)
    return 0


def run_overload(given: argparse.Namespace) -> int:
    import uvloop

    from holdfast.ops.bench.overload import SHORT, OverloadScale, as_facts
    from holdfast.ops.bench.overload import run as measure

    outcome: Overload = uvloop.run(measure(SHORT if given.short else OverloadScale(), report))
    if given.json:
        print_json(as_facts(outcome))
    else:
        print_overload(outcome)
    return 0


def print_overload(outcome: Overload) -> None:
    normal, median = outcome.normal_after_seconds, outcome.median
    placed = median(lambda each: each.peak_per_second), median(lambda each: each.goodput_per_second)
    waits = median(lambda each: each.peak_p99_ms), median(lambda each: each.admitted_p99_ms)
    orders = median(lambda each: each.peak_order_p99_ms), median(lambda each: each.admitted_order_p99_ms)
    good, p99 = median(lambda each: each.goodput_ratio), median(lambda each: each.p99_ratio)
    memory = outcome.rounds[0].memory_before_bytes / 2**20, outcome.memory_most_bytes / 2**20
    print(f"{'':22}{'peak':>10}{'flood':>10}")
    print(f"{'checkouts offered /s':22}{'closed':>10}{median(lambda each: each.offered_per_second):10.0f}")
    print(f"{'orders placed /s':22}{placed[0]:10.0f}{placed[1]:10.0f}  {good:.0%} (wanted: 90%)")
    print(f"{'admitted p99 ms':22}{waits[0]:10.0f}{waits[1]:10.0f}  {p99:.1f} times (wanted: 2)")
    print(f"{'place order p99 ms':22}{orders[0]:10.0f}{orders[1]:10.0f}")
    refused = median(lambda each: each.refused_share)
    print(f"{'refused':22}{'':10}{refused:10.1%}  begun and refused: {outcome.refused_after_begin}")
    print(f"{'API memory MiB':22}{memory[0]:10.0f}{memory[1]:10.0f}")
    print(f"{'normal again':22}{'never' if normal is None else f'{normal:.1f} s':>20}  (wanted: 10 s)")


def print_table(figures: list[Figure]) -> None:
    print(f"{'':29}{'/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'API us':>8}{'DB us':>7}  ratio")
    for figure in figures:
        numbers = f"{figure.per_second:8.0f}{figure.p50_ms:8.2f}{figure.p99_ms:8.2f}"
        costs = f"{figure.api_cpu_us:8.0f}{figure.database_cpu_us:7.0f}"
        wanted = f" (wanted: {figure.target_ratio:.0%})" if figure.target_ratio else ""
        print(f"{figure.name:29}{numbers}{costs}  {figure.ratio:.0%} of {figure.limit_name}{wanted}")
        print(f"{'':29}{figure.limit_name}: {figure.limit_per_second:.0f}/s; {figure.note}")
