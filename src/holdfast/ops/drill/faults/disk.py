"""The disk is full: nothing can be written until somebody makes room."""

from __future__ import annotations

import asyncio
import random

from holdfast.ops.drill.fault import AnyFault, Fault
from holdfast.ops.drill.faults.power import OnOwnDisk
from holdfast.ops.trouble import Trouble

# Room for an empty database with its log, and for the orders of a short sale.
SMALL_DISK_BYTES = 4 * 1024**3
FULL_SECONDS = (2.0, 4.0)


class OnSmallDisk(OnOwnDisk):
    """A shop on a disk that is soon full."""

    name = "on a small disk"
    disk_bytes = SMALL_DISK_BYTES


async def fill_disk(setting: OnSmallDisk, chance: random.Random) -> None:
    """All space is taken for a while, then given back."""
    taken = await asyncio.to_thread(setting.disk.fill)
    try:
        if not taken:
            raise Trouble("A fault did not take effect.", why="The disk was full before.", code="fault-missed")
        await asyncio.sleep(chance.uniform(*FULL_SECONDS))
    finally:
        setting.disk.free()


FAULTS: tuple[AnyFault, ...] = (
    Fault("disk-full", "the disk of the data folder fills up, then space returns", OnSmallDisk, fill_disk),
)
