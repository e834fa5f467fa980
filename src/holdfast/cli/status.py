"""`holdfast status`: the processes of an installation and whether it serves."""

import argparse
import sys

from holdfast.cli.printing import GREEN, RED, add_data, add_json, painted, print_json


def arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    from holdfast.ops.server.inspect import EXIT_NOT_RUNNING, look
    from holdfast.ops.server.layout import Layout, data_folder

    seen = look(Layout(data_folder(given.data)))
    if given.json:
        print_json(seen.facts())
    else:
        word = painted("serving", GREEN, sys.stdout) if seen.serving else painted("not serving", RED, sys.stdout)
        print(f"{word}  {seen.api_url or seen.data}")
        for process in seen.processes:
            print(f"  {process.role:<12} {process.pid:>8}  {process.memory_mb:>6.0f} MB")
    return 0 if seen.running else EXIT_NOT_RUNNING
