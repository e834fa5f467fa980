"""Many statements in one: placeholders are counted on, rows and counts find their part again."""

from __future__ import annotations

from typing import Any, cast

import asyncpg

from holdfast.store.session import Part, Session


class Wire:
    """Instead of a connection: remembers what is sent."""

    def __init__(self, *rows: Any) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.rows = rows
        self.ended: list[str] = []
        self.is_begun = False

    async def execute(self, text: str) -> None:
        self.sent.append((text,))

    async def fetch(self, text: str, *arguments: Any) -> list[Any]:
        self.sent.append((text, *arguments))
        return list(self.rows)

    def is_closed(self) -> bool:
        return bool(self.ended)

    def is_in_transaction(self) -> bool:
        return self.is_begun

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109 - as asyncpg has it
        assert timeout, "nobody waits for ever"
        self.ended.append("close")

    def terminate(self) -> None:
        self.ended.append("terminate")


def over(wire: Wire) -> Session:
    return Session(cast("asyncpg.Connection[Any]", wire))


FIRST = Part("first", "SELECT $1, $2", ("a", "b"))
SECOND = Part("second", "SELECT $2, $1, $1", ("c", "d"))
THIRD = Part("third", "SELECT $1", ("e",))


async def test_parts_are_read_as_one_statement_each_with_its_own_arguments() -> None:
    rows = [{"part": 1, "x": 1}, {"part": 0, "x": 2}, {"part": 1, "x": 3}]
    wire = Wire(*rows)
    found: list[Any] = await over(wire).read([FIRST, SECOND, THIRD])
    assert found == [[rows[1]], [rows[0], rows[2]], []]
    text = """WITH p0 AS (
SELECT $1, $2
), p1 AS (
SELECT $4, $3, $3
), p2 AS (
SELECT $5
)
SELECT 0 AS part, p0.* FROM p0
UNION ALL
SELECT 1 AS part, p1.* FROM p1
UNION ALL
SELECT 2 AS part, p2.* FROM p2"""
    assert wire.sent == [(text, *"abcde")]


async def test_parts_are_written_as_one_statement_that_counts_for_each() -> None:
    wire = Wire((2, 0))
    assert await over(wire).write([FIRST, THIRD]) == [2, 0]
    text = """WITH p0 AS (
SELECT $1, $2
), p1 AS (
SELECT $3
)
SELECT (SELECT count(*) FROM p0), (SELECT count(*) FROM p1)"""
    assert wire.sent == [(text, *"abe")]


async def test_nothing_is_sent_where_nothing_is_asked() -> None:
    wire = Wire()
    session = over(wire)
    assert (await session.read([]), await session.write([]), wire.sent) == ([], [], [])


async def test_a_transaction_is_begun_and_ended_by_its_words() -> None:
    wire = Wire()
    session = over(wire)
    await session.begin()
    await session.commit()
    await session.rollback()
    assert wire.sent == [("BEGIN",), ("COMMIT",), ("ROLLBACK",)]


async def test_a_session_ends_politely_or_by_hanging_up() -> None:
    wire = Wire()
    session = over(wire)
    assert not session.is_closed()
    await session.close()
    session.terminate()
    assert (wire.ended, session.is_closed()) == (["close", "terminate"], True)


async def test_who_distrusts_a_session_leaves_it_its_transaction_and_hangs_up_but_once() -> None:
    wire = Wire()
    session = over(wire)
    wire.is_begun = True
    session.distrust()
    assert not session.is_closed()
    wire.is_begun = False
    session.distrust()
    session.distrust()
    assert wire.ended == ["terminate"]
