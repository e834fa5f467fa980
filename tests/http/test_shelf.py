"""The second level on a real Valkey: shared by hosts, never believed too long, and never waited for."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest
from tests.destinations.programs import Program, valkey_server

from holdfast.base.config import BadSetting
from holdfast.commerce.facts import Caller
from holdfast.commerce.scopes import granted
from holdfast.handlers.endpoints import Request
from holdfast.http.auth import Authenticator, Seen
from holdfast.http.kept import Kept, Make, Reply
from holdfast.http.kept_answer import Keeping
from holdfast.http.ladder import TTL_SECONDS
from holdfast.http.outage import Outage
from holdfast.http.routes import Place, Route
from holdfast.http.shelf import SKEW_SECONDS, Shelf, _place
from holdfast.outbound import shared_memory
from holdfast.outbound.shared_memory import SharedMemory
from holdfast.store.epochs import Epochs
from holdfast.store.tokens import Tokens

TOKEN = b"Bearer shop.token"
PATIENCE_SECONDS = 20.0
SLOT = Epochs.slot("shop", "product")


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with valkey_server(tmp_path_factory.mktemp("shelf"), "--save", "") as program:
        yield program


class Host:
    """A process of a host of its own: its epochs are nobody else's."""

    def __init__(self, valkey: Program) -> None:
        self.epochs = Epochs(None)
        # Nothing was changed here lately.
        self.epochs.numbers[SLOT] = 1
        self.answers = True
        authenticator = Authenticator(cast("Tokens", None), self.epochs)
        forever = time.monotonic() + 1e6
        caller = Caller(project="shop", client_id="c", scopes=granted("manage_project:shop", "shop"))
        slot = Epochs.slot("shop", "token")
        authenticator._seen[TOKEN] = Seen(caller, slot, self.epochs.read(slot), forever, forever)
        self.memory = SharedMemory(f"redis://127.0.0.1:{valkey.port}/0")
        self.outage = Outage(self._probe)
        self.kept = Kept(self.epochs, authenticator, self.outage, Shelf(self.memory, self.epochs))
        self.asked = 0

    async def _probe(self) -> None:
        if not self.answers:
            raise OSError("nobody there")

    async def read(self, key: str, body: bytes = b"{}", make: Make | None = None) -> Reply:
        async def usual() -> tuple[bytes, bool]:
            self.asked += 1
            return body, True

        return await self.kept.answer(self.begun(key), make or usual, None)

    def begun(self, key: str) -> Keeping:
        path = f"/shop/product-projections/key={key}"
        scope = {"method": "GET", "path": path, "query_string": b"", "headers": []}
        place = Place("shop", None, me=False, collection="product-projections", rest=(key,))
        route = Route(cast("Any", None), "view_published_products", kept_kind="product")
        keeping = self.kept.begin(scope, place, route, Request())
        assert keeping is not None
        return keeping

    async def shelved(self) -> None:
        """Wait until what was made lies on the shelf."""
        await asyncio.gather(*self.memory._writes)


@pytest.fixture
async def hosts(valkey: Program) -> AsyncIterator[tuple[Host, Host]]:
    one, other = Host(valkey), Host(valkey)
    yield one, other
    for host in (one, other):
        await host.memory.close()


def served(reply: Reply) -> str:
    return dict(reply[1])[b"x-holdfast-served"].decode()


async def test_what_one_host_made_the_other_need_not_make(hosts: tuple[Host, Host]) -> None:
    one, other = hosts
    assert served(await one.read("a", b'{"id":"1"}')) == "live"
    await one.shelved()
    reply = await other.read("a")
    assert (served(reply), reply[2]) == ("cached", b'{"id":"1"}')
    assert other.asked == 0
    assert dict(reply[1])[b"age"] == b"0"


async def test_a_change_this_host_acknowledged_outdates_what_lies_there(hosts: tuple[Host, Host]) -> None:
    one, other = hosts
    await one.read("b", b'{"version":1}')
    await one.shelved()
    other.epochs.bump(SLOT)
    assert (await other.read("b", b'{"version":2}'))[2] == b'{"version":2}'
    assert other.asked == 1


async def test_a_change_moments_before_it_was_made_outdates_it_too_for_clocks_differ(
    hosts: tuple[Host, Host],
) -> None:
    one, other = hosts
    other.epochs.bump(SLOT)
    await one.read("c", b'{"version":1}')
    await one.shelved()
    assert (await other.read("c", b'{"version":2}'))[2] == b'{"version":2}'
    await other.shelved()
    other.epochs.numbers[SLOT] = time.time_ns() - int((SKEW_SECONDS + 1) * 1e9)
    assert served(await other.read("c")) == "cached"


async def test_its_time_runs_from_when_it_was_made_wherever_it_is_kept(
    hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = hosts
    await one.read("d")
    await one.shelved()
    later = time.time_ns() + int(TTL_SECONDS * 1e9)
    monkeypatch.setattr(time, "time_ns", lambda: later)
    assert served(await other.read("d")) == "live"


async def test_a_process_that_never_saw_it_shows_it_in_an_outage(hosts: tuple[Host, Host]) -> None:
    one, other = hosts
    await one.read("e", b'{"version":1}')
    await one.shelved()
    other.epochs.bump(SLOT)
    other.answers = False
    never = asyncio.Event()

    async def hang() -> tuple[bytes, bool]:
        await never.wait()
        return b"{}", True

    async with asyncio.timeout(PATIENCE_SECONDS):
        reply = await other.read("e", make=hang)
    assert (served(reply), reply[2]) == ("stale", b'{"version":1}')
    never.set()


@pytest.mark.parametrize("garbage", [b"", b"\xff\x00", b"\x92\xa1x\x01"])
async def test_what_makes_no_sense_there_is_made_anew(hosts: tuple[Host, Host], garbage: bytes) -> None:
    one, other = hosts
    await one.read("f")
    await one.shelved()
    keeping = one.begun("f")
    await one.memory._client.set(_place(keeping), garbage)
    assert served(await other.read("f")) == "live"


async def test_a_server_that_hangs_fails_no_read_and_is_left_alone(hosts: tuple[Host, Host], valkey: Program) -> None:
    one, _ = hosts
    await one.read("g")
    os.kill(pid_of(valkey), signal.SIGSTOP)
    try:
        for number in range(200):
            assert served(await one.read(f"hang-{number}")) == "live"
    finally:
        os.kill(pid_of(valkey), signal.SIGCONT)
    figures = one.memory.figures
    assert 1 <= figures.failed < 200
    assert figures.closed
    assert figures.failed + figures.left_out >= 200


async def test_a_server_that_is_gone_is_asked_again_after_a_while(
    hosts: tuple[Host, Host], valkey: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = hosts
    valkey.kill()
    assert served(await one.read("h")) == "live"
    assert one.memory.figures.closed
    valkey.start()
    valkey.wait()
    monkeypatch.setattr(shared_memory, "CLOSED_SECONDS", 0.0)
    one.memory._closed_until = time.monotonic()
    assert served(await one.read("i")) == "live"
    await one.shelved()
    assert one.memory.figures.put >= 1
    assert not one.memory.figures.closed


def test_an_address_that_is_none_stops_the_start() -> None:
    with pytest.raises(BadSetting, match="HOLDFAST_REDIS_URL"):
        SharedMemory("http://nowhere")


def pid_of(program: Program) -> int:
    process = program._process
    assert process is not None
    return process.pid
