"""One schedule: a seed is a shop, some processes, some clients, some faults, and a verdict."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from typing import NamedTuple

from tests.simulation.clients import Client
from tests.simulation.database import Server
from tests.simulation.faults import Faults, plan_of
from tests.simulation.history import WATCHED, History, Silence, Violation, check
from tests.simulation.loop import SeededLoop, Spinning
from tests.simulation.prepared import Prepared, prepared
from tests.simulation.processes import PROJECT, ApiProcess
from tests.simulation.seeded import NATURE

from holdfast.http.outage import PROBE_PAUSE_SECONDS
from holdfast.store.epochs import Epochs

# Longer than every patience of the product and of the clients together.
SCHEDULE_SECONDS_MAX = 600.0
RESTART_SECONDS = 0.3
# By then every process has seen that the database answers again.
NOTICED_SECONDS = 2 * PROBE_PAUSE_SECONDS


class Result(NamedTuple):
    """What a schedule came to. `finding` is None when every promise held."""

    seed: int
    finding: str | None
    seen: Counter[str]
    world: World


def run(seed: int) -> Result:
    """Run the schedule of a seed; needs `seeded`."""
    shop = prepared()
    chance = Random(seed)
    loop = SeededLoop(chance)
    NATURE.begin(loop, Random(seed))
    world = World(shop, loop, chance)
    finding = None
    try:
        loop.run(world.play())
        if world.server.broken is not None:
            raise world.server.broken
        check(world.history, world.server.tables, shop)
    except (TimeoutError, Violation, Spinning, AssertionError) as broken:
        finding = f"{type(broken).__name__}: {broken}"
    return Result(seed, finding, world.seen(), world)


class World:
    """Everything of one schedule."""

    def __init__(self, shop: Prepared, loop: SeededLoop, chance: Random) -> None:
        self.shop = shop
        self.loop = loop
        self.chance = chance
        self.plan = plan_of(chance)
        self.server = Server(shop.tables.copy(), Faults(self.plan, chance), loop)
        self.history = History()
        if self.plan.is_calm:
            self.history.calm_since = 0.0
        self._epochs = Epochs(None)
        self.processes = [self._process() for _ in range(chance.choice((1, 2, 2, 3)))]

    def _process(self) -> ApiProcess:
        return ApiProcess(self.server, self._epochs, self.shop.known)

    async def play(self) -> None:
        """Clients do what they want while faults strike; then all is quiet and everybody looks."""
        async with asyncio.timeout(SCHEDULE_SECONDS_MAX):
            self._arm()
            clients = [self._client(number) for number in range(self.chance.choice((2, 2, 3, 4)))]
            await asyncio.gather(*(self._arrive(client) for client in clients))
            self.server.faults.quiet = True
            await self._recovered()
            await asyncio.sleep(NOTICED_SECONDS)
            self.history.calm_since = self.loop.time()
            for number in range(len(self.processes)):
                await self._look(number)

    async def _recovered(self) -> None:
        """Until the database is up and every process was started again."""
        while not (self.server.up and all(process.alive.running for process in self.processes)):  # noqa: ASYNC110
            await asyncio.sleep(RESTART_SECONDS)

    def _client(self, number: int, processes: list[ApiProcess] | None = None) -> Client:
        chance = Random(self.chance.random())
        return Client(number, self.shop, processes or self.processes, self.history, chance)

    async def _arrive(self, client: Client) -> None:
        if self.plan.rush:
            await client.rush()
        else:
            await asyncio.sleep(self.chance.random() * self.plan.delay_seconds * 20)
        await client.work()

    async def _look(self, number: int) -> None:
        """One process at a time shows what there is, and still takes a change."""
        client = self._client(1000 + number, [self.processes[number]])
        changed = {(kind, key[1]) for writes in self.server.tables.told for kind, key in writes if kind in WATCHED}
        await asyncio.gather(*(client.get(name) for name in sorted(changed)))
        before = len(self.history.asked)
        await client.rename_zone()
        if len(self.history.asked) == before or not self.history.asked[-1].accepted:
            raise Violation(f"process {number} takes no change any more")

    def _arm(self) -> None:
        plan = self.plan
        for moment, strike in (
            (plan.crash_process_at, self._kill_a_process),
            (plan.crash_database_at, lambda: self.server.crash(plan.down_seconds)),
            (plan.jump_clock_at, self._jump),
        ):
            if moment is not None:
                self.server.later(moment, partial(self._strike, strike))

    def _strike(self, strike: Callable[[], None]) -> None:
        if not self.server.faults.quiet:
            strike()

    def _kill_a_process(self) -> None:
        number = int(self.chance.random() * len(self.processes))
        process = self.processes[number]
        if process._open:
            self.server.tables.seen["killed with requests in flight"] += 1
        process.kill()
        self.history.without_word.append(Silence(self.loop.time()))
        self.server.later(RESTART_SECONDS, lambda: self._restart(number))

    def _restart(self, number: int) -> None:
        self.processes[number] = self._process()
        # What a process does when it opens the page they share; tokens are not simulated.
        for kind in WATCHED:
            self._epochs.bump(Epochs.slot(PROJECT, kind))
        self.history.without_word[-1].ended = self.loop.time()

    def _jump(self) -> None:
        NATURE.jumped_seconds += self.plan.jump_seconds
        self.server.tables.seen["clock jumped"] += 1

    def seen(self) -> Counter[str]:
        """What happened, for the campaign to count."""
        seen = self.server.tables.seen
        for asked in self.history.asked:
            answer = asked.answer
            told = "no answer" if answer is None else str(answer.status)
            if answer is not None and answer.status == 400:
                told = answer.body["errors"][0]["code"]
            seen[f"{asked.what}: {told}"] += 1
            if answer is not None and b"idempotency-replayed" in answer.headers:
                seen["replayed under a key"] += 1
            if asked.attempts > 1 and asked.accepted:
                seen["accepted after a retry"] += 1
        seen["shown as perhaps overtaken"] += sum(one.marked for shown in self.history.shown.values() for one in shown)
        seen["schedules"] += 1
        return seen
