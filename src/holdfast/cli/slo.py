"""`holdfast slo`: how the objectives of a running shop stand, and files that tell Prometheus and Grafana of them."""

import argparse
import sys
from pathlib import Path
from typing import Any

from holdfast.cli.printing import GREEN, RED, YELLOW, add_data, add_json, painted, print_json

EXIT_FIRING = 1


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--files",
        metavar="DIR",
        type=Path,
        help="write rules for Prometheus and a dashboard for Grafana there, and end",
    )
    add_data(parser)
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    if given.files:
        from holdfast.ops.observe.files import write_files

        for path in write_files(given.files):
            print_json({"written": str(path)}) if given.json else print(path)
        return 0
    import time

    from holdfast.base.history import FOLDER, samples
    from holdfast.base.slo import standings
    from holdfast.ops.server.inspect import running_shop
    from holdfast.ops.server.layout import Layout, data_folder

    layout = Layout(data_folder(given.data))
    running_shop(layout)
    now = time.time()
    seen = samples(layout.data / FOLDER)
    found = standings(seen, now)
    if given.json:
        for standing in found:
            print_json(facts(standing))
    else:
        tell(found, now - seen[0].at if seen else 0.0)
    return EXIT_FIRING if any(alert.severity == "page" for standing in found for alert in standing.firing) else 0


def facts(standing: Any) -> dict[str, Any]:
    return {
        "slo": standing.slo.name,
        "objective": standing.slo.objective,
        "burn": standing.burns,
        "budgetLeft": standing.budget_left,
        "firing": [{"severity": alert.severity, "window": alert.long.name} for alert in standing.firing],
    }


def tell(found: list[Any], known_seconds: float) -> None:
    windows = list(found[0].burns)
    print(f"{'':<24}{'objective':>10}{'budget':>9}" + "".join(f"{f'burn {name}':>10}" for name in windows))
    for standing in found:
        burns = "".join(f"{number(burn, '.1f'):>10}" for burn in standing.burns.values())
        objective = f"{standing.slo.objective * 100:g} %"
        print(
            f"{standing.slo.name:<24}{objective:>10}{number(standing.budget_left, '.0%'):>9}{burns}  {word(standing)}"
        )
    print(
        f"From {known_seconds / 3600:.1f} h of counts; a burn of 1 spends exactly the budget of 30 days. –: no events."
    )


def number(value: float | None, how: str) -> str:
    return "–" if value is None else format(value, how)


def word(standing: Any) -> str:
    if not standing.firing:
        return painted("ok", GREEN, sys.stdout)
    worst = min(standing.firing, key=lambda alert: alert.severity)
    return painted(
        f"{worst.severity}: burning over {worst.long.name}", RED if worst.severity == "page" else YELLOW, sys.stdout
    )
