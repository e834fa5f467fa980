"""`python -m holdfast.demo`: load the demo shop into a project of a running shop."""

from __future__ import annotations

import argparse
import os
import sys
import time

from holdfast.demo.client import Refused, Shop
from holdfast.demo.load import load


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m holdfast.demo", description=__doc__)
    parser.add_argument("--api", required=True, metavar="URL", help="address of the running shop")
    parser.add_argument("--project", required=True, metavar="KEY", help="project to load into")
    parser.add_argument("--client-id", required=True, metavar="ID", help="client with the scope manage_project")
    secret = os.environ.get("HOLDFAST_CLIENT_SECRET")
    parser.add_argument(
        "--client-secret",
        default=secret,
        required=secret is None,
        metavar="SECRET",
        help="that client's secret; better in HOLDFAST_CLIENT_SECRET, where no process list shows it",
    )
    parser.add_argument(
        "--public-url",
        default=os.environ.get("HOLDFAST_PUBLIC_URL") or None,
        metavar="URL",
        help="address under which browsers fetch the pictures, where it is not that of --api",
    )
    given = parser.parse_args(arguments)
    shop = Shop(given.api.rstrip("/"), given.project, given.client_id, given.client_secret)
    pictures_url = (given.public_url or given.api).rstrip("/")
    started = time.monotonic()
    try:
        loaded = load(shop, pictures_url, report=lambda line: print(f"demo: {line}", flush=True))
    except (Refused, OSError) as problem:
        print(f"demo: not loaded: {problem}\nRun the same command again to continue.", file=sys.stderr)
        return 1
    print(f"demo: loaded in {time.monotonic() - started:.1f} s" if loaded else "demo: already there", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
