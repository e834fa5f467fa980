"""One bucket for all hosts, in a real Valkey that is killed, stopped and started again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tests.destinations.programs import Program, valkey_server
from tests.unit.http.limited import AUTHORIZATION, SCOPE, limiter

from holdfast.base.config import BadSetting
from holdfast.http.bucket import Tier
from holdfast.http.rate_hosts import Hosts
from holdfast.http.rate_page import Page
from holdfast.http.rates import Rates
from holdfast.http.telling import of_rates
from holdfast.outbound.shared_buckets import SharedBuckets

PATIENCE_SECONDS = 30.0
# As good as nothing comes in while a test runs.
TIER = Tier(per_second=0.5, burst=1_000.0)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Program]:
    with valkey_server(tmp_path / "valkey", "--save", "") as program:
        yield program


class Host:
    """The limiter of a host's process, told of the others through Valkey."""

    def __init__(self, page: Path, valkey: Program, tier: Tier = TIER) -> None:
        self.shared = SharedBuckets(f"redis://127.0.0.1:{valkey.port}/0")
        shared_page = Page(page)
        self.hosts = Hosts(self.shared, shared_page)
        self.rates: Rates = limiter(shared_page, tier)
        self.rates._elsewhere = self.hosts

    def spend(self, requests: int) -> int:
        """How many of so many requests are let in."""
        return sum(self.rates.spend(SCOPE, AUTHORIZATION, 1.0) is None for _ in range(requests))

    def told(self, name: str, **labels: str) -> float:
        """A figure as operators are told it."""
        return next(each.value for each in of_rates(self.rates) if (each.name, each.labels) == (name, labels))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Ask for one more now and then, until something holds."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                self.spend(1)
                await asyncio.sleep(0.01)

    async def until_told(self) -> None:
        if self.hosts._telling is not None:
            await self.hosts._telling


@pytest.fixture
async def pair(tmp_path: Path, valkey: Program) -> AsyncIterator[tuple[Host, Host]]:
    """Two hosts: each has a page of its own."""
    one, other = Host(tmp_path / "one", valkey), Host(tmp_path / "other", valkey)
    yield one, other
    for host in (one, other):
        await host.rates.close()


async def test_what_one_host_takes_the_other_does_not_find(pair: tuple[Host, Host]) -> None:
    one, other = pair
    taken = one.spend(600)
    await one.until_told()
    taken += other.spend(1)
    await other.until_told()  # from here on it knows
    taken += other.spend(1_000)
    assert 990 <= taken <= 1_010


async def test_what_two_hosts_overspend_together_is_paid_back(pair: tuple[Host, Host]) -> None:
    one, other = pair
    assert one.spend(1_000) + other.spend(1_000) == 2_000  # neither could know yet
    await one.until_told()
    await other.until_told()
    waits = [limited.wait_seconds for host in (one, other) if (limited := host.rates.spend(SCOPE, AUTHORIZATION, 1.0))]
    assert len(waits) == 2
    # Whoever told last knows of both: there the other thousand comes in first.
    assert max(waits) > 1.9 * TIER.burst / TIER.per_second / 2


async def test_while_the_server_is_down_each_host_limits_by_itself_and_afterwards_together_again(
    pair: tuple[Host, Host], valkey: Program
) -> None:
    one, _ = pair
    valkey.kill()
    await one.until(lambda: one.told("holdfast_rates_hosts_away") == 1)
    assert 900 <= one.spend(2_000) <= 1_000
    valkey.start()
    valkey.wait()
    one.rates.settings._tiers.clear()  # let it in again, so that there is something to tell
    await one.until(lambda: one.told("holdfast_rates_hosts_away") == 0)
    assert one.told("holdfast_rates_hosts_total", outcome="told") >= 1


async def test_a_server_that_hangs_keeps_no_request_waiting(pair: tuple[Host, Host], valkey: Program) -> None:
    one, _ = pair
    assert one.spend(10) == 10
    await one.until_told()
    assert valkey._process is not None
    os.kill(valkey._process.pid, signal.SIGSTOP)
    try:
        await one.until(lambda: one.told("holdfast_rates_hosts_total", outcome="failed") == 1)
        # What is asked meanwhile is answered at once: spending waits for nobody.
        assert 900 <= one.spend(2_000) <= 1_000
        assert one.hosts._telling is None
    finally:
        os.kill(valkey._process.pid, signal.SIGCONT)


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1"])
def test_what_is_no_address_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(BadSetting, match="HOLDFAST_REDIS_URL"):
        SharedBuckets(url)
