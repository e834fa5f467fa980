from __future__ import annotations

import asyncio
import threading

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from holdfast.base.errors import OverCapacity
from holdfast.handlers.passwords import THREADS, WAITING_MAX, Room, hash_password, password_matches


async def test_a_password_matches_its_own_hash_only() -> None:
    hashed = await hash_password("a pass phrase")
    assert await password_matches("a pass phrase", hashed)
    assert not await password_matches("a pass phrase ", hashed)
    assert await hash_password("a pass phrase") != hashed


async def test_the_hash_is_argon2id_with_the_documented_cost() -> None:
    parameters = extract_parameters(await hash_password("x"))
    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)


@pytest.mark.parametrize("password", ["", "nobody", "*"])
async def test_nothing_matches_where_there_is_no_hash(password: str) -> None:
    assert not await password_matches(password, None)


async def test_what_is_no_hash_matches_nothing() -> None:
    assert not await password_matches("x", "not a hash")


async def test_who_comes_when_too_many_wait_is_told_at_once() -> None:
    room, gate = Room(), threading.Event()
    inside = [asyncio.ensure_future(room.run(lambda: gate.wait(10))) for _ in range(WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(OverCapacity):
        await room.run(lambda: True)
    gate.set()
    assert all(await asyncio.gather(*inside))
    assert await room.run(lambda: True)


async def test_the_event_loop_runs_on_while_passwords_are_hashed() -> None:
    hashing = [asyncio.ensure_future(hash_password("x")) for _ in range(THREADS)]
    turns = 0
    while not all(task.done() for task in hashing):
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
