"""`holdfast events`: watch what happens in the shop, and have a subscription told of it again.

The database is asked, not the API.
"""

import argparse
from datetime import datetime
from typing import Any

from holdfast.cli.deadletter import database_of
from holdfast.cli.printing import add_data, add_json, print_json

LINES_DEFAULT = 20
LINES_MAX = 500
POLL_SECONDS = 0.5
# Messages are numbered before they are committed: the last so many are looked at again.
LOOK_BACK = 200


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    tail = verbs.add_parser("tail", help="show the latest messages")
    tail.add_argument("--follow", "-f", action="store_true", help="go on as they happen, until interrupted")
    tail.add_argument(
        "--type", action="append", metavar="TYPE", help="only this type, like OrderCreated; may be repeated"
    )
    tail.add_argument("--project", metavar="KEY", help="only of this project")
    lines = f"latest messages to show (default {LINES_DEFAULT})"
    tail.add_argument("--lines", type=line_count, default=LINES_DEFAULT, metavar="N", help=lines)
    replay = verbs.add_parser("replay", help="have a subscription told again what happened")
    replay.add_argument("--project", required=True, metavar="KEY", help="the project of the subscription")
    replay.add_argument("--subscription", required=True, metavar="KEY", help="its key, or id")
    replay.add_argument("--from", dest="since", type=moment, required=True, metavar="T", help="ISO 8601: from then on")
    replay.add_argument("--to", dest="until", type=moment, required=True, metavar="T", help="up to then")
    for verb in (tail, replay):
        add_data(verb)
        add_json(verb)


def line_count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= LINES_MAX:
        raise argparse.ArgumentTypeError(f"between 1 and {LINES_MAX}")
    return count


def moment(text: str) -> datetime:
    """A point in time such as 2026-01-31T10:00Z; without an offset it is UTC."""
    from holdfast.base import clock

    try:
        return clock.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a point in time like 2026-01-31T10:00Z") from None


def run(given: argparse.Namespace) -> int:
    import asyncio

    return asyncio.run(tail(given) if given.verb == "tail" else replay(given))


async def tail(given: argparse.Namespace) -> int:
    import asyncio

    from holdfast.store.events import events

    async with database_of(given) as database:
        found = await events(database, given.project, given.type, None, given.lines)
        for event in found:
            show(event, given)
        seen = {event.position for event in found}
        last = max(seen, default=0) or await newest(database)
        while given.follow:
            await asyncio.sleep(POLL_SECONDS)
            for event in await events(database, given.project, given.type, max(0, last - LOOK_BACK)):
                if event.position not in seen and event.position > min(seen, default=last):
                    show(event, given)
                    seen.add(event.position)
            last = max(seen, default=last)
            seen = {position for position in seen if position >= last - LOOK_BACK}
    return 0


async def newest(database: Any) -> int:
    """Where the outbox ends."""
    from holdfast.store.events import events

    return max((event.position for event in await events(database, None, None, None, 1)), default=0)


def show(event: Any, given: argparse.Namespace) -> None:
    import json

    from holdfast.http.event_operator import event_facts

    if given.json:
        print_json(event_facts(event) | {"message": json.loads(event.body)})
    else:
        number = f"#{event.sequence_number}"
        print(
            f"{event.created_at:%H:%M:%S.%f}"[:-3],
            event.project,
            event.type,
            event.kind,
            event.resource_id,
            number,
            flush=True,
        )


async def replay(given: argparse.Namespace) -> int:
    from holdfast.ops.trouble import Trouble
    from holdfast.store.events import Span, replay_span, subscription_id

    async with database_of(given) as database:
        found = await subscription_id(database, given.project, given.subscription)
        if found is None:
            remedy = "Check --project and --subscription."
            raise Trouble(f"There is no subscription '{given.subscription}'.", remedy=remedy, code="no-subscription")
        owed, after = 0, 0
        while True:
            done = await replay_span(database, found, Span(given.project, given.since, given.until), after)
            owed += done.owed
            if done.go_on_after is None:
                break
            after = done.go_on_after
    if given.json:
        print_json({"replayed": owed})
    else:
        print(f"{owed} messages will be sent to {given.subscription} again, under the ids they had.")
    return 0
