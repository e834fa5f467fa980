"""What many tests stand on: a PostgreSQL of the session, and a whole shop started as its users start it."""

import asyncio
import hashlib
import itertools
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from holdfast.ops.server.account import as_account
from holdfast.ops.server.cluster import CLEAN_ENVIRONMENT, DATABASE, prepare_cluster
from holdfast.ops.server.layout import Layout
from holdfast.store.migrations import migrate
from holdfast.store.store import Store

HOLDFAST = (sys.executable, "-P", "-m", "holdfast.cli.main")
# The address of a running database for tests of the store to work in, instead of starting one for the session.
DATABASE_VARIABLE = "HOLDFAST_TEST_DATABASE"
START_SECONDS = 60
STOP_SECONDS = 30

_numbers = itertools.count(1)

Start = Callable[..., tuple["Shop", subprocess.Popen[bytes]]]


@dataclass(frozen=True)
class Shop:
    """A running shop, as its ready file describes it."""

    data: Path
    api_url: str
    auth_url: str
    project_key: str
    client_id: str
    client_secret: str
    pids: dict[str, Any]

    @classmethod
    def described(cls, data: Path, facts: dict[str, Any]) -> "Shop":
        names = ("apiUrl", "authUrl", "projectKey", "clientId", "clientSecret", "pids")
        return cls(data, *(facts[name] for name in names))

    @property
    def database_url(self) -> str:
        return f"postgresql://holdfast@/{DATABASE}?host={self.data}/sockets"

    def command(self, *words: str) -> dict[str, Any]:
        """Run a holdfast command on this shop; the JSON it prints."""
        done = run_holdfast(*words, "--data", str(self.data), "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        facts: dict[str, Any] = json.loads(done.stdout)
        return facts

    def create_project(self, prefix: str = "test") -> dict[str, Any]:
        """A fresh project: what `holdfast project create` prints, and the addresses."""
        facts = self.command("project", "create", f"{prefix}-{next(_numbers)}-{secrets.token_hex(3)}")
        return {**facts, "apiUrl": self.api_url, "authUrl": self.auth_url}

    def expired_token(self, project_key: str, client_id: str) -> str:
        """An access token of this client whose time is over."""
        token = f"{project_key}.{secrets.token_urlsafe(32)}"
        asyncio.run(self._add_expired(project_key, client_id, token))
        return token

    async def _add_expired(self, project_key: str, client_id: str, token: str) -> None:
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute(
                "INSERT INTO token (project, hash, kind, client_id, scope, expires_at)"
                " VALUES ($1, $2, 'access', $3, $4, now() - interval '1 hour')",
                project_key,
                hashlib.sha256(token.encode()).digest(),
                client_id,
                f"manage_project:{project_key}",
            )
        finally:
            await connection.close()


def run_holdfast(*words: str, timeout_seconds: float = START_SECONDS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HOLDFAST, *words], capture_output=True, text=True, check=False, timeout=timeout_seconds, env=environment()
    )


def environment() -> dict[str, str]:
    """Ours without HOLDFAST_*, which would point the commands elsewhere; tests play the outside on this machine."""
    kept = ("HOLDFAST_POSTGRES_BIN", "HOLDFAST_POSTGRES_ACCOUNT")
    ours = {name: text for name, text in os.environ.items() if not name.startswith("HOLDFAST_") or name in kept}
    return {**ours, "HOLDFAST_OUTBOUND_ALLOW": "127.0.0.1/32"}


def start_shop(data: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start `holdfast up` on a folder; its ready file is DATA/ready.json, its words are in DATA/up.out."""
    data.mkdir(exist_ok=True, mode=0o711)
    words = ("up", "--data", str(data), "--port", "0", "--no-demo", "--ready-file", str(data / "ready.json"), *options)
    with (data / "up.out").open("wb") as out:
        return subprocess.Popen(
            [*HOLDFAST, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment()
        )


def wait_for_shop(data: Path, process: subprocess.Popen[bytes]) -> Shop:
    """The shop, once it serves."""
    deadline = time.monotonic() + START_SECONDS
    while not (data / "ready.json").exists():
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            pytest.fail(f"holdfast up {'ended' if ended else 'is not ready'}:\n{(data / 'up.out').read_text()}")
        time.sleep(0.02)
    return Shop.described(data, json.loads((data / "ready.json").read_text()))


def stop_shop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def is_running(pid: int) -> bool:
    """Whether a process lives; one that ended but was not collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder that the database's account can pass through, with a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(short_folder: Path) -> Iterator[str]:
    """The address of an empty database on a PostgreSQL of this session, or of the one that was named."""
    named = os.environ.get(DATABASE_VARIABLE)
    if named:
        yield named
    else:
        with running_postgres(short_folder / "postgres-only") as url:
            yield url


@pytest.fixture
async def store(postgres: str) -> AsyncIterator[Store]:
    """An open store on the session's PostgreSQL, migrated."""
    await migrate(postgres)
    opened = Store(postgres)
    await opened.open()
    yield opened
    await opened.close()


@contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL of its own, and the address of an empty database on it."""
    layout = Layout(folder)
    layout.create()
    cluster = prepare_cluster(layout)
    with layout.log("postgres").open("wb") as log:
        process = subprocess.Popen(
            cluster.command,
            env=CLEAN_ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **as_account(cluster.placement.account),
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not cluster.is_ready(process.pid):
            assert time.monotonic() < deadline, layout.log("postgres").read_text()
            time.sleep(0.02)
        asyncio.run(create_database(cluster.url))
        yield cluster.url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)


async def create_database(url: str) -> None:
    connection = await asyncpg.connect(url.replace(f"/{DATABASE}?", "/postgres?"))
    try:
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


@contextmanager
def running_shop(data: Path, *options: str) -> Iterator[Shop]:
    """A shop of its own, without demo data."""
    process = start_shop(data, *options)
    try:
        yield wait_for_shop(data, process)
    finally:
        stop_shop(process)


@pytest.fixture(scope="session")
def shop(short_folder: Path) -> Iterator[Shop]:
    """A shop without demo data, shared by the session: work in a project of your own."""
    with running_shop(short_folder / "shop") as running:
        yield running
        assert errors_logged(running.data / "logs") == []


def errors_logged(logs: Path) -> list[str]:
    """What its processes logged as an error: an answer of 500 that no test looked at, a chore that failed."""
    lines = [line for log in logs.glob("*.log*") for line in log.read_text(errors="replace").splitlines()]
    return [line[:2000] for line in lines if '"level": "error"' in line]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder of the test's own that the database's account can reach."""
    place = Path(tempfile.mkdtemp(prefix="holdfast-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts shops that the test may break, and ends those that still run when it is over."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(data: Path, *options: str) -> tuple[Shop, subprocess.Popen[bytes]]:
        (data / "ready.json").unlink(missing_ok=True)
        process = start_shop(data, *options)
        started.append(process)
        return wait_for_shop(data, process), process

    yield begin
    for process in started:
        if process.poll() is None:
            stop_shop(process)


@pytest.fixture
def project(shop: Shop) -> dict[str, Any]:
    """A project no other test uses."""
    return shop.create_project()
