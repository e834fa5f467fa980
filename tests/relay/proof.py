"""Messages through a relay that is killed every few seconds, into sinks that fail, hang and refuse at random."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tests.delivery.sink import subscribe, tell_of
from tests.relay.wire import Mood, Sink, serve

from holdfast.base.ids import uuid7
from holdfast.commerce.resources.subscription.destinations import WebhookDestination
from holdfast.store.dead_letters import Choice, replay
from holdfast.store.store import Store

MOODS = {
    "sound": Mood(),
    "moody": Mood(hangs=0.002, fails=0.02),
    "awful": Mood(hangs=0.01, fails=0.2, refuses=0.001),
}
EACH = 20
TOLD_AT_ONCE = 500
POLL_SECONDS = 0.05
START_SECONDS_MAX = 20.0
SAY_SECONDS = 10.0


class Plan(NamedTuple):
    """How many messages each sink gets, how often and how many times the relay is killed, when to give up."""

    messages: int
    kill_every_seconds: float
    seconds_max: float
    kills_max: int = 1_000_000


class Result(NamedTuple):
    """What came of it; `problems` is empty when every promise held."""

    messages: int
    kills: int
    seconds: float
    sinks: dict[str, Sink]
    letters: int
    problems: list[str]


async def prove(url: str, plan: Plan, say: Callable[[str], None]) -> Result:
    """Send so many messages to each sink, killing the relay; then replay what became a dead letter."""
    store = Store(url)
    await store.open()
    project = f"proof-{uuid7()}"
    sinks = {name: Sink(name, mood, seed) for seed, (name, mood) in enumerate(MOODS.items())}
    server = await serve(sinks)
    port = server.sockets[0].getsockname()[1]
    for name in sinks:
        address = WebhookDestination(url=f"http://127.0.0.1:{port}/{name}")
        await subscribe(store, project, key=name, destination=address)
    ids = [uuid7() for _ in range(max(1, plan.messages // EACH))]
    began = time.monotonic()
    telling = asyncio.create_task(_tell(store, project, ids))
    killer = Killer(url, plan, sinks.values())
    killing = asyncio.create_task(killer.run())
    watch = Watch(store, project, sinks.values(), began + plan.seconds_max, say)
    try:
        await telling
        await watch.settled()
        letters = await _count(store, "dead_letter", project)
        for sink in sinks.values():
            sink.is_patient = True
        while await replay(store.database, Choice(project)):
            pass
        await watch.settled()
        left = await _count(store, "dead_letter", project)
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        killer.end()
        server.close()
    problems = [f"{left} dead letters were replayed and did not arrive"] if left else []
    problems += [problem for sink in sinks.values() for problem in _problems(sink, project, ids)]
    await store.close()
    return Result(len(ids) * EACH, killer.kills, time.monotonic() - began, sinks, letters, problems)


class Killer:
    """Keeps a relay running, and kills it every few seconds, so many times.

    Not before it has sent something new, or had the time to.
    """

    def __init__(self, url: str, plan: Plan, sinks: Iterable[Sink]) -> None:
        self.kills = 0
        self._kills_max = plan.kills_max
        self._sinks = tuple(sinks)
        self._url = url
        self._every_seconds = plan.kill_every_seconds
        self._process: subprocess.Popen[bytes] | None = None

    async def run(self) -> None:
        while True:
            before = self._sent()
            self._start()
            if self.kills == self._kills_max:
                return
            await asyncio.sleep(self._every_seconds)
            until = time.monotonic() + START_SECONDS_MAX
            while self._sent() == before and time.monotonic() < until:  # noqa: ASYNC110 - a fact, not an event
                await asyncio.sleep(POLL_SECONDS)
            self.end()
            self.kills += 1

    def _start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", "tests.relay.worker", self._url], env=os.environ)

    def _sent(self) -> int:
        return sum(len(sink.seen) for sink in self._sinks)

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


async def _tell(store: Store, project: str, ids: list[str]) -> None:
    for start in range(0, len(ids), TOLD_AT_ONCE):
        await tell_of(store, project, ids[start : start + TOLD_AT_ONCE], EACH)


class Watch(NamedTuple):
    """Looks how far a project's messages have come."""

    store: Store
    project: str
    sinks: Iterable[Sink]
    until: float
    say: Callable[[str], None]

    async def settled(self) -> None:
        """Wait until nothing is owed any more. Raises TimeoutError."""
        said = time.monotonic()
        while not await self._is_settled():
            await asyncio.sleep(POLL_SECONDS)
            if time.monotonic() - said > SAY_SECONDS:
                said = time.monotonic()
                self.say(", ".join(f"{sink.name} {len(sink.seen)}" for sink in self.sinks))
            if time.monotonic() > self.until:
                raise TimeoutError("the relay did not get through in time")

    async def _is_settled(self) -> bool:
        row = await self.store.database.fetchrow(
            "SELECT (SELECT position FROM relay_cursor) >= coalesce(max(position), 0)"
            " AND NOT EXISTS (SELECT FROM relay_gap JOIN outbox USING (position))"
            " AND NOT EXISTS (SELECT FROM delivery WHERE project = $1) FROM outbox",
            self.project,
        )
        return row is not None and bool(row[0])


async def _count(store: Store, table: str, project: str) -> int:
    row = await store.database.fetchrow(f"SELECT count(*) FROM {table} WHERE project = $1", project)
    return row[0] if row is not None else 0


def _problems(sink: Sink, project: str, ids: list[str]) -> list[str]:
    """What a sink can hold against the relay: something missing, something out of order."""
    found = []
    wanted = list(range(1, EACH + 1))
    for each in ids:
        numbers = sink.first.get(f"{project}/category/{each}", [])
        if sorted(numbers) != wanted:
            found.append(f"{sink.name}: {each} got {len(numbers)} of {EACH}")
        elif numbers != wanted and not sink.refused:
            found.append(f"{sink.name}: {each} came in the order {numbers}")
    return found
