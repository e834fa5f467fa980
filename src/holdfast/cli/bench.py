"""`holdfast bench`: how fast a shop is here, beside what this machine can do at all."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from holdfast.cli.printing import add_json, print_json

if TYPE_CHECKING:
    from holdfast.ops.bench.run import Figure


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--short", action="store_true", help="a few requests of each kind: shows that all works")
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    import sys

    import uvloop

    from holdfast.ops.bench.run import SHORT, Scale, as_facts
    from holdfast.ops.bench.run import run as measure

    def report(step: str) -> None:
        print(f"  {step} ...", file=sys.stderr, flush=True)

    figures: list[Figure] = uvloop.run(measure(SHORT if given.short else Scale(), report))
    if given.json:
        print_json([as_facts(figure) for figure in figures])
    else:
        print_table(figures)
    return 0


def print_table(figures: list[Figure]) -> None:
    print(f"{'':29}{'/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'API us':>8}{'DB us':>7}  ratio")
    for figure in figures:
        numbers = f"{figure.per_second:8.0f}{figure.p50_ms:8.2f}{figure.p99_ms:8.2f}"
        costs = f"{figure.api_cpu_us:8.0f}{figure.database_cpu_us:7.0f}"
        wanted = f" (wanted: {figure.target_ratio:.0%})" if figure.target_ratio else ""
        print(f"{figure.name:29}{numbers}{costs}  {figure.ratio:.0%} of {figure.limit_name}{wanted}")
        print(f"{'':29}{figure.limit_name}: {figure.limit_per_second:.0f}/s; {figure.note}")
