"""The one place of a process where writes become durable.

While one transaction is in flight the next changes gather; they then commit together, in a fixed
number of statements whatever their number, and share one flush. Each gets its own answer. There is
no artificial wait: a lone change commits at once, after a few empty rounds of the event loop.

A connection lost before COMMIT was sent costs nothing: nothing happened, the batch runs again. One
lost at COMMIT leaves a question. Each batch carries an id that it writes into the table `fate`; who
wants to know what became of it writes the same id. That waits for the old transaction, and then
either finds the id there, or takes its place, so that the old one can never commit. The row says which,
because the answer to the question can be lost as well.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import asyncpg

from holdfast.base import tracing
from holdfast.base.counts import counts
from holdfast.base.deadline import Deadline, current
from holdfast.base.errors import ApiError, General, InvalidInput, OverCapacity, PendingOperation
from holdfast.base.ids import uuid7
from holdfast.base.log import log
from holdfast.store import writes
from holdfast.store.batch import judge
from holdfast.store.change import Change
from holdfast.store.coalescer import gathered
from holdfast.store.counted import CONFLICT, ISOLATED, RECOVERED, count_batch
from holdfast.store.pool import CONNECTION_LOST, Database, patiently
from holdfast.store.queries import queries
from holdfast.store.session import Part, Session

_SQL = queries("constraints")

BATCH_MAX = 256
WAITING_MAX = 8_192
# A batch runs again without the changes it refused; each run refuses at least one.
RUNS_MAX = BATCH_MAX + 8
CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)
CONFLICT_RETRIES_MAX = 5
# A batch is begun no later than this after it was taken: what has not happened by then never will.
BATCH_SECONDS_MAX = 60.0


class Waiting(NamedTuple):
    change: Change
    done: asyncio.Future[None]
    deadline: Deadline | None
    # The trace of who asked, where there is one.
    trace: Any = None


class Outcome(NamedTuple):
    """What one transaction came to. Committed: all changes but the refused ones are durable."""

    committed: bool
    refused: dict[int, ApiError]


class CommitUnknown(Exception):
    """The connection broke while the COMMIT of the batch with this fate was under way."""

    def __init__(self, fate: str, outcome: Outcome) -> None:
        super().__init__(fate)
        self.fate = fate
        self.outcome = outcome


class Committer:
    """Gathers changes and commits them in batches; `committed` is told of each before its asker."""

    def __init__(self, database: Database, committed: Callable[[Change], None]) -> None:
        self._database = database
        self._committed = committed
        self._waiting: deque[Waiting] = deque()
        self._running: asyncio.Task[None] | None = None
        self._session: Session | None = None

    @property
    def waiting(self) -> int:
        """Changes that wait for the next batch."""
        return len(self._waiting)

    async def submit(self, change: Change) -> None:
        """Commit a change; returns once it is durable.

        Raises ConcurrentModification, ResourceNotFound, DuplicateField, OutOfStock, ReferenceExists
        or ReferencedResourceNotFound when it was refused, OverCapacity when too many wait,
        BadGateway when the database stayed away, PendingOperation when nobody knows.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise OverCapacity
        loop = asyncio.get_running_loop()
        waiting = Waiting(change, loop.create_future(), current(), tracing.here())
        self._waiting.append(waiting)
        if self._running is None:
            self._running = loop.create_task(self._run())
        await waiting.done

    async def close(self) -> None:
        """Finish what waits, then disconnect."""
        if self._running is not None:
            await self._running
        if self._session is not None:
            await self._session.close()

    async def _run(self) -> None:
        try:
            while self._waiting:
                await gathered()
                batch = self._take()
                if batch:
                    await self._settle(batch)
        finally:
            self._running = None

    def _take(self) -> list[Waiting]:
        """The next batch. Whose asker ran out of time before is left out; from now on its outcome is awaited."""
        taken = [self._waiting.popleft() for _ in range(min(BATCH_MAX, len(self._waiting)))]
        batch = [waiting for waiting in taken if not waiting.done.done()]
        for waiting in batch:
            if waiting.deadline is not None:
                waiting.deadline.begin_commit()
        return batch

    async def _settle(self, batch: list[Waiting]) -> None:
        taken = asyncio.get_running_loop().time()
        try:
            with tracing.batch("commit", [waiting.trace for waiting in batch]):
                verdicts = await self._verdicts_of([waiting.change for waiting in batch], taken + BATCH_SECONDS_MAX)
            count_batch(verdicts, asyncio.get_running_loop().time() - taken)
            for waiting, verdict in zip(batch, verdicts, strict=True):
                if verdict is None:
                    self._committed(waiting.change)
                _tell(waiting, verdict)
        finally:  # whatever became of us, nobody waits for ever
            for waiting in batch:
                _tell(waiting, PendingOperation())

    async def _verdicts_of(self, changes: Sequence[Change], give_up: float) -> Sequence[ApiError | None]:
        """Verdicts whatever happens: a change the database cannot take is found by trying each alone."""
        try:
            return await self._verdicts(changes, give_up)
        except ApiError as error:
            return [error] * len(changes)
        except asyncpg.InsufficientResourcesError as error:  # a full disk, for example: as true for one as for all
            log.error("commit.no_resources", reason=str(error))
            return [OverCapacity("The database has no room for this; try again later.")] * len(changes)
        except Exception as error:  # noqa: BLE001 - the edge of the committer: each change gets an answer
            if len(changes) > 1:
                counts.add(ISOLATED)
                log.warning("commit.isolating", changes=len(changes), reason=str(error))
                return [verdict for change in changes for verdict in await self._verdicts_of([change], give_up)]
            if isinstance(error, (asyncpg.DataError, asyncpg.ProgramLimitExceededError)):
                return [InvalidInput(f"The database cannot store this: {error}")]
            log.exception("commit.failed")
            return [General()]

    async def _verdicts(self, changes: Sequence[Change], give_up: float) -> Sequence[ApiError | None]:
        """Run the batch until every change is either committed or refused."""
        verdicts: list[ApiError | None] = [None] * len(changes)
        left = list(range(len(changes)))
        for _ in range(RUNS_MAX):
            outcome = await self._attempt([changes[index] for index in left], give_up)
            for position, refusal in outcome.refused.items():
                verdicts[left[position]] = refusal
            left = [index for index in left if verdicts[index] is None]
            if outcome.committed or not left:
                return verdicts
        raise OverCapacity

    async def _attempt(self, changes: Sequence[Change], give_up: float) -> Outcome:
        """One transaction, repeated while it was the database's fault that it failed, and there is time."""
        loop = asyncio.get_running_loop()
        for attempt in range(CONFLICT_RETRIES_MAX + 1):
            if loop.time() > give_up:
                break
            try:
                return await patiently(lambda: self._transact(changes))
            except CommitUnknown as unknown:
                if await self._did_commit(unknown.fate):
                    return unknown.outcome
            except CONFLICTS as conflict:
                counts.add(CONFLICT)
                log.warning("commit.conflict", attempt=attempt, reason=type(conflict).__name__)
        raise OverCapacity

    async def _transact(self, changes: Sequence[Change]) -> Outcome:
        session = await self._connected()
        fate = uuid7()
        try:
            await session.begin()
            ground = await writes.survey(session, changes)
            verdicts = judge(changes, ground)
            refused = {index: verdict for index, verdict in enumerate(verdicts) if verdict is not None}
            accepted = [change for change, verdict in zip(changes, verdicts, strict=True) if verdict is None]
            missed = await writes.write(session, accepted, ground, fate) if accepted else writes.Missed()
            if missed or not accepted:
                await session.rollback()
                # All others were judged as if those who clashed would commit: they are judged again without them.
                return Outcome(False, await writes.explain(session, changes, missed) if missed else refused)
            await self._commit(session, fate, Outcome(True, refused))
            return Outcome(True, refused)
        except CommitUnknown:
            raise
        except BaseException:
            self._forget(session)
            raise

    async def _commit(self, session: Session, fate: str, outcome: Outcome) -> None:
        try:
            await session.commit()
        except CONNECTION_LOST as lost:
            self._forget(session)
            raise CommitUnknown(fate, outcome) from lost

    async def _did_commit(self, fate: str) -> bool:
        """Settle what became of a batch. Raises PendingOperation while the database cannot say."""
        try:
            committed = await patiently(lambda: self._settle_fate(fate))
        except (ApiError, asyncpg.PostgresError) as problem:
            raise PendingOperation from problem
        counts.add(RECOVERED)
        log.warning("commit.recovered", fate=fate, committed=committed)
        return committed

    async def _settle_fate(self, fate: str) -> bool:
        """Decide that the batch shall not commit, unless it has; safe to repeat, as the row says who wrote it."""
        session = await self._connected()
        try:
            await session.write([Part("decide_fate", _SQL["decide_fate"], (fate, False))])
            ((found,),) = await session.read([Part("find_fate", _SQL["find_fate"], (fate,))])
        except BaseException:
            self._forget(session)
            raise
        committed: bool = found["committed"]
        return committed

    async def _connected(self) -> Session:
        if self._session is None or self._session.is_closed():
            self._session = await self._database.session()
        return self._session

    def _forget(self, session: Session) -> None:
        """Drop a session whose transaction is in an unknown or broken state: the server rolls it back."""
        session.terminate()
        self._session = None


def _tell(waiting: Waiting, verdict: ApiError | None) -> None:
    """Answer whoever waits, unless he was answered or has gone; what was decided stands."""
    if waiting.done.done():
        return
    if verdict is None:
        waiting.done.set_result(None)
    else:
        waiting.done.set_exception(verdict)
