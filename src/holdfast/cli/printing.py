"""What commands share in speaking: data as text or one JSON line, trouble as sentences."""

import argparse
import json
import os
import sys
import time
from typing import Any, TextIO

from holdfast.ops.trouble import Trouble

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"


def add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DIR", help="data folder (default: $HOLDFAST_DATA or ./.holdfast)")


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs: one value a line")


def print_json(facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def counted(number: int, noun: str) -> str:
    """A number of things: `1 fault`, `2 faults`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def has_colours(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def painted(text: str, colour: str, stream: TextIO) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if has_colours(stream) else text


def print_trouble(trouble: Trouble, *, as_json: bool) -> None:
    """What happened, why, and what to do next: on standard error, or as JSON on standard output."""
    if as_json:
        print_json(trouble.facts())
        return
    print(f"{painted('holdfast:', RED, sys.stderr)} {trouble.what}", file=sys.stderr)
    for name, text in (("why: ", trouble.why), ("next:", trouble.remedy)):
        if text:
            print(f"  {name} {indented(text)}", file=sys.stderr)


def print_internal_error(error: Exception) -> None:
    print(f"{painted('holdfast:', RED, sys.stderr)} {type(error).__name__}: {error}", file=sys.stderr)
    print("  why:  this is a bug in Holdfast", file=sys.stderr)
    print("  next: run the command again with -v and report what it prints", file=sys.stderr)


def indented(text: str) -> str:
    return text.replace("\n", "\n        ")


class Progress:
    """Lines about steps done, with the seconds since the start; on standard error, so that output stays data."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._started = time.monotonic()

    def __call__(self, line: str) -> None:
        elapsed = painted(f"{time.monotonic() - self._started:5.1f} s", DIM, self._stream)
        print(f"{elapsed}  {line}", file=self._stream, flush=True)
