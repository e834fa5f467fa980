"""Bring a database to the schema this version needs.

Numbered files run once, in order, each in a transaction of its own with a lock and a statement
timeout; what ran is recorded with a checksum, and a file that changed afterwards stops the start.
Then each registered resource type gets its table, made from the template `resource`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import resources
from typing import Any

import asyncpg

from holdfast.base.log import log
from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.registry import REGISTRY, Resource
from holdfast.store.queries import column_of, table_of

LOCK_TIMEOUT_SECONDS = 4
STATEMENT_TIMEOUT_SECONDS = 5
# Any constant will do: two starts at once must take turns.
_ONE_AT_A_TIME = 4_815_162_342
# Rows stay in their page whole (bodies are compressed already), with room for the next version of
# each beside it: then an update writes no index.
_STORAGE = "WITH (toast_tuple_target = 8160, fillfactor = 50)"


class ChangedMigrationError(RuntimeError):
    """A migration that already ran reads differently now."""


async def migrate(dsn: str) -> list[str]:
    """Apply what is missing; returns the names of the files that ran.

    Raises ChangedMigrationError when history was edited, asyncpg errors when the database refuses.
    """
    load_resources()
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _ONE_AT_A_TIME)
        applied = await _run_files(connection)
        await _make_tables(connection)
        return applied
    finally:
        await connection.close()


async def pending(dsn: str) -> list[str]:
    """The files `migrate` would run, for checks that change nothing."""
    connection = await asyncpg.connect(dsn)
    try:
        known = await connection.fetchval("SELECT to_regclass('schema_migration') IS NOT NULL")
        done = set(await connection.fetch("SELECT name FROM schema_migration")) if known else set()
        return [name for name, _ in _files() if name not in {row["name"] for row in done}]
    finally:
        await connection.close()


def _files() -> list[tuple[str, str]]:
    folder = resources.files("holdfast.store").joinpath("migrations")
    return sorted(
        (file.name, file.read_text(encoding="utf-8")) for file in folder.iterdir() if file.name.endswith(".sql")
    )


async def _run_files(connection: asyncpg.Connection) -> list[str]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration"
        " (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    done = {
        row["name"]: row["checksum"] for row in await connection.fetch("SELECT name, checksum FROM schema_migration")
    }
    applied = []
    for name, text in _files():
        checksum = hashlib.sha256(text.encode()).hexdigest()
        if name not in done:
            await _run_file(connection, name, text, checksum)
            applied.append(name)
        elif done[name] != checksum:
            raise ChangedMigrationError(f"{name} was changed after it had been applied; add a new migration instead")
    return applied


async def _run_file(connection: asyncpg.Connection, name: str, text: str, checksum: str) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
        await connection.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'")
        await connection.execute(text)
        await connection.execute("INSERT INTO schema_migration (name, checksum) VALUES ($1, $2)", name, checksum)
    log.info("migration.applied", name=name)


async def _make_tables(connection: asyncpg.Connection) -> None:
    """One table per registered type, with what its queries need."""
    present = {row["tablename"] for row in await connection.fetch("SELECT tablename FROM pg_tables")}
    async with connection.transaction():
        for resource in REGISTRY.values():
            table = table_of(resource.name)
            if table.strip('"') not in present:
                await connection.execute(f"CREATE TABLE {table} (LIKE resource INCLUDING ALL) {_STORAGE}")
            for statement in _indexes(resource):
                await connection.execute(statement)


def _indexes(resource: Resource[Any]) -> Iterator[str]:
    """Indexes of a type's table: by age, by the fields queries single out, by moments, over all that is searchable.

    Singled-out fields are columns of their own, computed by the database: an index on an expression
    over `query` would have to be written with every change of the document, whatever changed in it.
    """
    table = table_of(resource.name)
    name = table.strip('"')
    yield f'CREATE INDEX IF NOT EXISTS "{name}_created" ON {table} (project, created_at)'
    for field in (*resource.indexed, *resource.due):
        column = column_of(field)
        yield (
            f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} text GENERATED ALWAYS AS (query->>'{field}') STORED"
        )
        by = f"({column}) WHERE {column} IS NOT NULL" if field in resource.due else f"(project, {column})"
        yield f'CREATE INDEX IF NOT EXISTS "{name}_{field}" ON {table} {by}'
    for field in resource.contained:
        column = column_of(field)
        yield (
            f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} jsonb GENERATED ALWAYS AS (query->'{field}') STORED"
        )
        yield (
            f'CREATE INDEX IF NOT EXISTS "{name}_{field}" ON {table} USING gin ({column} jsonb_path_ops)'
            f" WHERE {column} IS NOT NULL"
        )
    if resource.ad_hoc:
        yield f'CREATE INDEX IF NOT EXISTS "{name}_query" ON {table} USING gin (query jsonb_path_ops)'
