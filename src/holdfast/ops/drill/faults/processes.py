"""Processes that die or stand still, one at a time and all at once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from contextlib import suppress

from holdfast.ops.drill.fault import AnyFault, Fault, Setting
from holdfast.ops.server.inspect import children_of

PAUSE_SECONDS = (0.5, 2.0)


def send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


async def kill_api_worker(setting: Setting, chance: random.Random) -> None:
    send([chance.choice(setting.stage.pids("api"))], signal.SIGKILL)


async def kill_all_api_workers(setting: Setting, _chance: random.Random) -> None:
    send(setting.stage.pids("api"), signal.SIGKILL)


async def kill_background_worker(setting: Setting, _chance: random.Random) -> None:
    send(setting.stage.pids("background"), signal.SIGKILL)


async def kill_supervisor(setting: Setting, _chance: random.Random) -> None:
    send(setting.stage.pids("supervisor"), signal.SIGKILL)
    await setting.stage.restart()


async def kill_postgres(setting: Setting, _chance: random.Random) -> None:
    send(setting.stage.pids("postgres"), signal.SIGKILL)


async def quit_postgres(setting: Setting, _chance: random.Random) -> None:
    """An immediate shutdown: PostgreSQL drops everything and recovers at its next start."""
    send(setting.stage.pids("postgres"), signal.SIGQUIT)


async def kill_backend(setting: Setting, chance: random.Random) -> None:
    """One server process dies; PostgreSQL ends all others and recovers, for memory is shared."""
    (postmaster,) = setting.stage.pids("postgres")
    send([chance.choice(children_of(postmaster))], signal.SIGKILL)


async def kill_everything(setting: Setting, _chance: random.Random) -> None:
    setting.stage.kill_everything()
    await setting.stage.restart()


async def pause_api_worker(setting: Setting, chance: random.Random) -> None:
    await paused([chance.choice(setting.stage.pids("api"))], chance)


async def pause_postgres(setting: Setting, chance: random.Random) -> None:
    (postmaster,) = setting.stage.pids("postgres")
    await paused([postmaster, *children_of(postmaster)], chance)


async def paused(pids: Sequence[int], chance: random.Random) -> None:
    """Stand still for a while, then go on as if nothing had been."""
    send(pids, signal.SIGSTOP)
    try:
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
    finally:
        send(pids, signal.SIGCONT)


FAULTS: tuple[AnyFault, ...] = (
    Fault("kill-api-worker", "SIGKILL to one API worker", Setting, kill_api_worker, is_outage=False),
    Fault("kill-all-api-workers", "SIGKILL to all API workers at once", Setting, kill_all_api_workers),
    Fault("kill-background", "SIGKILL to the background worker", Setting, kill_background_worker, is_outage=False),
    Fault("kill-supervisor", "SIGKILL to the supervisor, then `up` again", Setting, kill_supervisor),
    Fault("kill-postgres", "SIGKILL to PostgreSQL's postmaster", Setting, kill_postgres),
    Fault("quit-postgres", "immediate shutdown of PostgreSQL", Setting, quit_postgres),
    Fault("kill-backend", "SIGKILL to one PostgreSQL server process", Setting, kill_backend),
    Fault("kill-everything", "SIGKILL to every process at once, then `up` again", Setting, kill_everything),
    Fault("pause-api-worker", "SIGSTOP to one API worker, SIGCONT later", Setting, pause_api_worker, is_outage=False),
    Fault("pause-postgres", "SIGSTOP to all of PostgreSQL, SIGCONT later", Setting, pause_postgres),
)
