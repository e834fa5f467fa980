"""The committer between its askers and a database that breaks at any word: each asker gets one true answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import asyncpg
import pytest
import pytest_asyncio
import structlog
from structlog.testing import LogCapture
from tests.unit.store.recorded import Recorded, a_zone, creation

from holdfast.base.deadline import Deadline
from holdfast.base.errors import (
    ApiError,
    BadGateway,
    ConcurrentModification,
    DeadlineExceeded,
    General,
    InvalidInput,
    OverCapacity,
    PendingOperation,
)
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.zone import zones
from holdfast.store import committer as module
from holdfast.store import pool
from holdfast.store.change import Change, change_of
from holdfast.store.committer import BATCH_MAX, CONFLICT_RETRIES_MAX, Committer
from holdfast.store.queries import queries

# Long for what takes a millisecond, short for who waits for what never comes.
PATIENCE_SECONDS = 3.0
LOST = ConnectionResetError("gone")


class Bench:
    """A committer before a scripted database; `made` is what every new session is, `told` who heard of it."""

    def __init__(self) -> None:
        self.sessions: list[Recorded] = []
        self.prepare: list[Callable[[Recorded], None]] = []
        self.told: list[Change] = []
        self.committer = Committer(self, self.told.append)  # type: ignore[arg-type]

    async def session(self) -> Recorded:
        made = Recorded()
        self.sessions.append(made)
        if self.prepare:
            self.prepare.pop(0)(made)
        return made

    def failing(self, step: str, *problems: BaseException | None) -> None:
        """One more session, whose step fails with these problems, one each time."""
        self.prepare.append(lambda made: made.fails[step].extend(problems))

    def deciding(self, *, committed: bool) -> None:
        """One more session, which finds the batch to have been committed or not."""
        self.prepare.append(lambda made: made.rows.update(find_fate=[{"committed": committed}]))

    async def submit(self, *changes: Change) -> list[BaseException | None]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return list(await asyncio.gather(*map(self.committer.submit, changes), return_exceptions=True))

    @property
    def steps(self) -> list[list[str]]:
        return [made.steps for made in self.sessions]


@contextmanager
def captured_logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What the committer logs, however other tests have set up logging."""
    capture = LogCapture()
    with patch.object(module, "log", structlog.wrap_logger(structlog.ReturnLogger(), processors=[capture])):
        yield capture.entries


@pytest_asyncio.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(pool, "RETRY_FIRST_SECONDS", 0.0)
    made = Bench()
    with captured_logs():
        yield made
    async with asyncio.timeout(PATIENCE_SECONDS):
        await made.committer.close()


def kinds(answers: Sequence[BaseException | None]) -> list[type | None]:
    return [type(answer) if answer is not None else None for answer in answers]


COMMITTED = ["begin", "write", "commit"]


# --- gathering -----------------------------------------------------------------------------


async def test_a_lone_change_commits_at_once_and_is_told_of(bench: Bench) -> None:
    change = creation()
    assert await bench.submit(change) == [None]
    assert (bench.steps, bench.told) == ([COMMITTED], [change])
    (fate, committed) = bench.sessions[0].named("decide_fate")[0]
    assert (len(fate), committed) == (36, True)


async def test_what_comes_together_commits_together_and_in_order(bench: Bench) -> None:
    changes = [creation(str(n)) for n in range(5)]
    assert await bench.submit(*changes) == [None] * 5
    assert (bench.steps, bench.told) == ([COMMITTED], changes)


async def test_a_batch_is_bounded_and_the_next_begins_where_it_ended(bench: Bench) -> None:
    changes = [creation(str(n)) for n in range(BATCH_MAX + 1)]
    assert await bench.submit(*changes) == [None] * len(changes)
    inserted = [len(arguments[0]) for arguments in bench.sessions[0].named("zone.insert")]
    assert (inserted, bench.told) == ([BATCH_MAX, 1], changes)


async def test_every_batch_has_a_fate_of_its_own_and_one_session_serves_them_all(bench: Bench) -> None:
    await bench.submit(creation("a"))
    await bench.submit(creation("b"))
    assert bench.steps == [COMMITTED * 2]
    assert len({arguments[0] for arguments in bench.sessions[0].named("decide_fate")}) == 2


async def test_only_so_many_may_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_MAX", 2)
    assert kinds(await bench.submit(*(creation(str(n)) for n in range(4)))) == [None, None, OverCapacity, OverCapacity]
    assert len(bench.told) == 2


