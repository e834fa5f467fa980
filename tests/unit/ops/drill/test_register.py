"""The register of faults and controls fits together."""

from collections import Counter

from holdfast.ops.drill.register import CONTROLS, FAULTS
from holdfast.ops.drill.verdict import KINDS


def test_names_are_unique() -> None:
    assert max(Counter(each.name for each in (*FAULTS, *CONTROLS)).values()) == 1


def test_every_fault_has_a_control_that_shows_its_verdict_can_fail() -> None:
    assert {name for control in CONTROLS for name in control.proves} == {fault.name for fault in FAULTS}


def test_every_finding_has_a_control_that_must_come_to_it() -> None:
    assert {kind for control in CONTROLS for kind in control.finds} == set(KINDS)
