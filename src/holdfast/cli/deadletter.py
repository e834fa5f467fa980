"""`holdfast deadletter`: notifications nobody took; look at them, send them again, throw them away.

The database is asked, not the API.
"""

import argparse
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from holdfast.cli.printing import add_data, add_json, print_json

# Batches of one command; each is a transaction of its own.
BATCHES_MAX = 10_000


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="list them, the oldest first")
    show = verbs.add_parser("show", help="show one with the message it carries")
    show.add_argument("id", metavar="ID", help="the dead letter")
    replay = verbs.add_parser("replay", help="send them again")
    discard = verbs.add_parser("discard", help="throw them away; each is named on standard error")
    for verb in (listing, replay, discard):
        verb.add_argument("--project", metavar="KEY", help="only of this project")
        verb.add_argument("--subscription", metavar="KEY", help="only of the subscription with this key, or id")
    for verb in (replay, discard):
        verb.add_argument("ids", metavar="ID", nargs="*", help="these dead letters")
        verb.add_argument("--all", action="store_true", help="every dead letter there is")
        verb.add_argument("--dry-run", action="store_true", help="only say how many that would be")
    for verb in (listing, show, replay, discard):
        add_data(verb)
        add_json(verb)


def run(given: argparse.Namespace) -> int:
    import asyncio

    verbs: dict[str, Callable[[Any, argparse.Namespace], Awaitable[int]]] = {
        "list": list_letters,
        "show": show_letter,
        "replay": replay_letters,
        "discard": discard_letters,
    }
    return asyncio.run(with_database(given, verbs[given.verb]))


async def with_database(given: argparse.Namespace, verb: Callable[[Any, argparse.Namespace], Awaitable[int]]) -> int:
    async with database_of(given) as database:
        return await verb(database, given)


@asynccontextmanager
async def database_of(given: argparse.Namespace) -> AsyncIterator[Any]:
    """The database of the shop the command is about."""
    from holdfast.ops.server.inspect import database_url
    from holdfast.ops.server.layout import Layout, data_folder
    from holdfast.store.pool import Database

    database = Database(database_url(Layout(data_folder(given.data))), ad_hoc=1)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def list_letters(database: Any, given: argparse.Namespace) -> int:
    count = 0
    async for letter in chosen(database, given):
        count += 1
        if given.json:
            print_json(facts(letter))
        else:
            to = letter.subscription_key or letter.subscription_id
            print(f"{letter.id}  {letter.buried_at:%Y-%m-%d %H:%M}  {letter.project}/{to}  {letter.type}")
            print(f"  {letter.kind} {letter.resource_id}, {letter.attempts} attempts: {letter.reason}")
    if not count and not given.json:
        print("There are no dead letters.")
    return 0


async def chosen(database: Any, given: argparse.Namespace) -> AsyncIterator[Any]:
    """The letters a command is about, page by page."""
    from holdfast.store.dead_letters import letters

    page = await letters(database, choice(given))
    while page:
        for letter in page:
            yield letter
        page = await letters(database, choice(given), after=page[-1])


def choice(given: argparse.Namespace) -> Any:
    from holdfast.store.dead_letters import Choice

    return Choice(given.project, given.subscription, getattr(given, "ids", None) or None)


async def show_letter(database: Any, given: argparse.Namespace) -> int:
    from holdfast.base.ids import is_uuid
    from holdfast.ops.trouble import Trouble
    from holdfast.store.dead_letters import letter

    found = await letter(database, given.id) if is_uuid(given.id) else None
    if found is None:
        raise Trouble(
            f"There is no dead letter '{given.id}'.", remedy="See `holdfast deadletter list`.", code="no-letter"
        )
    told = facts(found)
    if given.json:
        print_json(told)
    else:
        import json

        print(json.dumps(told, indent=2, ensure_ascii=False))
    return 0


def facts(letter: Any) -> dict[str, Any]:
    import json

    from holdfast.http.event_operator import letter_facts

    told = letter_facts(letter)
    return told | {"message": json.loads(letter.body)} if letter.body is not None else told


async def replay_letters(database: Any, given: argparse.Namespace) -> int:
    from holdfast.store.dead_letters import replay

    return await carry_out(database, given, replay, "replayed")


async def discard_letters(database: Any, given: argparse.Namespace) -> int:
    from holdfast.store.dead_letters import discard

    return await carry_out(database, given, discard, "discarded")


async def carry_out(database: Any, given: argparse.Namespace, act: Callable[..., Awaitable[int]], done: str) -> int:
    """Batch after batch, until no letter that is meant is left."""
    check(given)
    count = 0
    if given.dry_run:
        async for letter in chosen(database, given):
            count += not given.ids or letter.id in given.ids
    else:
        for _ in range(BATCHES_MAX):
            batch = await act(database, choice(given))
            count += batch
            if not batch:
                break
    if given.json:
        print_json({done: 0 if given.dry_run else count, "found": count})
    else:
        print(f"{count} dead letters {'would be ' if given.dry_run else ''}{done}.")
    return 0


def check(given: argparse.Namespace) -> None:
    """That it was said which ones. Raises Trouble."""
    from holdfast.base.ids import is_uuid
    from holdfast.ops.trouble import Trouble

    if not (given.ids or given.project or given.subscription or given.all):
        remedy = "Name their ids, --subscription or --project; or say --all."
        raise Trouble("Which dead letters?", remedy=remedy, code="no-choice", exit_code=2)
    for each in given.ids:
        if not is_uuid(each):
            raise Trouble(
                f"'{each}' is no id of a dead letter.", remedy="See `holdfast deadletter list`.", code="no-letter"
            )
