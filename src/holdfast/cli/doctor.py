"""`holdfast doctor`: every check with its state, its evidence and, when it is not fine, its fix."""

import argparse
import sys

from holdfast.cli.printing import GREEN, RED, YELLOW, add_data, add_json, painted, print_json

COLOURS = {"ok": GREEN, "warning": YELLOW, "failed": RED}


def arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    add_json(parser)
    parser.add_argument("--port", type=int, metavar="N", default=8080, help="port to check while no shop runs")


def run(given: argparse.Namespace) -> int:
    from holdfast.ops.doctor.examine import examine
    from holdfast.ops.server.layout import Layout, data_folder

    findings = examine(Layout(data_folder(given.data)), given.port)
    for finding in findings:
        if given.json:
            print_json(finding.facts())
        else:
            show(finding.check, finding.state, finding.evidence, finding.fix)
    return 1 if any(finding.state == "failed" for finding in findings) else 0


def show(check: str, state: str, evidence: str, fix: str) -> None:
    print(f"{painted(f'{state:<8}', COLOURS[state], sys.stdout)} {check}: {evidence}")
    if state != "ok" and fix:
        print(f"         fix: {fix}")
