"""The ways to the shop and from there to its database: cut, slow, half open, and cut exactly at COMMIT."""

from __future__ import annotations

import random

from holdfast.ops.drill.database import OwnDatabase
from holdfast.ops.drill.detour import Detour
from holdfast.ops.drill.fault import AnyFault, Fault, Setting
from holdfast.ops.drill.proxy import DROP_ANSWER, DROP_COMMIT, Seen, Way
from holdfast.ops.server.cluster import DATABASE, ROLE
from holdfast.ops.trouble import Trouble

CUT_SECONDS = (0.3, 2.0)
SLOW_SECONDS = (1.0, 2.0)
SLOW_DELAY_SECONDS = (0.01, 0.1)
SLOW_BYTES_PER_SECOND = 100_000
HALF_OPEN_SECONDS = (0.5, 2.0)
AT_COMMIT_SECONDS = (1.0, 2.0)
COMMITS_SHARE = 0.3
COMMITS_MAX = 20


class BehindProxy(Setting):
    """A shop whose way to its database leads through the drill's proxy."""

    name = "behind a proxy"

    async def prepare(self) -> None:
        self.database = OwnDatabase(self.stage.folder / "database")
        await self.database.start(self.stage.workers)
        self.detour = Detour(self.database.socket, "postgres")
        await self.detour.open()
        self.stage.database = f"postgresql://{ROLE}@127.0.0.1:{self.detour.port}/{DATABASE}?sslmode=disable"
        self.stage.direct_database = self.database.url

    async def clear(self) -> None:
        if hasattr(self, "detour"):
            await self.detour.close()
        if hasattr(self, "database"):
            await self.database.stop()


class BehindFront(Setting):
    """A shop that is reached through the drill's proxy."""

    name = "behind a front"

    async def prepare(self) -> None:
        self.detour = Detour(f"127.0.0.1:{self.stage.port}", "plain")
        await self.detour.open()
        self.stage.front = f"http://127.0.0.1:{self.detour.port}"

    async def clear(self) -> None:
        if hasattr(self, "detour"):
            await self.detour.close()


async def lose_answers(setting: BehindFront, chance: random.Random) -> None:
    """Requests arrive and are done; no shopper hears of it, so all of them ask again."""
    seen = await setting.detour.broken(Way(swallow=("client",)), chance.uniform(*HALF_OPEN_SECONDS))
    insist(seen.swallowed_bytes, "no answer came by")


async def cut(setting: BehindProxy, chance: random.Random) -> None:
    """All connections are reset and new ones refused, then the way is whole again."""
    seen = await setting.detour.broken(Way(open=False), chance.uniform(*CUT_SECONDS))
    insist(seen.reset, "no connection was open to be cut")


async def slow(setting: BehindProxy, chance: random.Random) -> None:
    """Everything arrives, late and in a trickle."""
    way = Way(delay_seconds=chance.uniform(*SLOW_DELAY_SECONDS), bytes_per_second=SLOW_BYTES_PER_SECOND)
    seen = await setting.detour.broken(way, chance.uniform(*SLOW_SECONDS))
    insist(seen.delayed, "nothing passed that could be delayed")


async def half_open_to_database(setting: BehindProxy, chance: random.Random) -> None:
    """What the shop says vanishes; nobody is told."""
    await swallow(setting, chance, "server")


async def half_open_to_shop(setting: BehindProxy, chance: random.Random) -> None:
    """What the database answers vanishes, commits included; nobody is told."""
    await swallow(setting, chance, "client")


async def black_hole(setting: BehindProxy, chance: random.Random) -> None:
    """Both directions vanish."""
    await swallow(setting, chance, "server", "client")


async def swallow(setting: BehindProxy, chance: random.Random, *directions: str) -> None:
    seen = await setting.detour.broken(Way(swallow=directions), chance.uniform(*HALF_OPEN_SECONDS))
    insist(seen.swallowed_bytes, "nothing was said that could vanish")


async def forget(setting: BehindProxy, _chance: random.Random) -> None:
    """Connections lead nowhere and are never ended: the database keeps what they had locked."""
    seen = await setting.detour.broken(Way(forget=True), 0.0)
    insist(seen.forgotten, "no connection was there to be forgotten")


async def drop_commits(setting: BehindProxy, chance: random.Random) -> None:
    """The connection breaks with a COMMIT on it that never arrives."""
    seen = await at_commit(setting, chance, DROP_COMMIT)
    insist(seen.commits_dropped, "no COMMIT came by")


async def drop_answers(setting: BehindProxy, chance: random.Random) -> None:
    """The COMMIT arrives and takes effect; the connection breaks before its answer is back."""
    seen = await at_commit(setting, chance, DROP_ANSWER)
    insist(seen.answers_dropped, "no COMMIT came by")


async def at_commit(setting: BehindProxy, chance: random.Random, what: str) -> Seen:
    way = Way(at_commit=what, share=COMMITS_SHARE, commits_max=COMMITS_MAX, seed=chance.getrandbits(32))
    return await setting.detour.broken(way, chance.uniform(*AT_COMMIT_SECONDS))


def insist(count: int, otherwise: str) -> None:
    """A fault that met nothing proves nothing. Raises Trouble."""
    if not count:
        raise Trouble("A fault did not take effect.", why=otherwise, code="fault-missed")


FAULTS: tuple[AnyFault, ...] = (
    Fault("lost-answers", "what the shop answers its shoppers vanishes", BehindFront, lose_answers),
    Fault("cut-network", "the way to the database is cut, then mended", BehindProxy, cut),
    Fault("slow-network", "the way to the database is slow and narrow", BehindProxy, slow, is_outage=False),
    Fault("half-open-to-database", "what the shop says vanishes", BehindProxy, half_open_to_database),
    Fault("half-open-to-shop", "what the database answers vanishes", BehindProxy, half_open_to_shop),
    Fault("black-hole", "everything between shop and database vanishes", BehindProxy, black_hole),
    Fault("forgotten-connections", "open connections lead nowhere, and neither end is told", BehindProxy, forget),
    Fault("drop-commits", "connections break before a COMMIT arrives", BehindProxy, drop_commits, is_outage=False),
    Fault("drop-commit-answers", "connections break after a COMMIT", BehindProxy, drop_answers, is_outage=False),
)
