"""The relay: deals messages out to subscriptions, and keeps a sender at work for each that is owed something.

Several relays may run, on one host or on many. Dealing takes turns; a subscription belongs to whoever holds
it, until its connection to the database ends. A relay that dies loses nothing: what it had not noted is sent
again by the next one, under the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg

from holdfast.base.log import log
from holdfast.commerce.resources.subscription.destinations import AnyDestination
from holdfast.commerce.resources.subscription.shape import Subscription
from holdfast.delivery.destinations.kinds import NoAdapter
from holdfast.delivery.destinations.port import Destination
from holdfast.delivery.sender import MISCONFIGURED, Patience, Sender
from holdfast.store.pool import CONNECTION_LOST
from holdfast.store.relay import DEAL_MAX, Desk, Hold, Record, Work
from holdfast.store.store import Store

# The outbox is looked at this often, and at once when a process of this host committed something.
POLL_SECONDS = 1.0
WAKE_SECONDS = 0.02
# Subscriptions one process sends for at once.
SENDERS_MAX = 64
# A subscription whose sender failed is left alone this long.
PAUSE_SECONDS = 5.0
STOP_SECONDS = 5.0

Place = tuple[str, str]  # project, subscription id


class Relay:
    """Deals and sends until stopped."""

    def __init__(
        self, dsn: str, store: Store, patience: Patience, connect: Callable[[AnyDestination], Destination]
    ) -> None:
        self._store = store
        self._patience = patience
        self._connect = connect
        self._dealer = Desk(dsn)
        self._desk = Desk(dsn)
        self._senders: dict[Place, Sender] = {}
        self._versions: dict[Place, Work] = {}
        self._tasks: dict[Place, asyncio.Task[None]] = {}
        self._rest_until: dict[Place, float] = {}
        self._news = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; whatever the database does meanwhile."""
        loops = [asyncio.create_task(_repeat(step, stop)) for step in (self._deal, self._tend)]
        await stop.wait()
        for sender in self._senders.values():
            sender.stop()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=STOP_SECONDS)
        for task in (*loops, *self._tasks.values()):
            task.cancel()
        await asyncio.gather(*loops, *self._tasks.values(), return_exceptions=True)
        self._dealer.hang_up()
        self._desk.hang_up()

    # --- dealing ---------------------------------------------------------------------------

    async def _deal(self) -> None:
        """Deal out what there is, then wait until there may be more."""
        seen = self._store.epochs.snapshot()
        dealt = await self._dealer.deal()
        if dealt.dealt:
            self._tell()
        if dealt.fresh < DEAL_MAX:
            await self._quiet(seen)

    async def _quiet(self, seen: bytes) -> None:
        """Until somebody on this host commits something, or long enough."""
        loop = asyncio.get_running_loop()
        until = loop.time() + POLL_SECONDS
        # Other processes write there; they can set no event of ours.
        while loop.time() < until and self._store.epochs.snapshot() == seen:  # noqa: ASYNC110
            await asyncio.sleep(WAKE_SECONDS)

    def _tell(self) -> None:
        self._news.set()
        for sender in self._senders.values():
            sender.tell()

    # --- sending ---------------------------------------------------------------------------

    async def _tend(self) -> None:
        """A sender for each subscription that is owed something, and none that follows outdated instructions."""
        for work in await self._desk.find_work():
            place = (work.project, work.id)
            if place in self._senders:
                if self._versions[place] != work:
                    self._senders[place].stop()
            elif len(self._tasks) < SENDERS_MAX and self._may_start(place):
                await self._start(work)
        await self._desk.sweep()
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), POLL_SECONDS)
        except TimeoutError:
            return

    def _may_start(self, place: Place) -> bool:
        if place in self._tasks:
            return False
        if self._rest_until.get(place, 0.0) > asyncio.get_running_loop().time():
            return False
        self._rest_until.pop(place, None)
        return True

    async def _start(self, work: Work) -> None:
        hold = await self._desk.try_hold(work)
        if hold is None:
            return
        place = (work.project, work.id)
        task = asyncio.create_task(self._serve(work, hold))
        self._tasks[place] = task
        task.add_done_callback(lambda _: self._ended(place))

    def _ended(self, place: Place) -> None:
        self._tasks.pop(place, None)
        self._senders.pop(place, None)
        self._versions.pop(place, None)

    async def _serve(self, work: Work, hold: Hold) -> None:
        """Send for one subscription until it is owed nothing more. Its troubles are its own."""
        place = (work.project, work.id)
        try:
            await self._send(work, hold)
            await self._desk.let_go(hold)
        except NoAdapter as missing:
            log.warning("relay.no_adapter", project=work.project, subscription=work.id, reason=str(missing))
            self._pause(place)
            with suppress(*CONNECTION_LOST, asyncpg.PostgresError):
                await self._desk.record(hold, Record(status=MISCONFIGURED))
                await self._desk.let_go(hold)
        except (*CONNECTION_LOST, asyncpg.PostgresError) as lost:
            log.warning("relay.lost", subscription=work.id, reason=str(lost) or type(lost).__name__)
        except Exception:  # noqa: BLE001 - logged, and tried again; the others go on
            log.exception("relay.failed", project=work.project, subscription=work.id)
            self._pause(place)
            with suppress(*CONNECTION_LOST, asyncpg.PostgresError):
                await self._desk.let_go(hold)

    def _pause(self, place: Place) -> None:
        self._rest_until[place] = asyncio.get_running_loop().time() + PAUSE_SECONDS

    async def _send(self, work: Work, hold: Hold) -> None:
        subscription = await self._read("subscription", work)
        secret = await self._read("subscription-secret", work)
        if subscription is None or secret is None:
            return
        assert isinstance(subscription, Subscription)
        destination = self._connect(secret.destination)
        sender = Sender(self._desk, hold, subscription, destination, self._patience)
        place = (work.project, work.id)
        self._senders[place], self._versions[place] = sender, work
        await sender.run()

    async def _read(self, kind: str, work: Work) -> Any:
        document = await self._store.get(kind, work.project, work.id)
        return document.resource if document is not None else None


async def _repeat(step: Callable[[], Any], stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await step()
        except (*CONNECTION_LOST, asyncpg.PostgresError) as lost:
            log.warning("relay.database_lost", reason=str(lost) or type(lost).__name__)
            await asyncio.sleep(POLL_SECONDS)
        except Exception:  # noqa: BLE001 - the edge of the relay: logged, and tried again
            log.exception("relay.failed")
            await asyncio.sleep(POLL_SECONDS)
