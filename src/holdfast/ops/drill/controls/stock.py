"""A shop that grants every reservation: it must be found to have sold what it did not have."""

from __future__ import annotations

import asyncio
import random
import time

import asyncpg

from holdfast.ops.drill.controls.sabotaged import Sabotaged
from holdfast.ops.drill.fault import AnyControl, Control
from holdfast.ops.drill.faults.processes import kill_api_worker

SOLD_OUT_SECONDS_MAX = 15.0
POLL_SECONDS = 0.05
CHECKS = "SELECT conname FROM pg_constraint WHERE conrelid = 'stock'::regclass AND contype = 'c'"
BELOW_ZERO = "SELECT EXISTS (SELECT 1 FROM stock WHERE on_stock < reserved)"


class Unguarded(Sabotaged):
    """Neither the committer nor the table checks what is left."""

    name = "with unguarded stock"
    sabotage = "unguarded"

    async def opened(self) -> None:
        connection = await asyncpg.connect(self.stage.dsn)
        try:
            for (check,) in await connection.fetch(CHECKS):
                await connection.execute(f'ALTER TABLE stock DROP CONSTRAINT "{check}"')
        finally:
            await connection.close()


async def sell_out(setting: Unguarded, chance: random.Random) -> None:
    """A worker dies, and the sale goes on until something scarce is gone."""
    await kill_api_worker(setting, chance)
    connection = await asyncpg.connect(setting.stage.dsn)
    give_up = time.monotonic() + SOLD_OUT_SECONDS_MAX
    try:
        while not await connection.fetchval(BELOW_ZERO) and time.monotonic() < give_up:  # noqa: ASYNC110 - SQL tells
            await asyncio.sleep(POLL_SECONDS)
    finally:
        await connection.close()


CONTROLS: tuple[AnyControl, ...] = (
    Control(
        "unguarded-stock",
        "reservations are granted whatever is left",
        Unguarded,
        sell_out,
        is_outage=False,
        proves=("kill-api-worker", "pause-api-worker", "end-connections", "slow-network", "clocks-apart"),
        finds=("oversold",),
    ),
)
