"""`holdfast up`: start everything, stay, and say how to talk to it."""

import argparse
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from holdfast.cli.printing import BOLD, Progress, add_data, add_json, painted, print_json

PORT_DEFAULT = 8080
PORT_MAX = 65535
WORKERS_MAX = 64
LOG_LEVELS = ("debug", "info", "warning", "error")
WORKERS_DEFAULT_MAX = 2


def arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    add_json(parser)
    parser.add_argument("--port", type=port, metavar="N", help=f"port of the API (default {PORT_DEFAULT}; 0: any free)")
    parser.add_argument("--host", metavar="ADDRESS", help="address to listen on (default 127.0.0.1)")
    parser.add_argument(
        "--workers", type=worker_count, metavar="N", help="API processes (default: 2, or 1 on one core)"
    )
    parser.add_argument(
        "--database", metavar="URL", help="use this PostgreSQL (16 or newer) instead of the embedded one"
    )
    parser.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="write addresses and credentials here once serving"
    )
    parser.add_argument("--no-demo", action="store_true", help="start empty, without the demo shop")


def port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= PORT_MAX:
        raise argparse.ArgumentTypeError(f"between 0 and {PORT_MAX}")
    return number


def worker_count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= WORKERS_MAX:
        raise argparse.ArgumentTypeError(f"between 1 and {WORKERS_MAX}")
    return count


def run(given: argparse.Namespace) -> int:
    import asyncio

    from holdfast.base.log import configure
    from holdfast.ops.server.layout import Layout
    from holdfast.ops.server.up import Up

    options, log_level = options_from(given), log_level_from(os.environ)
    layout = Layout(options.data)
    layout.create()
    with layout.log("supervisor").open("a", buffering=1) as log:
        configure("supervisor", log_level, log)
        asyncio.run(
            Up(options, Progress(sys.stderr), print_json if given.json else partial(welcome, options.data)).run()
        )
    return 0


def options_from(given: argparse.Namespace) -> Any:
    from holdfast.ops.server.layout import data_folder
    from holdfast.ops.server.up import UpOptions

    environment = os.environ
    return UpOptions(
        data=data_folder(given.data),
        host=given.host or environment.get("HOLDFAST_HOST", "127.0.0.1"),
        port=port_from(environment) if given.port is None else given.port,
        workers=given.workers or min(WORKERS_DEFAULT_MAX, cores()),
        database=given.database or environment.get("HOLDFAST_DATABASE_URL"),
        demo=not given.no_demo,
        ready_file=given.ready_file.absolute() if given.ready_file else None,
        public_url=environment.get("HOLDFAST_PUBLIC_URL"),
    )


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def port_from(environment: Mapping[str, str]) -> int:
    from holdfast.ops.trouble import Trouble

    text = environment.get("HOLDFAST_PORT", str(PORT_DEFAULT))
    try:
        return port(text)
    except (ValueError, argparse.ArgumentTypeError):
        why = f"HOLDFAST_PORT is {text!r}, not a number from 0 to {PORT_MAX}."
        raise Trouble("A setting is wrong.", why=why, code="bad-setting") from None


def log_level_from(environment: Mapping[str, str]) -> str:
    from holdfast.ops.trouble import Trouble

    level = environment.get("HOLDFAST_LOG_LEVEL", LOG_LEVELS[1])
    if level not in LOG_LEVELS:
        why = f"HOLDFAST_LOG_LEVEL is {level!r}, not one of {', '.join(LOG_LEVELS)}."
        raise Trouble("A setting is wrong.", why=why, code="bad-setting")
    return level


def welcome(data: Path, facts: dict[str, Any]) -> None:
    """Addresses, credentials, and two commands that work as they stand."""
    api, key = facts["apiUrl"], facts["projectKey"]
    pick_field = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])'"
    print(
        f"""
{painted("Your shop is open.", BOLD, sys.stdout)}

  API            {api}
  Explorer       {api}/docs
  Operations     {api}/ops, opened by what {data / "operator.token"} holds
  Project key    {key}
  Client id      {facts["clientId"]}
  Client secret  {facts["clientSecret"]}

Try it:

  TOKEN=$(curl -s -u {facts["clientId"]}:{facts["clientSecret"]} \\
    -d grant_type=client_credentials {api}/oauth/token | {pick_field})
  curl -s -H "Authorization: Bearer $TOKEN" "{api}/{key}/products?limit=2"

Ctrl-C stops it; nothing acknowledged is lost.
""",
        flush=True,
    )
