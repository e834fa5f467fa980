"""`holdfast up`: from a folder to a serving shop, and from a signal to a clean end.

lock → stop what an earlier run left → PostgreSQL → prepare → API workers and background
worker → first project → demo shop → ready. Whatever stops it in between, the steps already
taken are undone in reverse, and the next start begins with whatever it finds.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from holdfast.base.log import log
from holdfast.ops.server.admin import Client, Shop, ensure_metrics_token, ensure_operator_token, ensure_receipt_key
from holdfast.ops.server.cluster import Cluster, prepare_cluster
from holdfast.ops.server.hold import exclusive, free_port, stop_leftovers, trim_logs
from holdfast.ops.server.layout import Layout, read_json, write_json
from holdfast.ops.server.parts import (
    PYTHON,
    Part,
    api_part,
    background_part,
    postgres_part,
    process_environment,
    run_once,
)
from holdfast.ops.server.processes import known
from holdfast.ops.server.supervisor import Supervisor
from holdfast.ops.trouble import Trouble, tail

POSTGRES_START_SECONDS = 60.0  # recovery after a crash reads up to max_wal_size of log
PREPARE_SECONDS = 120.0
SERVE_SECONDS = 30.0
DEMO_SECONDS = 300.0
POLL_SECONDS = 0.03
FAILURES_BEFORE_GIVING_UP = 3
LOG_TRIM_SECONDS = 60.0
STATE_AGAIN_SECONDS = 0.5
DRAIN_SECONDS_DEFAULT = 10.0

DEMO_PROJECT = "demo"
EMPTY_PROJECT = "main"
FIRST_PROJECT_FACTS = {"currencies": ["EUR", "USD"], "countries": ["DE", "US"], "languages": ["en", "de"]}

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class UpOptions:
    """What the operator asked for."""

    data: Path
    host: str
    port: int
    workers: int
    database: str | None
    demo: bool
    ready_file: Path | None
    public_url: str | None = None

    @property
    def local_url(self) -> str:
        reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - translated away
        return f"http://[{reachable}]:{self.port}" if ":" in reachable else f"http://{reachable}:{self.port}"


@dataclass(frozen=True)
class Ready:
    """What a client needs, once the shop serves."""

    api_url: str
    client: Client

    def facts(self, pids: dict[str, Any]) -> dict[str, Any]:
        return {"apiUrl": self.api_url, "authUrl": self.api_url, **self.client.facts(), "pids": pids}


class Up:
    """One run of an installation."""

    def __init__(self, options: UpOptions, report: Report, on_ready: Callable[[dict[str, Any]], None]) -> None:
        self.options = options
        self.layout = Layout(options.data)
        self.supervisor = Supervisor(self._write_state)
        self._report = report
        self._on_ready = on_ready
        self._parts: list[tuple[Part, ...]] = []
        self._ready: Ready | None = None
        self._started = time.time()
        self._telling_later: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Serve until SIGINT, SIGTERM or SIGHUP; Trouble when it cannot be brought up."""
        self.layout.create()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        with exclusive(self.layout):
            try:
                await self._until(stop)
            finally:
                await self._stop()

    async def _until(self, stop: asyncio.Event) -> None:
        bringing_up = asyncio.create_task(self._bring_up())
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait((bringing_up, stopping), return_when=asyncio.FIRST_COMPLETED)
        if bringing_up not in done:
            bringing_up.cancel()
            with suppress(asyncio.CancelledError):
                await bringing_up
            return
        bringing_up.result()
        trimming = asyncio.create_task(self._trim_logs())
        await stopping
        trimming.cancel()

    async def _bring_up(self) -> None:
        stop_leftovers(self.layout)
        if self.options.ready_file:
            self.options.ready_file.unlink(missing_ok=True)
        self.options = replace(self.options, port=free_port(self.options.host, self.options.port, self.layout))
        ensure_operator_token(self.layout)
        ensure_metrics_token(self.layout)
        ensure_receipt_key(self.layout)
        trim_logs(self.layout)
        environment = process_environment(os.environ, self._told(await self._database()))
        await self._prepare(environment)
        await self._serve(environment)
        await self._first_project(environment)

    async def _database(self) -> str:
        """The address of the database, after starting our own unless one was named."""
        if self.options.database:
            return self.options.database
        self._report("PostgreSQL: starting")
        cluster = await asyncio.to_thread(prepare_cluster, self.layout, self.options.workers)
        for note in cluster.placement.notes:
            self._report(f"PostgreSQL: {note}")
            log.info("postgres.placed", note=note)
        part = postgres_part(cluster, self.layout)
        self._begin(part)
        await self._wait(part, POSTGRES_START_SECONDS, lambda: self._accepts_statements(cluster))
        self._report(f"PostgreSQL {cluster.version}: ready, durable, local only")
        return cluster.url

    def _accepts_statements(self, cluster: Cluster) -> bool:
        pid = self.supervisor.pid("postgres")
        return pid is not None and cluster.is_ready(pid)

    def _told(self, database_url: str) -> dict[str, str]:
        return {
            "HOLDFAST_DATABASE_URL": database_url,
            "HOLDFAST_HOST": self.options.host,
            "HOLDFAST_PORT": str(self.options.port),
            "HOLDFAST_DATA": str(self.options.data),
            "HOLDFAST_OPERATOR_TOKEN_FILE": str(self.layout.operator_token),
            "HOLDFAST_METRICS_TOKEN_FILE": str(self.layout.metrics_token),
            "HOLDFAST_RECEIPT_KEY_FILE": str(self.layout.receipt_key),
            "HOLDFAST_PUBLIC_URL": self.api_url,
        }

    @property
    def api_url(self) -> str:
        return self.options.public_url or self.options.local_url

    async def _prepare(self, environment: dict[str, str]) -> None:
        part = Part(
            role="prepare",
            command=(*PYTHON, "-m", "holdfast.ops.server.prepare"),
            environment=environment,
            log=self.layout.log("prepare"),
        )
        code, printed = await run_once(part, PREPARE_SECONDS)
        if code:
            raise trouble_from(printed, part)
        self._report("Schema: current")

    async def _serve(self, environment: dict[str, str]) -> None:
        drain_seconds = float(environment.get("HOLDFAST_DRAIN_SECONDS", DRAIN_SECONDS_DEFAULT))
        workers = [api_part(n, self.layout, environment, drain_seconds) for n in range(self.options.workers)]
        self._begin(background_part(self.layout, environment))
        self._begin(*workers)
        await self._wait(workers[0], SERVE_SECONDS, self._answers)
        processes = "1 process" if self.options.workers == 1 else f"{self.options.workers} processes"
        self._report(f"API: {processes} on {self.api_url}")

    def _answers(self) -> bool:
        with suppress(Trouble):
            return self._shop.is_ready()
        return False

    @property
    def _shop(self) -> Shop:
        return Shop(self.layout, self.options.local_url)

    async def _first_project(self, environment: dict[str, str]) -> None:
        key = DEMO_PROJECT if self.options.demo else EMPTY_PROJECT
        client = await asyncio.to_thread(self._shop.ensure_client, key, **FIRST_PROJECT_FACTS)
        if self.options.demo:
            await self._load_demo(client, environment)
        self._ready = Ready(self.api_url, client)
        self._write_state()
        log.info("up.serving", url=self.api_url, project=key)
        self._on_ready(self._ready.facts(self.pids()))

    async def _load_demo(self, client: Client, environment: dict[str, str]) -> None:
        """Once per client: the loader skips what exists, but even asking takes a moment at every start."""
        remembered = read_json(self.layout.clients)
        if remembered.get(client.project_key, {}).get("demoLoaded"):
            return
        self._report("Demo shop: loading (only at the first start)")
        api = ("--api", self.options.local_url, "--project", client.project_key, "--client-id", client.client_id)
        part = Part(
            role="demo",
            command=(*PYTHON, "-m", "holdfast.demo", *api),
            environment={**environment, "HOLDFAST_CLIENT_SECRET": client.client_secret},
            log=self.layout.log("demo"),
        )
        started = time.monotonic()
        code, printed = await run_once(part, DEMO_SECONDS)
        if code:
            self._report(f"Demo shop: not complete, the next start continues; see {part.log}")
            log.warning("demo.failed", exit_code=code, printed=printed[-1000:])
            return
        entry = remembered[client.project_key] | {"demoLoaded": True}
        write_json(self.layout.clients, remembered | {client.project_key: entry})
        self._report(f"Demo shop: loaded in {time.monotonic() - started:.1f} s")

    def _begin(self, *parts: Part) -> None:
        self._parts.append(parts)
        for part in parts:
            self.supervisor.start(part)

    async def _wait(self, part: Part, timeout_seconds: float, is_up: Callable[[], bool]) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not await asyncio.to_thread(is_up):
            given_up = self.supervisor.failures.get(part.role, 0) >= FAILURES_BEFORE_GIVING_UP
            if given_up or time.monotonic() > deadline:
                raise Trouble(
                    f"{part.role} did not start.",
                    why=tail(part.log),
                    remedy=f"Read {part.log}, or ask `holdfast doctor --data {self.options.data}` for causes.",
                    code="part-failed",
                )
            await asyncio.sleep(POLL_SECONDS)

    async def _stop(self) -> None:
        """Workers drain first, the database ends last."""
        if self._parts:
            self._report("Stopping: requests in flight may finish")
        while self._parts:
            await self.supervisor.stop(self._parts.pop())
        if self._telling_later:
            self._telling_later.cancel()
        self.layout.state.unlink(missing_ok=True)
        log.info("up.stopped")

    async def _trim_logs(self) -> None:
        while True:
            await asyncio.sleep(LOG_TRIM_SECONDS)
            with suppress(OSError):  # a full disk: next time
                await asyncio.to_thread(trim_logs, self.layout)

    def pids(self) -> dict[str, Any]:
        running = {process.role: process.pid for process in self.supervisor.processes()}
        return {
            "supervisor": os.getpid(),
            "postgres": running.get("postgres"),
            "workers": [pid for role, pid in sorted(running.items()) if role.startswith("api-")],
            "background": running.get("background"),
        }

    def _write_state(self) -> None:
        """Tell the outside which processes run: anew whenever that changes, and later when the disk is full."""
        if self._telling_later:
            self._telling_later.cancel()
        try:
            self._tell_state()
        except OSError as error:
            log.warning("state.unwritten", reason=str(error))
            self._telling_later = asyncio.get_running_loop().call_later(STATE_AGAIN_SECONDS, self._write_state)

    def _tell_state(self) -> None:
        processes = [known("supervisor", os.getpid()), *self.supervisor.processes()]
        facts = {
            "pid": os.getpid(),
            "url": self.options.local_url,
            "apiUrl": self.api_url,
            "serving": self._ready is not None,
            "startedAt": self._started,
            "database": "external" if self.options.database else "embedded",
            "processes": [process.facts() for process in processes],
        }
        write_json(self.layout.state, facts)
        if self._ready and self.options.ready_file:
            write_json(self.options.ready_file, self._ready.facts(self.pids()))


def trouble_from(printed: str, part: Part) -> Trouble:
    """The Trouble a child told us as its last line, or its log when it could not."""
    with suppress(ValueError, IndexError, KeyError):
        facts = json.loads(printed.splitlines()[-1])
        return Trouble(facts["what"], why=facts["why"], remedy=facts["next"], code=facts["error"])
    return Trouble("The database could not be prepared.", why=tail(part.log), code="prepare-failed")
