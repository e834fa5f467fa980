"""Makes a database ready for this release: reachable, new enough, there, migrated.

    HOLDFAST_DATABASE_URL=postgresql://… python -m holdfast.ops.server.prepare

A process of its own: what it loads (driver, store, every resource) leaves with it, so the
supervisor stays small. On failure it prints one JSON object with what, why and next.
"""

import asyncio
import json
import os
import sys
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from holdfast.base.config import BadSetting, Config, read_config
from holdfast.base.log import configure
from holdfast.base.networks import trusted_of
from holdfast.ops.server.binaries import VERSION_MIN
from holdfast.ops.trouble import Trouble
from holdfast.outbound.addresses import allowed_of
from holdfast.outbound.redis import client_of
from holdfast.store.migrations import ChangedMigrationError, migrate

CONNECT_TIMEOUT_SECONDS = 10.0
MAINTENANCE_DATABASE = "postgres"


def main() -> int:
    try:
        config = read_config(os.environ)
        configure("prepare", config.log_level)
        check(config)
        asyncio.run(prepare(config.database_url))
    except Trouble as trouble:
        return tell(trouble)
    except BadSetting as error:
        return tell(Trouble("A setting is wrong.", why=str(error), code="bad-setting"))
    return 0


def check(config: Config) -> None:
    """See that the processes can read what they are told. Raises BadSetting."""
    allowed_of(config.outbound_allow)
    trusted_of(config.trusted_proxies)
    if config.redis_url:
        client_of(config.redis_url, connections_max=1, seconds_max=1.0)


def tell(trouble: Trouble) -> int:
    sys.stdout.write(json.dumps(trouble.facts()) + "\n")
    return 1


async def prepare(url: str) -> None:
    try:
        await ensure_database(url)
        await migrate(url)
    except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InvalidPasswordError) as error:
        raise unreachable(url, error) from error
    except ChangedMigrationError as error:
        raise Trouble(
            "The database was migrated by other files than these.",
            why=str(error),
            remedy="Start the release that migrated it, or restore a backup taken before.",
            code="migration-changed",
        ) from error
    except asyncpg.PostgresError as error:
        raise Trouble("The database refused the migration.", why=str(error), code="migration-failed") from error


async def ensure_database(url: str) -> None:
    """Connect, check the release, and create the database when only its server exists yet."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_SECONDS)
    except asyncpg.InvalidCatalogNameError:
        await create_database(url)
        return
    try:
        check_version(connection.get_server_version().major)
    finally:
        await connection.close()


async def create_database(url: str) -> None:
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    maintenance = urlunsplit(parts._replace(path=f"/{MAINTENANCE_DATABASE}"))
    connection = await asyncpg.connect(maintenance, timeout=CONNECT_TIMEOUT_SECONDS)
    try:
        check_version(connection.get_server_version().major)
        quoted = name.replace('"', '""')
        await connection.execute(f'CREATE DATABASE "{quoted}"')
    finally:
        await connection.close()


def check_version(major: int) -> None:
    if major < VERSION_MIN:
        raise Trouble(
            f"PostgreSQL {major} is too old.",
            why=f"Holdfast needs {VERSION_MIN} or newer.",
            remedy="Upgrade that server, or start without --database to use the embedded one.",
            code="postgres-too-old",
        )


def unreachable(url: str, error: Exception) -> Trouble:
    parts = urlsplit(url)
    shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return Trouble(
        f"The database at {shown} cannot be reached.",
        why=str(error) or type(error).__name__,
        remedy="Check address, user and password; `holdfast doctor` looks further.",
        code="database-unreachable",
    )


if __name__ == "__main__":
    sys.exit(main())
