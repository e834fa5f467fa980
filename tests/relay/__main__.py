"""The long proof of delivery: `python -m tests.relay --messages 1000000 --kill-every 5`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.conftest import running_postgres
from tests.relay.proof import Plan, Result, prove

from holdfast.store.migrations import migrate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.relay", description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000, help="messages each of three sinks gets")
    parser.add_argument("--kill-every", type=float, default=5.0, metavar="SECONDS", help="how long a relay lives")
    parser.add_argument("--seconds", type=float, default=3_600.0, help="give up after so long")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holdfast-") as place:
        Path(place).chmod(0o711)
        with running_postgres(Path(place) / "postgres") as url:
            result = asyncio.run(_prove(url, given))
    for line in report(result):
        print(line)
    return 1 if result.problems else 0


async def _prove(url: str, given: argparse.Namespace) -> Result:
    await migrate(url)
    return await prove(url, Plan(given.messages, given.kill_every, given.seconds), lambda line: print(line, flush=True))


def report(result: Result) -> list[str]:
    """What came of it, in lines."""
    rate = result.messages * len(result.sinks) / result.seconds
    told = f"{result.messages} messages to each of {len(result.sinks)} sinks, relay killed {result.kills} times"
    lines = [f"{told}, {result.seconds:.0f} s, {rate:.0f} deliveries/s"]
    lines += [
        f"  {sink.name:6} {len(sink.seen)} arrived, {sink.duplicates} duplicates, {sink.failed} failed,"
        f" {sink.refused} refused, {sink.hung} batches never answered"
        for sink in result.sinks.values()
    ]
    lines.append(f"  {result.letters} dead letters, all replayed" if result.letters else "  no dead letters")
    lines += [f"  broken: {problem}" for problem in result.problems[:20]]
    lines.append("every promise held" if not result.problems else f"{len(result.problems)} promises broken")
    return lines


if __name__ == "__main__":
    sys.exit(main())
