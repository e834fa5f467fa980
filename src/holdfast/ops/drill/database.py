"""A PostgreSQL of the drill's own, for a shop that is given an address: with a proxy before it, or a false clock.

It is the same server with the same settings as a shop's own; only who starts it differs.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from holdfast.ops.server.account import as_account
from holdfast.ops.server.cluster import CLEAN_ENVIRONMENT, Cluster, prepare_cluster
from holdfast.ops.server.layout import Layout
from holdfast.ops.server.plan import SOCKET_FILE
from holdfast.ops.trouble import Trouble, tail

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
POLL_SECONDS = 0.01


class OwnDatabase:
    """A server on files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._layout = Layout(folder)
        self._cluster: Cluster | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address for whoever may use its socket."""
        assert self._cluster is not None, "start() comes first"
        return self._cluster.url

    @property
    def socket(self) -> str:
        """The file of its socket."""
        assert self._cluster is not None, "start() comes first"
        return f"{self._cluster.placement.sockets}{SOCKET_FILE}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "start() comes first"
        return self._process.pid

    async def start(self, workers: int, environment: Mapping[str, str] = CLEAN_ENVIRONMENT) -> None:
        """Make its files when they are missing, and run it. Raises Trouble when it does not come up."""
        self._layout.create()
        self._cluster = await asyncio.to_thread(prepare_cluster, self._layout, workers)
        with self._layout.log("postgres").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
                self._cluster.command,
                env=dict(environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_account(self._cluster.placement.account),
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._cluster.is_ready(self._process.pid):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Trouble("The drill's PostgreSQL did not start.", why=tail(self._layout.log("postgres")))
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while process.poll() is None:
            if time.monotonic() > deadline:
                process.send_signal(signal.SIGQUIT)
            await asyncio.sleep(POLL_SECONDS)
