"""Standing in line under a key: one after the other, however each ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from holdfast.base.errors import (
    IdempotencyKeyReuse,
    IdempotencyKeyTaken,
    InvalidCredentials,
    InvalidOperation,
    OverCapacity,
    PendingOperation,
)
from holdfast.commerce.facts import Caller
from holdfast.handlers import once
from holdfast.handlers.endpoints import Answer, Request
from holdfast.handlers.once import Once, place_of
from holdfast.handlers.work import Work
from holdfast.store.idempotency import About, KeptAnswer, KeyPlace, RequestKey

CALLER = Caller(project="shop", client_id="client", scopes=frozenset())
FIRST = b'{"id":"0","version":1}'


class Shelf:
    """Answers as the store would find them; `misses` hides them from that many looks."""

    def __init__(self) -> None:
        self.answers: dict[KeyPlace, KeptAnswer] = {}
        self.misses = 0

    async def find(self, place: KeyPlace) -> KeptAnswer | None:
        await asyncio.sleep(0)
        if self.misses:
            self.misses -= 1
            return None
        return self.answers.get(place)

    async def keep(self, key: RequestKey, status: int, about: About, body: bytes) -> bool:
        if key.place in self.answers:
            return False
        self.put(key, status, body, about.kind)
        return True

    def put(self, key: RequestKey, status: int, body: bytes, kind: str = "") -> None:
        self.answers[key.place] = KeptAnswer(key.fingerprint, status, kind, body, datetime.now(UTC))


class Case:
    """A line, what is on the shelf, and handlers that say what happened."""

    def __init__(self) -> None:
        self.once = Once()
        self.idempotency = Shelf()
        self.runs = 0

    def work(self, key: str = "key", fingerprint: bytes = b"f") -> Work:
        return Work(self, CALLER, key=RequestKey(place_of(key, CALLER), fingerprint))  # type: ignore[arg-type]

    async def ask(self, run: Any, **how: Any) -> Answer:
        return await self.once.answer(self.work(**how), Request(), run)

    async def commits(self, work: Work, _: Request) -> Answer:
        """A handler that commits under the key."""
        self.runs += 1
        await asyncio.sleep(0)
        assert work.key is not None
        self.idempotency.put(work.key, 201, FIRST)
        return Answer(FIRST, created=True, kept=True)

    async def answers(self, _work: Work, _: Request) -> Answer:
        """A handler that has nothing to commit."""
        self.runs += 1
        return Answer({"id": "0"})

    async def taken(self, work: Work, _: Request) -> Answer:
        """A handler whose commit another process was quicker than."""
        assert work.key is not None
        self.idempotency.put(work.key, 201, FIRST)
        raise IdempotencyKeyTaken(work.key.place.key)


@pytest.fixture
def case() -> Case:
    return Case()


async def refuses(work: Work, request: Request) -> Answer:
    raise InvalidOperation("No.")


async def test_those_who_come_together_run_once(case: Case) -> None:
    answers = await asyncio.gather(*(case.ask(case.commits) for _ in range(5)))
    assert case.runs == 1
    assert [answer.replayed for answer in answers] == [False, True, True, True, True]
    assert {(answer.value, answer.created) for answer in answers} == {(FIRST, True)}


async def test_an_answer_that_committed_nothing_is_kept_too(case: Case) -> None:
    first, again = await case.ask(case.answers), await case.ask(case.answers)
    assert (first.value, again.value) == (b'{"id":"0"}', b'{"id":"0"}')
    assert (case.runs, again.created, again.replayed) == (1, False, True)


async def test_who_was_overtaken_keeping_an_answer_gives_the_one_that_is_kept(case: Case) -> None:
    async def overtaken(work: Work, request: Request) -> Answer:
        assert work.key is not None
        case.idempotency.put(work.key, 201, FIRST)
        return Answer(b"{}")

    answer = await case.ask(overtaken)
    assert (answer.value, answer.created, answer.replayed) == (FIRST, True, True)


async def test_a_kept_answer_that_is_gone_again_is_an_outcome_to_ask_for(case: Case) -> None:
    async def overtaken(work: Work, request: Request) -> Answer:
        assert work.key is not None
        case.idempotency.put(work.key, 201, FIRST)
        case.idempotency.misses = 1
        return Answer(b"{}")

    with pytest.raises(PendingOperation):
        await case.ask(overtaken)


async def test_after_a_refusal_the_next_in_line_tries_for_itself(case: Case) -> None:
    outcomes = await asyncio.gather(case.ask(refuses), case.ask(case.commits), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [InvalidOperation, Answer]
    assert (await case.ask(case.commits)).replayed


async def test_a_bug_lets_the_next_in_line_go_on(case: Case) -> None:
    async def breaks(work: Work, request: Request) -> Answer:
        raise ZeroDivisionError

    outcomes = await asyncio.gather(case.ask(breaks), case.ask(case.commits), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError, Answer]


async def test_one_who_gives_up_in_line_does_not_hold_up_the_others(case: Case) -> None:
    go = asyncio.Event()

    async def slow(work: Work, request: Request) -> Answer:
        await go.wait()
        return await case.commits(work, request)

    first = asyncio.create_task(case.ask(slow))
    second = asyncio.create_task(case.ask(case.commits))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    go.set()
    assert (await first).value == FIRST
    assert (await case.ask(case.commits)).replayed


async def test_lines_end_with_the_last_in_them(case: Case) -> None:
    await asyncio.gather(*(case.ask(case.commits, key=f"key-{number % 3}") for number in range(9)))
    assert case.once.lines == 0


async def test_a_refusal_another_process_caused_becomes_its_answer(case: Case) -> None:
    async def too_late(work: Work, request: Request) -> Answer:
        assert work.key is not None
        case.idempotency.put(work.key, 201, FIRST)
        raise InvalidOperation("Somebody was quicker.")

    for run in (too_late, case.taken):
        answer = await case.ask(run, key=run.__name__)
        assert (answer.value, answer.replayed) == (FIRST, True)


async def test_a_taken_key_that_cannot_be_found_is_an_outcome_to_ask_for(case: Case) -> None:
    case.idempotency.misses = 2
    with pytest.raises(PendingOperation):
        await case.ask(case.taken)


async def test_wrong_credentials_are_never_answered_with_what_right_ones_got(case: Case) -> None:
    async def refuses_credentials(work: Work, request: Request) -> Answer:
        raise InvalidCredentials

    await case.ask(case.commits)
    with pytest.raises(InvalidCredentials):
        await case.once.answer(case.work(), Request(), refuses_credentials, checked=True)


async def test_a_key_stands_for_one_request(case: Case) -> None:
    await case.ask(case.commits)
    with pytest.raises(IdempotencyKeyReuse):
        await case.ask(case.commits, fingerprint=b"other")
    assert case.runs == 1


async def test_there_are_only_so_many_lines(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "UNDER_WAY_MAX", 1)
    refused = await asyncio.gather(
        case.ask(case.commits), case.ask(case.commits), case.ask(case.commits, key="other"), return_exceptions=True
    )
    assert [isinstance(one, OverCapacity) for one in refused] == [False, False, True]


@pytest.mark.parametrize(
    ("shopper", "owner"),
    [
        ({}, "client"),
        ({"customer_id": "1"}, "client customer:1"),
        ({"anonymous_id": "1"}, "client anonymous:1"),
        ({"customer_id": "1", "anonymous_id": "2"}, "client customer:1"),
    ],
)
def test_keys_belong_to_client_and_shopper(shopper: dict[str, Any], owner: str) -> None:
    assert place_of("key", CALLER._replace(**shopper)) == KeyPlace("shop", owner, "key")
