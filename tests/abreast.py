"""How `make test` shares the suite out among workers: a file is one worker's, and what needs the machine takes turns.

Each worker has a shop and a PostgreSQL of the session for itself; what a module needs is started once, as it is
where there is one worker. Loaded by `pytest -p tests.abreast -n 2`.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# What uses every core, or promises something within a second: one after the other, by one worker, and first.
IN_TURN = (
    "tests/simulation/test_schedules.py",
    "tests/resilience/",
    "tests/ops/test_bench.py",
    "tests/drills/test_drill.py",
)


# How long an example takes depends on who runs beside it.
settings.register_profile("abreast", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("abreast")


class Abreast(LoadScopeScheduling):  # type: ignore[misc]  # published without types
    """Hands out files."""

    def _split_scope(self, nodeid: str) -> str:
        return "in turn" if nodeid.startswith(IN_TURN) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Abreast:
    # Files go out as they were collected, not those with the most tests first: many tests may be little work.
    config.option.loadscopereorder = False
    return Abreast(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(IN_TURN))
