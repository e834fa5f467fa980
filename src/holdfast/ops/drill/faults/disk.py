"""The disk is full: nothing can be written until somebody makes room."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from holdfast.ops.drill.disk import LoopDisk
from holdfast.ops.drill.fault import AnyFault, Fault
from holdfast.ops.drill.faults.power import OnOwnDisk
from holdfast.ops.trouble import Trouble

# Room for an empty database with its log, and for the orders of a short sale.
SMALL_DISK_BYTES = 4 * 1024**3
FULL_SECONDS = (1.0, 3.0)
LOG_FILES_MAX = 128
ANSWER_SECONDS_MAX = 5.0
# Writing something first, as an empty file is not left behind.
NEXT_LOG_FILE = "SELECT pg_logical_emit_message(false, 'drill', 'next'), pg_switch_wal()"


class OnSmallDisk(OnOwnDisk):
    """A shop on a disk that is soon full."""

    name = "on a small disk"
    disk_bytes = SMALL_DISK_BYTES


async def fill_disk(setting: OnSmallDisk, chance: random.Random) -> None:
    """No room for new orders: statements fail, PostgreSQL goes on."""
    async with no_room(setting.disk):
        await asyncio.sleep(chance.uniform(*FULL_SECONDS))


async def fill_log_disk(setting: OnSmallDisk, chance: random.Random) -> None:
    """No room for PostgreSQL's log: it stops, and cannot even start until there is."""
    async with no_room(setting.disk):
        await exhaust_log(setting.stage.dsn)
        await asyncio.sleep(chance.uniform(*FULL_SECONDS))


@asynccontextmanager
async def no_room(disk: LoopDisk) -> AsyncIterator[None]:
    """All space is taken, and given back at the end."""
    taken = await asyncio.to_thread(disk.fill)
    try:
        if not taken:
            raise Trouble("A fault did not take effect.", why="The disk was full before.", code="fault-missed")
        yield
    finally:
        disk.free()


async def exhaust_log(dsn: str) -> None:
    """Have the log begin new files until there is no room for another. Raises Trouble when there always is."""
    for _ in range(LOG_FILES_MAX):
        try:
            connection = await asyncpg.connect(dsn, timeout=ANSWER_SECONDS_MAX, command_timeout=ANSWER_SECONDS_MAX)
            await connection.execute(NEXT_LOG_FILE)
            await connection.close(timeout=ANSWER_SECONDS_MAX)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return
    raise Trouble("A fault did not take effect.", why="The log found room all the time.", code="fault-missed")


FAULTS: tuple[AnyFault, ...] = (
    Fault("disk-full", "the disk of the data folder fills up, then space returns", OnSmallDisk, fill_disk),
    Fault("log-disk-full", "so full that PostgreSQL has no room for its log", OnSmallDisk, fill_log_disk),
)
