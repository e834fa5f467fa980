"""The processes of an installation and how each is started and stopped."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

from holdfast.ops.server.cluster import CLEAN_ENVIRONMENT, Cluster
from holdfast.ops.server.layout import Layout
from holdfast.ops.server.plan import Account

TETHER = Path(__file__).with_name("tether.py")
PYTHON = (sys.executable, "-P")
# What the supervisor itself was told is not for the processes it starts.
OWN_VARIABLES = "HOLDFAST_"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One process to keep running."""

    role: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    # Each signal with the seconds it is given, before the next one and finally a kill.
    stop: tuple[tuple[Signals, float], ...] = ((Signals.SIGTERM, 12.0),)
    account: Account | None = None


def postgres_part(cluster: Cluster, layout: Layout) -> Part:
    return Part(
        role="postgres",
        command=tuple(cluster.command),
        environment=CLEAN_ENVIRONMENT,
        log=layout.log("postgres"),
        # A fast shutdown rolls back what is open and flushes the rest; an immediate one recovers at the next start.
        stop=((Signals.SIGINT, 20.0), (Signals.SIGQUIT, 2.0)),
        account=cluster.placement.account,
    )


def api_part(index: int, layout: Layout, environment: Mapping[str, str], drain_seconds: float) -> Part:
    return Part(
        role=f"api-{index}",
        command=(*PYTHON, "-m", "holdfast.http.worker"),
        environment={**environment, "HOLDFAST_WORKER_INDEX": str(index)},
        log=layout.log(f"api-{index}"),
        stop=((Signals.SIGTERM, drain_seconds + 2.0),),
    )


def background_part(layout: Layout, environment: Mapping[str, str]) -> Part:
    return Part(
        role="background",
        command=(*PYTHON, "-m", "holdfast.delivery.worker"),
        environment=environment,
        log=layout.log("background"),
    )


def process_environment(inherited: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """What the processes see: the caller's surroundings, and of HOLDFAST_* what they are told plus log settings."""
    kept = {name: text for name, text in inherited.items() if not name.startswith(OWN_VARIABLES)}
    tuned = {
        name: inherited[name]
        for name in (
            "HOLDFAST_LOG_LEVEL",
            "HOLDFAST_DRAIN_SECONDS",
            "HOLDFAST_PUBLIC_URL",
            "HOLDFAST_REDIS_URL",
            "HOLDFAST_RETRY_HOURS",
            "HOLDFAST_TRUSTED_PROXIES",
            "HOLDFAST_OUTBOUND_ALLOW",
            "HOLDFAST_CLOUD_IDENTITY",
        )
        if name in inherited
    }
    return {**kept, **tuned, **told}


async def launch(part: Part) -> asyncio.subprocess.Process:
    """Start a part, tethered to us, in a process group of its own so that Ctrl-C reaches only the supervisor.

    Not in a session of its own: Linux shares the processor out between sessions first (autogroup, sched(7)), and
    client, API and database in three of them interrupt each other for a quarter of a cached read.
    """
    account = f"{part.account.uid}:{part.account.gid}" if part.account else "-"
    with part.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(TETHER),
            part.stop[0][0].name,
            str(os.getpid()),
            account,
            *part.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(part.environment),
            cwd="/",
            process_group=0,
        )


async def run_once(part: Part, timeout_seconds: float) -> tuple[int, str]:
    """Run a part to its end; its exit code and what it printed."""
    with part.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *part.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=dict(part.environment),
            cwd="/",
        )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), timeout_seconds)
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        await process.wait()
        raise
    return process.returncode or 0, printed.decode(errors="replace")
