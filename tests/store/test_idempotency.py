"""Answers under keys, at the database: kept once, found by their owner only, forgotten after 30 days."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.base.ids import uuid7
from holdfast.store.idempotency import KEPT_DAYS, About, KeyPlace, RequestKey, purge_answers
from holdfast.store.store import Store

NOTHING = About("", "00000000-0000-0000-0000-000000000000", 0)
AGE = "UPDATE idempotency SET created_at = now() - make_interval(days => $2) - interval '1 minute' WHERE project = $1"


def a_key(project: str, owner: str = "client", key: str = "key") -> RequestKey:
    return RequestKey(KeyPlace(project, owner, key), b"fingerprint")


async def test_the_first_answer_under_a_key_stays(store: Store, project: str) -> None:
    key = a_key(project)
    assert await store.idempotency.keep(key, 200, NOTHING, b'{"first":1}')
    assert not await store.idempotency.keep(key, 201, NOTHING, b'{"second":2}')
    kept = await store.idempotency.find(key.place)
    assert kept is not None
    assert (kept.fingerprint, kept.status, kept.kind, kept.body) == (b"fingerprint", 200, "", b'{"first":1}')


@pytest.mark.parametrize("size", [1, 700, 701, 100_000])
async def test_an_answer_comes_back_byte_for_byte(store: Store, project: str, size: int) -> None:
    body = b'"' + b"x" * size + b'"'
    key = a_key(project)
    await store.idempotency.keep(key, 201, About("zone", uuid7(), 1), body)
    kept = await store.idempotency.find(key.place)
    assert kept is not None
    assert kept.body == body


async def test_a_key_belongs_to_its_project_and_owner(store: Store, project: str) -> None:
    await store.idempotency.keep(a_key(project), 200, NOTHING, b"{}")
    others = [KeyPlace(project, "other", "key"), KeyPlace(project, "client", "other"), KeyPlace("x", "client", "key")]
    assert await asyncio.gather(*(store.idempotency.find(place) for place in others)) == [None] * 3


async def test_answers_are_forgotten_after_their_days_and_not_before(store: Store, project: str) -> None:
    await store.idempotency.keep(a_key(project, key="old"), 200, NOTHING, b"{}")
    await store.database.execute(AGE, project, KEPT_DAYS)
    young = f"{project}-young"
    await store.idempotency.keep(a_key(young), 200, NOTHING, b"{}")
    await store.database.execute(AGE, young, KEPT_DAYS - 1)
    assert await purge_answers(store.database) == 1
    assert await store.idempotency.find(KeyPlace(project, "client", "old")) is None
    assert await store.idempotency.find(a_key(young).place) is not None
    assert await purge_answers(store.database) == 0
