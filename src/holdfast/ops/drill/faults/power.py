"""The power fails: everything that was not flushed is gone, and every process with it."""

from __future__ import annotations

import asyncio
import random

from holdfast.ops.drill.disk import LoopDisk, missing_for_disks
from holdfast.ops.drill.fault import AnyFault, Fault, Setting

# A sparse file: a million orders fit, a short run takes a few hundred megabytes.
DISK_BYTES = 24 * 1024**3


class OnOwnDisk(Setting):
    """A shop whose data folder, database included, is on a disk of the drill's own."""

    name = "on a disk of its own"
    disk_bytes = DISK_BYTES

    @classmethod
    def needs(cls) -> str:
        return missing_for_disks()

    async def prepare(self) -> None:
        self.disk = LoopDisk(self.stage.folder, self.disk_bytes)
        await asyncio.to_thread(self.disk.make)
        self.stage.data = self.disk.mounted_on / "data"

    async def clear(self) -> None:
        if hasattr(self, "disk"):
            await asyncio.to_thread(self.disk.remove)


async def cut_power(setting: OnOwnDisk, _chance: random.Random) -> None:
    """Cut, then everything dies, the disk comes back as it was left, and the shop is started as at any boot."""
    setting.disk.cut_power()
    setting.stage.kill_everything()
    await setting.stage.ended()
    await asyncio.to_thread(remount, setting.disk)
    await setting.stage.start()


def remount(disk: LoopDisk) -> None:
    disk.unmount()
    disk.mount()


FAULTS: tuple[AnyFault, ...] = (
    Fault("power-cut", "the power fails; what was not flushed is gone", OnOwnDisk, cut_power),
)
