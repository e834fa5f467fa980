"""Databases that say "done" before it is: they must be found to have lost what was acknowledged."""

from __future__ import annotations

import asyncio
import random
import time

import asyncpg

from holdfast.ops.drill.fault import AnyControl, Control, Setting
from holdfast.ops.drill.faults.power import OnOwnDisk, cut_power
from holdfast.ops.drill.faults.processes import kill_postgres

# Commits wait in memory until the log writer's next round, which is as late as it can be.
LATE_FLUSH = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "2GB"}
NO_FLUSH = {"fsync": "off"}
ACKNOWLEDGED_SECONDS = 0.5
SET_SECONDS_MAX = 5.0
POLL_SECONDS = 0.01


class LateFlush(Setting):
    """Acknowledges before the flush."""

    name = "with a late flush"


class NoFlush(OnOwnDisk):
    """Never flushes."""

    name = "without a flush"


async def kill_late_flushing(setting: LateFlush, chance: random.Random) -> None:
    """Orders are acknowledged that are only in memory; then the memory goes."""
    await set_in_database(setting, LATE_FLUSH)
    await asyncio.sleep(ACKNOWLEDGED_SECONDS)
    await kill_postgres(setting, chance)


async def cut_unflushed(setting: NoFlush, chance: random.Random) -> None:
    """What was there before is on the disk; what is acknowledged from then on is not."""
    await set_in_database(setting, NO_FLUSH)
    await asyncio.to_thread(setting.disk.settle)
    await asyncio.sleep(ACKNOWLEDGED_SECONDS)
    await cut_power(setting, chance)


async def set_in_database(setting: Setting, values: dict[str, str]) -> None:
    """Set these in the drill's own database, and wait until it goes by them."""
    connection = await asyncpg.connect(setting.stage.dsn)
    try:
        await connection.execute("CHECKPOINT")
        for name, value in values.items():
            await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        await connection.execute("SELECT pg_reload_conf()")
        give_up = time.monotonic() + SET_SECONDS_MAX
        name, value = next(iter(values.items()))
        while await connection.fetchval("SELECT current_setting($1)", name) != value:
            assert time.monotonic() < give_up, f"{name} stays as it is"
            await asyncio.sleep(POLL_SECONDS)
    finally:
        await connection.close()


CONTROLS: tuple[AnyControl, ...] = (
    Control(
        "late-flush",
        "commits are acknowledged before they are flushed",
        LateFlush,
        kill_late_flushing,
        proves=("kill-postgres", "quit-postgres", "kill-backend", "kill-everything", "disk-full", "log-disk-full"),
        finds=("lost",),
    ),
    Control(
        "no-flush",
        "nothing is ever flushed",
        NoFlush,
        cut_unflushed,
        proves=("power-cut",),
        finds=("lost",),
    ),
)
