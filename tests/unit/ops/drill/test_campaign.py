"""What a whole drill makes of its scenes and controls: whatever was wanted and not shown is a problem."""

from __future__ import annotations

from holdfast.ops.drill.pulse import Pulse
from holdfast.ops.drill.register import chosen
from holdfast.ops.drill.run import Campaign, Plan, Tried, found_in
from holdfast.ops.drill.scene import Scene, Struck
from holdfast.ops.drill.verdict import Verdict

FAULT, CONTROL = "kill-postgres", "late-flush"


def a_campaign(*, in_flight: int = 1, noticed: bool | None = True) -> Campaign:
    """One fault that struck and its one control, played unless `noticed` is None."""
    plan = Plan(faults=chosen([FAULT]), named=True, controls=True, seed=1, clients=8)
    struck = Struck(FAULT, 0.0, in_flight, None, 0.0, 0.0, 0.0, 1, 0)
    tried = [] if noticed is None else [Tried(CONTROL, "", ("lost",), {}, noticed, 1.0)]
    return Campaign(plan, "1", scenes=[Scene("plain", "1", struck=[struck])], controls=tried)


def test_what_was_played_and_found_out_holds() -> None:
    assert (a_campaign().problems, a_campaign().holds) == ([], True)


def test_a_fault_that_hit_nobody_shows_nothing() -> None:
    assert a_campaign(in_flight=0).problems == [f"{FAULT} never struck while requests were in flight"]


def test_a_control_that_found_nothing_or_was_not_played_fails_the_drill() -> None:
    assert a_campaign(noticed=False).problems == [f"control {CONTROL} found nothing: the drill cannot fail"]
    stopped = a_campaign(noticed=None)
    assert (stopped.problems, stopped.holds) == ([f"control {CONTROL} was not played"], False)


def test_controls_nobody_wanted_or_this_machine_cannot_play_are_not_missed() -> None:
    unwanted, impossible = a_campaign(noticed=None), a_campaign(noticed=None)
    unwanted.plan = Plan(faults=chosen([FAULT]), named=True, controls=False, seed=1, clients=8)
    impossible.left_out.append((CONTROL, "a disk"))
    assert (unwanted.problems, impossible.problems) == ([], [])


def a_scene(*, came_back: bool, orders: int, lost: int) -> Scene:
    verdict = Verdict()
    verdict.find("lost", ["an order"] * lost)
    problems = ["Shoppers were still waiting."]
    return Scene("s", "1", verdict=verdict, pulse=Pulse(orders=orders), came_back=came_back, problems=problems)


def test_a_control_is_found_out_by_the_verdict_or_by_a_shop_that_did_not_come_back_and_by_nothing_else() -> None:
    assert found_in(a_scene(came_back=True, orders=9, lost=2)) == {"lost": 2}
    assert found_in(a_scene(came_back=True, orders=9, lost=0)) == {}
    assert found_in(a_scene(came_back=False, orders=9, lost=0)) == {"lost": 9}
    assert found_in(a_scene(came_back=False, orders=0, lost=0)) == {}
