"""Where the matrix is played: two shops of two API processes each, with a proxy before whatever is to break.

One shop reaches its database through a proxy; the other its Valkey, brokers, sinks and extensions. So
cells of different dependencies may be played at the same time.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from redis.asyncio import Redis
from tests.conftest import HOLDFAST, Shop, environment, stop_shop, wait_for_shop
from tests.destinations.programs import Program, valkey_server
from tests.drills.cluster import running_cluster
from tests.outbound.sinks import Sink, answers, sink
from tests.resilience.buyer import Buyer

from holdfast.ops.drill.proxy import Proxy, Way
from holdfast.ops.server.plan import SOCKET_FILE
from holdfast.store.pool import Database
from holdfast.store.relay import Standing
from holdfast.store.standing import standings


class Between(NamedTuple):
    """A proxy in this process, and the port it listens on."""

    proxy: Proxy
    port: int

    def take(self, way: Way) -> None:
        self.proxy.take(way)


@asynccontextmanager
async def between(upstream: str, *, postgres: bool = False) -> AsyncIterator[Between]:
    proxy = Proxy(upstream, postgres=postgres)
    server = await proxy.listen("127.0.0.1", 0)
    async with server:
        yield Between(proxy, server.sockets[0].getsockname()[1])
        await proxy.close()


class House(NamedTuple):
    """A running shop, a buyer at each process, its database past every proxy, and a sink that is told of its orders."""

    key: str
    buyer: Buyer
    other: Buyer
    database: Database
    witness: Sink

    async def subscribe(self, key: str, destination: dict[str, str]) -> str:
        wanted = [{"resourceTypeId": "order", "types": ["OrderCreated"]}]
        draft = {"key": key, "destination": destination, "messages": wanted}
        return str((await self.buyer.good("POST", "/subscriptions", draft))["id"])

    async def standing(self, key: str) -> Standing:
        return next(each for each in await standings(self.database) if each.key == key)


class Stage(NamedTuple):
    """Everything there is to break."""

    selling: House
    valkey: Program
    redis: Redis
    broker: Redis
    redis_way: Between
    database_house: House
    database_way: Between


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        valkey = stack.enter_context(valkey_server(folder / "valkey", "--save", ""))
        # Two databases of one server: what is shared, and what events are added to.
        redis, broker = (Redis(port=valkey.port, db=number) for number in (0, 1))
        for client in (redis, broker):
            stack.push_async_callback(client.aclose)
        redis_way = await stack.enter_async_context(between(f"127.0.0.1:{valkey.port}"))
        cluster = await asyncio.to_thread(stack.enter_context, running_cluster(folder / "cluster"))
        sockets = cluster.url.partition("host=")[2]
        database_way = await stack.enter_async_context(between(f"{sockets}{SOCKET_FILE}", postgres=True))
        far_url = f"postgresql://holdfast@127.0.0.1:{database_way.port}/holdfast"
        redis_url = f"redis://127.0.0.1:{redis_way.port}/0"
        places = (folder / "selling", folder / "far")
        begun = (_begin(stack, places[0], redis_url), _begin(stack, places[1], "", "--database", far_url))
        shops = [await asyncio.to_thread(wait_for_shop, *each) for each in zip(places, begun, strict=True)]
        selling = await _house(stack, shops[0], shops[0].database_url)
        far = await _house(stack, shops[1], cluster.url)
        yield Stage(selling, valkey, redis, broker, redis_way, far, database_way)


def _begin(stack: AsyncExitStack, data: Path, redis_url: str, *options: str) -> subprocess.Popen[bytes]:
    """Start `holdfast up` on a folder; it ends with the stage."""
    data.mkdir(mode=0o711)
    words = ("up", "--data", str(data), "--port", "0", "--no-demo", "--workers", "2")
    told = environment() | ({"HOLDFAST_REDIS_URL": redis_url} if redis_url else {})
    out = stack.enter_context((data / "up.out").open("wb"))
    process = subprocess.Popen(
        [*HOLDFAST, *words, "--ready-file", str(data / "ready.json"), *options],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        env=told,
    )
    stack.push_async_callback(asyncio.to_thread, stop_shop, process)
    return process


async def _house(stack: AsyncExitStack, shop: Shop, database_url: str) -> House:
    project = await asyncio.to_thread(shop.create_project, "matrix")
    buyer = await stack.enter_async_context(Buyer(shop, project))
    other = await stack.enter_async_context(Buyer(shop, project, not_at=buyer.process))
    await buyer.open_shop()
    database = Database(database_url)
    await database.open()
    stack.push_async_callback(database.close)
    witness = await stack.enter_async_context(sink(answers(200)))
    house = House(project["projectKey"], buyer, other, database, witness)
    await house.subscribe("witness", {"type": "Webhook", "url": witness.url})
    return house
