"""`holdfast`: picks the command, loads only that, and turns trouble into sentences.

Every command file has `arguments(parser)` and `run(given) -> exit code`. Exit codes: 0 done,
1 failed, 2 misused, 3 already running, 4 not running, 130 interrupted.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version

COMMANDS = {
    "up": "start a complete shop and keep it running",
    "stop": "end the running shop: requests finish, then everything stops",
    "status": "which processes run, and whether the shop serves",
    "doctor": "check this machine and this installation; say how to mend what is wrong",
    "audit": "look for broken promises in everything stored; mend what can be mended",
    "payments": "list captured payments that became neither an order nor a refund",
    "logs": "show what the processes logged",
    "slo": "show how the objectives stand, and what is left of their error budgets",
    "project": "create a project in the running shop",
    "client": "create an API client in the running shop",
    "limits": "show or set how much each client may ask for",
    "stock": "show how the stock of an item came to be",
    "events": "watch what happens, and have a subscription told of it again",
    "deadletter": "look at notifications nobody took; send them again or throw them away",
    "receipts": "check that every acknowledged order is there as it was acknowledged",
    "bench": "measure a shop of its own beside the raw limits of this machine",
    "drill": "break a shop in the middle of a sale, and check that no promise breaks",
    "openapi": "write the description of the API",
    "completion": "print completion for your shell",
    "version": "print the versions of Holdfast and what it stands on",
}
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    given = command_parser(chosen=next((word for word in words if word in COMMANDS), None)).parse_args(words)
    try:
        return int(importlib.import_module(f"holdfast.cli.{given.command}").run(given))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output (head, less) has seen enough.
        sys.stderr.close()
        return 0
    except Exception as error:  # noqa: BLE001 - the edge of the process
        return tell(error, given)


def command_parser(chosen: str | None) -> argparse.ArgumentParser:
    """The whole grammar of one command, and the names of the others."""
    parser = argparse.ArgumentParser(
        prog="holdfast", description="A commerce backend that keeps every order it ever acknowledged, whatever breaks."
    )
    parser.add_argument("--version", action="version", version=f"holdfast {version('holdfast')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == chosen:
            command.add_argument("-v", "--verbose", action="store_true", help="show tracebacks")
            importlib.import_module(f"holdfast.cli.{name}").arguments(command)
    return parser


def tell(error: Exception, given: argparse.Namespace) -> int:
    from holdfast.cli.printing import print_internal_error, print_trouble
    from holdfast.ops.trouble import Trouble

    if given.verbose:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, Trouble):
        print_trouble(error, as_json=getattr(given, "json", False))
        return error.exit_code
    if isinstance(error, OSError) and error.filename:
        # The machine refused, not we: a full disk, a missing permission.
        remedy = "Check its permissions and the space on its disk; `holdfast doctor` does both."
        return tell(Trouble(f"{error.filename} cannot be used.", why=str(error.strerror), remedy=remedy), given)
    print_internal_error(error)
    return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