async def test_who_gave_up_before_the_batch_began_is_left_out(bench: Bench) -> None:
    gone = asyncio.ensure_future(bench.committer.submit(creation("gone")))
    stays = asyncio.ensure_future(bench.committer.submit(creation("stays")))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone, stays], timeout=PATIENCE_SECONDS)
    assert stays.result() is None
    assert [change.puts[0].id for change in bench.told] == ["stays"]


async def test_when_all_of_a_batch_gave_up_there_is_none(bench: Bench) -> None:
    with pytest.raises(DeadlineExceeded), Deadline(0):
        await bench.committer.submit(creation("late"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await bench.committer.close()
    assert (bench.steps, bench.told) == ([], [])


async def test_from_the_batch_on_a_deadline_waits_for_the_outcome(bench: Bench) -> None:
    deadline = Deadline(PATIENCE_SECONDS)
    with deadline:
        await bench.committer.submit(creation())
    assert deadline._begun_at is not None


async def test_who_goes_while_the_batch_runs_changes_nothing_about_it(bench: Bench) -> None:
    first, second = creation("a"), creation("b")
    goes = asyncio.ensure_future(bench.committer.submit(first))
    stays = asyncio.ensure_future(bench.committer.submit(second))

    def leave(_: Recorded) -> None:
        goes.cancel()

    bench.prepare.append(leave)
    await asyncio.wait([goes, stays], timeout=PATIENCE_SECONDS)
    assert (goes.cancelled(), stays.result(), bench.told) == (True, None, [first, second])


async def test_closing_finishes_what_waits_and_then_disconnects(bench: Bench) -> None:
    waiting = asyncio.ensure_future(bench.committer.submit(creation()))
    await asyncio.sleep(0)
    assert bench.committer.waiting == 1
    async with asyncio.timeout(PATIENCE_SECONDS):
        await bench.committer.close()
        await waiting
    assert bench.committer.waiting == 0
    assert bench.steps == [[*COMMITTED, "close"]]


async def test_a_committer_nobody_used_has_nothing_to_close(bench: Bench) -> None:
    await bench.committer.close()
    assert bench.sessions == []


# --- refusals ------------------------------------------------------------------------------


def renaming(id: str) -> Change:
    return change_of("shop", zones, a_zone(id), Changed(a_zone(id, 2)))


async def test_the_refused_are_told_why_and_the_others_commit(bench: Bench) -> None:
    there = [{"project": "shop", "id": "there", "first": 1, "second": 0}]
    bench.prepare.append(lambda made: made.rows.update({"zone.lock_to_update": there}))
    refusal, *others = await bench.submit(renaming("gone"), renaming("there"), creation("new"))
    assert (type(refusal).__name__, others) == ("ResourceNotFound", [None, None])
    assert [change.puts[0].id for change in bench.told] == ["there", "new"]
    assert bench.steps == [["begin", "read", "write", "commit"]]


async def test_a_batch_of_refused_ones_commits_nothing(bench: Bench) -> None:
    assert kinds(await bench.submit(renaming("a"), renaming("b"))) == [type_of("ResourceNotFound")] * 2
    assert (bench.steps, bench.told) == ([["begin", "read", "rollback"]], [])


def type_of(name: str) -> type[ApiError]:
    return next(each for each in ApiError.__subclasses__() if each.__name__ == name)


def clashing(*there: str) -> Callable[[Recorded], None]:
    """A session in whose tables these zones are already."""

    def prepare(made: Recorded) -> None:
        made.misses["zone.insert"] = [len(there)]
        made.rows["zone.find_present"] = [{"project": "shop", "id": id} for id in there]

    return prepare


async def test_what_met_something_is_rolled_back_explained_and_run_again_without_it(bench: Bench) -> None:
    bench.prepare.append(clashing("b"))
    answers = await bench.submit(creation("a"), creation("b"), creation("c"))
    assert kinds(answers) == [None, ConcurrentModification, None]
    assert bench.steps == [["begin", "write", "rollback", "read", *COMMITTED]]
    assert [change.puts[0].id for change in bench.told] == ["a", "c"]
    assert [arguments[1] for arguments in bench.sessions[0].named("zone.insert")] == [["a", "b", "c"], ["a", "c"]]


async def test_when_all_met_something_nothing_is_left_to_run(bench: Bench) -> None:
    bench.prepare.append(clashing("a", "b"))
    assert kinds(await bench.submit(creation("a"), creation("b"))) == [ConcurrentModification] * 2
    assert bench.steps == [["begin", "write", "rollback", "read"]]


async def test_a_clash_nobody_can_explain_is_tried_so_often_and_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RUNS_MAX", 3)
    bench.prepare.append(lambda made: made.misses["zone.insert"].extend([1] * 9))
    assert kinds(await bench.submit(creation("a"), creation("b"))) == [OverCapacity] * 2
    assert bench.steps == [["begin", "write", "rollback", "read"] * 3]


# --- what breaks before COMMIT ------------------------------------------------------------


@pytest.mark.parametrize("step", ["begin", "write"])
async def test_a_connection_that_breaks_before_the_commit_costs_nothing(bench: Bench, step: str) -> None:
    bench.failing(step, LOST)
    change = creation()
    assert await bench.submit(change) == [None]
    assert [steps[-1] for steps in bench.steps] == ["terminate", "commit"]
    assert bench.told == [change]


async def test_a_session_that_was_closed_meanwhile_is_replaced(bench: Bench) -> None:
    await bench.submit(creation("a"))
    bench.sessions[0].closed = True
    assert await bench.submit(creation("b")) == [None]
    assert bench.steps == [COMMITTED, COMMITTED]


@pytest.mark.parametrize("kind", module.CONFLICTS)
async def test_a_conflict_is_tried_again_on_a_new_connection(bench: Bench, kind: type[Exception]) -> None:
    bench.failing("write", kind("conflict"))
    with captured_logs() as logs:
        assert await bench.submit(creation()) == [None]
    assert bench.steps == [["begin", "write", "terminate"], COMMITTED]
    assert [(line["event"], line["attempt"], line["reason"]) for line in logs] == [
        ("commit.conflict", 0, kind.__name__)
    ]


async def test_conflicts_without_end_are_given_up(bench: Bench) -> None:
    for _ in range(CONFLICT_RETRIES_MAX + 1):
        bench.failing("write", asyncpg.DeadlockDetectedError("conflict"))
    assert kinds(await bench.submit(creation())) == [OverCapacity]
    assert len(bench.sessions) == CONFLICT_RETRIES_MAX + 1
    assert await bench.submit(creation()) == [None]


async def test_one_conflict_less_than_that_is_lived_through(bench: Bench) -> None:
    for _ in range(CONFLICT_RETRIES_MAX):
        bench.failing("write", asyncpg.DeadlockDetectedError("conflict"))
    assert await bench.submit(creation()) == [None]


async def test_no_attempt_begins_once_the_time_of_the_batch_is_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_SECONDS_MAX", -1.0)
    assert kinds(await bench.submit(creation())) == [OverCapacity]
    assert bench.sessions == []


async def test_while_the_database_is_away_nothing_happened(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "OUTAGE_PATIENCE_SECONDS", 0.0)
    bench.failing("begin", LOST)
    assert kinds(await bench.submit(creation("a"), creation("b"))) == [BadGateway] * 2
    assert (bench.steps, bench.told) == ([["begin", "terminate"]], [])


# --- what breaks at COMMIT ------------------------------------------------------------------


@pytest.mark.parametrize("committed", [True, False])
async def test_a_connection_lost_at_the_commit_is_settled_by_the_fate(bench: Bench, committed: bool) -> None:
    bench.failing("commit", LOST)
    bench.deciding(committed=committed)
    change = creation()
    with captured_logs() as logs:
        assert await bench.submit(change) == [None]
    again = [] if committed else COMMITTED
    assert bench.steps == [[*COMMITTED, "terminate"], ["write", "read", *again]]
    assert bench.told == [change]
    ((fate, _),) = bench.sessions[0].named("decide_fate")
    assert bench.sessions[1].named("decide_fate")[0] == (fate, False)
    assert bench.sessions[1].named("find_fate") == [(fate,)]
    texts = {part.name: part.sql for part in bench.sessions[1].parts[:2]}
    assert texts == {name: queries("constraints")[name] for name in ("decide_fate", "find_fate")}
    assert {"event": "commit.recovered", "fate": fate, "committed": committed, "log_level": "warning"} in logs


async def test_the_refused_of_a_batch_that_did_commit_stay_refused(bench: Bench) -> None:
    bench.failing("commit", LOST)
    bench.deciding(committed=True)
    answers = await bench.submit(creation("a"), renaming("gone"))
    assert (answers[0], type(answers[1]).__name__) == (None, "ResourceNotFound")
    assert [change.puts[0].id for change in bench.told] == ["a"]


async def test_the_question_is_asked_again_until_it_is_answered(bench: Bench) -> None:
    bench.failing("commit", LOST)
    bench.failing("decide_fate", LOST)
    bench.failing("find_fate", LOST)
    bench.deciding(committed=True)
    assert await bench.submit(creation()) == [None]
    assert [steps[-1] for steps in bench.steps] == ["terminate", "terminate", "terminate", "read"]


@pytest.mark.parametrize("problem", [asyncpg.DiskFullError("full"), LOST])
async def test_while_the_question_has_no_answer_the_outcome_is_unknown(
    bench: Bench, problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "OUTAGE_PATIENCE_SECONDS", 0.0)
    bench.failing("commit", LOST)
    bench.failing("decide_fate", problem)
    assert kinds(await bench.submit(creation("a"), creation("b"))) == [PendingOperation] * 2
    assert bench.told == []


async def test_a_conflict_at_the_commit_itself_means_it_did_not_happen(bench: Bench) -> None:
    bench.failing("commit", asyncpg.SerializationError("conflict"))
    assert await bench.submit(creation()) == [None]
    assert bench.steps == [[*COMMITTED, "terminate"], COMMITTED]


# --- what the database cannot take ----------------------------------------------------------


async def test_a_change_the_database_cannot_take_is_found_by_trying_each_alone(bench: Bench) -> None:
    problem = asyncpg.DataError("no such number")
    bench.prepare.append(lambda made: made.fails["write"].append(problem))
    bench.prepare.append(lambda made: made.fails["write"].extend([None, problem]))
    with captured_logs() as logs:
        answers = await bench.submit(creation("a"), creation("b"), creation("c"))
    assert kinds(answers) == [None, InvalidInput, None]
    assert str(answers[1]) == "The database cannot store this: no such number"
    assert [change.puts[0].id for change in bench.told] == ["a", "c"]
    assert [(line["event"], line["changes"], line["reason"]) for line in logs] == [
        ("commit.isolating", 3, "no such number")
    ]


async def test_of_two_changes_the_healthy_one_commits(bench: Bench) -> None:
    problem = asyncpg.DataError("no such number")
    bench.failing("write", problem)
    bench.failing("write", problem)
    assert kinds(await bench.submit(creation("sick"), creation("healthy"))) == [InvalidInput, None]


@pytest.mark.parametrize(
    ("problem", "answer"),
    [
        (asyncpg.ProgramLimitExceededError("too long"), InvalidInput),
        (asyncpg.DiskFullError("full"), OverCapacity),
        (RuntimeError("a mistake of ours"), General),
        (asyncpg.UniqueViolationError("a mistake of ours"), General),
    ],
)
async def test_what_goes_wrong_with_one_change_is_answered_as_what_it_is(
    bench: Bench, problem: Exception, answer: type[ApiError]
) -> None:
    bench.failing("write", problem)
    assert kinds(await bench.submit(creation())) == [answer]
    assert bench.steps == [["begin", "write", "terminate"]]
    assert await bench.submit(creation()) == [None]


async def test_a_full_disk_is_not_tried_with_each_alone(bench: Bench) -> None:
    bench.failing("write", asyncpg.DiskFullError("full"))
    with captured_logs() as logs:
        answers = await bench.submit(creation("a"), creation("b"))
    assert (kinds(answers), len(bench.sessions)) == ([OverCapacity] * 2, 1)
    assert str(answers[0]) == "The database has no room for this; try again later."
    assert [(line["event"], line["reason"]) for line in logs] == [("commit.no_resources", "full")]


async def test_a_mistake_of_ours_is_logged_with_where_it_happened(bench: Bench) -> None:
    bench.failing("write", RuntimeError("a mistake"))
    with captured_logs() as logs:
        await bench.submit(creation())
    assert [(line["event"], line["log_level"]) for line in logs] == [("commit.failed", "error")]


async def test_whatever_becomes_of_the_committer_nobody_waits_for_ever(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(bench.committer, "_verdicts_of", broken)
    assert kinds(await bench.submit(creation("a"), creation("b"))) == [PendingOperation] * 2
    monkeypatch.undo()
    assert await bench.submit(creation("c")) == [None]
