"""`holdfast logs`: every process's lines in one stream, in the order they were written."""

import argparse

from holdfast.cli.printing import add_data, add_json, print_json

LINES_DEFAULT = 50


def arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    add_json(parser)
    parser.add_argument(
        "process", nargs="*", metavar="PROCESS", help="for example api-0, postgres, background (default: all)"
    )
    lines = f"lines from the end (default {LINES_DEFAULT})"
    parser.add_argument("-n", "--lines", type=int, default=LINES_DEFAULT, metavar="N", help=lines)
    parser.add_argument("-f", "--follow", action="store_true", help="go on showing new lines until Ctrl-C")


def run(given: argparse.Namespace) -> int:
    from holdfast.ops.server.journal import follow, last_lines
    from holdfast.ops.server.layout import Layout, data_folder

    layout = Layout(data_folder(given.data))
    for process, line in last_lines(layout, given.process, given.lines):
        show(process, line, as_json=given.json)
    if given.follow:
        for process, line in follow(layout, given.process):
            show(process, line, as_json=given.json)
    return 0


def show(process: str, line: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"process": process, "line": line})
    else:
        print(f"{process:<12} {line}", flush=True)
