"""The gate: a crowd that fits is served whole; of one that does not, what matters most, and quickly."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.base.errors import OverCapacity
from holdfast.base.outside import door, outside
from holdfast.http.admission import (
    FULLEST_SECONDS,
    INTERVAL_SECONDS,
    OVERLOADED_ROOM_SHARE,
    OVERLOADED_SECONDS,
    OVERLOADED_SECONDS_MAX,
    OVERLOADED_WAIT_SECONDS,
    QUEUE_MAX,
    TARGET_SECONDS,
    TRIAL_QUEUE_MAX,
    TRIAL_SECONDS,
    WAIT_SECONDS_MAX,
    Gate,
)
from holdfast.http.criticality import Criticality
from holdfast.http.limits import LIMIT_FIRST

ORDER, STEP, READ, BEGIN, QUERY = Criticality
SERVICE_SECONDS = 0.01


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Crowd:
    """Requests at a gate, whose time we pass by hand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.gate = Gate(self.clock)
        self.inside: list[Criticality] = []
        self.refused: Counter[Criticality] = Counter()
        self._asking: set[asyncio.Task[None]] = set()

    async def come(self, criticality: Criticality, count: int = 1) -> list[asyncio.Task[None]]:
        """So many requests arrive; each is inside, waiting or refused when this returns."""
        return [await self._started(self._ask(criticality)) for _ in range(count)]

    async def go(self, count: int = 1) -> None:
        """The ones that came in first are done."""
        for _ in range(count):
            self.gate.leave(self.inside.pop(0), SERVICE_SECONDS)
        await self._settled()

    async def fill(self) -> None:
        await self.come(STEP, LIMIT_FIRST)
        assert len(self.inside) == LIMIT_FIRST

    async def overload(self) -> None:
        """As many new carts as fill every place, and one more."""
        await self.fill()
        await self.come(BEGIN, QUEUE_MAX + 1)
        assert self.overloaded()

    def overloaded(self) -> bool:
        return self.gate.figures.overloaded

    @property
    def waiting(self) -> int:
        return self.gate.figures.waiting

    async def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.gate._sweep()
        await self._settled()

    async def end(self) -> None:
        while self.inside or self.waiting:
            await self.go(len(self.inside))
            await self.pass_time(FULLEST_SECONDS)

    async def _ask(self, criticality: Criticality) -> None:
        if self.gate.is_full(criticality):
            self.refused[criticality] += 1
            return
        try:
            await self.gate.enter(criticality)
        except OverCapacity:
            self.refused[criticality] += 1
        else:
            self.inside.append(criticality)

    async def _started(self, asking: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(asking)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        await self._settled()
        return task

    @staticmethod
    async def _settled() -> None:
        for _ in range(3):
            await asyncio.sleep(0)


async def overloaded_crowd() -> Crowd:
    """In an overload, when those who had waited longer than is allowed in one have been sent away."""
    crowd = Crowd()
    await crowd.overload()
    await crowd.pass_time(OVERLOADED_WAIT_SECONDS * 1.5)
    return crowd


async def test_a_crowd_that_fits_is_served_whole_and_in_order() -> None:
    crowd = Crowd()
    await crowd.come(BEGIN, LIMIT_FIRST + QUEUE_MAX)
    assert len(crowd.inside) == LIMIT_FIRST
    assert crowd.waiting == QUEUE_MAX
    await crowd.end()
    assert not crowd.refused
    assert crowd.gate.figures.admitted[BEGIN] == LIMIT_FIRST + QUEUE_MAX


async def test_what_has_begun_goes_before_what_has_not_and_the_order_before_all() -> None:
    crowd = Crowd()
    await crowd.fill()
    for criticality in (QUERY, BEGIN, STEP, ORDER):
        await crowd.come(criticality)
        crowd.clock.now += 0.001
    await crowd.go(LIMIT_FIRST)
    await crowd.pass_time(FULLEST_SECONDS)
    assert crowd.inside == [ORDER, STEP, QUERY, BEGIN]
    await crowd.end()


async def test_while_new_carts_wait_who_is_answered_keeps_his_place_for_his_next_step() -> None:
    """The first moment of an overload looks like a crowd: of each batch that leaves all are back with the next step."""
    crowd = Crowd()
    await crowd.fill()
    await crowd.come(BEGIN, 10)
    await crowd.go(LIMIT_FIRST)
    assert not crowd.inside
    await crowd.come(STEP, LIMIT_FIRST)
    assert crowd.inside == [STEP] * LIMIT_FIRST
    assert not crowd.overloaded()
    await crowd.end()
    assert not crowd.refused


async def test_reads_do_not_wait_behind_new_carts_that_may_not_come_in_yet() -> None:
    crowd = Crowd()
    await crowd.fill()
    await crowd.come(BEGIN)
    crowd.clock.now += 0.001
    await crowd.come(READ)
    await crowd.go()
    assert crowd.inside == [*[STEP] * (LIMIT_FIRST - 1), READ]
    await crowd.end()


async def test_in_an_overload_new_carts_are_refused_and_begun_checkouts_are_not() -> None:
    crowd = await overloaded_crowd()
    before = crowd.refused[BEGIN]
    await crowd.come(BEGIN, LIMIT_FIRST)
    await crowd.come(STEP, 20)
    await crowd.come(ORDER, 20)
    assert crowd.refused[BEGIN] > before
    assert set(crowd.refused) == {BEGIN}
    await crowd.end()
    assert set(crowd.refused) == {BEGIN}


async def test_in_an_overload_what_has_begun_finds_room_at_once() -> None:
    crowd = await overloaded_crowd()
    await crowd.go(LIMIT_FIRST // 8)
    await crowd.come(BEGIN, 20)
    inside = len(crowd.inside)
    await crowd.come(STEP)
    assert len(crowd.inside) == inside + 1
    assert crowd.inside[-1] == STEP
    await crowd.end()


async def test_in_an_overload_who_is_answered_keeps_his_place_for_his_next_step() -> None:
    crowd = await overloaded_crowd()
    await crowd.go(LIMIT_FIRST)
    await crowd.come(BEGIN, 2)
    assert not crowd.inside
    await crowd.come(STEP, LIMIT_FIRST)
    assert crowd.inside == [STEP] * LIMIT_FIRST
    await crowd.end()


async def test_in_an_overload_places_that_stay_free_are_given_away() -> None:
    crowd = await overloaded_crowd()
    await crowd.go(LIMIT_FIRST)
    await crowd.pass_time(FULLEST_SECONDS / 2)
    await crowd.come(BEGIN, 2)
    assert crowd.inside == [BEGIN, BEGIN]
    await crowd.end()


async def test_places_that_stay_free_are_given_to_waiting_carts_though_nobody_leaves() -> None:
    crowd = Crowd()
    await crowd.fill()
    await crowd.come(BEGIN, 2)
    await crowd.go(LIMIT_FIRST)
    assert not crowd.inside
    await crowd.pass_time(FULLEST_SECONDS)
    assert crowd.inside == [BEGIN, BEGIN]
    await crowd.end()


async def test_in_an_overload_those_told_of_room_take_it_from_who_asks_in_the_same_moment() -> None:
    crowd = await overloaded_crowd()
    places = 4
    await crowd.go(LIMIT_FIRST - int(LIMIT_FIRST * OVERLOADED_ROOM_SHARE) + places)
    await crowd.pass_time(FULLEST_SECONDS * 3)
    for _ in range(places):
        assert not crowd.gate.is_full(BEGIN)
        crowd.gate.expect()
    assert crowd.gate.is_full(BEGIN)
    assert not crowd.gate.is_full(STEP)
    await asyncio.sleep(0)
    assert not crowd.gate.is_full(BEGIN)  # none of them came
    await crowd.end()


async def test_in_an_overload_nobody_who_has_not_begun_waits_any_more() -> None:
    crowd = Crowd()
    await crowd.overload()
    await crowd.come(STEP, 3)
    assert crowd.waiting == QUEUE_MAX + 3
    await crowd.come(READ)
    assert crowd.refused[READ] == 1
    await crowd.pass_time(OVERLOADED_WAIT_SECONDS * 1.5)
    assert crowd.waiting == 3
    await crowd.end()


async def test_an_overload_is_over_when_nobody_has_been_refused_for_a_while() -> None:
    crowd = await overloaded_crowd()
    await crowd.end()
    crowd.clock.now += OVERLOADED_SECONDS + TRIAL_SECONDS
    refused = crowd.refused.total()
    await crowd.come(BEGIN, LIMIT_FIRST + QUEUE_MAX)
    await crowd.end()
    assert crowd.refused.total() == refused


async def test_few_who_come_back_at_once_do_not_keep_an_overload_up() -> None:
    """Each refused one tries again ten milliseconds later; there are fewer of them than may wait."""
    crowd = await overloaded_crowd()
    await crowd.go(LIMIT_FIRST)
    outside, tries = TRIAL_QUEUE_MAX + LIMIT_FIRST, 0
    while outside:
        refused, tries = crowd.refused.total(), tries + 1
        await crowd.come(BEGIN, outside)
        outside = crowd.refused.total() - refused
        await crowd.pass_time(0.01)
        assert tries < 2 * OVERLOADED_SECONDS / 0.01
    assert tries > 10
    await crowd.end()


async def test_an_overload_that_goes_on_is_tried_less_and_less_often() -> None:
    crowd = Crowd()
    await crowd.fill()
    lasted = []
    for _ in range(4):
        await crowd.come(BEGIN, QUEUE_MAX + 1)
        since = crowd.clock.now
        while crowd.overloaded():
            await crowd.come(BEGIN)
            await crowd.pass_time(0.1)
        lasted.append(round(crowd.clock.now - since))
    assert lasted == [OVERLOADED_SECONDS, 2, OVERLOADED_SECONDS_MAX, OVERLOADED_SECONDS_MAX]
    await crowd.pass_time(TRIAL_SECONDS)
    await crowd.overload()
    await crowd.pass_time(OVERLOADED_SECONDS)
    assert not crowd.overloaded()
    await crowd.end()


async def test_a_queue_that_stands_is_an_overload_though_it_is_not_full() -> None:
    crowd = Crowd()
    await crowd.fill()
    await crowd.come(BEGIN, 100)
    for seconds, is_overload in ((TARGET_SECONDS, False), (INTERVAL_SECONDS / 2, False), (INTERVAL_SECONDS, True)):
        crowd.clock.now += seconds
        await crowd.go()
        await crowd.pass_time(FULLEST_SECONDS)
        assert crowd.overloaded() == is_overload
    await crowd.end()


async def test_a_queue_stands_though_what_has_begun_passes_it_by() -> None:
    crowd = Crowd()
    await crowd.fill()
    await crowd.come(BEGIN, 100)
    crowd.clock.now += TARGET_SECONDS
    for _ in range(2):
        assert not crowd.overloaded()
        crowd.clock.now += INTERVAL_SECONDS
        await crowd.go()
        await crowd.come(STEP)
        await crowd.go()
        await crowd.pass_time(FULLEST_SECONDS)
    assert crowd.overloaded()
    await crowd.end()


async def test_a_queue_that_drains_after_a_pause_is_no_overload() -> None:
    """The database was away for some seconds: those who waited are served, none is refused."""
    crowd = Crowd()
    await crowd.fill()
    await crowd.come(READ, 100)
    await crowd.pass_time(WAIT_SECONDS_MAX / 2)
    await crowd.end()
    assert not crowd.refused


async def test_nobody_waits_longer_than_the_bound_when_nothing_moves() -> None:
    crowd = Crowd()
    await crowd.fill()
    await crowd.come(ORDER, 5)
    await crowd.pass_time(WAIT_SECONDS_MAX + 0.1)
    assert crowd.refused == {ORDER: 5}
    await crowd.end()


async def test_who_gives_up_while_waiting_frees_his_place_and_takes_nobodys() -> None:
    crowd = Crowd()
    await crowd.fill()
    first, second = await crowd.come(ORDER, 2)
    first.cancel()
    await asyncio.wait([first])
    assert crowd.waiting == 1
    await crowd.go()
    assert second.done()
    await crowd.end()
    assert crowd.gate.figures.in_flight == 0


async def test_who_is_let_in_and_gives_up_in_the_same_moment_keeps_no_place() -> None:
    crowd = Crowd()
    await crowd.fill()
    (leaving,) = await crowd.come(ORDER)
    crowd.gate.leave(crowd.inside.pop(), SERVICE_SECONDS)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert crowd.gate.figures.in_flight == LIMIT_FIRST - 1
    await crowd.end()


moves = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.sampled_from(Criticality), st.integers(1, 150)),
        st.tuples(st.just("go"), st.just(ORDER), st.integers(1, 60)),
        st.tuples(st.just("wait"), st.just(ORDER), st.integers(1, 30)),
        st.tuples(st.just("quit"), st.just(ORDER), st.integers(1, 20)),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(moves)
def test_whatever_comes_everybody_is_answered_and_every_bound_holds(moved: list[tuple[str, Criticality, int]]) -> None:
    asyncio.run(_play(moved))


async def _play(moved: list[tuple[str, Criticality, int]]) -> None:
    crowd = Crowd()
    everybody: list[asyncio.Task[None]] = []
    most = float(LIMIT_FIRST)
    for move, criticality, count in moved:
        if move == "come":
            everybody += await crowd.come(criticality, count)
        elif move == "go":
            await crowd.go(min(count, len(crowd.inside)))
        elif move == "wait":
            await crowd.pass_time(count / 10)
        else:
            for task in everybody[-count:]:
                task.cancel()
            await crowd._settled()
        figures = crowd.gate.figures
        most = max(most, figures.limit)
        assert figures.in_flight == len(crowd.inside) <= most
        assert figures.waiting <= QUEUE_MAX * len(Criticality)
    await crowd.end()
    await crowd._settled()
    assert all(task.done() for task in everybody)
    assert crowd.gate.figures.in_flight == crowd.gate.figures.waiting == 0


@pytest.mark.parametrize("criticality", [READ, BEGIN, QUERY])
async def test_no_kind_starves_while_others_leave_room(criticality: Criticality) -> None:
    """Orders and steps keep half of the limit busy for long; whoever else comes is served between them."""
    crowd = Crowd()
    for _ in range(50):
        await crowd.come(STEP, LIMIT_FIRST // 4)
        await crowd.come(ORDER, LIMIT_FIRST // 4)
        (task,) = await crowd.come(criticality)
        await crowd.go(len(crowd.inside))
        assert task.done()
    assert not crowd.refused


async def test_who_waits_for_the_outside_makes_room_and_comes_back_at_once() -> None:
    crowd = Crowd()
    await crowd.fill()
    stay = crowd.gate.stay(STEP)
    (waiting,) = await crowd.come(BEGIN)
    assert not waiting.done()
    door.set(stay)
    with outside():
        await crowd.come(READ, 0)
        await asyncio.wait_for(waiting, WAIT_SECONDS_MAX)
        crowd.clock.now += 5.0
    assert crowd.gate.figures.in_flight == LIMIT_FIRST + 1
    stay.leave()
    assert crowd.gate.figures.in_flight == LIMIT_FIRST


async def test_time_spent_outside_is_not_our_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd()
    await crowd.come(STEP)
    left: list[float] = []
    monkeypatch.setattr(crowd.gate, "leave", lambda _criticality, seconds: left.append(seconds))
    stay = crowd.gate.stay(STEP)
    crowd.clock.now += 0.25
    door.set(stay)
    with outside():
        crowd.clock.now += 7.0
    crowd.clock.now += 0.5
    stay.leave()
    assert left == [0.75]
