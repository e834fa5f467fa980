"""`holdfast stop`: what Ctrl-C would do, from another terminal."""

import argparse

from holdfast.cli.printing import add_data, add_json, print_json


def arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    from holdfast.ops.server.inspect import stop
    from holdfast.ops.server.layout import Layout, data_folder

    pid = stop(Layout(data_folder(given.data)))
    if given.json:
        print_json({"stopped": pid})
    else:
        print(f"Stopped (process {pid}).")
    return 0
