"""The database, asked itself: durable, current, healthy."""

import asyncio
import time
from functools import partial
from typing import Any

import asyncpg

from holdfast.ops.doctor.finding import Check, Finding, State, judged, ok_if
from holdfast.ops.server.binaries import VERSION_MIN
from holdfast.store.migrations import pending

CONNECT_SECONDS = 5.0
CLOCK_SECONDS_GOOD = 2.0
TRANSACTION_SECONDS_GOOD = 300
AGE_GOOD, AGE_MAX = 500_000_000, 1_500_000_000
CONNECTIONS_LEFT_MIN, CONNECTIONS_LEFT_GOOD = 3, 10
SLOT_BYTES_GOOD = 2 * 1024**3

PROVIDERS = {"b": "built in", "c": "of the system", "i": "ICU"}

# name → (statement, …) each giving one value; asked over one connection.
QUESTIONS = {
    "version": "SELECT current_setting('server_version')",
    "major": "SELECT current_setting('server_version_num')::int / 10000",
    "fsync": "SELECT current_setting('fsync')",
    "full_page_writes": "SELECT current_setting('full_page_writes')",
    "synchronous_commit": "SELECT current_setting('synchronous_commit')",
    "data_checksums": "SELECT current_setting('data_checksums')",
    "listen_addresses": "SELECT current_setting('listen_addresses')",
    "autovacuum": "SELECT current_setting('autovacuum')",
    "encoding": "SELECT current_setting('server_encoding')",
    "provider": "SELECT datlocprovider::text FROM pg_database WHERE datname = current_database()",
    "connections_left": "SELECT current_setting('max_connections')::int - count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend'",
    "checksum_failures": "SELECT coalesce(sum(checksum_failures), 0)::bigint FROM pg_stat_database",
    "age": "SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()",
    "longest_seconds": "SELECT coalesce(max(extract(epoch FROM now() - xact_start)), 0)::float"
    " FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    "waiting": "SELECT count(*) FROM pg_locks WHERE NOT granted",
    "invalid_indexes": "SELECT count(*) FROM pg_index WHERE NOT indisvalid",
    "prepared": "SELECT count(*) FROM pg_prepared_xacts",
    "slot_bytes": "SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn)), 0)::bigint"
    " FROM pg_replication_slots",
    "in_recovery": "SELECT pg_is_in_recovery()",
    "now": "SELECT extract(epoch FROM clock_timestamp())::float",
}

Answers = dict[str, Any]


def checks(url: str, *, embedded: bool) -> list[tuple[str, Check]]:
    """Everything the database can tell; only its being unreachable when it does not answer."""
    try:
        answers = asyncio.run(asked(url))
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return [("database", partial(unreachable, error))]
    judgements = [*settings(answers, embedded=embedded), *health(answers)]
    return [(finding.check, partial(lambda found: found, finding)) for finding in judgements]


async def asked(url: str) -> Answers:
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        answers = {name: await connection.fetchval(question) for name, question in QUESTIONS.items()}
    finally:
        await connection.close()
    return {**answers, "here": time.time(), "pending": await pending(url)}


def unreachable(error: Exception) -> Finding:
    return Finding("database", "failed", str(error) or type(error).__name__, "holdfast logs postgres")


def settings(seen: Answers, *, embedded: bool) -> list[Finding]:
    """How it is set up; what protects acknowledged orders must be on."""
    durable = [must_be(name, seen[name], "on") for name in ("fsync", "full_page_writes")]
    commit = seen["synchronous_commit"]
    return [
        Finding("database", "ok", f"PostgreSQL {seen['version']} answers"),
        ok_if(
            seen["major"] >= VERSION_MIN, "database release", seen["version"], f"Use PostgreSQL {VERSION_MIN} or newer."
        ),
        *durable,
        ok_if(commit in ("on", "remote_apply", "remote_write"), "synchronous_commit", commit, "Set it to on."),
        must_be("data_checksums", seen["data_checksums"], "on", otherwise="failed" if embedded else "warning"),
        must_be("autovacuum", seen["autovacuum"], "on"),
        must_be("encoding", seen["encoding"], "UTF8"),
        ok_if(
            seen["provider"] == "b" or not embedded,
            "text order",
            PROVIDERS[seen["provider"]],
            "Dump and restore into a database made by `holdfast up`: the same order on every machine.",
            otherwise="warning",
        ),
        ok_if(
            not (embedded and seen["listen_addresses"]),
            "network",
            seen["listen_addresses"] or "local socket only",
            "Remove listen_addresses from local.conf: the embedded server has no TLS.",
            otherwise="warning",
        ),
    ]


def must_be(name: str, seen: str, wanted: str, *, otherwise: State = "failed") -> Finding:
    return ok_if(seen == wanted, name, seen, f"Set {name} = {wanted} and restart PostgreSQL.", otherwise=otherwise)


def health(seen: Answers) -> list[Finding]:
    """How it is doing."""
    drift = abs(seen["now"] - seen["here"])
    unsettled = len(seen["pending"])
    return [
        ok_if(
            not unsettled,
            "migrations",
            f"{unsettled} to run" if unsettled else "current",
            "Restart with `holdfast up`.",
        ),
        ok_if(not seen["in_recovery"], "role", "standby" if seen["in_recovery"] else "primary", "Name the primary."),
        judged(
            "connections left",
            seen["connections_left"],
            warn_below=CONNECTIONS_LEFT_GOOD,
            fail_below=CONNECTIONS_LEFT_MIN,
            evidence=str(seen["connections_left"]),
            fix="Fewer --workers, or more max_connections in local.conf.",
        ),
        ok_if(
            not seen["checksum_failures"],
            "damaged pages",
            str(seen["checksum_failures"]),
            "Stop writing, restore the last backup, replace the disk.",
        ),
        judged(
            "transaction ids left",
            AGE_MAX - seen["age"],
            warn_below=AGE_MAX - AGE_GOOD,
            fail_below=0,
            evidence=f"oldest is {seen['age']} behind",
            fix="VACUUM FREEZE; find what holds autovacuum back.",
        ),
        warned_above("longest transaction", seen["longest_seconds"], TRANSACTION_SECONDS_GOOD, "s"),
        warned_above("waiting for locks", seen["waiting"], 10, "waiting"),
        warned_above("broken indexes", seen["invalid_indexes"], 0, "invalid"),
        warned_above("prepared transactions", seen["prepared"], 0, "left open"),
        warned_above("log kept for replicas", seen["slot_bytes"] / 1024**2, SLOT_BYTES_GOOD / 1024**2, "MB"),
        warned_above("clocks apart", drift, CLOCK_SECONDS_GOOD, "s"),
    ]


FIXES = {
    "longest transaction": "Find it in pg_stat_activity; end it with pg_terminate_backend.",
    "waiting for locks": "Find the holder with pg_blocking_pids.",
    "broken indexes": "REINDEX INDEX CONCURRENTLY each of them.",
    "prepared transactions": "COMMIT PREPARED or ROLLBACK PREPARED each of them.",
    "log kept for replicas": "Bring the replica back, or drop its slot.",
    "clocks apart": "Start a time service on both machines.",
}


def warned_above(check: str, seen: float, good: float, unit: str) -> Finding:
    return ok_if(seen <= good, check, f"{seen:.0f} {unit}", FIXES[check], otherwise="warning")
