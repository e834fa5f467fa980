"""The clock jumps: an hour ahead and back, for the shop, for its database, or for both.

A small library, compiled here and loaded into the drilled processes alone, adds an offset to what the
machine's clock says; the offset is in a file they all have mapped, so the jump happens while they run.
The machine's own clock is left alone, and so is the steady clock that timers go by: setting the time of
a machine does not move it either.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

from holdfast.ops.drill.database import OwnDatabase
from holdfast.ops.drill.fault import AnyFault, Fault, Setting
from holdfast.ops.server.cluster import CLEAN_ENVIRONMENT
from holdfast.ops.trouble import Trouble

SOURCE = Path(__file__).with_name("clock.c")
COMPILER = "cc"
LIBRARY = "clock.so"
COMPILE_SECONDS_MAX = 60.0
HOUR_SECONDS = 3_600
JUMPED_SECONDS = (1.0, 2.0)
READABLE = 0o644
LOADABLE = 0o755


class Clock:
    """The clock of some processes, which can be set while they run."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.environment = {"LD_PRELOAD": str(library), "DRILL_CLOCK": str(file)}
        self.set(0)
        file.chmod(READABLE)

    def set(self, offset_seconds: int) -> None:
        """Processes have the file mapped: it is written in place."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("q", offset_seconds))


class WithFalseClocks(Setting):
    """A shop with one clock that can be set, and a database with another."""

    name = "with false clocks"

    @classmethod
    def needs(cls) -> str:
        if sys.platform != "linux":
            return "It needs Linux, to load a clock into running programs."
        return "" if shutil.which(COMPILER) else f"It needs a C compiler called {COMPILER} (Debian package gcc)."

    async def prepare(self) -> None:
        folder = self.stage.folder
        library = await asyncio.to_thread(compiled, folder)
        self.shop = Clock(library, folder / "shop.clock")
        self.database_clock = Clock(library, folder / "database.clock")
        self.database = OwnDatabase(folder / "database")
        await self.database.start(self.stage.workers, CLEAN_ENVIRONMENT | self.database_clock.environment)
        self.stage.environment |= self.shop.environment
        self.stage.database = self.stage.direct_database = self.database.url

    async def opened(self) -> None:
        """A clock that nobody looks at would make the drill easy. Raises Trouble."""
        for pid in [*self.stage.pids("api"), *self.stage.pids("background"), self.database.pid]:
            if not has_loaded(pid, LIBRARY):
                raise Trouble("A process does not go by the drill's clock.", why=f"Process {pid}", code="drill-clock")

    async def clear(self) -> None:
        if hasattr(self, "database"):
            await self.database.stop()


def compiled(folder: Path) -> Path:
    """The library, in a folder that the database's account can reach."""
    library = folder / LIBRARY
    command = [COMPILER, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
    made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=COMPILE_SECONDS_MAX)
    if made.returncode:
        raise Trouble("The drill's clock could not be compiled.", why=made.stderr.strip(), code="drill-clock")
    library.chmod(LOADABLE)
    return library


def has_loaded(pid: int, library: str) -> bool:
    return library in Path(f"/proc/{pid}/maps").read_text()


async def jump_ahead(setting: WithFalseClocks, chance: random.Random) -> None:
    """All clocks jump an hour ahead together, and back later."""
    await jumped(chance, (setting.shop, HOUR_SECONDS), (setting.database_clock, HOUR_SECONDS))


async def jump_back(setting: WithFalseClocks, chance: random.Random) -> None:
    """All clocks jump an hour back together, and ahead later."""
    await jumped(chance, (setting.shop, -HOUR_SECONDS), (setting.database_clock, -HOUR_SECONDS))


async def drift_apart(setting: WithFalseClocks, chance: random.Random) -> None:
    """Shop and database are two hours apart for a while."""
    sign = chance.choice((1, -1))
    await jumped(chance, (setting.shop, sign * HOUR_SECONDS), (setting.database_clock, -sign * HOUR_SECONDS))


async def jumped(chance: random.Random, *jumps: tuple[Clock, int]) -> None:
    for clock, offset_seconds in jumps:
        clock.set(offset_seconds)
    try:
        await asyncio.sleep(chance.uniform(*JUMPED_SECONDS))
    finally:
        for clock, _ in jumps:
            clock.set(0)


FAULTS: tuple[AnyFault, ...] = (
    Fault("clock-ahead", "all clocks jump an hour ahead, then back", WithFalseClocks, jump_ahead, is_outage=False),
    Fault("clock-back", "all clocks jump an hour back, then ahead", WithFalseClocks, jump_back, is_outage=False),
    Fault("clocks-apart", "shop and database differ by two hours", WithFalseClocks, drift_apart, is_outage=False),
)
