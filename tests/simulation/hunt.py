"""Finding planted bugs: the seed that shows each, which shows nothing without it."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.simulation.planted import BUGS, Bug
from tests.simulation.schedule import run
from tests.simulation.seeded import seeded

# Seeds that found each bug last time: tried first. Any change of what is drawn makes them a mere guess.
REMEMBERED = Path(__file__).with_name("found.json")
SEEDS_MAX = 5_000


class Found(NamedTuple):
    """The first seed that shows a bug, and what it shows; `seed` is None when none did."""

    name: str
    seed: int | None
    finding: str


def hunt(names: list[str], jobs: int) -> Iterator[Found]:
    """Find the bugs of these names, in no particular order."""
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(_hunt, names)


def remember(found: list[Found]) -> None:
    """Keep the seeds for the next hunt."""
    known = remembered() | {one.name: one.seed for one in found if one.seed is not None}
    REMEMBERED.write_text(
        json.dumps(dict(sorted(known.items())), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def remembered() -> dict[str, int]:
    """The seeds of the last hunt, by bug."""
    seeds: dict[str, int] = json.loads(REMEMBERED.read_text(encoding="utf-8")) if REMEMBERED.exists() else {}
    return seeds


def _hunt(name: str) -> Found:
    (bug,) = (bug for bug in BUGS if bug.name == name)
    first = remembered().get(name)
    seeds = [*([first] if first is not None else []), *range(SEEDS_MAX)]
    with seeded():
        for seed in seeds:
            finding = _shown(bug, seed)
            if finding is not None and run(seed).finding is None:
                return Found(name, seed, finding)
    return Found(name, None, f"hidden from {SEEDS_MAX} seeds")


def _shown(bug: Bug, seed: int) -> str | None:
    with bug.planted():
        return run(seed).finding
