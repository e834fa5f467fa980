"""`holdfast drill`: break a shop in the middle of a sale, and see that nothing promised breaks with it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.cli.printing import BOLD, GREEN, RED, Progress, add_json, counted, painted, print_json

if TYPE_CHECKING:
    from holdfast.ops.drill.run import Campaign, Plan

CLIENTS_DEFAULT = 32
CLIENTS_MAX = 1_000
CALM_SECONDS_MAX = 3_600
CUTS_MAX = 10_000
MINUTES_MAX = 14 * 24 * 60
ORDERS_MAX = 1_000_000_000
REPORTS = Path("drills")
EXIT_BROKEN = 1


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    add_json(verbs.add_parser("list", help="the faults and controls there are, and what they need"))
    add_run(verbs.add_parser("run", help="drill a shop of its own; exit code 1 when a promise broke"))
    totals = verbs.add_parser("totals", help="what all runs came to")
    totals.add_argument("--reports", type=Path, default=REPORTS, metavar="DIR", help=f"folder (default: ./{REPORTS})")
    add_json(totals)


def add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--faults", default="", metavar="A,B", help="only these (default: all that can strike here)")
    parser.add_argument("--minutes", type=up_to(MINUTES_MAX, float), default=0.0, metavar="N", help="go on for so long")
    parser.add_argument("--orders", type=up_to(ORDERS_MAX), default=0, metavar="N", help="go on for so many orders")
    parser.add_argument("--cuts", type=up_to(CUTS_MAX), default=1, metavar="N", help="power cuts a round (default 1)")
    parser.add_argument("--clients", type=up_to(CLIENTS_MAX), metavar="N", help=f"shoppers (default {CLIENTS_DEFAULT})")
    parser.add_argument("--express", action="store_true", help="most carts are copies: more orders a minute")
    calm = "selling before each strike, on average: more orders between faults (default 0.5)"
    parser.add_argument("--calm", type=up_to(CALM_SECONDS_MAX, float), metavar="SECONDS", help=calm)
    parser.add_argument("--seed", type=int, metavar="S", help="play this seed again (default: one of chance)")
    parser.add_argument("--no-controls", action="store_true", help="leave out the set-ups that must fail")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the drilled shops lie (default: temporary)")
    parser.add_argument("--report", type=Path, metavar="FILE", help=f"HTML report (default: in ./{REPORTS})")
    add_json(parser)


def up_to(most: int, kind: type[int | float] = int) -> Any:
    """A number above zero."""

    def number(text: str) -> float:
        value = kind(text)
        if not 0 < value <= most:
            raise argparse.ArgumentTypeError(f"more than 0, at most {most}")
        return value

    return number


def run(given: argparse.Namespace) -> int:
    return int({"list": show_list, "run": run_drill, "totals": show_totals}[given.verb](given))


def show_list(given: argparse.Namespace) -> int:
    from holdfast.ops.drill.register import CONTROLS, FAULTS

    rows = [("fault", each.name, each.about, each.setting.needs()) for each in FAULTS]
    rows += [("control", each.name, each.about, each.setting.needs()) for each in CONTROLS]
    if given.json:
        print_json([dict(zip(("kind", "name", "about", "needs"), row, strict=True)) for row in rows])
        return 0
    for kind, name, about, needs in rows:
        print(f"{kind:8} {name:26} {about}" + (f"\n{'':36}cannot run here: {needs}" if needs else ""))
    return 0


def run_drill(given: argparse.Namespace) -> int:
    import asyncio

    import uvloop

    from holdfast.ops.drill.report import write
    from holdfast.ops.drill.run import run as drill
    from holdfast.ops.drill.totals import remember

    plan = plan_from(given)
    page = given.report or REPORTS / f"drill-{plan.seed}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    try:
        campaign = uvloop.run(drill(plan, Progress(sys.stderr), page))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    write(campaign, page)
    remember(page.parent, campaign)
    if given.json:
        print_json(campaign.facts() | {"report": str(page)})
    else:
        print_verdict(campaign, page)
    return 0 if campaign.holds else EXIT_BROKEN


def plan_from(given: argparse.Namespace) -> Plan:
    import secrets

    from holdfast.ops.drill.register import chosen
    from holdfast.ops.drill.run import Plan

    names = [name for name in given.faults.split(",") if name]
    if given.data:
        given.data.mkdir(parents=True, exist_ok=True)
    return Plan(
        faults=chosen(names),
        named=bool(names),
        controls=not given.no_controls,
        seed=secrets.randbelow(1_000_000) if given.seed is None else given.seed,
        clients=given.clients or CLIENTS_DEFAULT,
        minutes=given.minutes,
        orders=given.orders,
        cuts=given.cuts,
        express=given.express,
        calm_seconds=given.calm or Plan.calm_seconds,
        place=given.data.absolute() if given.data else None,
    )


def print_verdict(campaign: Campaign, page: Path) -> None:
    from holdfast.ops.drill.verdict import KINDS

    verdict = campaign.verdict
    counts = ", ".join(f"{verdict.counts[kind]} {kind}" for kind in KINDS)
    colour = GREEN if campaign.holds else RED
    strikes = sum(len(scene.struck) for scene in campaign.scenes)
    sold = f"{verdict.placed:,} orders acknowledged under {counted(strikes, 'fault')}: {counts}"
    print(f"\n{painted(sold, BOLD, sys.stdout)}")
    print(f"Controls found out: {sum(each.noticed for each in campaign.controls)} of {len(campaign.controls)}.")
    for name, needs in campaign.left_out:
        print(f"Not run here: {name}: {needs}")
    for problem in (*campaign.problems, *(finding.what for finding in verdict.examples)):
        print(painted(f"  {problem}", RED, sys.stdout))
    print(
        painted(
            "Every promise held." if campaign.holds else "A promise broke, or could not be shown.", colour, sys.stdout
        )
    )
    print(f"Seed {campaign.plan.seed}, version {campaign.version}, report {page}\nAgain: {campaign.plan.command}")


def show_totals(given: argparse.Namespace) -> int:
    from holdfast.ops.drill.totals import total

    facts = total(given.reports)
    if given.json:
        print_json(facts)
        return 0
    print(f"{facts['runs']} runs, {facts['failedRuns']} failed; {facts['acknowledged']:,} orders acknowledged")
    for name in ("lost", "duplicated", "oversold", "unexplained"):
        print(f"  {name:26} {facts[name]:8}")
    for title in ("struck", "controlsFoundOut"):
        for name, count in facts[title].items():
            print(f"  {name:26} {count:8}" + ("  control found out" if title == "controlsFoundOut" else ""))
    return 0
