"""Runs every check that applies to a data folder."""

import os
from itertools import chain

from holdfast.ops.doctor import installation, machine
from holdfast.ops.doctor.finding import Check, Finding, results
from holdfast.ops.server.hold import is_held
from holdfast.ops.server.layout import Layout, read_json


def examine(layout: Layout, port: int) -> list[Finding]:
    """All findings, most basic first."""
    return list(results(chain(machine.checks(), installation.checks(layout, port), database_checks(layout))))


def database_checks(layout: Layout) -> list[tuple[str, Check]]:
    """Those of the database, when one can be asked: ours while the shop runs, a named one always."""
    from holdfast.ops.doctor import database  # noqa: PLC0415 - loads the driver and the store, only when there is one
    from holdfast.ops.server.cluster import url_of  # noqa: PLC0415 - as above

    external = os.environ.get("HOLDFAST_DATABASE_URL")
    if external:
        return database.checks(external, embedded=False)
    if is_held(layout) and read_json(layout.state).get("database") == "embedded":
        return database.checks(url_of(layout), embedded=True)
    return []
