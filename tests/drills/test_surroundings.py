"""Faults around the shop, and set-ups broken on purpose: the first must break nothing, the second must be found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.conftest import run_holdfast

from holdfast.ops.drill.fault import AnyControl, AnyFault
from holdfast.ops.drill.play import play
from holdfast.ops.drill.register import CONTROLS, FAULTS
from holdfast.ops.drill.sale import Habits
from holdfast.ops.drill.scene import Scene, Script

FEW = Habits(clients=8, by_steps=0.2, scarce=0.5, two_tabs=0.3)
TOGETHER = (
    ("end-connections", "end-at-commit"),
    ("lost-answers",),
    ("cut-network", "half-open-to-shop", "drop-commits", "drop-commit-answers"),
    ("clocks-apart",),
    ("log-disk-full",),
    ("power-cut",),
)


async def played(faults: Sequence[AnyFault]) -> Scene:
    setting = faults[0].setting
    return await play(
        Script(setting=setting, faults=faults, seed="1", habits=FEW, distinct=5, scarce=1, workers=1), None, print
    )


@pytest.mark.parametrize("names", TOGETHER, ids="+".join)
async def test_nothing_promised_breaks(names: tuple[str, ...]) -> None:
    known: dict[str, Any] = {fault.name: fault for fault in FAULTS}
    if known[names[0]].setting.needs():
        return refuses(names[0])
    scene = await played([known[name] for name in names])
    assert scene.holds, (scene.problems, scene.verdict.examples)
    assert sorted(each.fault for each in scene.struck if each.in_flight) == sorted(names)
    return None


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
async def test_what_is_broken_on_purpose_is_found_out(control: AnyControl) -> None:
    if control.setting.needs():
        return refuses(control.proves[0])
    scene = await played([control])
    assert scene.problems == []
    assert any(scene.verdict.counts[kind] for kind in control.finds), scene.verdict
    return None


def refuses(name: str) -> None:
    """What a machine cannot play is refused with a sentence, never left out in silence."""
    done = run_holdfast("drill", "run", "--faults", name)
    assert done.returncode == 1
    assert "cannot run here" in done.stderr
