"""The long proof of delivery in small; `python -m tests.relay` runs it as long as you like."""

from __future__ import annotations

from tests.relay.proof import Plan, prove

from holdfast.store.migrations import migrate


async def test_a_relay_that_is_killed_again_and_again_loses_nothing(postgres: str) -> None:
    await migrate(postgres)
    result = await prove(postgres, Plan(1_000, 0.2, 240.0, kills_max=2), print)
    assert not result.problems
    assert result.kills == 2
