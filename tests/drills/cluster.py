"""A PostgreSQL that a test stops and starts as it likes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import START_SECONDS, STOP_SECONDS, create_database

from holdfast.ops.server.account import as_account
from holdfast.ops.server.cluster import CLEAN_ENVIRONMENT, prepare_cluster
from holdfast.ops.server.layout import Layout


class Cluster:
    """The database of a folder, running or not."""

    def __init__(self, folder: Path) -> None:
        self._layout = Layout(folder)
        self._layout.create()
        self._cluster = prepare_cluster(self._layout)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._cluster.url

    def start(self) -> None:
        with self._layout.log("postgres").open("ab") as log:
            self._process = subprocess.Popen(
                self._cluster.command,
                env=CLEAN_ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **as_account(self._cluster.placement.account),
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._cluster.is_ready(self._process.pid):
            assert time.monotonic() < deadline, self._layout.log("postgres").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it and all its connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(STOP_SECONDS)
            self._process = None


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """A PostgreSQL with an empty database."""
    cluster = Cluster(folder)
    try:
        cluster.start()
        asyncio.run(create_database(cluster.url))
        yield cluster
    finally:
        cluster.stop()
