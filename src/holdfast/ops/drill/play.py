"""Plays one scene: a shop on its stage, a sale in it, faults striking, and the verdict."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from holdfast.ops.bench.limits import free_port
from holdfast.ops.bench.shop import Shop, open_shop
from holdfast.ops.drill.assortment import Assortment, fill
from holdfast.ops.drill.checkout import Broken, GaveUp, Shopper, Till
from holdfast.ops.drill.fault import AnyFault
from holdfast.ops.drill.journal import Journal
from holdfast.ops.drill.pulse import Pulse
from holdfast.ops.drill.sale import Sale
from holdfast.ops.drill.scene import Report, Scene, Script, Struck, told
from holdfast.ops.drill.second_opinion import audited, receipts_checked
from holdfast.ops.drill.shelf import Shelf, opened
from holdfast.ops.drill.stage import Stage
from holdfast.ops.drill.verdict import judge, missing, sample
from holdfast.ops.drill.watchman import Watchman
from holdfast.ops.trouble import Trouble

WARM_SECONDS_MAX = 30.0
RECOVERY_SECONDS_MAX = 60.0
STRIKE_SECONDS_MAX = 120.0
# How much longer or shorter than the script says a sale goes on before it is struck.
CALM_SPREAD = (0.4, 1.6)
# Orders the shop must have acknowledged, one client with another, before it is struck again.
ORDERS_BETWEEN_A_CLIENT = 2
SAMPLE = 60
POLL_SECONDS = 0.01

# What ends a scene early, and is a problem of that scene alone.
BROKEN_OFF = (Trouble, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Play:
    """Sets up, sells, strikes and judges, once."""

    def __init__(self, script: Script, stage: Stage, report: Report) -> None:
        self.script = script
        self.stage = stage
        self.report = report
        self.setting = script.setting(stage)
        self.chance = random.Random(script.seed)  # noqa: S311 - to be repeated, not to be secret
        self.scene = Scene(script.setting.name, script.seed)
        self.journal_path = stage.folder / "journal.jsonl"
        self._checked_to = 0

    async def perform(self) -> Scene:
        """Set up, sell, strike, judge; whatever happens, the stage is empty afterwards."""
        try:
            await self.setting.prepare()
            await self.stage.start()
            shop = await self._shop(self.stage.url)
            assortment = await fill(shop, self.script.distinct, self.script.scarce)
            await self.setting.opened()
            await self._sell(await self._shop(self.stage.front or self.stage.url), assortment)
            await self._judge(shop, assortment)
        except BROKEN_OFF as error:
            self._note(error)
        finally:
            await self._leave()
        return self.scene

    def _note(self, error: Exception) -> None:
        told = f"{error.what} {error.why}" if isinstance(error, Trouble) else f"{type(error).__name__}: {error}"
        self.scene.problems.append(told.strip())

    async def _shop(self, url: str) -> Shop:
        assert self.stage.account is not None
        return await asyncio.to_thread(open_shop, url, *self.stage.account)

    async def _sell(self, shop: Shop, assortment: Assortment) -> None:
        journal = Journal(self.journal_path)
        pulse = self.scene.pulse = Pulse()
        sale = Sale(Till(shop, pulse), assortment, journal, self.script.habits, self.script.seed)
        await sale.stock_carts(self.stage.dsn, shop.project)
        sale.open()
        try:
            await self._strike_all(sale)
        except BROKEN_OFF as error:
            self._note(error)
            sale.till.patience_seconds = 0.0
        finally:
            try:
                await sale.close()
            except TimeoutError:
                self.scene.problems.append("Shoppers were still waiting for an answer long after the sale had closed.")
            journal.close()
            self.scene.seconds = pulse.now()
            self.scene.outcomes = dict(sale.outcomes)

    # --- strikes -------------------------------------------------------------------------------

    async def _strike_all(self, sale: Sale) -> None:
        began = time.monotonic()
        await self._selling(sale, WARM_SECONDS_MAX)
        while True:
            for fault in self._round():
                if self.script.stop.is_set():
                    self.scene.problems.append("It was stopped before its end.")
                    return
                await self._strike(fault, sale)
            over = time.monotonic() - began >= self.script.seconds
            if over and sale.pulse.orders >= self.script.orders:
                return

    def _round(self) -> list[AnyFault]:
        """Every fault as often as it wants, in an order of chance."""
        round_ = [fault for fault in self.script.faults for _ in range(fault.times)]
        self.chance.shuffle(round_)
        return round_

    async def _strike(self, fault: AnyFault, sale: Sale) -> None:
        await asyncio.sleep(self.script.calm_seconds * self.chance.uniform(*CALM_SPREAD))
        await self._in_flight(sale)
        pulse = sale.pulse
        at, in_flight, requests, failures = pulse.now(), sale.in_flight, pulse.requests, pulse.failures
        pause = pulse.watch()
        watchman = Watchman(self.stage)
        async with watchman.looking():
            began = time.monotonic()
            await asyncio.wait_for(fault.strike(self.setting, self.chance), STRIKE_SECONDS_MAX)
            await self.stage.whole(RECOVERY_SECONDS_MAX)
            whole = time.monotonic() - began
            await self._selling(sale, RECOVERY_SECONDS_MAX)
        first = [second for second in (watchman.noticed_seconds, pulse.first_failure_seconds()) if second is not None]
        struck = Struck(
            fault.name,
            at,
            in_flight,
            min(first, default=None),
            pause.longest_seconds,
            pause.recovered_after_seconds,
            whole,
            pulse.requests - requests,
            pulse.failures - failures,
        )
        self.scene.struck.append(struck)
        self.report(told(struck))
        await self._check_acknowledged()

    async def _in_flight(self, sale: Sale) -> None:
        """Wait for the moment in which somebody waits for an answer."""
        give_up = time.monotonic() + WARM_SECONDS_MAX
        while not sale.in_flight:
            if time.monotonic() > give_up:
                raise Trouble("No request is in flight.", why="A fault now would hit nobody.", code="drill-idle")
            await asyncio.sleep(0)

    async def _selling(self, sale: Sale, seconds_max: float) -> None:
        """Wait until orders come again: so many for each client."""
        wanted = sale.pulse.orders + ORDERS_BETWEEN_A_CLIENT * self.script.habits.clients
        give_up = time.monotonic() + seconds_max
        while sale.pulse.orders < wanted:
            sale.check()
            if time.monotonic() > give_up:
                why = f"{wanted - sale.pulse.orders} orders too few after {seconds_max:.0f} s."
                raise Trouble("The drilled shop does not sell.", why=why, code="drill-stuck")
            await asyncio.sleep(POLL_SECONDS)

    # --- verdict -------------------------------------------------------------------------------

    async def _check_acknowledged(self) -> None:
        """Right after a recovery: everything acknowledged since the last one must be there."""
        async with self._shelf() as shelf:
            gone, self._checked_to = await missing(self.journal_path, self._checked_to, shelf)
        if gone:
            self.report(f"LOST: {len(gone)} acknowledged orders are not there, the first: {gone[0]}")

    async def _judge(self, shop: Shop, assortment: Assortment) -> None:
        if not self.stage.is_running:
            self.scene.problems.append("The shop has ended and could not be asked.")
            return
        try:
            await self.stage.whole(RECOVERY_SECONDS_MAX)
            self.scene.came_back = True
            async with self._shelf() as shelf:
                self.scene.verdict = await judge(self.journal_path, shelf, assortment.units, self.stage.folder)
            self.scene.verdict.find("lost", await self._reads_otherwise(shop))
            self.scene.verdict.find("lost", await receipts_checked(self.stage, self.journal_path))
            self.scene.verdict.find("unexplained", await audited(self.stage, self.scene.verdict.placed))
        except BROKEN_OFF as error:
            self._note(error)

    async def _reads_otherwise(self, shop: Shop) -> list[str]:
        """Some of the orders, read over HTTP: what is served must be what was acknowledged."""
        wrong = []
        shopper = Shopper(Till(shop, Pulse()), self.chance)
        for entry in sample(self.journal_path, SAMPLE, self.chance):
            try:
                await shopper.look_again(entry.order_id, entry.digest)
            except (Broken, GaveUp) as broken:
                wrong.append(str(broken) or f"order {entry.order_id} cannot be read")
        shopper.close()
        return wrong

    @asynccontextmanager
    async def _shelf(self) -> AsyncIterator[Shelf]:
        assert self.stage.account is not None
        async with opened(self.stage.dsn, self.stage.account.project_key) as shelf:
            yield shelf

    async def _leave(self) -> None:
        try:
            await self.stage.stop()
        except Trouble as trouble:
            self._note(trouble)
        finally:
            self.stage.kill_everything()
            await self.stage.ended()
            await self.setting.clear()


async def play(script: Script, place: Path | None, report: Report, keep: Path | None = None) -> Scene:
    """Play one scene in a folder of its own; the journal of a bad one is copied to `keep`."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-drill-", dir=place))
    os.chmod(folder, 0o711)  # noqa: PTH101,S103 - the database account has to pass through
    stage = Stage(folder, free_port(), folder / "data", script.workers)
    performance = Play(script, stage, report)
    try:
        scene = await performance.perform()
        if keep and not scene.holds and performance.journal_path.exists():
            shutil.copyfile(performance.journal_path, keep)
            report(f"what clients were told is kept in {keep}")
        return scene
    finally:
        shutil.rmtree(folder, ignore_errors=True)
