"""A slow look is waited for shortly, and never twice at once."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.base.errors import BadGateway
from holdfast.http.operations import lately
from holdfast.http.operations.lately import Lately


class Source:
    """Something that is looked at, and answers when it is told to."""

    def __init__(self) -> None:
        self.looks = 0
        self.answering = asyncio.Event()
        self.trouble: Exception | None = None

    async def look(self) -> int:
        self.looks += 1
        number = self.looks
        await self.answering.wait()
        if self.trouble is not None:
            raise self.trouble
        return number


async def test_what_hangs_keeps_nobody_and_is_asked_once() -> None:
    source = Source()
    slow = Lately(source.look, kept_seconds=0.0)
    seen = await asyncio.gather(*(slow.seen() for _ in range(5)))
    assert {each.value for each in seen} == {None}
    assert source.looks == 1
    source.answering.set()
    assert (await slow.seen()).value == 1


async def test_what_was_seen_is_kept_for_its_time() -> None:
    source = Source()
    source.answering.set()
    long, short = Lately(source.look, kept_seconds=3600.0), Lately(source.look, kept_seconds=0.0)
    assert [(await long.seen()).value for _ in range(3)] == [1, 1, 1]
    assert [(await short.seen()).value for _ in range(3)] == [2, 3, 4]


async def test_what_fails_keeps_what_was_seen_and_says_why() -> None:
    source = Source()
    source.answering.set()
    look = Lately(source.look, kept_seconds=0.0)
    await look.seen()
    source.trouble = BadGateway("Gone.")
    value, age, trouble = await look.seen()
    assert (value, trouble) == (1, "Gone.")
    assert age is not None
    source.trouble = ZeroDivisionError()
    assert (await look.seen()).trouble == "ZeroDivisionError"
    source.trouble = None
    value, _, trouble = await look.seen()
    assert (value, trouble) == (4, None)


async def test_a_look_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "LOOK_SECONDS_MAX", 0.01)
    source = Source()
    look = Lately(source.look, kept_seconds=3600.0)
    assert (await look.seen()).trouble == "No answer within 0.01 s."
