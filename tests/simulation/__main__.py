"""`python -m tests.simulation --seeds 0..2000 --jobs 2`: run schedules; `--planted`: find the planted bugs.

Exit code 1 with the seeds that broke a promise, each with the command that replays it.
"""

from __future__ import annotations

import argparse
import os
import sys

from tests.simulation.campaign import FINDINGS_SHOWN, Report, campaign, silence
from tests.simulation.hunt import hunt, remember
from tests.simulation.planted import BUGS
from tests.simulation.schedule import run
from tests.simulation.seeded import seeded

# Sets of texts are walked in the order of their hashes: the same seed needs the same hashes.
HASH_SEED = "0"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", default="0..2000", help="first..last, the last not included; or one seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--planted", action="store_true", help="plant each known bug and find it")
    parser.add_argument("--bug", help="only the planted bug of this name")
    parser.add_argument("--remember", action="store_true", help="try the seeds of this hunt first in the next one")
    parser.add_argument("--trace", action="store_true", help="print what was asked and answered")
    parser.add_argument("--log", action="store_true", help="let the product log")
    words = parser.parse_args()
    if not words.log:
        silence()
    if words.planted or words.bug:
        names = [words.bug] if words.bug else [bug.name for bug in BUGS]
        return find_planted(names, words.jobs, keep=words.remember)
    first, _, last = words.seeds.partition("..")
    seeds = (int(first), int(last) if last else int(first) + 1)
    if words.trace:
        trace(*seeds)
    report = campaign(*seeds, words.jobs)
    tell(report)
    return 1 if report.findings or report.never else 0


def trace(first: int, last: int) -> None:
    """Print what the clients of some schedules asked for and were answered."""
    with seeded():
        for seed in range(first, last):
            world = run(seed).world
            print(f"\nSEED {seed}: {world.plan}")
            for asked in world.history.asked:
                told = f"{asked.answer.status} {asked.answer.raw.decode()}" if asked.answer else "no answer"
                print(f"  {asked.what} {asked.name} from version {asked.base}, {asked.attempts} times: {told}")


def tell(report: Report) -> None:
    """Print what a campaign came to."""
    for what, count in sorted(report.seen.items()):
        print(f"{count:>10,}  {what}")
    print(f"{report.schedules:,} schedules in {report.seconds:.1f} s: {report.a_minute:,.0f} a minute")
    for what in report.never:
        print(f"NEVER HAPPENED: {what}")
    for seed, finding in report.findings[:FINDINGS_SHOWN]:
        print(f"\nSEED {seed}: {finding}\n  replay: python -m tests.simulation --seeds {seed} --log")
    print(f"{len(report.findings)} findings")


def find_planted(names: list[str], jobs: int, *, keep: bool) -> int:
    """Find planted bugs; exit code 1 when one stays hidden."""
    found = []
    for one in hunt(names, jobs):
        found.append(one)
        seed = "HIDDEN" if one.seed is None else f"seed {one.seed}"
        print(f"{one.name:<42} {seed:<10} {one.finding[:110]}", flush=True)
    if keep:
        remember(found)
    hidden = sum(one.seed is None for one in found)
    print(f"{len(found) - hidden} of {len(found)} planted bugs found")
    return 1 if hidden else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    sys.exit(main())
