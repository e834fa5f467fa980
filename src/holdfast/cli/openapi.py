"""`holdfast openapi`: the description of the API, made from what is registered.

`docs/api/openapi.json` is checked in, so that a change of the API is seen in review.
"""

import argparse
import sys
from pathlib import Path

DESCRIPTION = "docs/api/openapi.json"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", default=DESCRIPTION, metavar="FILE", help=f"where to write it, - to print (default: {DESCRIPTION})"
    )


def run(given: argparse.Namespace) -> int:
    from holdfast.http.openapi import encode

    if given.output == "-":
        sys.stdout.buffer.write(encode())
    else:
        target = Path(given.output)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(encode())
    return 0
