"""The database ends connections: all of the shop's at once, and whichever is just committing."""

from __future__ import annotations

import random

import asyncpg

from holdfast.ops.drill.fault import AnyFault, Fault, Setting
from holdfast.ops.trouble import Trouble

CONNECT_SECONDS_MAX = 10.0
HUNT_SECONDS = 1.5
COMMITS_ENDED_MAX = 25
# Between two looks; a commit takes about as long as a flush.
LOOK_SECONDS = 0.0005
NAMES = "application_name IN ('holdfast', 'holdfast query')"

END_ALL = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {NAMES}"  # noqa: S608 - our own text
# Runs inside the server, as only there one is quick enough to meet a COMMIT under way.
HUNT = f"""
DO $$
DECLARE
    give_up timestamptz := clock_timestamp() + interval '{HUNT_SECONDS} seconds';
    ended integer := 0;
BEGIN
    WHILE ended < {COMMITS_ENDED_MAX} AND clock_timestamp() < give_up LOOP
        PERFORM pg_stat_clear_snapshot();
        ended := ended + (SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                           WHERE {NAMES} AND state = 'active' AND query = 'COMMIT');
        PERFORM pg_sleep({LOOK_SECONDS});
    END LOOP;
    PERFORM set_config('drill.ended', ended::text, false);
END $$
"""  # noqa: S608 - our own text
ENDED = "SELECT current_setting('drill.ended')::integer"


async def end_connections(setting: Setting, _chance: random.Random) -> None:
    """All connections of the shop's processes at once, whatever they are doing."""
    await insist(setting, END_ALL)


async def end_at_commit(setting: Setting, _chance: random.Random) -> None:
    """Connections that are just committing: the shop cannot know whether they did."""
    await insist(setting, ENDED, after=HUNT)


async def insist(setting: Setting, count: str, *, after: str | None = None) -> None:
    """Raises Trouble when no connection was ended: a fault that met nothing proves nothing."""
    connection = await asyncpg.connect(
        setting.stage.dsn, timeout=CONNECT_SECONDS_MAX, server_settings={"application_name": "holdfast drill"}
    )
    try:
        if after:
            await connection.execute(after)
        if not await connection.fetchval(count):
            raise Trouble(
                "A fault did not take effect.", why="No connection was there to be ended.", code="fault-missed"
            )
    finally:
        await connection.close()


FAULTS: tuple[AnyFault, ...] = (
    Fault("end-connections", "PostgreSQL ends all connections of the shop", Setting, end_connections, is_outage=False),
    Fault("end-at-commit", "PostgreSQL ends connections that are committing", Setting, end_at_commit, is_outage=False),
)
