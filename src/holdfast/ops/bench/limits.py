"""The raw limits a shop is compared with: the HTTP server's constant answer, and pgbench.

The pgbench transaction writes what an order writes, byte for byte, into tables like the shop's: the
cart's new state, the order, one guarded stock row with its ledger line, and the message; one order a
transaction, prepared, on the same server. It reads the cart before, as who places an order must, and decides nothing.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PGBENCH_SECONDS_MAX = 120
CONSTANT_START_SECONDS = 10.0
_TPS = re.compile(r"tps = ([0-9.]+) \(without initial connection time\)")
# Columns of pgbench's log: client, transaction, latency in microseconds, …
_LOGGED_LATENCY = 2

SETUP = """
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;
CREATE TABLE bench.orders (LIKE "order" INCLUDING ALL) WITH (toast_tuple_target = 8160, fillfactor = 50);
CREATE TABLE bench.carts (LIKE cart INCLUDING ALL) WITH (toast_tuple_target = 8160, fillfactor = 50);
CREATE TABLE bench.stock (LIKE stock INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE bench.stock_ledger (LIKE stock_ledger INCLUDING ALL);
CREATE TABLE bench.outbox (LIKE outbox INCLUDING ALL);
INSERT INTO bench.stock (project, entry_id, on_stock)
SELECT 'shop', md5(n::text)::uuid, 1000000 FROM generate_series(1, 1000) n;
INSERT INTO bench.carts (project, id, version, created_at, modified_at, body, query)
SELECT 'shop', md5(n::text)::uuid, 1, now(), now(), one.body, one.query
  FROM generate_series(1, :carts) n, (SELECT body, query FROM cart LIMIT 1) one;
VACUUM ANALYZE bench.carts, bench.stock;
"""

SCRIPT = """
\\set cart random(1, :carts)
\\set item random(1, 1000)
BEGIN;
SELECT version, body FROM bench.carts WHERE project = 'shop' AND id = md5(:cart::text)::uuid FOR NO KEY UPDATE;
UPDATE bench.carts
   SET version = version + 1, modified_at = now(), body = decode(:cart_body, 'hex'), query = :cart_query::jsonb
 WHERE project = 'shop' AND id = md5(:cart::text)::uuid;
UPDATE bench.stock SET reserved = reserved + 1
 WHERE project = 'shop' AND entry_id = md5(:item::text)::uuid AND on_stock - reserved >= 1;
INSERT INTO bench.stock_ledger
       (project, entry_id, at, movement, on_stock, reserved, reference_kind, reference_id, reference_version)
VALUES ('shop', md5(:item::text)::uuid, now(), 'reserve', 0, 1, 'order', gen_random_uuid(), 1);
INSERT INTO bench.orders (project, id, version, created_at, modified_at, body, query)
VALUES ('shop', gen_random_uuid(), 1, now(), now(), decode(:order_body, 'hex'), :order_query::jsonb);
INSERT INTO bench.outbox (project, kind, resource_id, sequence_number, id, resource_version, type, created_at, body)
VALUES ('shop', 'order', gen_random_uuid(), 1, gen_random_uuid(), 1, 'OrderCreated', now(),
        decode(:message_body, 'hex'));
COMMIT;
"""

SAMPLES = """
SELECT encode(c.body, 'hex'), c.query, encode(o.body, 'hex'), o.query, encode(m.body, 'hex')
  FROM (SELECT * FROM cart LIMIT 1) c, (SELECT * FROM "order" LIMIT 1) o,
       (SELECT * FROM outbox WHERE type = 'OrderCreated' LIMIT 1) m
"""


class Pgbench:
    """pgbench beside the server's own binaries."""

    def __init__(self, binaries: Path, socket_folder: str, database: str, user: str) -> None:
        self._binaries = binaries
        self._address = ["-h", socket_folder, "-U", user, "-d", database]
        self.dsn = f"postgresql://{user}@/{database}?host={socket_folder}"
        self._samples: list[str] = []

    def prepare(self, carts: int) -> None:
        """Tables like the shop's with so many carts, and a cart, an order and a message of its own to write."""
        self._run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"carts={carts}", "-f", "-", text=SETUP)
        printed = self._run("psql", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", SAMPLES).strip().split("\t")
        names = ("cart_body", "cart_query", "order_body", "order_query", "message_body")
        self._samples = [f"--define={name}={value}" for name, value in zip(names, printed, strict=True)]
        self._samples.append(f"--define=carts={carts}")

    def place_orders(self, clients: int, seconds: int, per_second: float | None = None) -> tuple[float, float]:
        """Orders per second and the 99th percentile of their latency in seconds.

        per_second: the pace; then a latency counts from when the order was due.
        """
        options = ["-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds), "-f", "-"]
        options += ["--rate", str(round(per_second))] if per_second else []
        with tempfile.TemporaryDirectory(prefix="holdfast-pgbench-") as folder:
            printed = self._run("pgbench", *self._samples, *options, f"--log-prefix={folder}/log", "--log", text=SCRIPT)
            latencies = sorted(
                int(line.split()[_LOGGED_LATENCY]) for log in Path(folder).iterdir() for line in log.open()
            )
        rate = _TPS.search(printed)
        assert rate is not None, printed
        return float(rate[1]), latencies[int(0.99 * len(latencies))] / 1_000_000

    def clean(self) -> None:
        self._run("psql", "-q", "-c", "SET client_min_messages = warning; DROP SCHEMA bench CASCADE")

    def _run(self, program: str, *options: str, text: str = "") -> str:
        done = subprocess.run(
            [self._binaries / program, *self._address, *options],
            input=text,
            capture_output=True,
            text=True,
            timeout=PGBENCH_SECONDS_MAX,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.strip()}")
        return done.stdout


@contextmanager
def constant_server(body_bytes: int) -> Iterator[tuple[str, int]]:
    """A server that always answers the same bytes: its address and process id."""
    port = free_port()
    command = [sys.executable, "-m", "holdfast.ops.bench.constant", str(port), str(body_bytes)]
    process = subprocess.Popen(command)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    give_up = time.monotonic() + CONSTANT_START_SECONDS
    while time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError("the constant server did not start")


def cpu_seconds(pids: list[int]) -> float:
    """Processor time the processes have used so far, those they started included."""
    total = 0
    for pid in pids:
        total += sum(_ticks(pid))
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(sum(_ticks(int(child))[:2]) for child in (task / "children").read_text().split())
    return total / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> list[int]:
    """User and system time of a process, then of its children that have ended; nothing if it has ended itself."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return []
    return [int(field) for field in fields[11:15]]
