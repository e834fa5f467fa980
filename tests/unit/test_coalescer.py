"""Many askers share a load: nobody waits on purpose, and nobody suffers for another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from holdfast.store.coalescer import BATCH_MAX, Coalescer


class Source:
    """Doubles numbers, slowly if told to, and remembers how it was asked."""

    def __init__(self) -> None:
        self.loads: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.started = asyncio.Event()
        self.failure: Exception | None = None

    async def load(self, keys: Sequence[int]) -> list[int]:
        self.loads.append(list(keys))
        self.started.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return [2 * key for key in keys]


async def test_those_who_ask_together_are_answered_together() -> None:
    source = Source()
    coalescer = Coalescer(source.load)
    assert await asyncio.gather(*map(coalescer.ask, range(10))) == [2 * key for key in range(10)]
    assert source.loads == [list(range(10))]


async def test_who_asks_during_a_load_gets_the_next_one() -> None:
    source = Source()
    coalescer = Coalescer(source.load)
    source.gate.clear()
    first = coalescer.ask(1)
    await source.started.wait()
    again, other = coalescer.ask(1), coalescer.ask(2)
    source.gate.set()
    assert [await first, await again, await other] == [2, 2, 4]
    assert source.loads == [[1], [1, 2]]


async def test_an_asker_who_gives_up_takes_nobody_along() -> None:
    source = Source()
    coalescer = Coalescer(source.load)
    impatient, patient = coalescer.ask(1), coalescer.ask(1)
    impatient.cancel()
    assert await patient == 2


async def test_a_failed_load_is_told_to_its_askers_only() -> None:
    source = Source()
    coalescer = Coalescer(source.load)
    source.failure = ConnectionError("gone")
    with pytest.raises(ConnectionError):
        await coalescer.ask(1)
    source.failure = None
    assert await coalescer.ask(1) == 2


async def test_a_crowd_is_served_in_bounded_batches() -> None:
    source = Source()
    coalescer = Coalescer(source.load)
    await asyncio.gather(*map(coalescer.ask, range(BATCH_MAX + 1)))
    assert [len(load) for load in source.loads] == [BATCH_MAX, 1]


async def test_a_key_nobody_can_load_fails_no_other() -> None:
    async def load(keys: Sequence[int]) -> list[int]:
        if 7 in keys:
            raise asyncpg.DataError("7 is no key")
        return [2 * key for key in keys]

    coalescer = Coalescer(load)
    answers = await asyncio.gather(*map(coalescer.ask, range(10)), return_exceptions=True)
    assert isinstance(answers.pop(7), asyncpg.DataError)
    assert answers == [2 * key for key in range(10) if key != 7]
