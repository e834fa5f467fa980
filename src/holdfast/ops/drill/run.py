"""A whole drill: every fault in the setting it needs, every control, one verdict."""

from __future__ import annotations

import asyncio
import platform
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.ops.drill.fault import AnyControl, AnyFault, Setting
from holdfast.ops.drill.play import play
from holdfast.ops.drill.register import controls_of
from holdfast.ops.drill.sale import EXPRESS, Habits
from holdfast.ops.drill.scene import Report, Scene, Script
from holdfast.ops.drill.verdict import KINDS, Verdict
from holdfast.ops.trouble import Trouble

POWER_CUT = "power-cut"
CONTROL_CLIENTS = 24
CONTROLS_AT_ONCE = 2
# A long sale needs new scarce things all the time.
SCARCE_SHORT, SCARCE_A_MINUTE, SCARCE_MAX = 30, 10, 2_000
GIT_SECONDS_MAX = 5.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the operator asked for."""

    faults: Sequence[AnyFault]
    # Whether the faults were named, so that one that cannot strike here is refused instead of left out.
    named: bool
    controls: bool
    seed: int
    clients: int
    minutes: float = 0.0
    orders: int = 0
    cuts: int = 1
    express: bool = False
    calm_seconds: float = Script.calm_seconds
    place: Path | None = None

    @property
    def wanted_controls(self) -> list[AnyControl]:
        return controls_of(self.faults) if self.controls else []

    @property
    def command(self) -> str:
        """What plays the same again."""
        words = ["holdfast drill run"]
        words += [f"--faults {','.join(fault.name for fault in self.faults)}"] if self.named else []
        words += [f"--seed {self.seed}", f"--clients {self.clients}"]
        words += [f"--minutes {self.minutes:g}"] if self.minutes else []
        words += [f"--orders {self.orders}"] if self.orders else []
        words += [f"--cuts {self.cuts}"] if self.cuts > 1 else []
        words += ["--express"] if self.express else []
        words += [f"--calm {self.calm_seconds:g}"] if self.calm_seconds != Script.calm_seconds else []
        words += [] if self.controls else ["--no-controls"]
        return " ".join(words)


class Tried(NamedTuple):
    """A control that was played: `found` is what its verdict counted, `noticed` whether that was what it must."""

    name: str
    about: str
    finds: tuple[str, ...]
    found: dict[str, int]
    noticed: bool
    seconds: float


@dataclass
class Campaign:
    """What a drill came to."""

    plan: Plan
    version: str
    scenes: list[Scene] = field(default_factory=list)
    controls: list[Tried] = field(default_factory=list)
    # Faults and controls this machine cannot play, with what is missing.
    left_out: list[tuple[str, str]] = field(default_factory=list)
    began: float = field(default_factory=time.time)
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        total = Verdict()
        for scene in self.scenes:
            total.add(scene.verdict)
        return total

    @property
    def problems(self) -> list[str]:
        """Why the drill failed besides what the verdict found."""
        found = [f"{scene.setting}: {problem}" for scene in self.scenes for problem in scene.problems]
        found += [f"{name} never struck while requests were in flight" for name in self.never_struck()]
        found += [
            f"control {each.name} found nothing: the drill cannot fail" for each in self.controls if not each.noticed
        ]
        found += [f"control {name} was not played" for name in self.never_played()]
        return found

    def never_struck(self) -> list[str]:
        struck = {each.fault for scene in self.scenes for each in scene.struck if each.in_flight}
        missing = dict(self.left_out)
        return [fault.name for fault in self.plan.faults if fault.name not in struck and fault.name not in missing]

    def never_played(self) -> list[str]:
        missing = {each.name for each in self.controls} | dict(self.left_out).keys()
        return [control.name for control in self.plan.wanted_controls if control.name not in missing]

    @property
    def holds(self) -> bool:
        return self.verdict.holds and not self.problems

    def facts(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "began": self.began,
            "seconds": round(self.seconds, 1),
            "version": self.version,
            "machine": machine(),
            "seed": self.plan.seed,
            "replay": self.plan.command,
            "holds": self.holds,
            "verdict": self.verdict.facts(),
            "problems": self.problems,
            "leftOut": [{"name": name, "needs": needs} for name, needs in self.left_out],
            "scenes": [scene.facts() for scene in self.scenes],
            "controls": [each._asdict() for each in self.controls],
        }


async def run(plan: Plan, report: Report, keep: Path | None = None) -> Campaign:
    """Play everything once, or as long as asked for. Raises Trouble when a named fault cannot strike here.

    Ctrl-C ends the scene, which is still judged; another one leaves at once.
    """
    campaign = Campaign(plan, release())
    scenes = settings_of(possible(plan, campaign))
    stop = stop_when_asked()
    began = time.monotonic()
    for setting, faults in scenes.items():
        if stop.is_set():
            break
        report(f"— {setting.name}: {', '.join(fault.name for fault in faults)}")
        journal = keep.with_name(f"{keep.stem}-{setting.name}.jsonl") if keep else None
        script = replace(script_of(plan, setting, faults, len(scenes)), stop=stop)
        scene = await play(script, plan.place, report, journal)
        campaign.scenes.append(scene)
        report(summary(scene))
    if not stop.is_set():
        campaign.controls = await all_tried(plan, campaign, report)
    campaign.seconds = time.monotonic() - began
    return campaign


def stop_when_asked() -> asyncio.Event:
    """Set by the first Ctrl-C; the second one ends us."""
    stop = asyncio.Event()
    loop, us = asyncio.get_running_loop(), asyncio.current_task()
    assert us is not None

    def asked() -> None:
        if stop.is_set():
            us.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked)
    return stop


def possible(plan: Plan, campaign: Campaign) -> list[AnyFault]:
    """The faults this machine can play; the others are written down, or refused if they were asked for by name."""
    for fault in plan.faults:
        if needs := fault.setting.needs():
            campaign.left_out.append((fault.name, needs))
    if plan.named and campaign.left_out:
        name, needs = campaign.left_out[0]
        raise Trouble(f"{name} cannot run here.", why=needs, code="drill-impossible")
    missing = dict(campaign.left_out)
    return [fault for fault in plan.faults if fault.name not in missing]


def settings_of(faults: Sequence[AnyFault]) -> dict[type[Setting], list[AnyFault]]:
    """Faults that strike the same shop, together."""
    settings: dict[type[Setting], list[AnyFault]] = {}
    for fault in faults:
        settings.setdefault(fault.setting, []).append(fault)
    return settings


def script_of(plan: Plan, setting: type[Setting], faults: Sequence[AnyFault], scenes: int) -> Script:
    """Time and orders are shared by the scenes alike."""
    seconds = plan.minutes * 60 / scenes
    habits = replace(EXPRESS if plan.express else Habits(), clients=plan.clients)
    return Script(
        setting=setting,
        faults=[replace(fault, times=plan.cuts) if fault.name == POWER_CUT else fault for fault in faults],
        seed=f"{plan.seed}/{setting.name}",
        habits=habits,
        seconds=seconds,
        orders=plan.orders // scenes,
        calm_seconds=plan.calm_seconds,
        scarce=min(SCARCE_SHORT + round(SCARCE_A_MINUTE * seconds / 60), SCARCE_MAX),
    )


async def all_tried(plan: Plan, campaign: Campaign, report: Report) -> list[Tried]:
    """Play the controls of the chosen faults, a few at a time: only what they find counts, not how fast."""
    turns = asyncio.Semaphore(CONTROLS_AT_ONCE)

    async def in_turn(control: AnyControl) -> Tried:
        async with turns:
            return await tried(plan, control, report)

    controls = plan.wanted_controls
    campaign.left_out += [(control.name, needs) for control in controls if (needs := control.setting.needs())]
    missing = dict(campaign.left_out)
    return await asyncio.gather(*(in_turn(control) for control in controls if control.name not in missing))


async def tried(plan: Plan, control: AnyControl, report: Report) -> Tried:
    """Play one control: it must be found out."""
    began = time.monotonic()
    habits = replace(Habits(), clients=min(plan.clients, CONTROL_CLIENTS))
    seed = f"{plan.seed}/{control.name}"
    script = Script(setting=control.setting, faults=[control], seed=seed, habits=habits)
    scene = await play(script, plan.place, lambda _: None)
    found = found_in(scene)
    noticed = any(found.get(kind) for kind in control.finds)
    seconds = time.monotonic() - began
    words = ", ".join(f"{count} {kind}" for kind, count in found.items()) or "; ".join(scene.problems) or "nothing"
    report(f"control {control.name}: found {words}{'' if noticed else ' AND MUST FIND ' + ' or '.join(control.finds)}")
    return Tried(control.name, control.about, control.finds, found, noticed, seconds)


def found_in(scene: Scene) -> dict[str, int]:
    """What the verdict counted; a shop that did not come back has lost everything. Other problems find nothing."""
    found = {kind: scene.verdict.counts[kind] for kind in KINDS if scene.verdict.counts[kind]}
    return found if scene.came_back or not scene.pulse.orders else {"lost": scene.pulse.orders}


def summary(scene: Scene) -> str:
    """A scene in a line."""
    counts = scene.verdict.counts
    words = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)
    return f"{scene.pulse.orders} orders acknowledged in {scene.seconds:.0f} s: {words}" + "".join(
        f"\n    {problem}" for problem in (*scene.problems, *(finding.what for finding in scene.verdict.examples))
    )


def release() -> str:
    """Our version, and the commit when we run from a checkout."""
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(
            ["git", "-C", Path(__file__).parent, "describe", "--always", "--dirty"],  # noqa: S607 - the git of PATH
            capture_output=True,
            text=True,
            check=True,
            timeout=GIT_SECONDS_MAX,
        )
        return f"{version('holdfast')} ({said.stdout.strip()})"
    return version("holdfast")


def machine() -> str:
    """What the drill ran on, as far as it matters."""
    return f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
